"""The tree of pages, and moving one in it: by a button for one step, by choosing what it stands below, or by dragging."""

from cms.errors import Conflict, InvalidInput, NotFound
from cms.handlers.admin.editing import EditorHandler
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.terms import PlaceInput
from cms.services import page_tree
from cms.services.page_tree import Place

MEANWHILE = "Somebody wrote in this page meanwhile, so it was not moved. Try again."


class TreeHandler(EditorHandler):
    requires = Capability.POST_EDIT

    async def get(self) -> None:
        asked = self.get_query_argument("page", "0")
        await self._show(Form(PlaceInput, {"page": self.number(asked)}))

    async def post(self) -> None:
        form = self.form(PlaceInput)
        try:
            place = await self._place(form.value())
            await self._move(place)
        except InvalidInput as error:
            form.refuse(error)
            await self._show(form, status=422)
            return
        except Conflict:
            form.refuse(InvalidInput({"": MEANWHILE}))
            await self._show(form, status=409)
            return
        self.flash("Moved.")
        self.redirect(f"{self.reverse_url('admin.pages.tree')}#page-{place.page_id}", status=303)

    async def _place(self, wanted: PlaceInput) -> Place:
        if not wanted.move:
            return Place(wanted.page, wanted.parent or None, wanted.after)
        way, _, number = wanted.move.partition("-")
        async with self.read() as session:
            return page_tree.beside(await page_tree.list_tree(session, self.actor), int(number), way)

    async def _move(self, place: Place) -> None:
        self.of_kind((await self.load(place.page_id)).post)
        async with self.read() as session:
            draft = await page_tree.to_publish(session, self.actor, place)
        rendered = await self.rendered(place.page_id, draft.content, draft.fields.language) if draft else None
        seen = (draft, rendered) if draft and rendered else None
        await self.in_transaction(lambda work: page_tree.move(work, self.actor, place, seen))

    async def _show(self, form: Form[PlaceInput], *, status: int = 200) -> None:
        async with self.read() as session:
            tree = await page_tree.list_tree(session, self.actor)
        chosen = next((each for each in tree if str(each.post.id) == str(form["page"])), None)
        if chosen is None and form["page"] and status == 200:
            raise NotFound
        within = page_tree.below(tree, chosen.post.id) if chosen else set()
        places = [(0, "—")] + [(each.post.id, "– " * each.depth + each.post.title) for each in tree if each.post.id not in within]
        form.values.setdefault("parent", (chosen.parent_id or 0) if chosen else 0)
        self.set_status(status)
        self.render("admin/posts/tree.html", tree=tree, form=form, chosen=chosen, places=places, flash=self.take_flash())
