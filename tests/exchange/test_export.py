"""Out and in again: the same site, to the letter."""

import json
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from cms.content.pipeline import render
from cms.db.session import Database
from cms.errors import OperatorError
from cms.exchange.markdown_folder.export import write_folder
from cms.exchange.markdown_folder.readers import read_folder
from cms.exchange.markdown_folder.report import Outcome, Report
from cms.exchange.markdown_folder.run import Options, bring_in
from cms.imaging import Imaging
from cms.media.storage import Folder
from cms.models import Address, Asset
from cms.models.address import AddressState, TargetKind
from cms.models.post import Kind, Visibility
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.schemas.fields import NewFieldInput
from cms.schemas.library import TrackInput
from cms.schemas.post import PostFields
from cms.services import (
    accounts,
    custom_fields,
    folders,
    library_acts,
    lists,
    media,
    media_changes,
    media_tracks,
    publishing,
    reading,
    site,
    taxonomies,
    transfers,
)
from cms.services.intake import Brought
from cms.services.transfers import Incoming, Outgoing
from tests import factories
from tests.exchange.moving import DOT, Mover
from tests.media import made

NUMBER = 25
SIGNS = [*"aBéß漢😀  '\":#-\\&<[]*`!?|1", "---", "{{", "%", "true"]
LINES = [
    "Plain words, and *others*.",
    "---",
    "# A heading",
    "",
    "",
    "  two spaces before",
    "\tA tab",
    "- a list",
    "```\n---\n[code](/elsewhere)\n```",
    "[a link](/tag/sea) and [another](https://example.org/?a=1#b)",
    "{{< shortcode >}} {% raw %} @/x.md",
    "trailing spaces  ",
    '<a href="/about">raw</a>',
    "[^1]\n\n[^1]: note",
    "[ref]: /somewhere 'title'",
    "[a folder](b/index.md) and [a text](index.md)",
    "[a name](same-name.png) that a picture has, and ![its](1-same-name.png)",
    "\n    [code](same-name.png)\n",
    "![elsewhere](https://other.example.org/media/1/0123456789ab/same-name.png)",
    "[spaces](<a b.md>) [signs](a\\(b\\).md#c\\_d)",
]

ABOUT = {
    "caption": "Seen from\nthe quay", "credit": "2024-01-01", "licence": "CC BY 4.0", "description": "- x: y", "focus_x": 20, "focus_y": 0,
}  # fmt: skip


def words(chance: random.Random, most: int) -> str:
    return " ".join("".join(chance.choices(SIGNS, k=chance.randint(1, most))).split()) or "x"


async def fill(database: Database, storage: Folder, folder: Path, chance: random.Random) -> None:
    """Posts and pages of every kind, with what titles and texts have in them at worst."""
    pictures = [await add_picture(database, storage, folder, number) for number in range(5)]
    async with database.transaction() as work:
        await site.configure(work, permalink="/{year}/{month}/{slug}", name="Über: 'alles'", description="# no comment")
        people = [(await accounts.ensure_author(work, SYSTEM, name)).id for name in ("Edna Reed", "Zoë: O'Neil", "true")]
        category = (await taxonomies.ensure_category(work, SYSTEM, "Coast & sea")).id
        series = (await taxonomies.ensure_series(work, SYSTEM, "Knots: 'all'")).id
        for label, type in (("Sky: 'all'", "choice"), ("Boat", "picture"), ("Height", "number")):
            await custom_fields.define(work, SYSTEM, NewFieldInput(label=label, type=type, choices="# clear\nyes", help="- x: y"))
        page = Incoming("t:about", "", Kind.PAGE, "About", PostFields(title="About", slug="about"), dates(chance))
        (about,) = await transfers.bring_in(work, SYSTEM, [replace(page, rendered=render(page.content))])
    for number in range(NUMBER):
        async with database.transaction() as work:
            tags = await taxonomies.ensure_tags(work, [f"Tag {chance.randint(1, 9)}: x" for _ in range(chance.randint(0, 3))])
            kind = Kind.PAGE if chance.random() < 0.2 else Kind.POST
            lines = [*chance.choices(LINES, k=chance.randint(1, 12)), f"![p]({chance.choice(pictures)[1]})"]
            chance.shuffle(lines)
            text = "\n".join(lines) + chance.choice(["", "\n", "\n\n", "  "])
            when = dates(chance) if chance.random() < 0.8 else None
            fields = PostFields(
                title=words(chance, 12),
                slug=f"Post.{number}" if when or number % 2 else "",
                excerpt=chance.choice(["", words(chance, 30)]),
                authors=tuple(chance.sample(people, chance.randint(1, 3))),
                category=chance.choice([None, category]),
                tags=tags,
                parent=chance.choice([None, about]) if kind is Kind.PAGE else None,
                language=chance.choice([None, "de", "ar"]),
                picture=chance.choice([None, pictures[0][0]]),
                search_title=f"'{number}': #found" if number % 3 else "",
                **({} if number % 4 else {"custom.sky_all": "# clear", "custom.boat": str(pictures[1][0]), "custom.height": "3.50"}),
                **chance.choice([{}, {"series": {"id": series, "position": number + 1}}]),
            )
            incoming = Incoming(
                f"t:{number}", "", kind, text, fields, when, (f"old/{number}.html", f"Älter/{number}"), chance.random() < 0.1
            )
            await transfers.bring_in(work, SYSTEM, [replace(incoming, rendered=render(text) if when else None)])


