"""The record of acts in words: what was done, whom or what it was about, and what was before and is after.

Every name that the program notes has words here (tests/ui/test_acts.py compares them); another is shown as it is.
"""

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale
from tornado.web import UIModule

from cms.schemas.site import SiteInput
from cms.services import documents
from cms.services.audit import PEOPLE, Line
from cms.ui.admin import desk_locale, exact
from cms.ui.module import Module
from cms.wording import phrases, say

_OF_TEXTS = phrases(
    {
        "create": "Began %s",
        "save": "Wrote in %s",
        "publish": "Published %s",
        "withdraw": "Took %s back from readers",
        "trash": "Moved %s to the trash",
        "restore": "Took %s out of the trash",
        "schedule": "Scheduled %s",
        "unschedule": "Took back what was scheduled for %s",
        "undo": "Undid what was just done to %s",
        "miss": "Could not do what was scheduled for %s",
        "delete": "Deleted %s for good",
        "revision": "Named or kept a version of %s",
        "revert": "Brought back an earlier version of %s",
        "import": "Brought in %s from elsewhere",
        "submitted": "Submitted %s for review",
        "taken_back": "Took %s back from review",
        "changes_asked": "Asked for changes to %s",
        "approved": "Approved %s",
        "visibility": "Chose who may read %s",
    }
)
ACTS: Mapping[str, str] = phrases(
    {  # ``%s``: whom or what it was about; without it, nothing but oneself
        "user.create": "Made an account for %s",
        "user.rename": "Changed the name of %s",
        "user.profile": "Changed the profile of %s",
        "user.notices": "Chose which letters to get",
        "user.role": "Changed the role of %s",
        "user.password": "Set another password for %s",
        "user.password_link": "Made a link for a new password of %s",
        "user.email": "Changed the e-mail address of %s",
        "user.email_asked": "Asked for another e-mail address",
        "user.sign_out": "Signed %s out everywhere",
        "user.disable": "Disabled %s",
        "user.enable": "Enabled %s",
        "user.delete": "Deleted %s",
        "user.erase": "Erased %s",
        "user.export": "Downloaded all that is kept about %s",
        "invitation.create": "Invited somebody",
        "invitation.revoke": "Withdrew an invitation",
        "invitation.accept": "Accepted an invitation",
        "session.create": "Signed in",
        "session.confirm": "Proved again who it is",
        "session.end": "Signed out",
        "session.revoke": "Signed out other browsers",
        "session.end_all": "Signed everybody out",
        "session.refuse": "Tried too often to sign in as %s",
        "device.new": "Came with a browser that was not seen before",
        "second_factor.on": "Set up an authenticator app",
        "second_factor.off": "Turned off the authenticator app",
        "second_factor.codes": "Made new recovery codes",
        "second_factor.recovery": "Used a recovery code",
        "second_factor.reset": "Took away the second factor of %s",
        "passkey.add": "Added a passkey",
        "passkey.rename": "Renamed a passkey",
        "passkey.remove": "Removed a passkey",
        "passkey.refuse": "Came with a passkey that was refused",
        "identity.link": "Linked an account elsewhere",
        "identity.unlink": "Unlinked an account elsewhere",
        **{f"{kind}.{verb}": words for kind in ("post", "page") for verb, words in _OF_TEXTS.items()},
        "page.place": "Moved %s to another place among the pages",
        "comment.create": "Commented on %s",
        "comment.answer": "Answered a comment on %s",
        "comment.resolved": "Resolved a comment on %s",
        "comment.reopen": "Opened a comment on %s again",
        "suggestion.create": "Suggested a change to %s",
        "suggestion.answer": "Answered a suggestion for %s",
        "suggestion.accepted": "Took up a suggestion for %s",
        "suggestion.refused": "Refused a suggestion for %s",
        "suggestion.reopen": "Opened a suggestion for %s again",
        "preview_link.create": "Made a preview link for %s",
        "preview_link.revoke": "Took back a preview link for %s",
        "media.add": "Added the file %s",
        "media.edit": "Changed the file %s",
        "media.replace": "Put another file in the place of %s",
        "media.move": "Moved the file %s to another folder",
        "media.captions": "Changed the captions of the film %s",
        "media.tag": "Changed the tags of the file %s",
        "media.trash": "Moved the file %s to the trash",
        "media.restore": "Took the file %s out of the trash",
        "media.delete": "Deleted the file %s for good",
        "folder.create": "Made the folder %s",
        "folder.save": "Changed the folder %s",
        "folder.delete": "Deleted the folder %s",
        "category.create": "Made the category %s",
        "category.save": "Changed the category %s",
        "category.merge": "Merged another category into %s",
        "category.delete": "Deleted the category %s",
        "tag.create": "Made the tag %s",
        "tag.save": "Changed the tag %s",
        "tag.merge": "Merged another tag into %s",
        "tag.delete": "Deleted the tag %s",
        "series.create": "Made the series %s",
        "series.save": "Changed the series %s",
        "series.order": "Sorted the series %s",
        "series.delete": "Deleted the series %s",
        "field.create": "Defined the field %s",
        "field.edit": "Changed the field %s",
        "field.move": "Moved the field %s in its order",
        "field.delete": "Deleted the field %s",
        "snippet.create": "Made the snippet %s",
        "snippet.edit": "Changed the snippet %s",
        "snippet.delete": "Deleted the snippet %s",
        "template.create": "Made the template %s",
        "template.edit": "Changed the template %s",
        "template.delete": "Deleted the template %s",
        "trash.restore": "Took %s out of the trash",
        "trash.delete": "Deleted %s for good",
        "site.configure": "Changed %s",
        "site.access": "Chose who may read the site",
        "site.set_up": "Answered the questions of the first run, or left them for later",
        "site.permalink": "Changed the addresses of posts",
        "menu.edit": "Changed %s",
        "import.start": "Began an import",
        "import.forget": "Deleted an import's files",
        "export.start": "Began an export",
        "export.forget": "Deleted an export",
        "backup.start": "Had a backup made",
        "backup.forget": "Deleted a backup",
        "backup.plan": "Chose when backups are made",
        "check.start": "Had the installation looked at",
        "check.forget": "Deleted what was found in the installation",
        "job.again": "Had a job tried again",
        "job.forget": "Gave up a job",
        "redirect.save": "Led readers on from %s",
        "redirect.remove": "Deleted the redirect from %s",
        "redirect.import": "Took redirects from a table",
        "demo.fill": "Filled the site with an example",
    }
)
KINDS: Mapping[str, str] = phrases(
    {  # of acts: the first words of their names
        "user": "Accounts",
        "invitation": "Invitations",
        "session": "Sessions",
        "device": "New browsers",
        "second_factor": "Second factors",
        "passkey": "Passkeys",
        "identity": "Accounts elsewhere",
        "post": "Posts",
        "page": "Pages",
        "comment": "Comments",
        "suggestion": "Suggestions",
        "preview_link": "Preview links",
        "media": "Files",
        "folder": "Folders",
        "category": "Categories",
        "tag": "Tags",
        "series": "Series",
        "field": "Custom fields",
        "snippet": "Snippets",
        "template": "Templates",
        "trash": "Trash",
        "site": "Site settings",
        "menu": "Menus",
        "import": "Imports",
        "export": "Exports",
        "backup": "Backups",
        "check": "Checks",
        "job": "Jobs",
        "redirect": "Redirects",
        "demo": "Examples",
    }
)
NUMBERED = ("transfer", "job")  # kinds of subjects without a name of their own
MENUS = phrases({"main": "the main menu", "footer": "the footer menu"})
GONE = phrases(
    {  # by the kind of what it was
        "user": "somebody who is gone (no. %d)",
        "post": "post no. %d (deleted)",
        "page": "page no. %d (deleted)",
        "asset": "no. %d (deleted)",
        "category": "no. %d (deleted)",
        "tag": "no. %d (deleted)",
        "series": "no. %d (deleted)",
        **dict.fromkeys(("field", "snippet", "template", "folder"), "no. %d (deleted)"),
    }
)
ASPECTS = phrases(
    {  # what readers see change, in their words; a page's trail is its parents' titles
        "title": "the title",
        "excerpt": "the excerpt",
        "body": "the text",
        "date": "the date",
        "path": "the address",
        "authors": "the authors",
        "tags": "the tags",
        "category": "the category",
        "language": "the language",
        "picture": "the picture",
        "trail": "the page above",
        "standfirst": "the excerpt",
        "featured": "its place on the home page",
        "meta": "what search engines and shared links say",
        "custom": "its own fields",
        "visibility": "who may read it",
    }
)
_CHANGED = phrases(
    {  # and what changes at the desk; "" goes along with the rest
        **ASPECTS,
        **dict.fromkeys(("length", "source", "updated"), ""),
        "text": "the text",
        "slug": "the address",
        "parent": "the page above",
        "folder": "the folder",
        "series": "the series",
        "previous": "the post before",
        "following": "the post after",
        "related": "related posts",
        **dict.fromkeys(("search_title", "search_description", "share_title", "share_description"), ASPECTS["meta"]),
        "name": "the name",
        "description": "the description",
        "bio": "the words about oneself",
        "links": "the links",
        "is_pinned": "whether it is kept",
    }
)
_DETAILS = phrases(
    {
        "lines": "%s taken",
        "refused": "%s not taken",
        "target": "to %s",
        "role": "role: %s",
        "disabled": "cannot sign in",
        "by": "invited by %s",
        "heir": "texts given to %s",
        "number": "sessions: %s",
        "ended": "sessions: %s",
        "refuses": "not wanted: %s",
        "title": "“%s”",
        "passkey": "passkey no. %s",
        "changed": "%s",
        "path": "at /%s",
        "revision": "version no. %s",
        "redirect": "leads to %s",
        "due": "for %s",
        "act": "%s",
        "thread": "thread no. %s",
        "link": "link no. %s",
        "lifetime": "open for %s",
        "key": "known as %s",
        "limit": "%s",
        "without_review": "without a review",
        "password": "with a new password",
    }
)
_VALUES = phrases(
    {
        "never": "not public",
        "published": "public",
        "withdrawn": "withdrawn",
        "trashed": "in the trash",
        "publish": "goes out",
        "withdraw": "ends",
        "deleted": "deleted for good",
        "active": "can sign in",
        "second factors": "codes",
        "1h": "1 hour",
        "24h": "24 hours",
        "7d": "7 days",
        "30d": "30 days",
        "new_device": "new browsers",
        "accepted": "accepted invitations",
        "mention": "mentions",
        "miss": "what could not be done on time",
        "submitted": "texts to review",
        "approved": "approvals",
        "changes_asked": "wishes for changes",
        "public": "everybody",
        "unlisted": "whoever has the address",
        "password": "whoever knows the password",
        "open": "everybody",
        "coming_soon": "nobody yet",
        "private": "whoever knows the password",
    }
)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d\+00:00")  # for which something is scheduled


