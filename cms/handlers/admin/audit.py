"""The record of who did what: a page to search it, and all that was found as a file."""

from urllib.parse import urlencode

from tornado.iostream import StreamClosedError

from cms.errors import InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.policy import Capability
from cms.schemas.audit import AuditQuery
from cms.services import accounts, audit
from cms.services.audit import Record
from cms.ui.audit import csv_head, csv_row, in_words, json_row

AT_ONCE = 500  # lines that are read for a file in one go


class AuditHandler(AdminHandler):
    requires = Capability.AUDIT_SEE

    async def get(self) -> None:
        form = Form.of_request(AuditQuery, self.request.query_arguments)
        try:
            query = form.value()
        except InvalidInput:
            await self._show(form, Record((), False), status=422)
            return
        async with self.read() as session:
            record = await audit.list_lines(session, self.actor, query, self.parts.last_frame.zone)
        await self._show(form, record)

    async def _show(self, form: Form[AuditQuery], record: Record, *, status: int = 200) -> None:
        async with self.read() as session:
            people = [("", "Everybody"), *((str(user.id), user.name) for user in await accounts.list_users(session))]
            kinds = [("", "Everything"), *((kind, kind.replace("_", " ").capitalize()) for kind in await audit.list_kinds(session))]
        if (asked := str(form["person"] or "")) and asked not in dict(people) and not form.errors:
            people.append((asked, f"Somebody who is gone ({asked})"))
        self.set_status(status)
        self.render(
            "admin/audit.html", section="audit", form=form, record=record, people=people, kinds=kinds, in_words=in_words,
            address=lambda name, **more: _address(self.reverse_url(name), form, more), is_asked=bool(_asked(form)),
        )  # fmt: skip


class AuditFileHandler(AdminHandler):
    """Streamed: 400 days of acts need not fit into memory."""

    requires = Capability.AUDIT_SEE
    is_dangerous = True

    def initialize(self, form: str) -> None:
        self.form_of_file = form

    async def get(self) -> None:
        try:
            query = Form.of_request(AuditQuery, self.request.query_arguments).value()
        except InvalidInput:
            raise NotFound from None
        is_csv = self.form_of_file == "csv"
        self.set_header("Content-Type", "text/csv; charset=utf-8" if is_csv else "application/json; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="audit.{self.form_of_file}"')
        before, between, after = (csv_head(), "", "") if is_csv else ("[\n", ",\n", "\n]\n")
        row, more = csv_row if is_csv else json_row, True
        while more:
            async with self.read() as session:
                record = await audit.list_lines(session, self.actor, query, self.parts.last_frame.zone, AT_ONCE)
            self.write(before + between.join(row(line) for line in record.lines))
            try:
                await self.flush()
            except StreamClosedError:
                return  # whoever asked has left
            if more := record.has_older:
                before, query = between, query.model_copy(update={"before": record.lines[-1].id})
        self.write(after)


def _asked(form: Form[AuditQuery]) -> dict[str, str]:
    return {name: str(form[name]) for name in AuditQuery.model_fields if form[name] and name != "before"}


def _address(path: str, form: Form[AuditQuery], more: dict[str, object]) -> str:
    query = urlencode({**_asked(form), **more})
    return f"{path}?{query}" if query else path
