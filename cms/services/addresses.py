"""Addresses: what is at a path, giving paths out, moving and retiring them. The rules stand in docs/decisions/0001-posts.md."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.errors import InvalidInput
from cms.models.address import MAX_PATH, Address, AddressState, TargetKind, is_own, is_reserved, normalise_path
from cms.wording import say

MAX_TRIES = 1000


async def find_current(session: AsyncSession, kind: TargetKind, target_id: int) -> Address | None:
    """The address at which a thing stands, or stood until it was withdrawn."""
    wanted = select(Address).where(Address.target_kind == kind, Address.target_id == target_id, Address.state != AddressState.MOVED)
    return (await session.scalars(wanted)).one_or_none()


async def is_free(session: AsyncSession, path: str, kind: TargetKind, target_id: int | None = None) -> bool:
    """Whether a thing may stand at ``path``: nothing is there, a redirect of something else, or an address of its own."""
    there = await _at(session, path)
    return there is None or there.state is AddressState.MOVED or (there.target_kind, there.target_id) == (kind, target_id)


async def is_unused(session: AsyncSession, path: str, kind: TargetKind, target_id: int | None = None) -> bool:
    """Whether ``path`` does not even lead to something else: only who types an address takes an old one away from a thing."""
    there = await _at(session, path)
    return there is None or (there.target_kind, there.target_id) == (kind, target_id)


async def _at(session: AsyncSession, path: str) -> Address | None:
    return (await session.scalars(select(Address).where(Address.path == normalise_path(path)))).one_or_none()


async def free_path(session: AsyncSession, path: str, kind: TargetKind, target_id: int | None = None, taken: Collection[str] = ()) -> str:
    """``path``, or the first of ``path-2``, ``path-3``… that is unused, not ``taken`` and not the program's own."""
    if kind is TargetKind.POST and "/" in path:  # a number at its end would not lead it out of the program's own
        _refuse_unusable(path, kind)
    for number in range(1, MAX_TRIES):
        candidate = path if number == 1 else f"{path}-{number}"
        if not is_own(candidate, kind) and candidate not in taken and await is_unused(session, candidate, kind, target_id):
            return candidate
    raise InvalidInput({"slug": "Too many things have this address; choose another."})


async def assign(work: Work, path: str, kind: TargetKind, target_id: int) -> None:
    """Put a thing at ``path``; where it stood before leads there from now on.

    Raises ``InvalidInput`` on ``slug`` if something else stands there, or the program answers there itself.
    """
    await assign_all(work, kind, {target_id: path})


async def assign_all(work: Work, kind: TargetKind, paths: Mapping[int, str]) -> None:
    """Put several things of a kind at their paths."""
    wanted = {target_id: normalise_path(path) for target_id, path in paths.items()}
    for path in wanted.values():
        _refuse_unusable(path, kind)
    standing = select(Address).where(Address.target_kind == kind, Address.target_id.in_(wanted), Address.state != AddressState.MOVED)
    before = {address.target_id: address for address in await work.session.scalars(standing)}
    # Held until the end: of two things that want the same redirect's path, the second finds the first.
    holding = select(Address).where(Address.path.in_(wanted.values())).order_by(Address.path).with_for_update()
    found = await work.session.scalars(holding.execution_options(populate_existing=True))
    there = {address.path: address for address in found}
    for target_id, address in before.items():
        if address.path != wanted[target_id]:
            address.state = AddressState.MOVED
    await work.session.flush()
    for target_id, path in wanted.items():
        address = there[path] = there.get(path) or Address(path=path, state=AddressState.MOVED)
        if address.state is not AddressState.MOVED and (address.target_kind, address.target_id) != (kind, target_id):
            gone = say("/{path} belongs to something withdrawn or in the trash; choose another address.", path=path)
            taken = say("/{path} belongs to something else; choose another address.", path=path)
            raise InvalidInput({"slug": gone if address.state is AddressState.GONE else taken})
        address.target_kind, address.target_id, address.state = kind, target_id, AddressState.CURRENT
    work.session.add_all(there.values())
    await work.session.flush()


async def lead(work: Work, kind: TargetKind, paths: Mapping[int, Iterable[str]]) -> None:
    """Let old paths lead to things, where nothing is and the program does not answer itself. The first of two things has a path."""
    rows = [
        {"path": path, "target_kind": kind, "target_id": target_id, "state": AddressState.MOVED}
        for target_id, old in paths.items()
        for path in dict.fromkeys(map(normalise_path, old))
        if 0 < len(path) <= MAX_PATH and not _is_ours(path, kind)
    ]
    if rows:
        await work.session.execute(work.dialect.insert(Address.__table__).on_conflict_do_nothing(), rows)


def _is_ours(path: str, kind: TargetKind) -> bool:
    """Answered by the program itself; of a list, only outside of where such lists stand."""
    is_of_lists = kind not in (TargetKind.POST, TargetKind.MEDIA) and path.startswith(f"{kind}/")
    return is_reserved(path) and not is_of_lists


async def retire(work: Work, kind: TargetKind, target_id: int) -> None:
    """The thing is no longer public: its address, and all that lead to it, answer 410 and stay its own."""
    current = await find_current(work.session, kind, target_id)
    if current:
        current.state = AddressState.GONE
        await work.session.flush()


async def forget(work: Work, kind: TargetKind, target_id: int) -> None:
    """Of a thing that readers could see for seconds only: it never had an address."""
    await work.session.execute(delete(Address).where(Address.target_kind == kind, Address.target_id == target_id))


def _refuse_unusable(path: str, kind: TargetKind) -> None:
    if not path or len(path) > MAX_PATH:
        raise InvalidInput({"slug": say("An address has between 1 and {most} characters.", most=MAX_PATH)})
    if is_own(path, kind):
        own = path.split("/", 1)[0] if kind is TargetKind.POST else path
        raise InvalidInput({"slug": say("/{path} is used by Squall itself; choose another address.", path=own)})
