"""The menus: a form of rows. Moving one is a button that sends the form; nothing is saved by it."""

from dataclasses import asdict

from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.ordering import moved_in_tree
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.site import DEEPEST, MAX_ITEMS, MenuInput
from cms.services import menus

SPARE_ROWS = 3
CHANGED = (
    "Somebody changed this menu while you did. Yours is in the form and not saved; theirs stands beside it. Saving yours replaces theirs."
)


class MenusHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    def get(self) -> None:
        self.redirect_to("admin.menu.main")


class TargetsHandler(AdminHandler):
    """What an item may lead to, by words, for whoever types."""

    requires = Capability.SITE_CONFIGURE

    async def get(self) -> None:
        async with self.read() as session:
            found = await menus.find_targets(session, self.get_query_argument("q", "")[:200])
        self.write({"targets": [asdict(each) for each in found]})


class MenuHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    def initialize(self, name: str) -> None:
        self.name = name

    async def get(self) -> None:
        async with self.read() as session:
            draft = await menus.get_draft(session, self.name)
        items = [item.model_dump() for item in draft.items]
        if draft.version == 0 and self.name == "main":  # to begin with, what readers see without one
            items = [{"label": link.label, "target": link.path, "level": 0} for link in self.parts.last_frame.menu]
        await self._show(Form(MenuInput, {"items": items, "version": draft.version}))

    async def post(self) -> None:
        form = self.form(MenuInput)
        if move := self.get_body_argument("move", ""):
            form.values["items"], focus = moved_in_tree(form.values["items"], move, DEEPEST if self.name == "main" else 0)
            await self._show(form, moved=focus)
            return
        try:
            wanted = form.value()
            await self.in_transaction(lambda work: menus.save(work, self.actor, self.name, wanted))
        except (InvalidInput, Conflict) as error:
            await self._refuse(form, error)
            return
        self.flash("Saved. Readers see it now.", (self.reverse_url("home"), "View the site"))
        self.redirect_to(f"admin.menu.{self.name}")

    async def _refuse(self, form: Form[MenuInput], error: InvalidInput | Conflict) -> None:
        if isinstance(error, InvalidInput):
            form.refuse(error)
            await self._show(form, status=422)
            return
        async with self.read() as session:
            theirs = await menus.get_draft(session, self.name)
        form.values["version"] = theirs.version
        await self._show(form, status=409, theirs=theirs)

    async def _show(self, form: Form[MenuInput], *, status: int = 200, theirs: menus.Draft | None = None, moved: str | None = None) -> None:
        async with self.read() as session:
            targets = await menus.find_targets(session)
        self.set_status(status)
        typed, deepest = len(form.values.get("items") or ()), DEEPEST if self.name == "main" else 0
        rows = min(typed + SPARE_ROWS, max(typed, MAX_ITEMS))
        self.render(
            "admin/site/menu.html", section="menus", form=form, name=self.name, targets=targets, theirs=theirs, changed=CHANGED,
            moved=moved, typed=typed, deepest=deepest, rows=rows, flash=self.take_flash() if status == 200 and moved is None else None,
        )  # fmt: skip
