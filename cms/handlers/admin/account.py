"""The person's own account: how to sign in, and what is signed in. Another's cannot be reached here."""

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

    async def renewed(self, work: Work) -> str:
        """A new token for this session, as it may do other things from now on."""
        return await sessions.renew(work, self.found.session.id)