_LABELS = phrases(
    {"slug": "Address", "path": "Address", "target": "To", "match": "Leads on", "published_at": "Published", "status": "State"}
)


class Act(Module):
    """A line of the record: a sentence with a link to whom or what it was about, what is known beside it, and a link to all acts on it."""

    def render(self, line: Line, people: Mapping[int, str]) -> str:
        _, kind, number = self.locale.translate, line.subject_kind, line.subject_id
        before, place, after = _(ACTS.get(line.action, line.action)).partition("%s")
        is_about_another = number and kind not in ("site", *NUMBERED) and (kind, number) != ("user", line.user_id)
        subject, at = self._subject(line) if place or is_about_another else ("", "")
        details = Details(people, self.handler.settings["parts"].last_frame.zone, _, desk_locale(self.locale)).of(line)
        return self.render_string(
            "modules/act.html", line=line, before=before if place or not subject else f"{before}: ", subject=subject, at=at, after=after,
            details=details, number=f"{kind} {number}" if number and (kind in NUMBERED or (subject and kind != "site")) else "",
        ).decode()  # fmt: skip

    def _subject(self, line: Line) -> tuple[str, str]:
        """In words, and its page at the desk, if it has one."""
        _, kind, number, menu = self.locale.translate, line.subject_kind, line.subject_id or 0, line.details.get("name")
        if kind == "redirect" or line.action.startswith("trash."):
            return line.details.get("name") or "", ""
        if line.is_gone:
            return _(GONE[kind]) % number, ""
        if kind == "user" and not number:
            return _("somebody unknown"), ""
        if kind == "site":
            return _("the settings of the site"), self.handler.reverse_url("admin.site")
        if kind == "menu" and menu in MENUS:
            return _(MENUS[menu]), self.handler.reverse_url(f"admin.menu.{menu}")
        if kind in ("user", "post", "page", "asset", "folder", "category", "tag", "series", "field", "snippet", "template"):
            name = {"user": "admin.person", "series": "admin.one-series", "folder": "admin.media.folder"}.get(kind, f"admin.{kind}")
            return line.subject or _("Without a title"), self.handler.reverse_url(name, number)
        return line.subject or f"{kind} {number}", ""


