"""Addresses: what is at a path, giving paths out, moving and retiring them. The rules stand in docs/decisions/0001-posts.md."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.db.session import Work
from cms.errors import InvalidInput
from cms.models.address import MAX_PATH, Address, AddressState, TargetKind, is_reserved, normalise_path

MAX_TRIES = 1000


async def find_current(session: AsyncSession, kind: TargetKind, target_id: int) -> Address | None:
    """The address at which a thing stands, or stood until it was withdrawn."""
    wanted = select(Address).where(Address.target_kind == kind, Address.target_id == target_id, Address.state != AddressState.MOVED)
    return (await session.scalars(wanted)).one_or_none()


async def is_free(session: AsyncSession, path: str, kind: TargetKind, target_id: int | None = None) -> bool:
    """Whether a thing may stand at ``path``: nothing is there, a redirect of something else, or an address of its own."""
    there = (await session.scalars(select(Address).where(Address.path == normalise_path(path)))).one_or_none()
    return there is None or there.state is AddressState.MOVED or (there.target_kind, there.target_id) == (kind, target_id)


async def free_path(session: AsyncSession, path: str, kind: TargetKind, target_id: int | None = None) -> str:
    """``path``, or the first of ``path-2``, ``path-3``… that is free and not the program's own."""
    if "/" in path:  # a number at its end would not lead it out of the program's own
        _refuse_unusable(path, kind)
    for number in range(1, MAX_TRIES):
        candidate = path if number == 1 else f"{path}-{number}"
        own = kind is TargetKind.POST and is_reserved(candidate)
        if not own and await is_free(session, candidate, kind, target_id):
            return candidate
    raise InvalidInput({"slug": "Too many things have this address; choose another."})


async def assign(work: Work, path: str, kind: TargetKind, target_id: int) -> str | None:
    """Put a thing at ``path``; where it stood before leads there from now on. Returns the former path if it moved.

    Raises ``InvalidInput`` on ``slug`` if something else stands there, or the program answers there itself.
    """
    path = normalise_path(path)
    _refuse_unusable(path, kind)
    before = await find_current(work.session, kind, target_id)
    # Held until the end: of two things that want the same redirect's path, the second finds the first.
    holding = select(Address).where(Address.path == path).with_for_update().execution_options(populate_existing=True)
    there = (await work.session.scalars(holding)).one_or_none()
    if there and there.state is not AddressState.MOVED and (there.target_kind, there.target_id) != (kind, target_id):
        gone = there.state is AddressState.GONE
        raise InvalidInput(
            {"slug": f"/{path} belongs to something {'withdrawn or in the trash' if gone else 'else'}; choose another address."}
        )
    if before is not None and before is not there:
        before.state = AddressState.MOVED
        await work.session.flush()
    if there is None:
        work.session.add(Address(path=path, target_kind=kind, target_id=target_id, state=AddressState.CURRENT))
    else:
        there.target_kind, there.target_id, there.state = kind, target_id, AddressState.CURRENT
    await work.session.flush()
    return before.path if before is not None and before is not there else None


async def lead(work: Work, paths: Iterable[str], kind: TargetKind, target_id: int) -> None:
    """Let old paths lead to a thing, where nothing is and the program does not answer itself."""
    usable = dict.fromkeys(path for path in map(normalise_path, paths) if 0 < len(path) <= MAX_PATH and not is_reserved(path))
    rows = [{"path": path, "target_kind": kind, "target_id": target_id, "state": AddressState.MOVED} for path in usable]
    if rows:
        await work.session.execute(work.dialect.insert(Address.__table__).on_conflict_do_nothing(), rows)


async def retire(work: Work, kind: TargetKind, target_id: int) -> None:
    """The thing is no longer public: its address, and all that lead to it, answer 410 and stay its own."""
    current = await find_current(work.session, kind, target_id)
    if current:
        current.state = AddressState.GONE
        await work.session.flush()


def _refuse_unusable(path: str, kind: TargetKind) -> None:
    if not path or len(path) > MAX_PATH:
        raise InvalidInput({"slug": f"An address has between 1 and {MAX_PATH} characters."})
    if kind is TargetKind.POST and is_reserved(path):
        raise InvalidInput({"slug": f"/{path.split('/', 1)[0]} is used by Squall itself; choose another address."})
