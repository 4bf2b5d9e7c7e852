"""Templates of new texts: the list, making one of a text, changing it, deleting it."""

from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.editing import begun_with, compared
from cms.handlers.admin.trash import way_out
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.snippets import TemplateInput
from cms.services import desk, post_templates
from cms.services.post_templates import Start
from cms.ui.choices import languages
from cms.ui.custom_fields import labels_of


class TemplatesHandler(AdminHandler):
    requires = Capability.POST_CREATE

    async def get(self) -> None:
        async with self.read() as session:
            found = await post_templates.list_of(session)
        self.render("admin/templates/list.html", section="templates", found=found, flash=self.take_flash())


class NewTemplateHandler(AdminHandler):
    """Made of a text, which the form names."""

    requires = Capability.SNIPPET_MANAGE

    async def post(self) -> None:
        post_id = self.number(self.get_body_argument("post", ""))
        template = await self.in_transaction(lambda work: post_templates.take(work, self.actor, post_id))
        self.flash("A template is made of it. Say here what it is called, and what new texts begin with.")
        self.redirect_to("admin.template", template.id)


class TemplateHandler(AdminHandler):
    requires = Capability.SNIPPET_MANAGE

    async def get(self, number: str) -> None:
        start = await self._load(number)
        await self._show(start, Form(TemplateInput, {"name": start.template.name, "version": start.template.version, **begun_with(start)}))

    async def post(self, number: str) -> None:
        form, template_id = self.form(TemplateInput), self.number(number)
        try:
            wanted = form.value()
            await self.in_transaction(lambda work: post_templates.change(work, self.actor, template_id, wanted))
        except InvalidInput as error:
            form.refuse(error)
            await self._show(await self._load(number), form, status=422)
            return
        except Conflict:
            theirs = await self._load(number)
            rows = await compared(self, form, theirs.template.content, theirs.template.version)
            await self._show(theirs, form, status=409, rows=rows)
            return
        self.flash("Saved. Texts that began with it stay as they are.")
        self.redirect_to("admin.templates")

    async def delete(self, number: str) -> None:
        thing = await self.in_transaction(lambda work: post_templates.delete(work, self.actor, self.number(number)))
        self.flash("It is in the trash. Texts that began with it stay as they are.", undo=way_out(self, thing))
        self.redirect_to("admin.templates")

    async def _load(self, number: str) -> Start:
        async with self.read() as session:
            return await post_templates.start(session, self.number(number))

    async def _show(self, start: Start, form: Form[TemplateInput], *, status: int = 200, rows: object = None) -> None:
        async with self.read() as session:
            now = self.parts.database.clock()
            around = await desk.surroundings(session, self.actor, start.template.kind, None, now, begins=start.fields)
        form.labels = labels_of(around.custom)
        self.set_status(status)
        self.render(
            "admin/templates/template.html", section="templates", template=start.template, form=form, around=around, rows=rows,
            languages=languages(str(form["language"]) or around.frame.language, self.language.usage),
            flash=self.take_flash() if status == 200 else None,
        )  # fmt: skip