@dataclass(frozen=True, slots=True)
class Details:
    """What is known of acts beside whom and what, in words. ``people``: names by number."""

    people: Mapping[int, str]
    zone: ZoneInfo
    translate: Callable[[str], str]
    locale: Locale

    def of(self, line: Line) -> list[str]:
        """What was before and is after; then the rest, but for what the sentence or these have told."""
        before, after = line.details.get("before"), line.details.get("after")
        told = {"before", "after", *(["name"] if line.subject_kind in ("menu", "redirect") else [])}
        if isinstance(before, dict) and isinstance(after, dict):
            told |= after.keys()
            changes = [self._change(name, before, after) for name in after]
        else:
            changes = [] if before is None and after is None else [self._went(self._known(before), self._known(after))]
        rest = [self._detail(name, value, told) for name, value in line.details.items() if name not in told]
        return [*changes, *filter(None, rest)]

    def _change(self, name: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
        field = SiteInput.model_fields.get(name)
        label = _LABELS.get(name) or (field and field.title) or name.replace("_", " ").capitalize()
        sides = [self._value(name, side[name]) for side in (before, after) if name in side]
        return f"{self.translate(label)}: {self._went(*sides) if len(sides) > 1 else sides[0]}"

    def _went(self, before: str, after: str) -> str:
        return self.translate(say("{before} → {after}", before=before, after=after))

    def _value(self, name: str, value: Any) -> str:
        if name == "published_at" and value:
            return self._exact(value)
        return self._known(value) if name == "status" else self._plain(value)

    def _exact(self, moment: str) -> str:
        return exact(datetime.fromisoformat(moment), self.zone, self.locale)

    def _detail(self, name: str, value: Any, told: Set[str]) -> str:
        words = self.translate(_DETAILS.get(name, f"{name.replace('_', ' ')}: %s"))
        if value is None or ("%s" not in words and not value):
            return ""
        if name in PEOPLE and isinstance(value, int):
            value = self.people.get(value) or self.translate(GONE["user"]) % value
        elif name == "changed" and isinstance(value, list):
            value = self._changed(value, told)
        else:
            value = self._plain(value) if name in ("path", "key") else self._known(value)
        return words.replace("%s", value) if value else ""

    def _changed(self, names: list[str], told: Set[str]) -> str:
        if documents.ASPECTS.keys() <= set(names):
            return self.translate("all of it is new")
        words = (self.translate(_CHANGED.get(name.partition(".")[0], name.replace("_", " "))) for name in names if name not in told)
        return ", ".join(filter(None, dict.fromkeys(words)))

    def _known(self, value: Any) -> str:
        """One of the program's own words, or several; or a moment."""
        if isinstance(value, list) and value:
            return ", ".join(map(self._known, value))
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return self._exact(value)
        return self.translate(_VALUES.get(value, value)) if isinstance(value, str) and value else self._plain(value)

    def _plain(self, value: Any) -> str:
        """What somebody wrote or chose, as it is."""
        match value:
            case None | "" | []:
                return self.translate("nothing")
            case bool():
                return self.translate("yes" if value else "no")
            case list():
                return ", ".join(map(self._plain, value))
            case {"label": label, "path": path}:
                return f"{label} ({path})"
            case dict():
                return ", ".join(f"{name}: {self._plain(each)}" for name, each in value.items())
            case _:
                return str(value)


MODULES: dict[str, type[UIModule]] = {"Act": Act}
