"""The menus: a form of rows. Moving one is a button that sends the form; nothing is saved by it."""

import re

from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.site import MAX_ITEMS, MenuInput
from cms.services import menus

SPARE_ROWS = 3
CHANGED = "Somebody changed this menu while you did. Yours is below and not saved; saving it now replaces theirs."
_MOVE = re.compile(r"(up|down|remove)-([0-9]{1,3})")


class MenusHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    def get(self) -> None:
        self.redirect_to("admin.menu.main")


class MenuHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    def initialize(self, name: str) -> None:
        self.name = name

    async def get(self) -> None:
        async with self.read() as session:
            draft = await menus.get_draft(session, self.name)
        items = [item.model_dump() | {"is_below": "on" if item.is_below else ""} for item in draft.items]
        if draft.version == 0 and self.name == "main":  # to begin with, what readers see without one
            items = [{"label": link.label, "target": link.path} for link in self.parts.last_frame.menu]
        await self._show(Form(MenuInput, {"items": items, "version": draft.version}))

    async def post(self) -> None:
        form = self.form(MenuInput)
        if move := _MOVE.fullmatch(self.get_body_argument("move", "")):
            await self._show(form, moved=_moved(form, move[1], int(move[2])))
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
            form.values["version"] = (await menus.get_draft(session, self.name)).version
        await self._show(form, status=409, notice=CHANGED)

    async def _show(self, form: Form[MenuInput], *, status: int = 200, notice: str = "", moved: str | None = None) -> None:
        async with self.read() as session:
            targets = await menus.list_targets(session)
        self.set_status(status)
        typed = len(form.values.get("items") or ())
        self.render(
            "admin/site/menu.html", section="menus", form=form, name=self.name, targets=targets, notice=notice, moved=moved, typed=typed,
            rows=min(typed + SPARE_ROWS, max(typed, MAX_ITEMS)), flash=self.take_flash() if status == 200 and moved is None else None,
        )  # fmt: skip


def _moved(form: Form[MenuInput], way: str, number: int) -> str:
    """The rows in their new order; the button that has the focus now, "" for none."""
    rows = form.values["items"]
    if number >= len(rows):
        return ""
    row = rows.pop(number)
    if way == "remove":
        return ""
    place = min(max(number + (1 if way == "down" else -1), 0), len(rows))
    rows.insert(place, row)
    return f"{way}-{place}"
