import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from cms.cli.commands import app
from cms.content import renditions
from cms.content.pipeline import render
from cms.db.session import Database
from cms.errors import NotFound, OperatorError
from cms.exchange import demo
from cms.imaging import Imaging
from cms.media import svg
from cms.media.storage import Folder
from cms.models import Asset, Category, Post, Published, Revision, Tag, User, WorkingCopy
from cms.models.address import AddressState
from cms.models.post import Kind, Live
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.services import accounts, lists, media, reading, site, sitemaps
from tests import factories
from tests.conftest import Templates
from tests.desk import counts

PUBLICATION = demo.read_publication()
STATES = Counter(text.header.state for text in PUBLICATION.texts if text.kind is Kind.POST)
LINK = re.compile(r'(?:href|src)="(/[^"#]*)')


@pytest.fixture
def storage(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "media")


@dataclass
class Shown:
    database: Database
    storage: Folder
    filled: demo.Filled


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
async def shown(
    request: pytest.FixtureRequest, templates: Templates, tmp_path_factory: pytest.TempPathFactory, renderer: Renderer, imaging: Imaging
) -> AsyncIterator[Shown]:
    """For all that only look at it."""
    folder = tmp_path_factory.mktemp("demo")
    async with templates.on(request.param, folder) as url:
        database, storage = Database(url), Folder(folder / "media")
        yield Shown(database, storage, await demo.fill(factories.intake(database, storage, imaging), renderer, "http://localhost:8888"))
        await database.dispose()


@pytest.fixture
async def filled(database: Database, storage: Folder, renderer: Renderer, imaging: Imaging) -> demo.Filled:
    return await demo.fill(factories.intake(database, storage, imaging), renderer, "http://localhost:8888")


async def test_counts_say_what_was_made(shown: Shown) -> None:
    kinds = Counter(text.kind for text in PUBLICATION.texts)
    tags = {tag for text in PUBLICATION.texts for tag in text.header.tags}
    assert shown.filled == demo.Filled(4, 4, len(tags), len(PUBLICATION.pictures), kinds[Kind.PAGE], kinds[Kind.POST])
    assert not shown.filled.was_there
    async with shown.database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Post)) == len(PUBLICATION.texts)


async def test_desk_shows_each_state(shown: Shown) -> None:
    assert await counts(shown.database, SYSTEM) == {"all": sum(STATES.values()) - STATES["trashed"], **STATES}
    assert set(STATES) == {"published", "draft", "changed", "withdrawn", "trashed"}


async def test_everything_public_answers_at_its_address(shown: Shown) -> None:
    async with shown.database.read() as session:
        for line in await sitemaps.list_part(session, 1):
            place = await reading.find_place(session, line.path.lstrip("/"))
            assert place.state is AddressState.CURRENT
            assert place.article is not None
            assert place.article.html
            assert place.article.excerpt
            assert len(place.article.excerpt) < 320
        withdrawn = next(text for text in PUBLICATION.texts if text.header.state == "withdrawn")
        assert (await reading.find_place(session, withdrawn.header.slug)).state is AddressState.GONE
        assert len((await lists.home(session, 1)).cards) == STATES["published"] + STATES["changed"]


async def test_links_and_pictures_in_the_texts_lead_somewhere(shown: Shown) -> None:
    async with shown.database.read() as session:
        pages = {line.path for line in await sitemaps.list_part(session, 1)}
        known = pages | {asset.path for asset in await session.scalars(select(Asset))}
        for published in await session.scalars(select(Published)):
            assert set(map(whole, LINK.findall(published.html))) <= known | {"/feed.xml"}
            assert "(media:" not in published.html
            assert "(post:" not in published.html


def whole(address: str) -> str:
    """Of the picture, if this is a part of it that is made."""
    match address.split("/"):
        case ["", "media", number, digest, name, file] if renditions.parse(name, file.rpartition(".")[2]):
            return f"/media/{number}/{digest}/{file}"
    return address


async def test_every_tag_category_and_author_has_posts(shown: Shown) -> None:
    async with shown.database.read() as session:
        for tag in await session.scalars(select(Tag)):
            assert (await lists.by_tag(session, tag.slug, 1)).cards
        for category in await session.scalars(select(Category)):
            listing = await lists.by_category(session, category.slug, 1)
            assert listing.cards
            assert listing.description
        for user in await session.scalars(select(User)):
            listing = await lists.by_author(session, user.slug, 1)
            assert listing.cards
            assert listing.description
            assert user.password_hash is None


