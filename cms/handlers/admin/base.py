"""AdminHandler: who is signed in and may be here, headers, messages shown once, and error pages on which nothing typed is lost."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode, urlsplit

from tornado.web import HTTPError

from cms import policy
from cms.db.session import Work
from cms.errors import CMSError, Forbidden, NotAuthenticated, NotConfirmed
from cms.handlers.base import BaseHandler, safe_path
from cms.handlers.forms import takes_several
from cms.policy import Capability
from cms.schemas.account import LoginInput, OwnerInput
from cms.schemas.post import PostInput
from cms.schemas.site import SiteInput
from cms.services import notifications, sessions, site
from cms.ui.admin import Flash, readable
from cms.ui.languages import Language
from cms.ui.words import Words, direction, href, written
from cms.wording import phrases

MOST_TURNS = 10  # transactions of one act
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: https:; connect-src 'self'; frame-src 'self'; "
    "media-src 'self' https:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# What is meant by each field of a form that is shown again; others travel along unseen.
_LABELS = {
    name: field.title
    for schema, left_out in (
        (LoginInput, ()),
        (OwnerInput, ()),
        (PostInput, ("version", "category", "parent", "authors", "picture", "seen")),
        (SiteInput, set(SiteInput.model_fields) - {"name", "description", "footer"}),
    )
    for name, field in schema.model_fields.items()
    if name not in left_out
}
_MACHINERY = frozenset({"_xsrf", "_method", "version", "seen", "then", "next", "post", "kind"})
_LONG = frozenset({"text", "excerpt", "footer"})
_SEVERAL = takes_several(PostInput) | takes_several(SiteInput)
_SECRET = frozenset({"_xsrf", "password", "code", "credential", "secret"})

_SENTENCES = phrases(
    {
        401: "Your session has ended, so this was not done.",
        403: "You may not do that.",
        404: "There is nothing here, or it is not yours to see.",
        400: "This could not be read: a part is missing, or a form has more than 1,000 fields. Nothing was done.",
        405: "This address does not do that.",
        413: "This is more than may be sent here in one piece, so nothing was done. Go back: what you typed is still in the form.",
        500: "Something went wrong on our side, and it is in the log.",
    }
)
LOST_KEY = "This form was open for so long, or in so many windows, that its key no longer fits; nothing was done."
_NEEDS_FACTOR = "Your role needs a second factor, and you have none yet. Set it up first."
_FOREIGN = "This was sent from another site, so nothing was done."


class AdminHandler(BaseHandler):
    """Every handler of the desk says which capability it ``requires``; None stands for those who are not signed in yet."""

    face = "admin"
    content_policy = CONTENT_POLICY
    leads_to_provider: ClassVar[bool] = False  # a form on its page sends people to the OpenID provider
    is_dangerous: ClassVar[bool] = False  # open only for ten minutes after the person has proved to be who he is
    counts_as_write: ClassVar[bool] = True  # among those of which there may be so many in a minute
    sets_password: ClassVar[bool] = False  # the password in its form is a new one

    unseen = 0  # notifications
    _is_admitted = False  # prepare() was reached: the form's key had been checked and was right

    def __init_subclass__(cls, *, is_base: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not is_base and "requires" not in vars(cls):
            raise TypeError(f"{cls.__name__} does not say what it requires (a Capability, or None for everybody)")
        if "get" in vars(cls):  # whoever has no page has no head of one
            cls.head = _like_get

    # --- before the method ---

    async def prepare(self) -> None:
        self._is_admitted = True
        await super().prepare()
        await self.load_actor()
        capability = self.capability
        if capability is None:
            return
        if not self.actor.is_signed_in:
            lacks_factor = self.standing is not None
            error = Forbidden(_NEEDS_FACTOR) if lacks_factor else NotAuthenticated(_SENTENCES[401])
            path = self.request.uri or ""
            self._lead_away(self.reverse_url("account.factor") if lacks_factor else self.login_url(path), error)
            return
        if not policy.allows(self.actor, capability):
            raise Forbidden("This part of the desk is not open to you.")
        if self.counts_as_write and self.request.method not in ("GET", "HEAD"):
            await self.parts.writes.count(str(self.actor.user_id))
        self.parts.use_frame(await site.find_frame(self.parts.database))
        self.unseen = await notifications.count_new(self.parts.database, self.actor)
        if self.is_dangerous and not self.is_confirmed:
            self._lead_away(f"{self.reverse_url('account.confirmation')}?{urlencode({'next': self.request.uri})}", NotConfirmed())

    def _lead_away(self, path: str, error: CMSError) -> None:
        """Whoever only looks is led to what has to be done first; what was sent is refused, and kept on the page that says so."""
        if self.request.method not in ("GET", "HEAD"):
            raise error
        self.redirect(path, status=303)

    @property
    def is_confirmed(self) -> bool:
        """Whether the person has proved a short while ago to be who he is."""
        confirmed_at = self.standing.session.confirmed_at if self.standing else None
        return confirmed_at is not None and self.parts.database.clock() - confirmed_at < sessions.CONFIRMED_FOR

    @property
    def capability(self) -> Capability | None:
        return self.requires

    def set_default_headers(self) -> None:
        super().set_default_headers()
        self.set_header("Cache-Control", "no-store")
        if self.leads_to_provider and self.parts.openid:
            doors = " ".join(("form-action 'self'", *self.parts.openid.origins))
            self.set_header("Content-Security-Policy", self.content_policy.replace("form-action 'self'", doors))

    def login_url(self, path: str) -> str:
        safe = safe_path(path)
        return self.reverse_url("login") + (f"?{urlencode({'next': safe})}" if safe else "")

    # --- acts ---

    async def in_turns(self, act: Callable[[Work], Awaitable[int]], at_once: int) -> int:
        """Much, in transactions that are short enough for others to write in between: until one does less than ``at_once``, or many have.
        How many things it was."""
        number = 0
        for _ in range(MOST_TURNS):
            done = await self.in_transaction(act)
            number += done
            if done < at_once:
                break
        return number

    # --- messages ---

    def flash(
        self, words: str, link: tuple[str, str] = ("", ""), *, is_refusal: bool = False, undo: tuple[str, Mapping[str, str]] | None = None
    ) -> None:
        """A sentence for the next page, with a link (path, words) that it may end in. Signed, so that nobody else can put words there.

        ``undo``: the address and the fields of a form that undoes what was done.
        """
        message = json.dumps([self.locale.translate(words), *link, is_refusal, undo], ensure_ascii=False)
        self.set_signed_cookie(self.flash_cookie, message, expires_days=None, **self.cookie_flags)

    def take_flash(self) -> Flash | None:
        """The sentence that the page before left, once; not for a script that renews a part of another page."""
        if "X-Renewal" in self.request.headers:
            return None
        sent = self.signed_cookie(self.flash_cookie, days=1)
        if sent is None:
            return None
        self.clear_cookie(self.flash_cookie, **self.cookie_flags)
        return Flash(*json.loads(sent))

    @property
    def flash_cookie(self) -> str:
        return "__Host-flash" if self.parts.settings.is_https else "flash"

    # --- output ---

    def get_template_namespace(self) -> dict[str, Any]:
        own = {"scheme": self.scheme, "may": self.may, "section": "", "readable": readable, "href": href, "dates": self.dates}
        own |= {"language": self.language.tag, "direction": direction}
        return {**super().get_template_namespace(), **own}

    def get_user_locale(self) -> Language:
        return self.language_of_person()

    @property
    def dates(self) -> Words:
        return written(self.language.usage, self.parts.last_frame.time_zone)

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:
        super().write(self.language.all_of(chunk))

    def may(self, capability: str, subject: policy.Owned | None = None) -> bool:
        """Templates show and hide by this; services ask again."""
        return policy.allows(self.actor, Capability(capability), subject)

    @property
    def scheme(self) -> str:
        """Light or dark, if the person chose; a preference, so a cookie that scripts write."""
        chosen = self.get_cookie("scheme", "")
        return chosen if chosen in ("light", "dark") else ""

    # --- errors ---

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        error = (kwargs.get("exc_info") or (None, None, None))[1]
        self._error = error if isinstance(error, CMSError | HTTPError) else None
        if status_code == 405:
            self.set_header("Allow", ", ".join(self._methods()))
        super().write_error(status_code, **kwargs)

    _error: CMSError | HTTPError | None = None

    def write_error_page(self, status: int, message: str) -> None:
        """One sentence about what happened; and if something was typed, all of it, in a form that can be sent again.

        A form that another site sent is not offered again: that would lend our key to its author; nor one that would be refused for
        ever, unless there is a text in it, which nobody writes twice.
        """
        is_foreign = self.comes_from_elsewhere()
        sentence = self._sentence(status, message, is_foreign)
        self.set_header("Content-Type", "text/html; charset=utf-8")
        typed = {} if is_foreign or status == 421 else self.typed()
        needs = "confirmation" if isinstance(self._error, NotConfirmed) else "login" if status == 401 else ""
        is_final = self._is_refused_for_good
        if typed and not (is_final and _LONG.isdisjoint(typed)):
            self.render("admin/again.html", needs=needs, sentence=sentence, typed=typed, labels=_LABELS, long=_LONG)
        else:
            way_back = self.way_back if is_final else ""
            self.render("admin/error.html", needs=needs, status=status, sentence=sentence, reason=self.reason(status), way_back=way_back)

    @property
    def _is_refused_for_good(self) -> bool:
        """Neither signing in nor confirming it would help."""
        return isinstance(self._error, Forbidden) and not isinstance(self._error, NotConfirmed) and self.actor.is_signed_in

    @property
    def way_back(self) -> str:
        """To the page that led here, as far as the browser tells, or ""."""
        came_from = urlsplit(self.request.headers.get("Referer", ""))
        is_ours = came_from.netloc == self.request.host and came_from.path != self.request.path
        return safe_path(came_from.path) if is_ours else ""

    def _methods(self) -> list[str]:
        mine = type(self)
        return [name for name in self.SUPPORTED_METHODS if getattr(mine, name.lower()) is not mine._unimplemented_method]

    @property
    def has_lost_its_key(self) -> bool:
        """A form of ours, whose key is not that of this browser."""
        return self.get_status() == 403 and not self._is_admitted and not self.comes_from_elsewhere()

    def _sentence(self, status: int, message: str, is_foreign: bool) -> str:
        if is_foreign:
            return _FOREIGN
        if status == 403 and not self._is_admitted:
            return LOST_KEY
        return message or _SENTENCES.get(status, f"{self.reason(status)}.")

    def comes_from_elsewhere(self) -> bool:
        """By what the browser says (Sec-Fetch-Site, else Origin); safe methods come from anywhere."""
        is_safe = self.request.method in ("GET", "HEAD", "OPTIONS")
        return not is_safe and self._check_cross_origin(self.check_trusted_origin) is not None

    def typed(self) -> dict[str, str]:
        """The fields of the form that failed, as they were typed, if there is anything in them; passwords are never sent back."""
        if self.request.method in ("GET", "HEAD"):
            return {}
        sent = {
            name: readable(b",".join(values if name in _SEVERAL else values[-1:]).decode("utf-8", "replace"))
            for name, values in self.request.body_arguments.items()
            if values and name not in _SECRET
        }
        return sent if any(value.strip() for name, value in sent.items() if name not in _MACHINERY) else {}


async def _like_get(handler: AdminHandler, *arguments: str) -> None:
    """What GET would say; Tornado leaves the body out."""
    answering = handler.get(*arguments)
    if answering is not None:
        await answering
