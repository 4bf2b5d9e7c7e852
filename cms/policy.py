"""Who may do what: one table of capability × role → scope. Pure; services ask it, handlers gate with it, templates show or hide by it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from cms.errors import Forbidden, NotAuthenticated
from cms.wording import phrases, say


class Role(StrEnum):
    """From most to least; *reader* is anybody who is not signed in."""

    OWNER = say("owner")
    ADMINISTRATOR = say("administrator")
    EDITOR = say("editor")
    AUTHOR = say("author")
    CONTRIBUTOR = say("contributor")
    READER = say("reader")


class Capability(StrEnum):
    POST_CREATE = "post.create"
    POST_EDIT = "post.edit"
    POST_TRASH = "post.trash"
    POST_PUBLISH = "post.publish"
    PAGE_CREATE = "page.create"
    PAGE_EDIT = "page.edit"
    PAGE_TRASH = "page.trash"
    PAGE_PUBLISH = "page.publish"
    DRAFT_SEE = "draft.see"
    MEDIA_UPLOAD = "media.upload"
    MEDIA_SEE = "media.see"
    MEDIA_EDIT = "media.edit"
    MEDIA_DELETE = "media.delete"
    TAXONOMY_MANAGE = "taxonomy.manage"
    SNIPPET_MANAGE = "snippet.manage"
    ACCOUNT_KEEP = "account.keep"
    USER_MANAGE = "user.manage"
    OWNERSHIP_GIVE = "ownership.give"
    AUDIT_SEE = "audit.see"
    CONTENT_TRANSFER = "content.transfer"
    SITE_CONFIGURE = "site.configure"
    SITE_OPERATE = "site.operate"
    BACKUP_TAKE = "backup.take"

    @classmethod
    def of(cls, kind: str, verb: str) -> "Capability":
        """The capability for a kind of content: ``of("page", "edit")`` is ``page.edit``."""
        return cls(f"{kind}.{verb}")

    def for_kind(self, kind: str) -> "Capability":
        """What posts require, for this kind of content; what is no matter of kinds is itself."""
        what, _, verb = self.partition(".")
        return Capability.of(kind, verb) if what == "post" else self


class Scope(StrEnum):
    ANY = say("any")
    OWN = say("own")
    OWN_UNPUBLISHED = say("own, unpublished")


_ANYBODY_WHO_WRITES: dict[Role, Scope] = {role: Scope.ANY for role in Role if role is not Role.READER}
_EDITORS = dict.fromkeys((Role.OWNER, Role.ADMINISTRATOR, Role.EDITOR), Scope.ANY)
_ADMINISTRATORS = dict.fromkeys((Role.OWNER, Role.ADMINISTRATOR), Scope.ANY)

TABLE: dict[Capability, dict[Role, Scope]] = {
    Capability.POST_CREATE: _ANYBODY_WHO_WRITES,
    Capability.POST_EDIT: {**_EDITORS, Role.AUTHOR: Scope.OWN, Role.CONTRIBUTOR: Scope.OWN_UNPUBLISHED},
    Capability.POST_TRASH: {**_EDITORS, Role.AUTHOR: Scope.OWN, Role.CONTRIBUTOR: Scope.OWN_UNPUBLISHED},
    Capability.POST_PUBLISH: {**_EDITORS, Role.AUTHOR: Scope.OWN},
    Capability.PAGE_CREATE: _EDITORS,
    Capability.PAGE_EDIT: _EDITORS,
    Capability.PAGE_TRASH: _EDITORS,
    Capability.PAGE_PUBLISH: _EDITORS,
    Capability.DRAFT_SEE: {**_EDITORS, Role.AUTHOR: Scope.OWN, Role.CONTRIBUTOR: Scope.OWN},
    Capability.MEDIA_UPLOAD: {**_EDITORS, Role.AUTHOR: Scope.OWN},
    Capability.MEDIA_SEE: {**_EDITORS, Role.AUTHOR: Scope.ANY},  # so that a picture is not sent twice
    Capability.MEDIA_EDIT: {**_EDITORS, Role.AUTHOR: Scope.OWN},
    Capability.MEDIA_DELETE: {**_EDITORS, Role.AUTHOR: Scope.OWN},
    Capability.TAXONOMY_MANAGE: _EDITORS,
    Capability.SNIPPET_MANAGE: _EDITORS,
    Capability.ACCOUNT_KEEP: _ANYBODY_WHO_WRITES,
    Capability.USER_MANAGE: _ADMINISTRATORS,
    Capability.OWNERSHIP_GIVE: {Role.OWNER: Scope.ANY},
    Capability.AUDIT_SEE: _ADMINISTRATORS,
    Capability.CONTENT_TRANSFER: _ADMINISTRATORS,
    Capability.SITE_CONFIGURE: _ADMINISTRATORS,
    Capability.SITE_OPERATE: _ADMINISTRATORS,
    Capability.BACKUP_TAKE: {Role.OWNER: Scope.ANY},  # the keys of the site are in it, and everybody's secrets
}


# What each lets somebody do; docs/capabilities.md and the page of the desk are made of it.
SENTENCES: dict[Capability, str] = phrases(
    {
        Capability.POST_CREATE: "Begin a new post.",
        Capability.POST_EDIT: "Open a post in the editor, and save it.",
        Capability.POST_TRASH: "Move a post to the trash, and take it out again.",
        Capability.POST_PUBLISH: "Put a post before readers, or withdraw it.",
        Capability.PAGE_CREATE: "Begin a new page.",
        Capability.PAGE_EDIT: "Open a page in the editor, and save it.",
        Capability.PAGE_TRASH: "Move a page to the trash, and take it out again.",
        Capability.PAGE_PUBLISH: "Put a page before readers, or withdraw it.",
        Capability.DRAFT_SEE: "Know of posts and pages that readers cannot see.",
        Capability.MEDIA_UPLOAD: "Bring pictures and other files.",
        Capability.MEDIA_SEE: "Look through the library, and use what is in it.",
        Capability.MEDIA_EDIT: "Change what is in the library: its words, its folder, its crop, its file.",
        Capability.MEDIA_DELETE: "Move a file of the library to the trash, take it out again, and delete it for good.",
        Capability.TAXONOMY_MANAGE: "Order categories, tags and series, name the authors, and choose what stands first on the home page.",
        Capability.SNIPPET_MANAGE: "Make, change and delete the snippets and templates that all who write may use.",
        Capability.ACCOUNT_KEEP: "Change one's own profile, password and second factor; see and end one's own sessions.",
        Capability.USER_MANAGE: "Invite people, change their roles, disable and delete their accounts.",
        Capability.OWNERSHIP_GIVE: "Hand the site over to somebody else.",
        Capability.AUDIT_SEE: "Read and download the record of who did what.",
        Capability.CONTENT_TRANSFER: "Bring in texts from elsewhere, and take all of them along.",
        Capability.SITE_CONFIGURE: "Change the site's name, look, addresses and menus.",
        Capability.SITE_OPERATE: "Make backups, see and repeat work that runs beside the site, and look whether all is well.",
        Capability.BACKUP_TAKE: "Download a backup.",
    }
)


class Owned(Protocol):
    """What a scope asks of its subject."""

    @property
    def owner_ids(self) -> frozenset[int]: ...

    @property
    def was_ever_public(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who asks. ``user_id`` is None for readers and for the program itself."""

    user_id: int | None
    role: Role
    name: str = ""

    @property
    def is_signed_in(self) -> bool:
        return self.user_id is not None


