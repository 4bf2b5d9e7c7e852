"""The one-time link: whoever has it becomes the owner, once."""

import hmac

from cms.errors import Conflict, InvalidInput, NotFound
from cms.handlers.admin.sessions import DoorHandler
from cms.handlers.forms import Form
from cms.schemas.account import MIN_PASSWORD, OwnerInput
from cms.services import accounts, site

HAS_OWNER = "This site has an owner already; sign in instead."


class SetupHandler(DoorHandler):
    path_is_secret = True
    requires = None  # the link's token is what is asked for
    sets_password = True

    async def get(self, token: str) -> None:
        await self._refuse_strangers(token)
        self._show(Form(OwnerInput))

    async def post(self, token: str) -> None:
        await self._refuse_strangers(token)
        form = self.form(OwnerInput)
        try:
            wanted, hashed = await self.chosen(form, str(form["name"]), str(form["email"]))
            async with self.transaction() as work:
                owner = await accounts.create_owner(work, wanted, hashed)
                entry = await self.start_session(work, owner)
        except InvalidInput as error:
            form.refuse(error)
            self._show(form, status=422)
            return
        except Conflict as error:
            self.set_status(409)
            self.render("admin/error.html", needs="", status=409, sentence=error.message, reason="", way_back="")
            return
        self.parts.has_owner = True
        async with self.read() as session:
            self.parts.use_frame(await site.get_frame(session))
        self.keep_session(entry)
        self.flash("Welcome. This site is yours now; nobody else can use the link that brought you here.")
        self.redirect_to("admin.welcome")

    @property
    def is_open(self) -> bool:
        return not self.parts.has_owner and self._is_ours(self.path_args[0])

    def show_again(self, refused: InvalidInput) -> None:
        form = self.form(OwnerInput)
        form.refuse(refused)
        self._show(form, status=403)

    async def _refuse_strangers(self, token: str) -> None:
        """Raises ``NotFound`` for a wrong token, and for the right one once there is an owner."""
        if not self._is_ours(token):
            raise NotFound
        async with self.read() as session:
            self.parts.has_owner = await accounts.has_owner(session)
        if self.parts.has_owner:
            raise NotFound(HAS_OWNER)

    def _is_ours(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.parts.owner_token.encode())

    def _show(self, form: Form[OwnerInput], *, status: int = 200) -> None:
        self.set_status(status)
        self.render("admin/setup.html", form=form, least=MIN_PASSWORD)
