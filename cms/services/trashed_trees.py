"""Things that stood above and below each other, out of the trash in whatever order. What is taken out before the one above it stands, until
that one is there, below what was above that; what is still in the trash finds it when it comes out itself.

``was`` of such a thing says its ``parent``, and what stood ``below`` it and moved up.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from cms.models import TrashedThing


async def above(session: AsyncSession, thing: TrashedThing, number: int, there: Mapping[int, int]) -> int | None:
    """Below which one it is to stand, as ``number``. ``there``: those of its time that are there, and what became of merged ones."""
    gone: TrashedThing | None = thing
    while gone and (parent := gone.was["parent"]):
        if parent in there:
            return there[parent]
        if gone := await _deleted_after(session, gone, parent):
            gone.was = {**gone.was, "below": [*gone.was["below"], number]}
    return None


async def below(session: AsyncSession, thing: TrashedThing, number: int, parent: int | None) -> list[TrashedThing]:
    """Itself, and what stood below it and is in the trash, which comes out below ``number``; ``parent``: where this one stands now."""
    return await _below(session, thing, number, (parent, thing.was["parent"]))


async def _below(session: AsyncSession, thing: TrashedThing, number: int, beside: Collection[int | None]) -> list[TrashedThing]:
    found = [thing]
    for each in thing.was["below"]:
        gone = await _deleted_after(session, thing, each)
        if gone and gone.was["parent"] in beside:
            gone.was = {**gone.was, "parent": number}
            found += await _below(session, gone, number, beside)
    return found


async def _deleted_after(session: AsyncSession, thing: TrashedThing, number: int) -> TrashedThing | None:
    """The one of this number that was there when ``thing`` went: folders may have a number that another had before."""
    later = (TrashedThing.kind == thing.kind, TrashedThing.number == number, TrashedThing.id > thing.id)
    return (await session.scalars(select(TrashedThing).where(*later).order_by(TrashedThing.id).limit(1))).one_or_none()


def all_of(things: Sequence[TrashedThing], name: str) -> list[int]:
    return [each for thing in things for each in thing.was[name]]
