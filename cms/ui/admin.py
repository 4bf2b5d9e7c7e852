"""Parts of the desk's pages: icons, states, times, messages, pages of a list."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from html import escape
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_skeleton, format_timedelta
from tornado.web import UIModule

from cms.content.local_time import comes_twice
from cms.models import Asset, Post, User
from cms.ui.module import Module
from cms.ui.site import page_numbers
from cms.ui.words import href, locale_of
from cms.wording import phrases, say

# HTML has no way to write these: control characters and noncharacters (https://html.spec.whatwg.org/#preprocessing-the-input-stream).
_UNWRITABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane * 0x10000 + last) for plane in range(17) for last in (0xFFFE, 0xFFFF))
    + "]"
)

BRIEF = 20  # characters
NEAR = phrases({-1: "yesterday at %s", 1: "tomorrow at %s"})

STATUSES = {  # of Post.status: word, class, mark
    "draft": (say("Draft"), "draft", "s-draft"),
    "in_review": (say("In review"), "review", "s-review"),
    "approved": (say("Approved"), "approved", "s-review"),
    "scheduled": (say("Scheduled"), "scheduled", "s-scheduled"),
    "published": (say("Published"), "published", "s-published"),
    "changed": (say("Unpublished changes"), "changed", "s-changed"),
    "withdrawn": (say("Withdrawn"), "trashed", "s-withdrawn"),
    "trashed": (say("In the trash"), "trashed", "s-trashed"),
}


TRANSFERS = {  # of Transfer.state, in the same way
    "waiting": (say("Waiting"), "scheduled", "s-scheduled"),
    "running": (say("Under way"), "scheduled", "s-scheduled"),
    "done": (say("Done"), "published", "check"),
    "failed": (say("Failed"), "bad", "warn"),
}


@dataclass(frozen=True, slots=True)
class Flash:
    """A message for one page, and where its link leads. ``is_refusal``: nothing was done; ``undo``: an address, and a form that is sent
    there to undo it."""

    words: str
    path: str = ""
    link: str = ""
    is_refusal: bool = False
    undo: tuple[str, Mapping[str, str]] | None = None

    @property
    def is_brief(self) -> bool:
        """Short enough for the editor's bar; what is longer gets a line of its own."""
        return not self.path and not self.is_refusal and not self.undo and len(self.words) <= BRIEF


def readable(text: str) -> str:
    """Text without the characters that a page cannot carry."""
    return _UNWRITABLE.sub("", text)


def initials(name: str) -> str:
    """Of the first and the last part of a name."""
    parts = name.split()
    return "".join(part[0] for part in (parts[0], *parts[1:][-1:])).upper() if parts else ""


class Spoken(Protocol):
    """A language of the desk: Tornado's locale is one."""

    code: str

    def translate(self, message: str) -> str: ...


def relative(moment: datetime, now: datetime, zone: ZoneInfo, spoken: Spoken) -> str:
    """How far away it is, in the words people use; a date beyond the day before or after."""
    _, locale, distance = spoken.translate, desk_locale(spoken), moment - now
    local, today = moment.astimezone(zone), now.astimezone(zone)
    days = (local.date() - today.date()).days
    if abs(distance) < timedelta(minutes=1):
        return _("just now")
    if is_close(moment, now, zone):
        unit = timedelta(hours=1) if abs(distance) >= timedelta(hours=1) else timedelta(minutes=1)
        whole = abs(distance) // unit * unit
        return format_timedelta(whole if distance > timedelta() else -whole, threshold=1, add_direction=True, locale=locale)
    if days in NEAR:
        return _(NEAR[days]) % clock_time(local, locale)
    if days > 1:
        return exact(moment, zone, locale)
    return _written("MMMd" if local.year == today.year else "yMMMd", local.date(), locale)


def is_close(moment: datetime, now: datetime, zone: ZoneInfo) -> bool:
    """Close enough to be told by minutes and hours."""
    return abs(moment - now) < timedelta(hours=1) or moment.astimezone(zone).date() == now.astimezone(zone).date()


def desk_locale(spoken: Spoken) -> Locale:
    return locale_of(spoken.code.partition("_")[0])


def clock_time(local: datetime, locale: Locale) -> str:
    return _written("Hm", local.time().replace(second=0, microsecond=0), locale)


def exact(moment: datetime, zone: ZoneInfo, locale: Locale) -> str:
    local = moment.astimezone(zone)
    return f"{_written('yMMMd', local.date(), locale)}, {clock_time(local, locale)}"


@lru_cache(maxsize=4096)  # a list has hundreds of them, of few days
def _written(skeleton: str, when: date | time, locale: Locale) -> str:
    return format_skeleton(skeleton, when, locale=locale)


def in_full(moment: datetime, zone: ZoneInfo, locale: Locale) -> str:
    """With the day of the week, as people plan by it."""
    local = moment.astimezone(zone)
    return f"{format_date(local.date(), 'full', locale)}, {clock_time(local, locale)}"


class DeskIcon(UIModule):
    """One of the sprite; drawn beside words, so it has no name of its own. ``turn``: mirrored where people read from the right."""

    def render(self, name: str, *, turn: bool = False) -> str:
        address = escape(self.handler.static_url("icons/admin.svg"))
        return f'<svg class="i{" turn" if turn else ""}" aria-hidden="true"><use href="{address}#{name}"/></svg>'


class StatusBadge(UIModule):
    """Mark, word and colour of a post's state."""

    states = STATUSES

    def render(self, state: str) -> str:
        word, kind, mark = self.states[state]
        icon = DeskIcon(self.handler).render(mark)
        return f'<span class="status {kind}">{icon}{escape(self.handler.locale.translate(word))}</span>'


