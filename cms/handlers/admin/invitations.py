"""Inviting people, and what of it is open."""

from cms.errors import InvalidInput
from cms.handlers.admin.base import AdminHandler
from cms.handlers.forms import Form
from cms.policy import Capability, Role
from cms.schemas.account import InvitationInput
from cms.services import invitations, notices, throttling, tokens
from cms.services.notices import Notice
from cms.ui.choices import ROLES
from cms.wording import say


class InvitingHandler(AdminHandler, is_base=True):
    is_dangerous = True  # it gives a role away: whoever takes it up himself has an account that needs to confirm nothing

    async def invite(self, wanted: InvitationInput) -> None:
        """By mail, or by a link that is shown once."""
        await throttling.take(self.parts.database, invitations.BY_PERSON, str(self.actor.user_id))
        can_mail = self.parts.mailer.can_reach_people
        by_mail = wanted.by_mail and can_mail
        async with self.transaction() as work:
            carrier = await invitations.invite(work, self.actor, wanted)
            if by_mail or not can_mail:  # then it is shown at the terminal
                await notices.enqueue(
                    work, self.parts.sealer, Notice.INVITATION, to=wanted.email, name=wanted.name, key=tokens.digest(carrier),
                    site=self.parts.last_frame.name, by=self.actor.name, role=say(wanted.role), carrier=carrier,
                )  # fmt: skip
        if by_mail:
            self.flash("The invitation is on its way.")
            self.redirect_to("admin.people")
        else:
            link = self.public_url + self.reverse_url("invitation", carrier)
            self.render("admin/people/invited.html", section="people", link=link, email=wanted.email)


class InvitationsHandler(InvitingHandler):
    requires = Capability.USER_MANAGE

    def get(self) -> None:
        self._show(Form(InvitationInput, {"role": Role.AUTHOR.value, "by_mail": self.parts.mailer.can_reach_people}))

    async def post(self) -> None:
        form = self.form(InvitationInput)
        try:
            await self.invite(form.value())
        except InvalidInput as error:
            form.refuse(error)
            self._show(form, status=422)

    def _show(self, form: Form[InvitationInput], *, status: int = 200) -> None:
        self.set_status(status)
        can_mail = self.parts.mailer.can_reach_people
        self.render("admin/people/invite.html", section="people", form=form, roles=ROLES, can_mail=can_mail)


class OpenInvitationHandler(InvitingHandler):
    """One that was not accepted yet: POST sends it again with a new link, DELETE takes it back."""

    requires = Capability.USER_MANAGE

    async def post(self, number: str) -> None:
        async with self.transaction() as work:
            former = await invitations.revoke(work, self.actor, self.number(number))
        by_mail = self.get_body_argument("by_mail", "") == "on"
        given = {"email": former.email, "name": former.name, "role": former.role.value, "by_mail": by_mail}
        await self.invite(InvitationInput.model_validate(given))

    async def delete(self, number: str) -> None:
        async with self.transaction() as work:
            await invitations.revoke(work, self.actor, self.number(number))
        self.flash("The invitation is withdrawn; its link leads nowhere now.")
        self.redirect_to("admin.people")