async def test_a_page_stands_below_another(shown: Shown) -> None:
    async with shown.database.read() as session:
        place = await reading.find_place(session, "about/how-to-read-a-tide-table")
        assert place.article is not None
        assert [step["path"] for step in place.article.trail] == ["/about"]
        assert [link.path for link in place.frame.menu] == ["/about"]


async def test_pictures_are_in_the_storage_and_on_the_cards(shown: Shown) -> None:
    async with shown.database.read() as session:
        for asset in await session.scalars(select(Asset)):
            content = b"".join([piece async for piece in shown.storage.read(media.storage_name(asset.digest))])
            assert factories.digest_of(content) == asset.digest
            assert len(content) == asset.size
            assert asset.folder_id
            if asset.content_type == "image/svg+xml":
                assert (asset.width, asset.height) == (800, 600)
            else:
                assert (asset.alt != "", asset.credit, asset.licence) == (True, "Ines Falk", "CC BY 4.0")
        cards = (await lists.home(session, 1)).cards
        assert all(card.picture and card.picture["alt"] and card.picture["width"] for card in cards)


async def test_dates_lie_in_the_last_fourteen_months(shown: Shown) -> None:
    now = shown.database.clock()
    async with shown.database.read() as session:
        dates = [published.published_at for published in await session.scalars(select(Published))]
        everything = list(await session.scalars(select(Post)))
    assert all(now - timedelta(days=427) < date < now for date in dates)
    assert all(post.created_at <= post.updated_at < now for post in everything)
    trashed = next(post for post in everything if post.live is Live.TRASHED)
    assert trashed.trashed_at is not None
    assert now - trashed.trashed_at < timedelta(days=20), "the trash is emptied after 30 days"


async def test_what_is_live_is_the_newest_revision_unless_it_was_changed_since(shown: Shown) -> None:
    async with shown.database.read() as session:
        for published in await session.scalars(select(Published)):
            post = await session.get_one(Post, published.post_id)
            copy = await session.get_one(WorkingCopy, published.post_id)
            revision = await session.get_one(Revision, published.revision_id)
            assert revision.is_same_as(copy) is not post.has_changes


async def test_a_change_that_waits_leaves_the_picture_as_it_is(shown: Shown) -> None:
    async with shown.database.read() as session:
        waiting = (
            select(WorkingCopy, Published)
            .join(Published, Published.post_id == WorkingCopy.post_id)
            .join(Post, Post.id == WorkingCopy.post_id)
        )
        rows = (await session.execute(waiting.where(Post.has_changes))).all()
    assert rows
    assert all(copy.fields["picture"] == (live.picture or {}).get("id") for copy, live in rows)


async def test_the_site_gets_a_name_unless_it_has_one(database: Database, storage: Folder, renderer: Renderer, imaging: Imaging) -> None:
    async with database.transaction() as work:
        await site.configure(work, name="The Lighthouse")
    await demo.fill(factories.intake(database, storage, imaging), renderer, "http://localhost:8888")
    async with database.read() as session:
        frame = await site.get_frame(session)
    assert (frame.name, frame.description) == ("The Lighthouse", "")


async def test_an_unnamed_site_is_the_tide_table(shown: Shown) -> None:
    async with shown.database.read() as session:
        frame = await site.get_frame(session)
    assert frame.name == "The Tide Table"
    assert frame.description


async def test_twice_is_once(shown: Shown, renderer: Renderer, imaging: Imaging) -> None:
    before = await _everything(shown.database)
    assert (await demo.fill(factories.intake(shown.database, shown.storage, imaging), renderer, "http://localhost:8888")).was_there
    assert await _everything(shown.database) == before


async def test_somebody_who_went_on_writing_can_start_it_again(
    database: Database, storage: Folder, renderer: Renderer, imaging: Imaging, filled: demo.Filled
) -> None:
    ana = await factories.person(database, "author")
    await factories.published(database, ana, title="My own")
    assert (await demo.fill(factories.intake(database, storage, imaging), renderer, "http://localhost:8888")).was_there


async def test_what_was_thrown_away_stays_away(
    database: Database, storage: Folder, renderer: Renderer, imaging: Imaging, filled: demo.Filled
) -> None:
    async with database.transaction() as work:
        draft = (await work.session.scalars(select(Post).where(Post.live == Live.NEVER))).one()
        await work.session.delete(draft)
    assert (await demo.fill(factories.intake(database, storage, imaging), renderer, "http://localhost:8888")).was_there


