"""The site's one row, and the frame: a read document of what every page shows around its text."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Finder, Work
from cms.errors import Conflict, InvalidInput, Unavailable
from cms.events import SiteChanged
from cms.models import Address, Asset, Menu, MenuItem, Post, Published, Site
from cms.models.address import AddressState
from cms.models.post import Kind
from cms.models.site import SITE_ID, Access, Frame, HomeVariant
from cms.policy import Actor, Capability
from cms.schemas.site import MAPS, LimitsInput, LookInput, MediaInput, SitePart, WelcomeInput
from cms.services import audit, outbox, passes

ANSWERED = "These questions were answered already; the settings of the site have it all."
MENU_LENGTH = 6
NONE: Mapping[str, Asset] = MappingProxyType({})
_FRAME = select(Site.frame).where(Site.id == SITE_ID)
ORDINARY = (
    "name", "description", "language", "time_zone", "permalink", "posts_per_page", "footer", "accent_hue", "home", "links", "crawlers",
    "security_contact", "theme",
)  # fmt: skip


async def get_frame(session: AsyncSession) -> Frame:
    return _frame((await session.execute(_FRAME)).one_or_none())


async def find_frame(where: Finder) -> Frame:
    """The same, for whoever needs no session."""
    return _frame(await where.find(_FRAME, {}))


def _frame(row: Row[Mapping[str, Any]] | None) -> Frame:
    if row is None:
        raise Unavailable
    return Frame.from_json(row.frame)


async def get_identity(session: AsyncSession) -> str:
    return (await session.execute(select(Site.identity).where(Site.id == SITE_ID))).scalar_one()


async def get(session: AsyncSession) -> Site:
    return (await session.scalars(select(Site))).one()


async def get_limits(session: AsyncSession) -> LimitsInput:
    return LimitsInput.model_validate((await session.execute(select(Site.limits))).scalar_one())


async def get_media(session: AsyncSession) -> MediaInput:
    return MediaInput.model_validate((await session.execute(select(Site.media))).scalar_one())


async def list_pages(session: AsyncSession) -> Sequence[tuple[int, str]]:
    """Public pages, id and title, that may stand at the front."""
    wanted = select(Published.post_id, Published.title).where(Published.in_lists(Kind.PAGE)).order_by(Published.title, Published.post_id)
    return [(post_id, title) for post_id, title in await session.execute(wanted)]


async def save(work: Work, actor: Actor, wanted: SitePart, pictures: Mapping[str, Asset] = NONE) -> None:
    """What one of the forms of the settings says. ``pictures``: a new ``logo`` or ``icon``.

    Raises ``Conflict`` if they were changed since its version was seen.
    """
    policy.require(actor, Capability.SITE_CONFIGURE)
    row = await hold(work)
    if row.version != wanted.version:
        raise Conflict
    changes = wanted.model_dump(mode="json", exclude={"version", "remove_logo", "remove_icon"})
    if changes.get("home") == "page" and changes["home_page_id"] not in {post_id for post_id, _ in await list_pages(work.session)}:
        raise InvalidInput({"home_page_id": "Choose a page that readers can see."})
    before, after = dict[str, Any](), dict[str, Any]()  # for the record, which has each setting by its own name
    for column, (schema, names) in MAPS.items():
        if isinstance(wanted, schema):
            usual = schema.model_validate({}).model_dump(mode="json", include=set(names))
            chosen = {name: changes.pop(name) for name in names}
            before, after = {**before, **usual, **getattr(row, column)}, after | chosen
            changes[column] = {name: value for name, value in chosen.items() if value != usual[name]}
    if isinstance(wanted, LookInput):
        changes |= {f"{name}_id": None for name in ("logo", "icon") if getattr(wanted, f"remove_{name}")}
    for name, sent in pictures.items():
        changes[f"{name}_id"] = sent.id
    plain = [name for name in changes if name not in MAPS]
    before, after = before | {name: getattr(row, name) for name in plain}, after | {name: changes[name] for name in plain}
    audit.note(work, actor, "site.configure", "site", SITE_ID, **audit.difference(before, after))
    await configure(work, **changes)


async def set_up(work: Work, actor: Actor, wanted: WelcomeInput | None) -> None:
    """The questions of the first run are answered, or left for later (None); they are not asked again: ``Conflict``."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    row = await hold(work)
    if row.is_set_up:
        raise Conflict(ANSWERED)
    answers = wanted.model_dump(include={"name", "time_zone"}) if wanted else {}
    audit.note(work, actor, "site.set_up", "site", SITE_ID, **audit.difference({name: getattr(row, name) for name in answers}, answers))
    await configure(work, **answers, is_set_up=True)