ANONYMOUS = Actor(None, Role.READER)
SYSTEM = Actor(None, Role.OWNER, "Squall")


def scope(actor: Actor, capability: Capability) -> Scope | None:
    """How far the actor's capability reaches; None if he has none of it."""
    return TABLE[capability].get(actor.role)


def allows(actor: Actor, capability: Capability, subject: Owned | None = None) -> bool:
    """Whether the actor may; without a subject, whether there is anything at all he may do it to."""
    reach = scope(actor, capability)
    if reach is None:
        return False
    if reach is Scope.ANY or subject is None:
        return True
    if actor.user_id not in subject.owner_ids:
        return False
    return reach is Scope.OWN or not subject.was_ever_public


def rows() -> list[tuple[Capability, str, list[str]]]:
    """The table as people read it: capability, sentence, and how far it reaches for each role, readers left out; "–" for not at all."""
    return [(each, SENTENCES[each], [TABLE[each].get(role, "–") for role in Role if role is not Role.READER]) for each in Capability]


def markdown() -> str:
    """The table for docs/capabilities.md."""
    roles = [role.value for role in Role if role is not Role.READER]
    head = ["capability", "lets one", *roles]
    lines = [head, ["---"] * len(head), *([f"`{name}`", sentence, *cells] for name, sentence, cells in rows())]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def require(actor: Actor, capability: Capability, subject: Owned | None = None) -> None:
    """Raise ``NotAuthenticated`` or ``Forbidden`` unless the actor may."""
    if allows(actor, capability, subject):
        return
    raise Forbidden if actor.is_signed_in else NotAuthenticated