def dates(chance: random.Random) -> publishing.Dates:
    at = datetime(2001, 3, 4, 5, 6, 7, 8, tzinfo=UTC) + timedelta(seconds=chance.randint(0, 700_000_000))
    return publishing.Dates(at, at + timedelta(days=chance.choice([0, 3])))


async def add_picture(database: Database, storage: Folder, folder: Path, number: int) -> tuple[int, str]:
    path = folder / f"{number}.png"
    Image.new("RGB", (8, 6), (number, 0, 0)).save(path)
    content = path.read_bytes()
    shown, sent = factories.digest_of(content), factories.digest_of(b"as the camera wrote it" + content)
    for digest, lying_there in {sent: b"where it was taken", shown: content}.items():
        await storage.put(media.storage_name(digest), lying_there)
    said = {**ABOUT, "alt": f"Boat: '{number}'"} if number % 2 else {"is_decorative": True}
    async with database.transaction() as work:
        asset = await factories.asset(
            work, SYSTEM, name="same name.png", digest=sent, shown_digest=shown, size=len(content), dimensions=(8, 6), **said
        )
        work.session.add(Address(path=f"img/{number}.png", target_kind=TargetKind.MEDIA, target_id=asset.id, state=AddressState.MOVED))
        return asset.id, asset.path


async def fill_library(database: Database, storage: Folder, imaging: Imaging) -> None:
    """With what no text shows, in folders, and with what belongs together."""
    intake = factories.intake(database, storage, imaging)
    files = {
        "ebb.mp4": made.mp4(b"isom"),
        "ebb.vtt": b"WEBVTT\n\n00:00.000 --> 00:01.000\nMud.\n",
        "ebb.png": made.picture("PNG"),
        "same name.png": made.picture("PNG", colour="red"),
        "odd.bin": bytes(range(256)),
        "gone.png": made.picture("PNG", colour="blue"),
    }
    brought = {name: await intake.take_bytes(SYSTEM, content, Brought(name, is_from_library=True)) for name, content in files.items()}
    ids = {name: taken.asset.id for name, taken in brought.items()}
    async with database.transaction() as work:
        for names in (("Coast",), ("Coast", "coast"), ("Coast", "A/B: 'c'")):
            inside = await folders.ensure(work, SYSTEM, names)
        for name in ("ebb.mp4", "same name.png"):
            library_acts.file(work, SYSTEM, await work.session.get_one(Asset, ids[name]), inside)
        await library_acts.set_tags(work, SYSTEM, await work.session.get_one(Asset, ids["odd.bin"]), ["Tide, low", "Été"])
        await media_changes.describe(work, SYSTEM, ids["ebb.mp4"], {"poster_id": ids["ebb.png"], "caption": "Ebb", "licence": "CC0"})
        for language, label in (("en", "English"), ("de", "Deutsch: 'x'")):
            await media_tracks.put(work, SYSTEM, ids["ebb.mp4"], TrackInput(language=language, label=label, track=ids["ebb.vtt"]))
        (await work.session.get_one(Asset, ids["gone.png"])).trashed_at = work.now


