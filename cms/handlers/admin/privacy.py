"""What is kept about a person: as a file to take along, and forgotten for good."""

from tornado.iostream import StreamClosedError

from cms.exchange import personal
from cms.handlers.admin.account import AccountHandler
from cms.handlers.admin.base import AdminHandler
from cms.policy import Capability
from cms.services import privacy


class TakingHandler(AdminHandler, is_base=True):
    """A page that says what the file has, and the file."""

    async def send(self, user_id: int) -> None:
        """Piece by piece, as it is made."""
        async with self.transaction() as work:
            user = await privacy.begin_export(work, self.actor, user_id)
        self._transforms = []  # it is compressed already
        self.set_header("Content-Type", "application/zip")
        self.set_header("Content-Disposition", f'attachment; filename="person-{user.id}.zip"')
        try:
            async for piece in personal.pieces(self.parts.database, user, self.parts.last_frame.name):
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return  # whoever wanted it has left


class OwnDataHandler(TakingHandler, AccountHandler):
    requires = Capability.ACCOUNT_KEEP
    is_dangerous = True

    async def get(self) -> None:
        self.render("admin/account/data.html", user=self.user)

    async def post(self) -> None:
        await self.send(self.user.id)


class DataHandler(TakingHandler):
    requires = Capability.USER_MANAGE
    is_dangerous = True

    async def get(self, user_id: str) -> None:
        async with self.read() as session:
            person = await privacy.get_person(session, self.actor, self.number(user_id))
        self.render("admin/people/data.html", section="people", user=person)

    async def post(self, user_id: str) -> None:
        await self.send(self.number(user_id))


class ErasureHandler(AdminHandler):
    requires = Capability.USER_MANAGE
    is_dangerous = True

    async def get(self, user_id: str) -> None:
        async with self.read() as session:
            person = await privacy.get_erasable(session, self.actor, self.number(user_id))
            former = await privacy.former_name(session)
        self.render("admin/people/erasure.html", section="people", user=person, former=former)

    async def post(self, user_id: str) -> None:
        async with self.transaction() as work:
            await privacy.erase(work, self.actor, self.number(user_id))
        self.flash("Erased. The texts stay, under the name that the site has for people who have gone.")
        self.redirect_to("admin.people")
