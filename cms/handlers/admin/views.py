"""Lists that a person keeps under a name: kept, renamed, deleted."""

from cms.errors import InvalidInput
from cms.handlers.admin.listing import ListingHandler
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.desk import ListQuery, ViewInput
from cms.services import saved_views


class ViewsPage(ListingHandler, is_base=True):
    async def show(self, view_id: int = 0, form: Form[ViewInput] | None = None) -> None:
        """``form``: of the view that could not be renamed."""
        async with self.read() as session:
            views = await saved_views.list_views(session, self.actor, self.kind)
        self.set_status(422 if form else 200)
        forms = [(view, form if form and view.id == view_id else Form(ViewInput, {"name": view.name})) for view in views]
        whole = self.list_address(ListQuery.model_validate({}))
        self.render("admin/posts/views.html", forms=forms, whole=whole, errors=form, flash=self.take_flash())


class ViewsHandler(ViewsPage):
    requires = Capability.POST_EDIT

    async def get(self) -> None:
        await self.show()

    async def post(self) -> None:
        """Keep the list that the form was sent from."""
        view, (form, query) = self.form(ViewInput), self.came_from()
        view.values["query"] = query.address()
        try:
            wanted = view.value()
            await self.in_transaction(lambda work: saved_views.save(work, self.actor, self.kind, wanted))
        except InvalidInput as error:
            view.refuse(error)
            await self.show_list(form, query, view=view)
            return
        self.flash("This list is kept. You find it beside the states.")
        self.redirect(self.list_address(query), status=303)


class ViewHandler(ViewsPage):
    requires = Capability.POST_EDIT

    async def post(self, number: str) -> None:
        form, view_id = self.form(ViewInput), self.number(number)
        try:
            name = form.value().name
            await self.in_transaction(lambda work: saved_views.rename(work, self.actor, self.kind, view_id, name))
        except InvalidInput as error:
            form.refuse(error)
            await self.show(view_id, form)
            return
        self.flash("Renamed.")
        self.redirect_to(f"admin.{self.kind}s.views")

    async def delete(self, number: str) -> None:
        async with self.transaction() as work:
            await saved_views.delete(work, self.actor, self.kind, self.number(number))
        self.flash("Deleted. The texts in it stay.")
        self.redirect_to(f"admin.{self.kind}s.views")