async def choose_access(work: Work, actor: Actor, wanted: Access, password_hash: str | None) -> None:
    """Who may read the site. ``password_hash``: of a new password; None leaves the one that is there.

    Raises ``InvalidInput`` on ``password`` if one is needed and there is none.
    """
    policy.require(actor, Capability.SITE_CONFIGURE)
    row = await hold(work)
    if wanted is not Access.OPEN and not (password_hash or row.access_hash):
        raise InvalidInput({"password": "Readers need a password to be asked for."})
    audit.note(work, actor, "site.access", "site", SITE_ID, before=row.access, after=wanted, password=bool(password_hash))
    await configure(work, access=wanted, access_hash=None if wanted is Access.OPEN else password_hash or row.access_hash)


async def configure(work: Work, **changes: Any) -> None:
    """Change what an administrator edits, and the frame with it."""
    row = await hold(work)
    for name, value in changes.items():
        setattr(row, name, value)
    row.version += 1
    await work.session.flush()
    await renew_frame(work)


async def hold(work: Work) -> Site:
    """The site's row, kept from others until the end: what changes the menu or the tree of pages happens one after another."""
    return (await work.session.scalars(select(Site).with_for_update().execution_options(populate_existing=True))).one()


async def renew_frame(work: Work) -> None:
    """Make the frame again; says so if it changed. Called by whatever changes a part of it."""
    row, session = await hold(work), work.session
    home_path = await _home_path(session, row)
    main = await _menu(session, "main", home_path) or await _top_pages(session, home_path)
    frame = {
        **{name: getattr(row, name) for name in ORDINARY},
        "uuid": str(uuid5(NAMESPACE_URL, row.identity)),  # tells nothing of the identity, which is secret
        "menu": main,
        "footer_menu": await _menu(session, "footer", home_path),
        "logo": await _logo(session, row.logo_id),
        "icon": (await _logo(session, row.icon_id) or {}).get("path", ""),
        "home_path": home_path,
        "private_media": row.media.get("is_private", False),
        "access": row.access,
        "access_mark": passes.mark("site", row.access_hash or "") if row.access is not Access.OPEN else "",
    }
    changed = tuple(name for name in frame if row.frame.get(name) != frame[name])
    if changed:
        row.frame = frame
        outbox.record(work, SiteChanged(changed))


async def _home_path(session: AsyncSession, row: Site) -> str:
    if row.home != HomeVariant.PAGE:
        return ""
    path = await session.scalar(select(Published.path).where(Published.post_id == row.home_page_id, Published.in_lists(Kind.PAGE)))
    return f"/{path}" if path else ""


async def _logo(session: AsyncSession, asset_id: int | None) -> dict[str, Any] | None:
    asset = await session.get(Asset, asset_id) if asset_id is not None else None
    return {"path": asset.path, "width": asset.width, "height": asset.height} if asset and asset.is_ready else None


async def _menu(session: AsyncSession, name: str, home_path: str) -> list[dict[str, Any]]:
    """A menu with its addresses resolved; what leads to nothing public is left out, and what is below it moves up."""
    chosen = (
        select(MenuItem.id, MenuItem.parent_id, MenuItem.label, MenuItem.url, Address.path)
        .join(Menu, Menu.id == MenuItem.menu_id)
        .outerjoin(
            Address,
            (Address.target_kind == MenuItem.target_kind)
            & (Address.target_id == MenuItem.target_id)
            & (Address.state == AddressState.CURRENT),
        )
        .where(Menu.name == name)
        .order_by(MenuItem.position)
    )
    top: list[dict[str, Any]] = []
    shown: dict[int, dict[str, Any]] = {}
    for item_id, parent_id, label, url, path in await session.execute(chosen):
        if path or url:
            shown[item_id] = {"label": label, "path": _public(path, home_path) if path else url}
            level = shown[parent_id].setdefault("children", []) if parent_id in shown else top
            level.append(shown[item_id])
    return top


async def _top_pages(session: AsyncSession, home_path: str) -> list[dict[str, Any]]:
    """The main menu while nobody made one: the pages at the top of the tree, without the one that is home."""
    top = (
        select(Published.title, Published.path)
        .join(Post, Post.id == Published.post_id)
        .where(Published.in_lists(Kind.PAGE), Published.parent_id.is_(None), Published.path != home_path.removeprefix("/"))
        .order_by(*Post.in_place(), Published.published_at, Published.post_id)
        .limit(MENU_LENGTH)
    )
    return [{"label": title, "path": f"/{path}"} for title, path in await session.execute(top)]


def _public(path: str, home_path: str) -> str:
    return "/" if f"/{path}" == home_path else f"/{path}"
