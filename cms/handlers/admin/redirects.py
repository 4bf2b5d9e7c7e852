"""Redirects: the list, one of them, and many from and into a table."""

from urllib.parse import urlencode

from tornado.iostream import StreamClosedError

from cms.errors import InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.trash import way_out
from cms.handlers.forms import Form
from cms.models import Redirect
from cms.policy import Capability
from cms.schemas.redirects import COLUMNS, MAX_LINES, RedirectInput, RedirectsQuery, TableInput, as_written, read_table
from cms.services import redirects
from cms.services.redirects import Plan
from cms.ui.spreadsheet import csv_line
from cms.wording import phrases, say

MATCHES = phrases((("exact", "This address alone"), ("prefix", "This address and all below it; what is below goes along")))
SORTS = phrases((("", "By address"), ("hits", "Most used"), ("last", "Last used")))
SHOWN = 500  # lines that were not taken, with their reasons; all of them stand in the field to be corrected


class RedirectsHandler(AdminHandler):
    requires = Capability.SITE_CONFIGURE

    async def get(self) -> None:
        try:
            query = Form.of_request(RedirectsQuery, self.request.query_arguments).value()
        except InvalidInput:
            raise NotFound from None
        async with self.read() as session:
            found = await redirects.list_redirects(session, self.actor, query)
        self.render(
            "admin/redirects/list.html", section="redirects", found=found, query=query, sorts=SORTS, address=self._address,
            flash=self.take_flash(),
        )  # fmt: skip

    def _address(self, sort: str = "", q: str = "", page: int = 1) -> str:
        chosen = {"sort": sort, "q": q, "page": page if page > 1 else ""}
        query = urlencode({name: value for name, value in chosen.items() if value})
        return self.reverse_url("admin.redirects") + (f"?{query}" if query else "")


class OneRedirectHandler(AdminHandler, is_base=True):
    def show(self, form: Form[RedirectInput], row: Redirect | None = None, *, status: int = 200) -> None:
        self.set_status(status)
        self.render("admin/redirects/one.html", section="redirects", form=form, row=row, matches=MATCHES)

    async def save(self, redirect_id: int | None) -> bool:
        """Whether it was; if not, the form is shown again."""
        form = self.form(RedirectInput)
        try:
            wanted = form.value()
            await self.in_transaction(lambda work: redirects.save(work, self.actor, wanted, redirect_id))
        except InvalidInput as error:
            form.refuse(error)
            self.show(form, await self.row(redirect_id), status=422)
            return False
        return True

    async def row(self, redirect_id: int | None) -> Redirect | None:
        async with self.read() as session:
            return await redirects.get(session, self.actor, redirect_id) if redirect_id else None


class NewRedirectHandler(OneRedirectHandler):
    requires = Capability.SITE_CONFIGURE

    def get(self) -> None:
        self.show(Form(RedirectInput, {"match": "exact"}))

    async def post(self) -> None:
        if await self.save(None):
            self.flash(say("Saved. Readers who come to the old address are led on now."))
            self.redirect_to("admin.redirects")


class RedirectHandler(OneRedirectHandler):
    requires = Capability.SITE_CONFIGURE

    async def get(self, number: str) -> None:
        row = await self.row(self.number(number))
        assert row is not None  # noqa: S101 - or it was not found
        self.show(Form.showing(RedirectInput, redirects.shown(row)), row)

    async def post(self, number: str) -> None:
        if await self.save(self.number(number)):
            self.flash(say("Saved."))
            self.redirect_to("admin.redirects")

    async def delete(self, number: str) -> None:
        async with self.transaction() as work:
            thing = await redirects.remove(work, self.actor, self.number(number))
        said = self.locale.translate("It is in the trash: nobody is led from %s to %s any more.") % (thing.name, thing.was["target"])
        self.flash(said, undo=way_out(self, thing))
        self.redirect_to("admin.redirects")


class RedirectsFileHandler(AdminHandler):
    """All of them as a table, streamed."""

    requires = Capability.SITE_CONFIGURE

    async def get(self) -> None:
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", 'attachment; filename="redirects.csv"')
        self.write(csv_line((*COLUMNS, "hits", "last hit")))
        last = 0
        while True:
            async with self.read() as session:
                rows = await redirects.every(session, self.actor, last)
            if not rows:
                return
            self.write("".join(map(_line, rows)))
            last = rows[-1].id
            try:
                await self.flush()
            except StreamClosedError:
                return  # whoever asked has left


def _line(row: Redirect) -> str:
    last = row.hit_at.isoformat(timespec="seconds") if row.hit_at else ""
    return csv_line((as_written(row.path), row.target, row.match.value, str(row.hits), last))


class RedirectsTableHandler(AdminHandler):
    """Many from a table: the lines that are right are taken, the others come back to be corrected."""

    requires = Capability.SITE_CONFIGURE
    body_limit = 16 * 1024 * 1024

    def get(self) -> None:
        self._show(Form(TableInput))

    async def post(self) -> None:
        form = self.form(TableInput)
        file = next((sent.body for sent in self.request.files.get("file", ())), b"")
        content = file or str(form["lines"]).encode()
        try:
            if not content.strip():
                raise InvalidInput({"file": "Choose a file, or write some lines below."})
            async with self.read() as session:
                planned = await redirects.plan(session, self.actor, read_table(content))
            async with self.transaction() as work:
                await redirects.take(work, self.actor, planned)
        except InvalidInput as error:
            form.refuse(error)
            self._show(form, status=422)
            return
        self._report(planned)

    def _report(self, planned: Plan) -> None:
        """What was not taken stays in the field, each line with its reason behind it."""
        if not planned.problems:
            self.flash(self.locale.translate("%d redirects were taken from the table.") % len(planned.rules))
            self.redirect_to("admin.redirects")
            return
        left = [csv_line((*COLUMNS, "problem")), *(csv_line((*line.cells, line.reason)) for line in planned.problems)]
        self._show(Form(TableInput, {"lines": "".join(left).replace("\r\n", "\n")}), planned, status=422)

    def _show(self, form: Form[TableInput], planned: Plan | None = None, *, status: int = 200) -> None:
        self.set_status(status)
        self.render(
            "admin/redirects/table.html", section="redirects", form=form, planned=planned, shown=SHOWN, most=MAX_LINES,
            columns=",".join(COLUMNS),
        )  # fmt: skip
