"""The person's own account: how to sign in, and what is signed in. Another's cannot be reached here."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from cms.db.session import Work
from cms.errors import NotAuthenticated
from cms.handlers.admin.sessions import SignInHandler
from cms.models import User
from cms.services import sessions
from cms.services.sessions import Found


class AccountHandler(SignInHandler, is_base=True):
    @property
    def found(self) -> Found:
        if self.standing is None:  # prepare() has seen to it
            raise NotAuthenticated
        return self.standing

    @property
    def user(self) -> User:
        """As it was when the request came; what changes it asks for it again."""
        return self.found.user

    def get_template_namespace(self) -> dict[str, Any]:
        return {**super().get_template_namespace(), "section": "account", "part": "security"}

    async def renewed(self, work: Work) -> str:
        """A new token for this session, as it may do other things from now on."""
        return await sessions.renew(work, self.found.session.id)

    def show_codes(self, codes: Sequence[str]) -> None:
        """Once: they are in no other answer. The link has them in itself, so that nothing has to be asked for again."""
        text = "".join(f"{code}\n" for code in codes)
        self.render("admin/account/codes.html", codes=codes, file=f"data:text/plain;charset=utf-8,{quote(text)}")
