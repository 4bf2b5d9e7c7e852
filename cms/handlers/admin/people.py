"""People, for those who run them: the list, one of them, and what can be done to an account."""

from typing import Any
from urllib.parse import urlencode

from cms.db.session import Work
from cms.errors import Forbidden, InvalidInput, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.models import User
from cms.policy import Capability, Role
from cms.schemas.account import EmailInput, HeirInput, NameInput, PeopleQuery, RoleInput
from cms.services import accounts, invitations, people, resets
from cms.ui.choices import ROLES
from cms.wording import say


class PeopleHandler(AdminHandler):
    requires = Capability.USER_MANAGE

    async def get(self) -> None:
        try:
            query = Form.of_request(PeopleQuery, self.request.query_arguments).value()
        except InvalidInput:
            raise NotFound from None
        now = self.parts.database.clock()
        async with self.read() as session:
            found = await people.list_people(session, self.actor, words=query.q, role=query.role, page=query.page)
            invited = await invitations.list_open(session, self.actor, now)
        self.render(
            "admin/people/list.html", section="people", found=found, query=query, invited=invited, roles=ROLES, address=self._address,
            flash=self.take_flash(),
        )  # fmt: skip

    def _address(self, role: str = "", q: str = "", page: int = 1) -> str:
        chosen = {"role": role, "q": q, "page": page if page > 1 else ""}
        query = urlencode({name: value for name, value in chosen.items() if value})
        return self.reverse_url("admin.people") + (f"?{query}" if query else "")


class OnePersonHandler(AdminHandler, is_base=True):
    """One account, by the number in the address."""

    async def load(self, number: str) -> User:
        async with self.read() as session:
            return await accounts.get(session, self.number(number))

    async def person(self, work: Work, number: str) -> User:
        return await accounts.get(work.session, self.number(number))

    @property
    def way_back(self) -> str:
        return self.reverse_url("admin.person", self.path_args[0])

    def back(self, user_id: int, words: str) -> None:
        self.flash(words)
        self.redirect_to("admin.person", user_id)

    def show(self, page: str, user: User, *, status: int = 200, **values: Any) -> None:
        self.set_status(status)
        self.render(f"admin/people/{page}.html", section="people", user=user, roles=ROLES, **values)


class PersonHandler(OnePersonHandler):
    requires = Capability.USER_MANAGE

    async def get(self, number: str) -> None:
        user = await self.load(number)
        await self._show(user, Form(NameInput, {"name": user.name}))

    async def post(self, number: str) -> None:
        form = self.form(NameInput)
        try:
            wanted = form.value()
            async with self.transaction() as work:
                user = await self.person(work, number)
                await accounts.rename(work, self.actor, user, wanted.name)
        except InvalidInput as error:
            form.refuse(error)
            await self._show(await self.load(number), form, status=422)
            return
        self.back(user.id, say("Saved. Readers see the new name now."))

    async def _show(self, user: User, form: Form[NameInput], *, status: int = 200) -> None:
        async with self.read() as session:
            facts = await people.facts_of(session, self.actor, user.id)
            is_read = await people.is_read(session, user.id)
        may_touch = user.role is not Role.OWNER or self.actor.role is Role.OWNER
        flash = self.take_flash() if status == 200 else None
        self.show(
            "person", user, status=status, form=form, facts=facts, is_read=is_read, may_touch=may_touch,
            is_self=user.id == self.actor.user_id, flash=flash,
        )  # fmt: skip


class AccessHandler(OnePersonHandler):
    """Who is disabled has no session from that moment on."""

    requires = Capability.USER_MANAGE

    async def post(self, number: str) -> None:
        async with self.transaction() as work:
            user = await self.person(work, number)
            await accounts.enable(work, self.actor, user)
        self.back(user.id, say("Enabled: this person may sign in again."))

    async def delete(self, number: str) -> None:
        async with self.transaction() as work:
            user = await self.person(work, number)
            await accounts.disable(work, self.actor, user)
        self.back(user.id, say("Disabled, and signed out everywhere."))


class SignedInHandler(OnePersonHandler):
    requires = Capability.USER_MANAGE

    async def delete(self, number: str) -> None:
        async with self.transaction() as work:
            user = await self.person(work, number)
            await accounts.sign_out(work, self.actor, user)
        self.back(user.id, say("Signed out everywhere."))