async def test_interrupted_and_run_again_makes_no_doubles(
    database: Database, storage: Folder, renderer: Renderer, imaging: Imaging, monkeypatch: pytest.MonkeyPatch
) -> None:
    add = demo._Filling.add

    async def stumble(self: demo._Filling, text: demo.Text) -> None:
        if text.header.slug == "crab-sandwich":
            raise OSError("power cut")
        await add(self, text)

    with monkeypatch.context() as patched:
        patched.setattr(demo._Filling, "add", stumble)
        with pytest.raises(OSError, match="power cut"):
            await demo.fill(factories.intake(database, storage, imaging), renderer, "http://localhost:8888")
    rest = await demo.fill(factories.intake(database, storage, imaging), renderer, "http://localhost:8888")
    assert (rest.people, rest.pictures, rest.pages) == (0, 0, 0)
    assert 0 < rest.posts < sum(STATES.values())
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(Post)) == len(PUBLICATION.texts)
        assert len(await accounts.list_users(session)) == 4


async def test_a_site_with_posts_of_its_own_is_refused(database: Database, storage: Folder, renderer: Renderer, imaging: Imaging) -> None:
    ana = await factories.person(database, "author")
    await factories.draft(database, ana)
    before = await _everything(database)
    with pytest.raises(OperatorError, match="posts of its own"):
        await demo.fill(factories.intake(database, storage, imaging), renderer, "http://localhost:8888")
    assert await _everything(database) == before
    async with database.read() as session:
        with pytest.raises(NotFound):
            await lists.by_category(session, "almanac", 1)


def test_command_fills_an_empty_folder_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runner = CliRunner(env={"SQUALL_DATABASE_URL": None})
    first = runner.invoke(app, ["demo", "--data", str(tmp_path / "data")])
    assert first.exit_code == 0, first.output
    assert f"Made {sum(STATES.values())} posts and 3 pages by 4 people" in first.output
    second = runner.invoke(app, ["demo", "--data", str(tmp_path / "data")])
    assert second.exit_code == 0
    assert "already there" in second.output


# --- the folder ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", PUBLICATION.texts, ids=lambda text: text.header.slug)
def test_texts_are_what_the_program_renders_without_loss(text: demo.Text) -> None:
    """No Markdown is left over; warnings are errors here."""
    for source in {text.source, text.changed_source}:
        rendered = render(demo._settle(source, _Anywhere()))
        words = re.sub(r"<pre.*?</pre>", "", rendered.html, flags=re.DOTALL)
        assert not re.search(r"\[\^|\*\*|\]\(|^#|```|\|--|<!--", words, re.MULTILINE)
        assert rendered.words > 10
        assert not re.search(r"<img(?![^>]* src=)", rendered.html), "a picture that is not there"


@pytest.mark.parametrize("text", [text for text in PUBLICATION.texts if text.header.changes], ids=lambda text: text.header.slug)
def test_changes_find_the_words_they_change(text: demo.Text) -> None:
    assert all(text.source.count(change.before) == 1 for change in text.header.changes)


def test_texts_show_what_markdown_can_do() -> None:
    everything = "".join(render(demo._settle(text.source, _Anywhere())).html for text in PUBLICATION.texts)
    for piece in (
        'class="language-python"', 'class="language-sql"', "<dl>", "<blockquote>", "<ol>", 'class="num"', "align-center",
        "doc-noteref", "task-list", "admonition", "<img", "<hr>", 'id="more"', 'class="gallery', 'class="wide"', 'class="full"',
    ):  # fmt: skip
        assert piece in everything, piece


def test_pictures_are_small_and_drawings_say_nothing() -> None:
    folder = demo.data_folder("demo") / "media"
    assert {path.name for path in folder.iterdir()} == set(PUBLICATION.about.pictures)
    used = " ".join(text.source + text.header.picture for text in PUBLICATION.texts)
    for picture in PUBLICATION.pictures:
        assert picture.about.alt
        assert picture.name in used
        if not picture.name.endswith(".svg"):
            assert len(picture.content) < 130_000
            continue
        assert len(picture.content) < 6000
        assert svg.dimensions(picture.content) == (800, 600)
        assert not re.search(rb"<(?:text|script|style|image|use|a)\b|href|\bon\w+=", picture.content)


def test_people_write_under_names_of_all_kinds() -> None:
    assert any(not person.name.isascii() for person in PUBLICATION.about.people)
    assert {person.role for person in PUBLICATION.about.people} == {"editor", "author", "contributor"}


class _Anywhere(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return f"/{key.replace(':', '/')}"


async def _everything(database: Database) -> list[tuple[object, ...]]:
    async with database.read() as session:
        rows = await session.execute(select(Post.id, Post.title, Post.live, Post.version, Post.updated_at).order_by(Post.id))
        people = await session.execute(select(User.id, User.name).order_by(User.id))
        return [tuple(row) for row in (*rows, *people)]