class TransferBadge(StatusBadge):
    """The same of something that is brought in, taken out or backed up, and of other work beside the site."""

    states = TRANSFERS


class DeskTime(UIModule):
    """A moment in the site's zone: how far away, and in full for whoever points at it or has chosen to see times so (a cookie).
    ``js/elements/relative-time.js`` keeps it true while the page is open. ``both``: in full below it, too; of a date, instead."""

    def render(self, moment: datetime, *, both: bool = False) -> str:
        zone, spoken = self.handler.settings["parts"].last_frame.zone, self.locale
        now = self.handler.settings["parts"].database.clock()
        full, near = exact(moment, zone, desk_locale(spoken)), relative(moment, now, zone, spoken)
        if both and full.startswith(near):  # a date, which is not said twice
            near = full
        words = full if self.handler.get_cookie("times") == "exact" else near
        after = f'<br><span class="small quiet">{escape(full)}</span>' if both and words != full else ""
        attributes = {"datetime": moment.isoformat(), "title": f"{full} ({zone.key})", "data-near": near, "data-full": full}
        if is_close(moment, now, zone):
            attributes["data-now"] = spoken.translate("just now")
        written = " ".join(f'{name}="{escape(value)}"' for name, value in attributes.items())
        return f"<relative-time><time {written}>{escape(words)}</time></relative-time>{after}"


class DueTime(Module):
    """A moment that is planned, by the site's clock; a script adds how far away it is, and what the viewer's own clock shows then."""

    def render(self, moment: datetime) -> str:
        zone = self.handler.settings["parts"].last_frame.zone
        return (
            self.render_string(
                "modules/due-time.html",
                moment=moment,
                words=in_full(moment, zone, desk_locale(self.locale)),
                zone=zone.key,
                comes_twice=comes_twice(moment, zone),
            )
            .decode()
            .strip()
        )


class DeskPager(Module):
    """Pages of a list by number, with the first, the last and those around the present one."""

    def render(self, page: int, pages: int, address: Any) -> str:
        if pages < 2:
            return ""
        return self.render_string(
            "modules/desk-pager.html", page=page, pages=pages, numbers=page_numbers(page, pages), address=address
        ).decode()


class FlashNote(Module):
    def render(self, flash: Flash) -> str:
        return self.render_string("modules/flash-note.html", flash=flash, href=href).decode()


class UndoForm(Module):
    """Where an act can be taken back, for as long as that is offered."""

    def render(self, undo: tuple[str, Mapping[str, str]]) -> str:
        address, fields = undo
        return self.render_string("modules/undo-form.html", address=address, fields=fields).decode()


class Help(Module):
    """The dialog that lists the keys, with those of the text where one ``writes``; opened by a script, as keys are."""

    def render(self, *, writes: bool = False) -> str:
        return self.render_string("modules/help.html", writes=writes).decode()


class Palette(Module):
    """Any post, section or action by a few letters; opened by Ctrl-K. ``js/elements/command-palette.js`` fills it."""

    def render(self) -> str:
        return self.render_string("modules/palette.html").decode()


class Avatar(Module):
    """Somebody's picture, or initials in its place. The name stands beside it."""

    def render(self, user: User, picture: Asset | None, *, is_large: bool = False) -> str:
        return self.render_string(
            "modules/avatar.html", source=href(picture.path) if picture else "", initials=initials(user.name), is_large=is_large
        ).decode()


class CopyField(Module):
    """A text to be passed on. The page loads ``js/elements/copy-field.js``."""

    def render(self, label: str, text: str, *, key: object = "") -> str:
        """``key``: tells it apart from others on the page."""
        return self.render_string("modules/copy-field.html", label=label, text=text, name=f"link{key}").decode()


class LiveNote(Module):
    """Says on a page that shows posts, or files, that some have changed (``js/elements/live-page.js``, which the page loads)."""

    def render(self, *, of_files: bool = False) -> str:
        return self.render_string("modules/live-note.html", of_files=of_files).decode()


class MediaPicker(Module):
    """The library in a dialog (``js/elements/media-picker.js``, which the page loads)."""

    def render(self) -> str:
        return self.render_string("modules/media-picker.html").decode()


class PostNews(Module):
    """Says on a page of a post, or of one that is yet to be, what others do to it meanwhile."""

    def render(self, post: Post | None) -> str:
        return self.render_string("modules/post-news.html", post=post).decode()


class MediaUpload(Module):
    """The form that brings files, into a folder of the library if it names one."""

    def render(self, folder: int | None = None) -> str:
        return self.render_string("modules/media-upload.html", folder=folder).decode()


class Sidebar(Module):
    def render(self, section: str) -> str:
        return self.render_string("modules/sidebar.html", section=section).decode()


MODULES: dict[str, type[UIModule]] = {
    "Avatar": Avatar,
    "CopyField": CopyField,
    "DeskIcon": DeskIcon,
    "DeskPager": DeskPager,
    "DeskTime": DeskTime,
    "DueTime": DueTime,
    "FlashNote": FlashNote,
    "UndoForm": UndoForm,
    "Help": Help,
    "LiveNote": LiveNote,
    "MediaPicker": MediaPicker,
    "MediaUpload": MediaUpload,
    "Palette": Palette,
    "PostNews": PostNews,
    "Sidebar": Sidebar,
    "StatusBadge": StatusBadge,
    "TransferBadge": TransferBadge,
}
