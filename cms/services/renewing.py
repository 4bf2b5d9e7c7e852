"""Public texts are made again because something that they show has changed: a picture, its words, a card of a link.

What readers have of a text was rendered when it was published; this renders the same revision again. Nothing that an author decides moves:
neither dates nor addresses nor terms.
"""

from collections.abc import Sequence

from sqlalchemy import exists, or_, select

from cms.content.context import Rendered
from cms.db.session import Database, Work
from cms.events import PostPublished
from cms.models import AssetUse, Published, Revision
from cms.models.post import Side
from cms.rendering import Renderer
from cms.schemas.post import PostFields
from cms.services import dead_links, documents, link_cards, media_places, outbox, references, search_index, site

JOB = "renew_media"
AT_ONCE = 50


async def renew_users(database: Database, renderer: Renderer, public_url: str, asset_id: int) -> None:
    """All public texts that show this asset. May be begun again from the start: what is as it should be stays."""
    last = 0
    while True:
        async with database.read() as session:
            post_ids = await media_places.live_in(session, asset_id, last, AT_ONCE)
        await renew(database, renderer, public_url, post_ids)
        if len(post_ids) < AT_ONCE:
            break
        last = post_ids[-1]
    async with database.transaction() as work:
        await site.renew_frame(work)  # it may be the logo


async def renew_all(database: Database, renderer: Renderer, public_url: str) -> None:
    """All public texts that show something of the library or may show cards, which are noted with it: after an upgrade."""
    uses = exists().where(AssetUse.post_id == Published.post_id, AssetUse.side == Side.LIVE)
    live = select(Published.post_id).join(Revision, Revision.id == Published.revision_id)
    async with database.read() as session:
        post_ids = (await session.scalars(live.where(or_(uses, Revision.content.contains("://"))).order_by(Published.post_id))).all()
    await renew(database, renderer, public_url, post_ids, notes_cards=True)


async def renew(database: Database, renderer: Renderer, public_url: str, post_ids: Sequence[int], *, notes_cards: bool = False) -> None:
    """These texts, if they are public. ``notes_cards``: of texts that went out before cards were noted."""
    for post_id in post_ids:
        async with database.read() as session:
            wanted = select(Revision).join(Published, Published.revision_id == Revision.id).where(Published.post_id == post_id)
            revision = await session.scalar(wanted)
            if revision is None:
                continue
            language = revision.fields.get("language") or (await site.get_frame(session)).language
            context = await references.context(session, post_id, revision.content, language, public_url)
        rendered = await renderer.render(revision.content, context)
        async with database.transaction() as work:
            if await _put(work, post_id, revision, rendered) and notes_cards:
                await link_cards.note(work, {post_id: rendered.cards})


async def _put(work: Work, post_id: int, revision: Revision, rendered: Rendered) -> bool:
    """Unless another revision was published meanwhile, which has it all. The site is held, as by whoever publishes."""
    await site.hold(work)
    published = await work.session.scalar(select(Published).where(Published.post_id == post_id).with_for_update())
    if published is None or published.revision_id != revision.id:
        return False
    fields, named = await documents.as_it_is(work.session, {post_id: PostFields.model_validate(revision.fields)})
    old, where = documents.values_of(published), documents.listed(published)
    for name, value in documents.rendered_columns(named, published.kind, fields[post_id], rendered).items():
        setattr(published, name, value)
    if aspects := documents.changed(published, old):
        await dead_links.note(work, [published])
        if published.is_listed:
            await search_index.index(work, [(published, rendered.plain_text)])
        outbox.record(work, PostPublished(post_id, published.kind, aspects, published.path, published.path, where, where))
    return True
