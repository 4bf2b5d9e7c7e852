"""The settings of the site: a form for each part, all done in the same way; how the look would be; and mail."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from cms.content.context import CHECKS
from cms.errors import Conflict, InvalidInput, NotConfirmed, NotFound
from cms.handlers.admin.base import AdminHandler
from cms.handlers.admin.preview import CONTENT_POLICY
from cms.handlers.forms import Form, takes_several
from cms.mail import MailFailed
from cms.models import Asset, Site
from cms.models.site import Frame
from cms.policy import Capability
from cms.schemas.site import (
    LIMITS,
    MAPS,
    MAX_LINKS,
    THEME,
    CrawlersInput,
    GeneralInput,
    LimitsInput,
    LookInput,
    MediaInput,
    PublishingInput,
    ReadingInput,
    SecurityInput,
    SitePart,
    time_zones,
)
from cms.services import lists, notices, profiles, site
from cms.services.intake import GROUPS, Brought
from cms.ui.choices import languages
from cms.ui.languages import Language, language
from cms.ui.words import direction, words_of
from cms.wording import phrases


@dataclass(frozen=True, slots=True)
class Part:
    """A form: its template, and what it asks."""

    name: str
    schema: type[SitePart]

    @property
    def route(self) -> str:
        return f"admin.site.{self.name}" if self.name != "general" else "admin.site"


PARTS = {
    part.name: part
    for part in (
        Part("general", GeneralInput),
        Part("look", LookInput),
        Part("reading", ReadingInput),
        Part("publishing", PublishingInput),
        Part("media", MediaInput),
        Part("crawlers", CrawlersInput),
        Part("security", SecurityInput),
        Part("limits", LimitsInput),
    )
}
HOMES = phrases(
    (
        ("lead", "The newest post large, the others below it"),
        ("compact", "A compact list of titles"),
        ("page", "A page; the newest posts then begin at /page/1"),
    )
)
FACTORS = phrases(
    (
        ("", "Whoever wants one"),
        ("administrator", "Owner and administrators"),
        ("editor", "Editors and above"),
        ("author", "Authors and above"),
        ("contributor", "Everybody with an account"),
    )
)
LOOKS = phrases(
    {
        "fonts": (
            ("serif", "Serif", "For titles and texts."),
            ("mixed", "Serif texts", "Titles without serifs."),
            ("sans", "Sans", "No serifs anywhere."),
        ),
        "width": (
            ("normal", "Usual", "About 66 characters in a line."),
            ("narrow", "Narrow", "Shorter lines."),
            ("wide", "Wide", "Longer lines."),
        ),
        "corners": (("soft", "Soft", ""), ("square", "Square", ""), ("round", "Round", "")),
        "colours": (
            ("auto", "As each reader's system says", ""),
            ("light", "Light", "Until a reader chooses otherwise."),
            ("dark", "Dark", "Until a reader chooses otherwise."),
        ),
    }
)
SEVERAL: dict[str, dict[Any, str]] = {"compulsory_checks": CHECKS, "kinds": GROUPS}  # settings that name several, in words
FILE_AGAIN = "Choose the file again; browsers do not send it twice."


class SettingsHandler(AdminHandler):
    """One part of the settings."""

    requires = Capability.SITE_CONFIGURE
    body_limit = 5 * 1024 * 1024  # a logo and an icon

    def initialize(self, part: str) -> None:
        self.part = PARTS[part]

    async def get(self) -> None:
        async with self.read() as session:
            row = await site.get(session)
        await self._show(_form_of(self.part.schema, row), row)

    async def post(self) -> None:
        form = self.form(self.part.schema)
        try:
            wanted = form.value()
            await self._be_sure(wanted)
            sent = await self._kept_pictures() if isinstance(wanted, LookInput) else {}
            async with self.transaction() as work:
                await site.save(work, self.actor, wanted, sent)
        except (InvalidInput, Conflict) as error:
            await self._refuse(form, error)
            return
        self.flash("Saved. Readers see it now.", (self.reverse_url("home"), "View the site"))
        self.redirect_to(self.part.route)

    async def _be_sure(self, wanted: SitePart) -> None:
        """Raises ``NotConfirmed`` if who needs a second factor is to be changed, and the person has not proved to be who he is."""
        async with self.read() as session:
            needed = (await site.get(session)).second_factor_from
        if getattr(wanted, "second_factor_from", needed) != needed and not self.is_confirmed:
            raise NotConfirmed

    async def _kept_pictures(self) -> dict[str, Asset]:
        """Those of the files that were sent, in the library. Raises ``InvalidInput``."""
        sent = {name: self.request.files[name][0].body for name in ("logo", "icon") if self.request.files.get(name)}
        return {name: await self._kept(name, content) for name, content in sent.items() if content}

    async def _kept(self, name: str, content: bytes) -> Asset:
        try:
            if name == "icon":
                content = await self.parts.imaging.icon(content)
            await self.parts.imaging.measure(content)
            return (await self.parts.intake.take_bytes(self.actor, content, Brought(name), self.in_transaction)).asset
        except InvalidInput as error:
            raise InvalidInput({name: error.message}) from None

    async def _refuse(self, form: Form[SitePart], error: InvalidInput | Conflict) -> None:
        async with self.read() as session:
            row = await site.get(session)
        if isinstance(error, InvalidInput):
            form.refuse(error)
            await self._show(form, row, status=422)
            return
        theirs = _form_of(self.part.schema, row)
        form.values["version"] = row.version  # whoever sends it again has seen what the other changed
        await self._show(form, row, status=409, theirs=self._differing(theirs, form))

    def _differing(self, theirs: Form[SitePart], mine: Form[SitePart]) -> list[tuple[str, str]]:
        """Each field that is not as it was typed, with what somebody else put there."""
        names = [name for name in theirs.schema.model_fields if name != "version" and not name.startswith("remove_")]
        differ = [name for name in names if _written(theirs[name]) != _written(mine[name])]
        return [(theirs.label(name), self._in_words(name, theirs[name])) for name in differ]

    def _in_words(self, name: str, value: Any) -> str:
        if name not in SEVERAL:
            return _written(value)
        return ", ".join(self.locale.translate(SEVERAL[name][code]) for code in value.split(",") if code)

    async def _show(self, form: Form[SitePart], row: Site, *, status: int = 200, theirs: list[tuple[str, str]] | None = None) -> None:
        self.set_status(status)
        self.render(
            f"admin/site/{self.part.name}.html", section="site", form=form, row=row, theirs=theirs, route=self.part.route,
            **await self._offered(form), file_again=FILE_AGAIN if self.request.files and status != 200 else "",
            flash=self.take_flash() if status == 200 else None,
        )  # fmt: skip

    async def _offered(self, form: Form[SitePart]) -> Mapping[str, Any]:
        """What there is to choose from in this part."""
        match self.part.name:
            case "general":
                zones = [(zone, zone) for zone in sorted(time_zones())]
                return {"languages": languages(str(form["language"]), self.language.usage), "zones": zones, "most_links": MAX_LINKS}
            case "look":
                return {"looks": LOOKS}
            case "reading":
                async with self.read() as session:
                    return {"homes": HOMES, "pages": [("", self.locale.translate("None")), *await site.list_pages(session)]}
            case "publishing":
                return {"checks": CHECKS}
            case "media":
                return {"groups": GROUPS}
            case "limits":
                return {"limits": LIMITS}
            case "security":
                return {"factors": FACTORS}
            case _:
                return {}


class LookPreviewHandler(AdminHandler):
    """The front of the site as it would look, in a frame beside the form: as it is, or as what was sent says. No scripts run in it."""

    requires = Capability.SITE_CONFIGURE
    content_policy = CONTENT_POLICY
    body_limit = SettingsHandler.body_limit

    async def get(self) -> None:
        await self._show(self.parts.last_frame)

    async def post(self) -> None:
        frame, form = self.parts.last_frame, self.form(LookInput)
        try:
            wanted = form.value()
        except InvalidInput:
            await self._show(frame)
            return
        assert isinstance(wanted, LookInput)  # noqa: S101 - its form
        await self._show(replace(frame, accent_hue=wanted.accent_hue, theme={name: getattr(wanted, name) for name in THEME}))

    async def _show(self, frame: Frame) -> None:
        async with self.read() as session:
            listing = await lists.home(session, 1)
        self.drawn_frame = frame
        self.render("site/home.html", listing=replace(listing, frame=frame), featured=[])

    drawn_frame: Frame | None = None

    def get_user_locale(self) -> Language:
        return language([self.parts.last_frame.language])

    def get_template_namespace(self) -> dict[str, Any]:
        frame = self.drawn_frame or self.parts.last_frame
        own = {"frame": frame, "words": words_of(frame), "direction": direction, "is_preview": True, "is_inside": True, "guest": None}
        return {**super().get_template_namespace(), **own}


class MailHandler(AdminHandler):
    """Whether letters can be sent, and a test: a letter to whoever asks for it, sent while he waits. What the server says is shown to
    him alone."""

    requires = Capability.SITE_CONFIGURE

    def get(self) -> None:
        self._show()

    async def post(self) -> None:
        if not self.parts.mailer.can_reach_people:
            raise NotFound
        async with self.read() as session:
            user, row = await profiles.get(session, self.actor), await site.get(session)
        try:
            letter = notices.test_letter(user, self.public_url, row.name)
            await self.parts.mailer.send(letter, row.name, language([letter.locale, row.language]))
        except MailFailed as error:
            self._show(error)
            return
        self.flash("The test was sent. Look for it in your mail.")
        self.redirect_to("admin.site.mail")

    def _show(self, problem: MailFailed | None = None) -> None:
        self.render(
            "admin/site/mail.html", section="site", can_mail=self.parts.mailer.can_reach_people, mail_from=self.parts.settings.mail_from,
            problem=problem, flash=None if problem else self.take_flash(),
        )  # fmt: skip


def _form_of(schema: type[SitePart], row: Site) -> Form[SitePart]:
    usual = {name: field.default for name, field in schema.model_fields.items()}
    in_maps = {name: getattr(row, column) for column, (_, names) in MAPS.items() for name in names}
    values: dict[str, Any] = {
        name: in_maps[name].get(name, usual[name]) if name in in_maps else getattr(row, name, False) for name in usual
    }
    for name in takes_several(schema) & SEVERAL.keys():
        values[name] = ",".join(map(str, values[name]))
    return Form(schema, values)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(f"{row.get('label', '')} ({row.get('path', '')})" for row in value)
    return str(value).replace("\r\n", "\n")
