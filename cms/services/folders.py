"""Folders of the library: a tree that whoever may change what is in it keeps in order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from cms import policy
from cms.content.folding import fold
from cms.db.session import Work
from cms.errors import InvalidInput, NotFound
from cms.models import Asset, Folder, TrashedThing, User
from cms.models.desk import TrashKind
from cms.models.media import MAX_FOLDED
from cms.policy import Actor, Capability
from cms.schemas.library import FolderInput
from cms.services import audit, media, site, trashed_things, trashed_trees
from cms.wording import say

MOST = 1000
DEEPEST = 8
AT_ONCE = 1000  # rows that one statement names
_NOBODYS = "\1"  # key of a folder that is moved at this moment: no name is like that


@dataclass(frozen=True, slots=True)
class Branch:
    """A folder in its tree. ``names``: its own after those of the folders it lies in."""

    folder: Folder
    names: tuple[str, ...]

    @property
    def level(self) -> int:
        return len(self.names) - 1

    @property
    def path(self) -> str:
        return " › ".join(self.names)


async def tree(session: AsyncSession) -> list[Branch]:
    """All folders, each after the one in which it lies, by name."""
    inside: dict[int | None, list[Folder]] = {}
    for folder in await session.scalars(select(Folder).order_by(Folder.folded)):
        inside.setdefault(folder.parent_id, []).append(folder)

    def walk(parent_id: int | None, before: tuple[str, ...]) -> Iterable[Branch]:
        for folder in inside.get(parent_id, ()):
            branch = Branch(folder, (*before, folder.name))
            yield branch
            yield from walk(folder.id, branch.names)

    return list(walk(None, ()))


def below(branches: Sequence[Branch], folder_id: int) -> set[int]:
    """The folder and all that lie in it. Raises ``NotFound`` if there is none of this number."""
    found = {folder_id} & {branch.folder.id for branch in branches}
    if not found:
        raise NotFound
    for branch in branches:
        if branch.folder.parent_id in found:
            found.add(branch.folder.id)
    return found


def choices(branches: Sequence[Branch], but: int = 0) -> list[tuple[int, str]]:
    """To be chosen from: numbers and paths. ``but``: a folder that is to be moved, which cannot lie in itself."""
    left_out = below(branches, but) if but else set()
    return [(branch.folder.id, branch.path) for branch in branches if branch.folder.id not in left_out]


async def get(session: AsyncSession, folder_id: int) -> Folder:
    folder = await session.get(Folder, folder_id)
    if folder is None:
        raise NotFound
    return folder


async def create(work: Work, actor: Actor, wanted: FolderInput) -> Folder:
    policy.require(actor, Capability.MEDIA_EDIT)
    branches = await _held(work)
    _require_room(branches)
    _require_place(branches, None, wanted)
    folder = Folder(
        parent_id=wanted.parent or None, name=wanted.name, folded=_key(wanted.name), created_at=work.now, created_by_id=actor.user_id
    )
    work.session.add(folder)
    await work.session.flush()
    media.tell(work)
    audit.note(work, actor, "folder.create", "folder", folder.id)
    return folder


async def ensure(work: Work, actor: Actor, names: Sequence[str]) -> int | None:
    """The folder at the end of these names, each in the one before, made as far as it is not there; None for no names."""
    inside: int | None = None
    for name in names:
        there = select(Folder.id).where(Folder.parent_id == inside, Folder.folded == fold(name))
        found = await work.session.scalar(there)
        inside = found or (await create(work, actor, FolderInput(name=name, parent=inside or 0))).id
    return inside


async def save(work: Work, actor: Actor, folder_id: int, wanted: FolderInput) -> Folder:
    """Another name, or another place."""
    branches = await _held(work)
    folder = await _changeable(work, actor, folder_id)
    _require_place(branches, folder, wanted)
    before = {"name": folder.name, "parent": folder.parent_id}
    folder.name, folder.folded, folder.parent_id = wanted.name, _key(wanted.name), wanted.parent or None
    if details := audit.difference(before, {"name": folder.name, "parent": folder.parent_id}):
        media.tell(work)
        audit.note(work, actor, "folder.save", "folder", folder_id, **details)
    return folder


async def delete(work: Work, actor: Actor, folder_id: int) -> TrashedThing:
    """What is in it moves up."""
    branches = await _held(work)
    folder = await _changeable(work, actor, folder_id)
    beside = {each.folded for branch in branches if (each := branch.folder).parent_id == folder.parent_id and each.id != folder_id}
    inside = [branch.folder for branch in branches if branch.folder.parent_id == folder_id]
    if clash := next((each.name for each in inside if each.folded in beside), ""):
        raise InvalidInput({"": say("There would be two folders “{name}” in one place; rename one of them first.", name=clash)})
    if any(each.folded == folder.folded for each in inside):  # moves to where this one still is
        folder.folded = _NOBODYS
        await work.session.flush()
    files = list(await work.session.scalars(select(Asset.id).where(Asset.folder_id == folder_id)))
    await _move(work, [each.id for each in inside], files, folder_id, folder.parent_id)
    media.tell(work)
    line = audit.note(work, actor, "folder.delete", "folder", folder_id, name=folder.name)
    await work.session.delete(folder)
    made = {"made": folder.created_at.isoformat(), "by": folder.created_by_id}
    was = {"parent": folder.parent_id, **made, "below": [each.id for each in inside], "files": files}
    return await trashed_things.put(work, TrashKind.FOLDER, line, folder.name, was)


async def restore(work: Work, actor: Actor, thing: TrashedThing) -> None:
    """With what was in it, as far as that still lies where it moved. Raises ``InvalidInput`` if another is called so."""
    policy.require(actor, Capability.MEDIA_EDIT)
    _require_room(branches := await _held(work))
    taken, session = {branch.folder.id for branch in branches}, work.session
    of_its_time = {branch.folder.id for branch in branches if branch.folder.created_at <= thing.at}  # others may have their numbers by now
    by = await session.scalar(select(User.id).where(User.id == thing.was["by"]))
    folder = Folder(name=thing.name, folded=_NOBODYS, created_at=datetime.fromisoformat(thing.was["made"]), created_by_id=by)
    if thing.number not in taken:
        folder.id = thing.number
    session.add(folder)
    await session.flush()
    folder.parent_id = await trashed_trees.above(session, thing, folder.id, {number: number for number in of_its_time})
    await session.flush()
    moved_up = await trashed_trees.below(session, thing, folder.id, folder.parent_id)
    inside = of_its_time.intersection(trashed_trees.all_of(moved_up, "below"))
    # First, as one of these may be called so, too.
    await _move(work, list(inside), trashed_trees.all_of(moved_up, "files"), folder.parent_id, folder.id)
    _require_place(await tree(session), folder, FolderInput(name=thing.name, parent=folder.parent_id or 0))
    folder.folded = _key(thing.name)
    media.tell(work)


async def _move(work: Work, folder_ids: Sequence[int], asset_ids: Sequence[int], source_id: int | None, target_id: int | None) -> None:
    """What of this lies in the one folder into the other."""
    for table, place, ids in ((Folder, Folder.parent_id, folder_ids), (Asset, Asset.folder_id, asset_ids)):
        for start in range(0, len(ids), AT_ONCE):
            mine = (table.id.in_(ids[start : start + AT_ONCE]), place.is_not_distinct_from(source_id))
            await work.session.execute(update(table).where(*mine).values({place: target_id}))


def _key(name: str) -> str:
    """Some letters become a dozen."""
    return fold(name)[:MAX_FOLDED]


async def _held(work: Work) -> list[Branch]:
    """The tree, and the site held: of two who change it, one comes after the other."""
    await site.hold(work)
    return await tree(work.session)


async def _changeable(work: Work, actor: Actor, folder_id: int) -> Folder:
    folder = await get(work.session, folder_id)
    policy.require(actor, Capability.MEDIA_EDIT, folder)
    return folder


def _require_room(branches: Sequence[Branch]) -> None:
    if len(branches) >= MOST:
        raise InvalidInput({"": say("There are {most} folders already; delete one that nobody needs any more.", most=MOST)})


def _require_place(branches: Sequence[Branch], folder: Folder | None, wanted: FolderInput) -> None:
    by_id: Mapping[int, Branch] = {branch.folder.id: branch for branch in branches}
    parent = by_id.get(wanted.parent)
    if wanted.parent and parent is None:
        raise InvalidInput({"parent": "Choose one of the list."})
    moved = below(branches, folder.id) if folder else set()
    if wanted.parent in moved:
        raise InvalidInput({"parent": "A folder cannot lie in itself, nor in one that lies in it."})
    height = max((by_id[each].level for each in moved), default=0) - (by_id[folder.id].level if folder else 0)
    if (parent.level + 1 if parent else 0) + height >= DEEPEST:
        raise InvalidInput({"parent": say("Folders lie in each other at most {most} deep.", most=DEEPEST)})
    beside = (branch.folder for branch in branches if (branch.folder.parent_id or 0) == wanted.parent)
    if any(each.folded == _key(wanted.name) for each in beside if folder is None or each.id != folder.id):
        raise InvalidInput({"name": "There is a folder of this name already."})