async def library_of(database: Database) -> tuple[list[Any], dict[str, Any]]:
    """Its folders, and all that is known of each file, without the numbers that each database gives."""
    async with database.read() as session:
        tree = {branch.folder.id: branch.names for branch in await folders.tree(session)}
        files = await transfers.outgoing_files(session, await transfers.outgoing_asset_ids(session))
    digests = {file.asset.id: file.asset.shown_digest for file in files}
    names = (*ABOUT, "alt", "is_decorative", "name", "kind", "content_type", "width", "duration")
    return list(tree.values()), {
        file.asset.shown_digest: (
            [getattr(file.asset, name) for name in names],
            (file.tags, file.old, tree.get(file.asset.folder_id or 0), digests.get(file.asset.poster_id or 0)),
            [(track.language, track.label, digests[track.track_id]) for track in file.tracks],
        )
        for file in files
    }


async def everything(database: Database) -> list[Outgoing]:
    """All that leaves, without the numbers that each database gives."""
    async with database.read() as session:
        posts = [await transfers.outgoing(session, post_id) for post_id in await transfers.outgoing_ids(session)]
        files = await transfers.assets(session, range(1, 100))
    by_address = {asset.path: f"/media/{asset.shown_digest}" for asset in files.values()}
    digests = {asset_id: asset.shown_digest for asset_id, asset in files.items()}
    return sorted((_plain(post, by_address, digests) for post in posts), key=lambda post: (post.slug, post.title))


def _plain(post: Outgoing, by_address: dict[str, str], digests: dict[int, str]) -> Any:
    content = post.content
    for address, digest in by_address.items():
        content = content.replace(address, digest)
    return replace(
        post,
        post_id=0,
        content=content,
        picture=digests.get(post.picture or 0),  # type: ignore[arg-type]
        custom_pictures={key: digests[number] for key, number in post.custom_pictures.items()},  # type: ignore[misc]
        over_since=post.over_since is not None,  # type: ignore[arg-type]
        tags=tuple(post.tags),
        path=post.path,
    )


@pytest.mark.parametrize("seed", [1, 2, 4])
async def test_what_was_exported_is_the_same_site_when_it_is_imported(
    database: Database, templates: Any, renderer: Renderer, imaging: Imaging, tmp_path: Path, seed: int
) -> None:
    here, there = Folder(tmp_path / "here"), Folder(tmp_path / "there")
    await fill(database, here, tmp_path, random.Random(seed))
    await fill_library(database, here, imaging)
    folder = tmp_path / "out"
    counts = await write_folder(database, here, "https://example.org", folder, lambda *_: None)
    assert counts["posts"] + counts["pages"] + counts["drafts"] == NUMBER + 1

    other = Database(await templates.copy_sqlite(tmp_path / "other.db"))
    try:
        report = Report()
        blog = read_folder(folder, report)
        assert blog.program == "squall"
        await bring_in(
            factories.intake(other, there, imaging), renderer, blog, Options(blog.permalink, "https://example.org"), report, lambda *_: None
        )
        assert not [finding for finding in report.findings if finding.outcome is Outcome.REFUSED]
        assert await everything(other) == await everything(database)
        assert await library_of(other) == await library_of(database)
        async with other.read() as session:
            assert (await site.get_frame(session)).permalink == "/{year}/{month}/{slug}"
            assert (await site.get_frame(session)).name == "Über: 'alles'"
            defined = [(field.key, field.type, field.choices, field.help) for field in await custom_fields.list_of(session, Kind.POST)]
        assert defined[:2] == [("sky_all", "choice", ["# clear", "yes"], "- x: y"), ("boat", "picture", [], "- x: y")]
        assert sorted(path.name for path in (folder / "library").rglob("*") if path.is_file())[:3] == ["ebb.mp4", "ebb.png", "ebb.vtt"]
        again = Report()
        await bring_in(
            factories.intake(other, there, imaging), renderer, read_folder(folder, again), Options("", "https://example.org"), again,
            lambda *_: None,
        )  # fmt: skip
        assert again.counts == {"unchanged": NUMBER + 1}
        assert await library_of(other) == await library_of(database)
    finally:
        await other.dispose()


