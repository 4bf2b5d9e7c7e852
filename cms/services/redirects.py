"""Where what is not there any more leads: rows of ``redirects``, asked only where nothing stands."""

import re

from sqlalchemy import delete

from cms.db.session import Work
from cms.errors import InvalidInput
from cms.models import Redirect
from cms.models.address import normalise_path
from cms.models.desk import Match
from cms.policy import Actor

_TARGET = re.compile(r"/(?!/)[^\s\\]*|https?://[^\s/\\][^\s\\]*")
NO_TARGET = "Write an address of this site, like /about, or one that begins with https://."


def target_of(typed: str, path: str) -> str:
    """Where somebody wants readers of ``path`` to be led, or "". Raises ``InvalidInput`` on ``redirect_to``."""
    typed = typed.strip()
    if typed and not _TARGET.fullmatch(typed):
        raise InvalidInput({"redirect_to": NO_TARGET})
    if typed.startswith("/") and normalise_path(typed.partition("?")[0].partition("#")[0]) == path:
        raise InvalidInput({"redirect_to": "This is the address that it has itself; choose another, or none."})
    return typed


async def lead_away(work: Work, actor: Actor, path: str, target: str) -> None:
    """Readers of a path at which something stood are led to ``target`` from now on, or nowhere if that is ""."""
    target = target_of(target, path)
    await work.session.execute(delete(Redirect).where(Redirect.match == Match.EXACT, Redirect.path == path))
    if target:
        work.session.add(Redirect(match=Match.EXACT, path=path, target=target, created_at=work.now, created_by_id=actor.user_id))
        await work.session.flush()
