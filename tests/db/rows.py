"""A row in every table, so that a migration has something to lose."""

from datetime import datetime, timedelta

from sqlalchemy import MetaData, Table, func, select

from cms.db.session import Database, Work
from cms.models import (
    AssetAddress,
    AssetTag,
    AssetTrack,
    AssetUse,
    Base,
    Category,
    CustomField,
    Device,
    Document,
    DocumentUpdate,
    DocumentWriter,
    Folder,
    Identity,
    LinkCard,
    Menu,
    MenuItem,
    Notification,
    PassedOn,
    Passkey,
    Portrait,
    Post,
    PostCard,
    PostLink,
    PostSeries,
    PostTemplate,
    PreviewLink,
    RecoveryCode,
    Redirect,
    RelatedPost,
    Remark,
    Rendition,
    Review,
    Revision,
    RevisionAsset,
    SavedView,
    Schedule,
    SearchMiss,
    Series,
    Snippet,
    TakenOut,
    Thread,
    Throttle,
    Token,
    Transfer,
    TrashedThing,
    UndoTicket,
    Upload,
)
from cms.models.post import ScheduledAct, Side
from cms.models.user import Purpose
from cms.services import accounts, jobs, sessions, site, taxonomies
from tests.factories import asset_row, edited, page, person, publish, published


async def fill(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, tags=("Sea", "Mud"), new_category="Places")
    await edited(database, editor, post.post_id, text="More mud.")
    parent = await publish(database, editor, (await page(database, editor)).id)
    await publish(database, editor, (await page(database, editor, title="Team", parent=parent.post_id)).id)
    async with database.transaction() as work:
        user = await accounts.get_by_email(work.session, "editor@example.org")
        await sessions.start(work, user, "Browser")
        await jobs.enqueue(work, "something", key="once", number=1)
        top = await taxonomies.ensure_category(work, editor, "Places")
        series, menu = Series(name="Tides", slug="tides"), Menu(name="main")
        asset = asset_row(created_at=work.now, created_by_id=user.id)
        work.session.add_all([series, menu, asset, Category(name="Coast", slug="coast", parent_id=top.id)])
        await work.session.flush()
        revision = (
            await work.session.scalars(select(Revision).where(Revision.post_id == post.post_id).order_by(Revision.id.desc()))
        ).first()
        assert revision is not None
        due = {"due_at": work.now + timedelta(days=1), "created_by_id": user.id}
        item = MenuItem(menu_id=menu.id, position=0, label="Mud", target_kind="post", target_id=post.post_id)
        again = Post(kind="post", translation_of_id=post.post_id, created_at=work.now, updated_at=work.now)
        work.session.add_all(
            [
                item,
                again,
                PassedOn(kind="tag", term_id=999, target_id=1, folded="ebb"),
                TakenOut(kind="tag", term_id=998, post_id=post.post_id, places={"0": 1}),
                RelatedPost(post_id=post.post_id, related_id=parent.post_id, position=0),
                PostLink(post_id=post.post_id, path="about"),
                SearchMiss(query="mussels", times=2, last_at=work.now),
                PostSeries(post_id=post.post_id, side=Side.WORK, series_id=series.id, position=1),
                *_of_a_person(user.id, asset.id, work.now),
                *_of_the_desk(user.id, work.now),
                Schedule(post_id=post.post_id, act=ScheduledAct.PUBLISH, revision_id=revision.id, **due),
            ]
        )
        await work.session.flush()
        work.session.add_all(await _of_the_library(work, asset.id, post.post_id, revision.id, user.id))
        work.session.add_all(await _of_a_text(work, post.post_id, revision.id, user.id))
        work.session.add(MenuItem(menu_id=menu.id, parent_id=item.id, position=0, label="Below", url="https://example.org"))
        links = [{"label": "Elsewhere", "path": "https://example.org"}]
        await site.configure(work, logo_id=asset.id, accent_hue=30, home="page", home_page_id=parent.post_id, links=links)


def _of_a_person(user_id: int, asset_id: int, now: datetime) -> list[Base]:
    is_new = {"user_id": user_id, "created_at": now}
    key = {"name": "Laptop", "credential_id": "AQ", "public_key": "Ag", "sign_count": 0, "transports": ["internal"], "is_synced": False}
    return [
        Portrait(user_id=user_id, asset_id=asset_id),
        Device(token_hash="1" * 64, seen_at=now, **is_new),
        Passkey(**key, **is_new),
        RecoveryCode(user_id=user_id, code_hash="2" * 64),
        Identity(issuer="https://id.example.org", subject="42", **is_new),
        Token(token_hash="3" * 64, purpose=Purpose.PASSWORD, data={}, expires_at=now + timedelta(hours=1), **is_new),
        Throttle(key="4" * 64, used_until=now.timestamp()),
    ]


