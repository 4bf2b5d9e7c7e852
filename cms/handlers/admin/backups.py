"""Backups at the desk: made now or by themselves, and taken away by the owner."""

from cms.errors import Conflict, InvalidInput
from cms.handlers.admin.transfers import TransferringHandler
from cms.handlers.forms import Form
from cms.models.desk import TransferKind
from cms.policy import Capability
from cms.schemas.transfers import BackupPlan
from cms.services import transfer_runs


class BackupsHandler(TransferringHandler):
    requires = Capability.SITE_OPERATE
    kinds = (TransferKind.BACKUP,)

    async def get(self) -> None:
        async with self.read() as session:
            plan = await transfer_runs.plan_of(session)
        await self._show(Form(BackupPlan, plan.model_dump()))

    async def post(self) -> None:
        """One now."""
        try:
            async with self.transaction() as work:
                await transfer_runs.ask(work, self.actor, TransferKind.BACKUP)
        except Conflict as error:
            self.flash(error.message, is_refusal=True)
        self.redirect_to("admin.backups")

    async def put(self) -> None:
        """How often one is made by itself."""
        form = self.form(BackupPlan)
        try:
            wanted = form.value()
        except InvalidInput:
            await self._show(form, status=422)
            return
        async with self.transaction() as work:
            await transfer_runs.choose_plan(work, self.actor, wanted)
        self.flash("Saved.")
        self.redirect_to("admin.backups")

    async def _show(self, form: Form[BackupPlan], *, status: int = 200) -> None:
        async with self.read() as session:
            rows = await transfer_runs.list_of(session, self.actor, self.kinds)
        self.set_status(status)
        is_busy = any(row.is_under_way for row in rows)
        self.render("admin/transfers/backups.html", section="backups", rows=rows, form=form, is_busy=is_busy, flash=self.take_flash())


class BackupHandler(TransferringHandler):
    requires = Capability.SITE_OPERATE
    kinds = (TransferKind.BACKUP,)

    async def delete(self, number: str) -> None:
        await self.forget(number)
        self.redirect_to("admin.backups")


class BackupFileHandler(TransferringHandler):
    requires = Capability.BACKUP_TAKE
    kinds = (TransferKind.BACKUP,)
    is_dangerous = True

    async def get(self, number: str) -> None:
        row = await self.find(number)
        await self.send_file(row.file, "application/gzip", row.file.rpartition("/")[2])
