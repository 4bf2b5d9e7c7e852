"""The two menus that administrators make: what is in them, and what they may lead to."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.db.session import Work
from cms.errors import Conflict, InvalidInput
from cms.models import Address, Menu, MenuItem, Post, Published, Tag
from cms.models.address import AddressState, TargetKind, normalise_path
from cms.models.post import Kind
from cms.policy import Actor, Capability
from cms.schemas.site import MenuInput, MenuItemInput
from cms.services import audit, lists, site
from cms.wording import say

SUGGESTED = 20  # of each kind
OWN = frozenset({"/", "/archive", "/atom.xml", "/feed.xml", "/page/1", "/search"})  # addresses that the program answers itself

Target = tuple[TargetKind, int]


@dataclass(frozen=True, slots=True)
class Found:
    """``kind``: "page", "post", "tag", "category", "author" or "series"."""

    path: str
    title: str
    kind: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A menu as its editor sees it. No item is deeper than one below the item before it."""

    version: int  # 0: nobody has made it yet
    items: Sequence[MenuItemInput]


async def get_draft(session: AsyncSession, name: str) -> Draft:
    version = await session.scalar(select(Menu.version).where(Menu.name == name)) or 0
    stands = (Address.target_kind == MenuItem.target_kind) & (Address.target_id == MenuItem.target_id)
    wanted = (
        select(MenuItem.id, MenuItem.label, MenuItem.url, MenuItem.parent_id, Address.path)
        .join(Menu, Menu.id == MenuItem.menu_id)
        .outerjoin(Address, stands & (Address.state != AddressState.MOVED))
        .where(Menu.name == name)
        .order_by(MenuItem.position)
    )
    rows = await session.execute(wanted)
    items, levels = [], dict[int | None, int]({None: -1})
    for item_id, label, url, parent_id, path in rows:
        levels[item_id] = levels.get(parent_id, -1) + 1
        items.append(MenuItemInput.model_construct(label=label, target=f"/{path}" if path else url, level=levels[item_id]))
    return Draft(version, items)


async def find_targets(session: AsyncSession, words: str = "") -> list[Found]:
    """What a menu may lead to, with all of the words in its name: public pages and posts, and lists that readers have."""
    asked = fold(words.replace("\0", " ")).split()[:8]
    texts = select(Published.path, Published.title).join(Post, Post.id == Published.post_id)
    for word in asked:
        texts = texts.where(Post.folded_title.contains(word, autoescape=True))
    found = list[Found]()
    for written in (Kind.PAGE, Kind.POST):
        newest = texts.where(Published.in_lists(written)).order_by(Published.published_at.desc()).limit(SUGGESTED)
        found += [Found(f"/{path}", title, written.value) for path, title in await session.execute(newest)]
    for kind, term in lists.TERMS.items():
        name = Tag.folded if term.table is Tag else func.lower(term.table.name)
        here = (Address.target_kind == kind) & (Address.target_id == term.table.id) & (Address.state == AddressState.CURRENT)
        named = select(Address.path, term.table.name).join(term.table, here).order_by(name).limit(SUGGESTED)
        for word in asked:
            named = named.where(name.contains(word, autoescape=True))
        found += [Found(f"/{path}", title, kind.value) for path, title in await session.execute(named)]
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
    return [f"{'– ' * item.level}{item.label} ({item.target})" for item in items]


async def _add_items(session: AsyncSession, menu_id: int, items: Sequence[MenuItemInput], targets: Sequence[Target | None]) -> None:
    line: list[MenuItem] = []  # from the top down to the last one
    for position, (item, target) in enumerate(zip(items, targets, strict=True)):
        kind, target_id = target or (None, None)
        del line[item.level :]
        row = MenuItem(
            menu_id=menu_id, parent_id=line[-1].id if line else None, position=position, label=item.label,
            target_kind=kind, target_id=target_id, url="" if target else item.target,
        )  # fmt: skip
        session.add(row)
        await session.flush()
        line.append(row)


async def _targets(session: AsyncSession, items: Sequence[MenuItemInput]) -> list[Target | None]:
    """What each item leads to, so that it follows when that moves; None for an address of the program's own, or elsewhere."""
    paths = {item.target: normalise_path(item.target) for item in items if item.target.startswith("/") and item.target not in OWN}
    wanted = select(Address.path, Address.target_kind, Address.target_id).where(
        Address.path.in_(paths.values()), Address.target_kind != TargetKind.MEDIA
    )
    known: dict[str, Target] = {path: (kind, target_id) for path, kind, target_id in await session.execute(wanted)}
    wrong = {
        f"items-{number}-target": say("Nothing that readers have stands at this address.")
        for number, item in enumerate(items)
        if item.target in paths and paths[item.target] not in known
    }
    if wrong:
        raise InvalidInput(wrong)
    return [known.get(paths.get(item.target, "")) for item in items]