async def _of_a_text(work: Work, post_id: int, revision_id: int, user_id: int) -> list[Base]:
    is_new = {"created_at": work.now}
    thread = Thread(post_id=post_id, kind="comment", anchor={}, quote="Mud", created_by_id=user_id, **is_new)
    work.session.add_all([thread, Document(post_id=post_id, lineage="5" * 32, data=b"\0\0", version=1)])
    await work.session.flush()
    link = {"token_hash": "6" * 64, "sealed": "", "revision_id": revision_id, "expires_at": work.now + timedelta(hours=1)}
    return [
        DocumentUpdate(post_id=post_id, data=b"\0\0", **is_new),
        DocumentWriter(post_id=post_id, client_id=2**32, user_id=user_id, **is_new),
        Remark(thread_id=thread.id, text="Is it?", created_by_id=user_id, **is_new),
        Notification(user_id=user_id, kind="mention", data={}, post_id=post_id, **is_new),
        PreviewLink(post_id=post_id, created_by_id=user_id, **link, **is_new),
        Review(post_id=post_id, revision_id=revision_id, act="submitted", created_by_id=user_id, **is_new),
    ]


async def _of_the_library(work: Work, asset_id: int, post_id: int, revision_id: int, user_id: int) -> list[Base]:
    folder = Folder(name="Tides", folded="tides", created_at=work.now, created_by_id=user_id)
    words = asset_row(digest="7" * 64, name="a.vtt", kind="captions", content_type="text/vtt", created_at=work.now)
    card = LinkCard(url="https://other.example/a", title="A", picture_id=asset_id, due_at=work.now)
    work.session.add_all([folder, words, card])
    await work.session.flush()
    film = {"folder_id": folder.id, "poster_id": asset_id, "trashed_at": work.now}
    under_way = {"user_id": user_id, "name": "b.png", "folder_id": folder.id, "replaces_id": asset_id}
    return [
        asset_row(digest="8" * 64, name="a.mp4", kind="video", content_type="video/mp4", duration=1.5, created_at=work.now, **film),
        asset_row(digest="9" * 64, name="b.mp4", state="storing", created_at=work.now),
        AssetTag(asset_id=asset_id, folded="sea", name="Sea"),
        AssetAddress(asset_id=asset_id, mark="0" * 12, name="b.png"),
        AssetTrack(asset_id=asset_id, language="en", track_id=words.id, label="English"),
        Rendition(shown_digest="0" * 64, name="640.webp", size=1, made_at=work.now),
        AssetUse(post_id=post_id, side=Side.LIVE, asset_id=asset_id),
        RevisionAsset(revision_id=revision_id, asset_id=asset_id),
        PostCard(post_id=post_id, card_id=card.id),
        Upload(id="u" * 43, started_at=work.now, active_at=work.now, **under_way),
    ]


def _of_the_desk(user_id: int, now: datetime) -> list[Base]:
    is_by = {"updated_at": now, "updated_by_id": user_id}
    return [
        Redirect(match="prefix", path="old", target="/new", created_at=now, created_by_id=user_id),
        CustomField(kind="post", key="tide", label="Tide", type="choice", choices=["high", "low"]),
        Snippet(name="Tides", text="High at noon.", **is_by),
        PostTemplate(kind="post", name="Walk", content="## Way", fields={}, **is_by),
        SavedView(user_id=user_id, kind="post", name="Mine", query="status=draft"),
        UndoTicket(user_id=user_id, at=now, acts=[]),
        TrashedThing(kind="snippet", number=999, name="Ebb", was={"text": "Low at six."}, at=now, by_id=user_id),
        Transfer(kind="backup", options={}, created_at=now, created_by_id=user_id),
    ]


async def count(database: Database) -> dict[str, int]:
    """Table → rows, as the database itself lists its tables."""
    async with database.reading.connect() as connection:
        found = MetaData()
        await connection.run_sync(found.reflect)
        not_ours = ("alembic_version", "search_index")  # the latter is what SQLite keeps for itself to search by
        tables: list[Table] = [table for table in found.sorted_tables if not table.name.startswith(not_ours)]
        return {table.name: await connection.scalar(select(func.count()).select_from(table)) or 0 for table in tables}


TABLES = set(Base.metadata.tables)