@asynccontextmanager
async def moved(
    database: Database, templates: Any, renderer: Renderer, imaging: Imaging, folder: Path
) -> AsyncIterator[tuple[Database, Report]]:
    """Another site, into which all was brought that was taken out of this one; and what was said on the way in."""
    await write_folder(database, Folder(folder / "m"), "https://example.org", folder / "out", lambda *_: None)
    other, report = Database(await templates.copy_sqlite(folder / "other.db")), Report()
    try:
        blog = read_folder(folder / "out", report)
        await bring_in(
            factories.intake(other, Folder(folder / "n"), imaging),
            renderer,
            blog,
            Options(blog.permalink, "https://x.org"),
            report,
            lambda *_: None,
        )
        yield other, report
    finally:
        await other.dispose()


async def test_a_draft_of_a_page_without_an_address_is_above_no_other_page(
    database: Database, templates: Any, renderer: Renderer, imaging: Imaging, tmp_path: Path
) -> None:
    when = publishing.Dates(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
    draft = Incoming("t:draft", "", Kind.PAGE, "Text", PostFields(title="Draft"), None)
    about = Incoming("t:about", "", Kind.PAGE, "Text", PostFields(title="About", slug="about"), when, rendered=render("Text"))
    for page in (draft, about):
        async with database.transaction() as work:
            await transfers.bring_in(work, SYSTEM, [page])
    async with moved(database, templates, renderer, imaging, tmp_path) as (other, report):
        assert [finding for finding in report.findings if finding.outcome is Outcome.REFUSED] == []
        async with other.read() as session:
            assert (await reading.find_place(session, "about")).article is not None


async def test_what_is_not_for_everybody_stays_so(
    database: Database, templates: Any, renderer: Renderer, imaging: Imaging, tmp_path: Path
) -> None:
    when = publishing.Dates(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
    for visibility in Visibility:
        fields = PostFields(title=f"For {visibility}", slug=f"for-{visibility}")
        text = Incoming(f"t:{visibility}", "", Kind.POST, "Text", fields, when, rendered=render("Text"), visibility=visibility)
        async with database.transaction() as work:
            await transfers.bring_in(work, SYSTEM, [text])
    async with moved(database, templates, renderer, imaging, tmp_path) as (other, report):
        assert [finding.file for finding in report.findings if "its password" in finding.what] == ["content/for-password/index.md"]
        async with other.read() as session:
            for visibility in Visibility:
                article = (await reading.find_place(session, f"for-{visibility}")).article
                assert article
                assert article.visibility is visibility
            assert [card.title for card in (await lists.home(session, 1)).cards] == ["For public"]


async def test_it_stays_out_of_other_peoples_folders(database: Database, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(OperatorError, match="something else in it"):
        await write_folder(database, Folder(tmp_path / "m"), "https://example.org", tmp_path, lambda *_: None)
    assert not (tmp_path / "site.yaml").exists()


async def test_an_address_that_no_file_system_takes_gets_another_folder(database: Database, tmp_path: Path) -> None:
    storage = Folder(tmp_path / "m")
    for number, slug in enumerate(("..", "a:b", "x" * 190, "CON")):
        when = publishing.Dates(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
        incoming = Incoming(f"t:{number}", "", Kind.POST, "Text", PostFields(title=slug[:9], slug=slug), when)
        async with database.transaction() as work:
            await transfers.bring_in(work, SYSTEM, [replace(incoming, rendered=render("Text"))])
    folder = tmp_path / "deep" / "out"
    await write_folder(database, storage, "https://example.org", folder, lambda *_: None)
    written = list((folder / "content").rglob("index.md"))
    assert len(written) == 4
    assert not (tmp_path / "deep" / "index.md").exists()
    assert all(path.resolve().is_relative_to((folder / "content").resolve()) and len(path.parent.name) < 140 for path in written)


async def test_a_library_that_somebody_else_wrote_reads_nothing_of_this_machine(move_in: Mover, tmp_path: Path) -> None:
    (tmp_path / "key.txt").write_text("secret")
    (tmp_path / "out" / "library").mkdir(parents=True)
    (tmp_path / "out" / "site.yaml").write_text("squall: 1\n")
    (tmp_path / "out" / "library" / "a.png").write_bytes(DOT)
    (tmp_path / "out" / "library" / "link.txt").symlink_to(tmp_path / "key.txt")
    said = {
        "library/a.png": {"alt": 7, "tags": "x" * 1000, "captions": [3], "folder": [["x"], "y" * 200], "poster": {}},
        "library/no.png": {},
    }
    outside = {file: {"alt": "x"} for file in ("../key.txt", str(tmp_path / "key.txt"), "library/link.txt", "\0", "library")}
    deep = [[str(level) for level in range(20)], ["z" * 90], 7]
    (tmp_path / "out" / "library.json").write_text(json.dumps({"files": {**said, **outside, "library/b.png": 3}, "folders": deep}))
    report = await move_in(tmp_path / "out")
    assert report.counts == {"files": 1}
    assert {(finding.outcome, finding.file) for finding in report.findings} == {
        (Outcome.CHANGED, "library.json"),
        (Outcome.CHANGED, " / ".join(deep[0])),  # type: ignore[arg-type]
    }


async def add(database: Database, number: int, slug: str, text: str = "Text", *, title: str = "A title") -> int:
    when = publishing.Dates(datetime(2024, 1, 1, tzinfo=UTC), datetime(2024, 1, 1, tzinfo=UTC))
    async with database.transaction() as work:
        incoming = Incoming(f"t:{number}", "", Kind.POST, text, PostFields(title=title, slug=slug), when)
        (post_id,) = await transfers.bring_in(work, SYSTEM, [replace(incoming, rendered=render(text))])
        return post_id


async def test_an_export_clears_away_what_an_earlier_one_wrote_and_nothing_else(database: Database, tmp_path: Path) -> None:
    storage, folder = Folder(tmp_path / "m"), tmp_path / "out"
    (first, second) = [await add(database, number, slug) for number, slug in enumerate(("one", "two"))]
    await write_folder(database, storage, "https://example.org", folder, lambda *_: None)
    (folder / "content" / "one" / "mine.txt").write_text("Mine.")
    (folder / "notes.txt").write_text("Mine.")
    outside = tmp_path / "outside.txt"
    outside.write_text("Mine.")
    with (folder / "written.txt").open("a") as written:
        written.write("content/../../outside.txt\n/etc/passwd\nnotes.txt\n\n")
    async with database.transaction() as work:
        for post_id in (first, second):
            await publishing.trash(work, SYSTEM, post_id)
    await add(database, 2, "three")
    await write_folder(database, storage, "https://example.org", folder, lambda *_: None)
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    assert files == ["content/one/mine.txt", "content/three/index.md", "library.json", "notes.txt", "site.yaml", "written.txt"]
    assert not (folder / "content" / "two").exists()
    assert outside.exists()
    assert (folder / "written.txt").read_text() == "content/three/index.md\n"


async def test_an_address_made_of_a_title_answers_and_the_slug_stays_empty(
    database: Database, templates: Any, renderer: Renderer, imaging: Imaging, tmp_path: Path
) -> None:
    await add(database, 0, "other")
    await add(database, 1, "", title="…")  # its address is its number
    folder = tmp_path / "out"
    await write_folder(database, Folder(tmp_path / "m"), "https://example.org", folder, lambda *_: None)
    (folder / "content" / "other" / "index.md").unlink()  # so that the number is another there
    other = Database(await templates.copy_sqlite(tmp_path / "other.db"))
    try:
        blog, report = read_folder(folder, Report()), Report()
        await bring_in(
            factories.intake(other, Folder(tmp_path / "n"), imaging),
            renderer,
            blog,
            Options(blog.permalink, "https://x.org"),
            report,
            lambda *_: None,
        )
        assert report.counts == {"posts": 1}
        async with other.read() as session:
            (post_id,) = await transfers.outgoing_ids(session)
            assert (await transfers.outgoing(session, post_id)).slug == ""
            old = next(path for path in (folder / "content").rglob("index.md")).parent.relative_to(folder / "content").as_posix()
            assert (await reading.find_place(session, old)).article is not None
    finally:
        await other.dispose()