class PasswordLinkHandler(OnePersonHandler):
    """A link that is shown once, to be handed on."""

    requires = Capability.USER_MANAGE
    is_dangerous = True  # whoever has the link becomes the person

    async def get(self, number: str) -> None:
        user = await self.load(number)
        resets.require_givable(self.actor, user)
        self.show("password-link", user, link="")

    async def post(self, number: str) -> None:
        async with self.transaction() as work:
            user = await self.person(work, number)
            carrier = await resets.give(work, self.actor, user)
        self.show("password-link", user, link=self.public_url + self.reverse_url("password.new", carrier))


class RoleHandler(OnePersonHandler):
    requires = Capability.USER_MANAGE
    is_dangerous = True

    async def get(self, number: str) -> None:
        user = await self.load(number)
        accounts.require_role_changeable(self.actor, user)
        self.show("role", user, form=Form(RoleInput, {"role": user.role.value}))

    async def post(self, number: str) -> None:
        form = self.form(RoleInput)
        try:
            wanted = form.value()
            async with self.transaction() as work:
                user = await self.person(work, number)
                await accounts.change_role(work, self.actor, user, Role(wanted.role))
        except InvalidInput as error:
            form.refuse(error)
            self.show("role", await self.load(number), form=form, status=422)
            return
        self.back(user.id, say("The role is another now. This person was signed out everywhere."))


class AddressHandler(OnePersonHandler):
    """Another e-mail address, without asking at either: for those who cannot read mail at the old one, and where no mail is sent."""

    requires = Capability.USER_MANAGE
    is_dangerous = True

    async def get(self, number: str) -> None:
        user = await self.load(number)
        accounts.require_address_changeable(self.actor, user)
        self.show("email", user, form=Form(EmailInput, {"email": user.email}))

    async def post(self, number: str) -> None:
        form = self.form(EmailInput)
        try:
            wanted = form.value()
            async with self.transaction() as work:
                user = await self.person(work, number)
                await accounts.change_email(work, self.parts.sealer, self.actor, user, wanted.email)
        except InvalidInput as error:
            form.refuse(error)
            self.show("email", await self.load(number), form=form, status=422)
            return
        is_told = self.parts.mailer.can_reach_people
        self.back(user.id, say("The address is another now; the old one is told.") if is_told else say("The address is another now."))


class DeletionHandler(OnePersonHandler):
    requires = Capability.USER_MANAGE
    is_dangerous = True

    async def get(self, number: str) -> None:
        user = await self.load(number)
        accounts.require_deletable(self.actor, user)
        await self._show(user, Form(HeirInput, {"heir": self.actor.user_id}))

    async def post(self, number: str) -> None:
        form = self.form(HeirInput)
        try:
            wanted = form.value()
            async with self.transaction() as work:
                user = await self.person(work, number)
                await accounts.delete(work, self.actor, user, await accounts.get(work.session, wanted.heir))
        except InvalidInput as error:
            form.refuse(error)
            await self._show(await self.load(number), form, status=422)
            return
        self.flash("The account is deleted; the texts are somebody else's now.")
        self.redirect_to("admin.people")

    async def _show(self, user: User, form: Form[HeirInput], *, status: int = 200) -> None:
        async with self.read() as session:
            facts = await people.facts_of(session, self.actor, user.id)
            heirs = await people.list_heirs(session, self.actor, user.id)
        self.show("deletion", user, status=status, form=form, facts=facts, heirs=heirs)


class OwnershipHandler(OnePersonHandler):
    requires = Capability.OWNERSHIP_GIVE
    is_dangerous = True

    async def get(self, number: str) -> None:
        user = await self.load(number)
        if user.role is Role.OWNER:
            raise Forbidden("You are the owner already.")
        self.show("ownership", user)

    async def post(self, number: str) -> None:
        async with self.transaction() as work:
            await accounts.hand_over(work, self.actor, await self.person(work, number))
        self.clear_cookie(self.session_cookie, **self.cookie_flags)
        self.flash("Ownership is handed over. You are an administrator now; sign in again.")
        self.redirect_to("login")
