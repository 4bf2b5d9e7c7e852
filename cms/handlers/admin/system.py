"""Whether all is well with the installation, and the work that runs beside the site."""

import asyncio
import shutil
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from cms import __version__
from cms.errors import Conflict
from cms.handlers.admin.base import AdminHandler
from cms.models.desk import TransferKind, TransferState
from cms.policy import Capability
from cms.services import jobs, transfer_runs
from cms.ui.admin import readable
from cms.wording import phrases, whole

# What a job does, by its name (worker/tasks.py).
JOBS = phrases(
    {
        "keep_house": "Forgets what nobody can want any more",
        "keep_idle": "Keeps versions of texts that nobody has changed for a while",
        "reindex_search": "Makes the search anew",
        "renew_addresses": "Gives all posts their new addresses",
        "reindex_desk": "Makes the search of the desk anew",
        "note_links": "Notes where public texts lead",
        "catch_up_media": "Notes which texts show what of the library",
        "make_renditions": "Makes smaller pictures of one",
        "renew_media": "Writes a changed picture or file into what readers see",
        "terms.pass_on": "Gives the texts of a merged category or tag to the other",
        "terms.follow": "Writes a changed name into what readers see",
        "terms.bring_back": "Gives a category, tag or series out of the trash its texts again",
        "follow_label": "Writes a field's new label into what readers see",
        "send_mail": "Sends a letter",
        "offer_reset": "Offers a new password",
        "fetch_card": "Looks at a page of another site for its card",
        "show_card": "Shows what was found out of a page in the texts that show its card",
        "purge": "Tells the CDN or the cache in front which pages are over",
        "forget_file": "Deletes a file that nothing names",
        "transfer": "Does an import, an export, a backup or a check",
        "transfer.import": "Does an import",
        "transfer.export": "Does an export",
        "transfer.backup": "Does a backup",
        "transfer.check": "Does a check",
    }
)


class SystemHandler(AdminHandler):
    requires = Capability.SITE_OPERATE

    async def get(self) -> None:
        async with self.read() as session:
            rows = await transfer_runs.list_of(session, self.actor, [TransferKind.CHECK])
            waiting = await jobs.list_of(session, self.actor, self.parts.database.clock())
        disk = await asyncio.to_thread(shutil.disk_usage, self.parts.settings.data)
        last = next((row for row in rows if row.report), None)
        is_busy = any(row.is_under_way for row in rows[:1])
        counted = {state: sum(job.state == state for job in waiting) for state in ("waiting", "failed")}
        self.render(
            "admin/system.html", section="system", version=__version__, revision=self.parts.revision, last=last, is_busy=is_busy,
            failed=rows[0] if rows and rows[0].state is TransferState.FAILED else None, disk=disk, counted=counted,
            database=self.parts.database.dialect.name, flash=self.take_flash(), told=self._told,
            settings=self.parts.settings, front=urlsplit(self.parts.settings.purge_url).hostname,
        )  # fmt: skip

    def _told(self, result: Mapping[str, Any], what: str) -> str:
        """Its problem, or what to do, in the reader's language; reports of an earlier release have them in English."""
        return readable(self.locale.translate(whole(result["parts"][what]) if "parts" in result else result[what]))

    async def post(self) -> None:
        """Look now."""
        try:
            async with self.transaction() as work:
                await transfer_runs.ask(work, self.actor, TransferKind.CHECK)
        except Conflict as error:
            self.flash(error.message, is_refusal=True)
        self.redirect_to("admin.system")


class JobsHandler(AdminHandler):
    requires = Capability.SITE_OPERATE

    async def get(self) -> None:
        async with self.read() as session:
            rows = await jobs.list_of(session, self.actor, self.parts.database.clock())
        self.render("admin/jobs.html", section="jobs", rows=rows, words=JOBS, flash=self.take_flash())


class JobHandler(AdminHandler):
    requires = Capability.SITE_OPERATE

    async def post(self, number: str) -> None:
        """Again."""
        async with self.transaction() as work:
            await jobs.again(work, self.actor, self.number(number))
        self.flash("It is tried again.")
        self.redirect_to("admin.jobs")

    async def delete(self, number: str) -> None:
        async with self.transaction() as work:
            await jobs.forget(work, self.actor, self.number(number))
        self.flash("Given up.")
        self.redirect_to("admin.jobs")
