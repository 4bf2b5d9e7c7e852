"""The two menus that administrators make: what is in them, and what they may lead to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput
from cms.models import Address, Category, Menu, MenuItem, Post, Published, Tag
from cms.models.address import AddressState, TargetKind, normalise_path
from cms.models.post import Kind
from cms.policy import Actor, Capability
from cms.schemas.site import MenuInput, MenuItemInput
from cms.services import audit, site

SUGGESTED = 300  # of each kind
OWN = frozenset({"/", "/archive", "/atom.xml", "/feed.xml", "/page/1", "/search"})  # addresses that the program answers itself
_LISTS = (TargetKind.TAG, TargetKind.CATEGORY, TargetKind.AUTHOR, TargetKind.SERIES)

Target = tuple[TargetKind, int]


@dataclass(frozen=True, slots=True)
class Draft:
    """A menu as its editor sees it."""

    version: int  # 0: nobody has made it yet
    items: Sequence[MenuItemInput]


async def get_draft(session: AsyncSession, name: str) -> Draft:
    version = await session.scalar(select(Menu.version).where(Menu.name == name)) or 0
    stands = (Address.target_kind == MenuItem.target_kind) & (Address.target_id == MenuItem.target_id)
    wanted = (
        select(MenuItem.label, MenuItem.url, MenuItem.parent_id, Address.path)
        .join(Menu, Menu.id == MenuItem.menu_id)
        .outerjoin(Address, stands & (Address.state != AddressState.MOVED))
        .where(Menu.name == name)
        .order_by(MenuItem.position)
    )
    rows = await session.execute(wanted)
    items = [
        MenuItemInput.model_construct(label=label, target=f"/{path}" if path else url, is_below=parent_id is not None)
        for label, url, parent_id, path in rows
    ]
    return Draft(version, items)


async def list_targets(session: AsyncSession) -> list[tuple[str, str]]:
    """What a menu may lead to, path and words, for those who do not know addresses by heart."""
    pages = select(Published.path, Published.title).where(Published.kind == Kind.PAGE).order_by(Published.path).limit(SUGGESTED)
    found = [(f"/{path}", title) for path, title in await session.execute(pages)]
    for kind, table in ((TargetKind.CATEGORY, Category), (TargetKind.TAG, Tag)):
        at = (Address.target_kind == kind) & (Address.target_id == table.id) & (Address.state == AddressState.CURRENT)
        terms = select(Address.path, table.name).join(table, at).order_by(Address.path).limit(SUGGESTED)
        found += [(f"/{path}", name) for path, name in await session.execute(terms)]
    return found


async def save(work: Work, actor: Actor, name: str, wanted: MenuInput) -> None:
    """The menu as it is from now on. Raises ``Conflict`` if it was changed since its version was seen."""
    policy.require(actor, Capability.SITE_CONFIGURE)
    await site.hold(work)
    menu = (await work.session.scalars(select(Menu).where(Menu.name == name))).one_or_none() or Menu(name=name, version=0)
    if menu.version != wanted.version:
        raise Conflict
    targets = await _targets(work.session, wanted.items)
    before = (await get_draft(work.session, name)).items
    menu.version += 1
    work.session.add(menu)
    await work.session.flush()
    await work.session.execute(delete(MenuItem).where(MenuItem.menu_id == menu.id))
    await _add_items(work.session, menu.id, wanted.items, targets)
    audit.note(work, actor, "menu.edit", "menu", menu.id, name=name, before=_written(before), after=_written(wanted.items))
    await site.renew_frame(work)


def _written(items: Sequence[MenuItemInput]) -> list[str]:
    return [f"{item.label} ({item.target})" for item in items]


async def _add_items(session: AsyncSession, menu_id: int, items: Sequence[MenuItemInput], targets: Sequence[Target | None]) -> None:
    parent: MenuItem | None = None
    for position, (item, target) in enumerate(zip(items, targets, strict=True)):
        kind, target_id = target or (None, None)
        above = parent if item.is_below else None
        row = MenuItem(
            menu_id=menu_id, parent_id=above and above.id, position=position, label=item.label,
            target_kind=kind, target_id=target_id, url="" if target else item.target,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        parent = above or row


async def _targets(session: AsyncSession, items: Sequence[MenuItemInput]) -> list[Target | None]:
    """What each item leads to, so that it follows when that moves; None for an address of the program's own, or elsewhere."""
    paths = {item.target: normalise_path(item.target) for item in items if item.target.startswith("/") and item.target not in OWN}
    wanted = (
        select(Address.path, Address.target_kind, Address.target_id)
        .outerjoin(Post, (Address.target_kind == TargetKind.POST) & (Post.id == Address.target_id))
        .where(Address.path.in_(paths.values()), Address.target_kind.in_(_LISTS) | (Post.kind == Kind.PAGE))
    )
    known: dict[str, Target] = {path: (kind, target_id) for path, kind, target_id in await session.execute(wanted)}
    wrong = {
        f"items-{number}-target": "Neither a page nor a list stands at this address."
        for number, item in enumerate(items)
        if item.target in paths and paths[item.target] not in known
    }
    if wrong:
        raise InvalidInput(wrong)
    return [known.get(paths.get(item.target, "")) for item in items]
