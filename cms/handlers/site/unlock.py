"""Giving the password of a text, or of a site that is not open."""

import json

from cms.errors import InvalidInput, NotFound
from cms.handlers.base import safe_path
from cms.handlers.forms import Form
from cms.handlers.site.base import SiteHandler
from cms.schemas.visibility import UnlockInput
from cms.services import passes, throttling
from cms.services.passes import Lock
from cms.ui.words import href

WRONG = "This is not the password."


class UnlockHandler(SiteHandler):
    """Signs nobody in, and changes nothing here: the form stands on pages that are the same for everybody, and has no key."""

    SUPPORTED_METHODS = ("GET", "HEAD", "POST")  # type: ignore[assignment]
    is_kept = False
    is_open_to_all = True

    def check_xsrf_cookie(self) -> None:
        """Whoever sends it from another site (which Tornado refuses) could only open what the password opens."""

    def get(self) -> None:
        """Of somebody who looks again at the page that said what was wrong."""
        self.redirect(self.reverse_url("home"), status=303)

    async def post(self) -> None:
        form, wanted = self.form(UnlockInput), self.get_body_argument("next", "")
        lock = await self._find(form)
        if await self._opens(lock, form):
            kept = json.dumps(passes.added(self.opened, lock.mark))
            self.set_signed_cookie(self.opened_cookie, kept, expires_days=passes.DAYS, **self.cookie_flags)
            self.redirect(href(lock.path) if lock.path else safe_path(wanted) or "/", status=303)
            return
        frame, post_id = await self.parts.door.frame(), int(form["post"]) if form["post"] else None
        self.show_lock(frame, post_id, at=wanted, wrong=self.locale.translate(WRONG))

    async def _find(self, form: Form[UnlockInput]) -> Lock:
        try:
            wanted = form.value().post
        except InvalidInput as error:
            if "post" in error.errors:
                raise NotFound from None
            wanted = int(form["post"]) if form["post"] else None
        async with self.read() as session:
            lock = await (passes.of_site(session) if wanted is None else passes.of_post(session, wanted))
        if lock is None:
            raise NotFound
        return lock

    async def _opens(self, lock: Lock, form: Form[UnlockInput]) -> bool:
        if form.errors:
            return False
        await throttling.take(self.parts.database, passes.TRIES, f"{self.remote_address}\0{lock.mark}")
        return await self.parts.passwords.verify(lock.stored, form.value().password)
