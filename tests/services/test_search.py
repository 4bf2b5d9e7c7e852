"""Finding what is public, in the same order on both databases."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text

from cms.db.session import Database
from cms.models import SearchDocument, SearchMiss, SearchVariant, SearchWord
from cms.schemas.search import SearchInput
from cms.services import search, search_index
from cms.services.search import Found, Misses
from cms.telemetry import Metrics
from cms.worker import loop
from tests.factories import edited, means, person, publish, published, published_page, trash, withdraw
from tests.watching import Clock, questions


async def find(database: Database, q: str = "", **asked: object) -> Found:
    async with database.read() as session:
        return await search.find(session, SearchInput.model_validate({"q": q, **asked}))


async def titles(database: Database, q: str = "", **asked: object) -> list[str]:
    return [hit.card.title for hit in (await find(database, q, **asked)).hits]


async def publish_all(database: Database, posts: Sequence[tuple[str, str]], **fields: object) -> None:
    editor = await person(database, "editor")
    for title, content in posts:
        await published(database, editor, title=title, text=content, **fields)


QUERIES = {
    "tide": ["Tide", "Low tide", "Tides of March", "The harbour", "Mud"],
    "tid": ["Low tide", "Tides of March", "Tide", "The harbour", "Mud"],
    "low tide": ["Low tide", "Mud"],
    '"low tide"': ["Low tide"],
    "tide -mud": ["Tide", "The harbour"],
    'tide -"low water"': ["Tide", "Low tide", "The harbour"],
    "muschel": ["Über Müll"],
    "uber mull": ["Über Müll"],
    "ÜBER MÜLL": ["Über Müll"],
    "don't": ["The harbour"],
    "東京": ["東京タワー"],
    "京東": [],
    "nothing of the kind": [],
    "-tide": [],
    "AND ( NEAR": [],
    "marks": [],
    "tag1": [],
    "era": [],
}


@pytest.fixture
async def harbour(database_url: str) -> Database:
    """Published in this order, a day apart."""
    clock = Clock()
    database = Database(database_url, clock=clock)
    for title, content in (
        ("Mud", "Where the tide is low, low water shows it."),
        ("The harbour", "We don't wait for the tide."),
        ("Über Müll", "Muscheln am Strand."),
        ("東京タワー", "Nothing in common with the others"),
        ("Tides of March", "Spring."),
        ("Low tide", "Mud, mostly."),
        ("Tide", "The first word."),
    ):
        await publish_all(database, [(title, content)])
        clock.pass_(days=1)
    yield database
    await database.dispose()


async def test_the_same_is_found_in_the_same_order_on_both_databases(harbour: Database, subtests: pytest.Subtests) -> None:
    for query, expected in QUERIES.items():
        with subtests.test(query=query):
            found = await find(harbour, query)
            shown = [] if found.is_of_meant else [hit.card.title for hit in found.hits]
            assert sorted(shown) == sorted(expected)
            if query != "tid":  # equal but for one day
                assert shown == expected


async def test_title_counts_more_than_text_and_new_more_than_old(database_url: str) -> None:
    clock = Clock(datetime(2016, 1, 1, tzinfo=UTC))
    database = Database(database_url, clock=clock)
    await publish_all(database, [("Old mussels", "Nothing.")])
    clock.pass_(days=3650)
    await publish_all(database, [("New", "mussels")])
    clock.pass_(days=1)
    await publish_all(database, [("New mussels", "Nothing."), ("Many", "mussels " * 8)])
    assert await titles(database, "mussels") == ["New mussels", "Old mussels", "Many", "New"]
    await database.dispose()


async def test_only_what_is_public_is_found_and_only_as_it_is_public(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, title="Barnacles", text="old words")
    await edited(database, editor, post.post_id, title="Limpets", text="new words")
    assert await titles(database, "barnacles") == ["Barnacles"]
    assert await titles(database, "limpets") == []
    await publish(database, editor, post.post_id)
    assert await titles(database, "barnacles") == []
    assert await titles(database, "limpets new") == ["Limpets"]
    await withdraw(database, editor, post.post_id)
    assert await titles(database, "limpets") == []
    await publish(database, editor, post.post_id)
    assert await titles(database, "limpets") == ["Limpets"]
    await trash(database, editor, post.post_id)
    found = await find(database, "limpits")
    assert (found.total, found.meant) == (0, "")


async def test_pages_are_found_too(database: Database) -> None:
    await published_page(database, await person(database, "editor"), title="About the harbour")
    assert await titles(database, "harbour") == ["About the harbour"]


async def test_filters_narrow_what_is_found(database_url: str) -> None:
    clock = Clock(datetime(2025, 12, 31, 12, tzinfo=UTC))
    database = Database(database_url, clock=clock)
    editor = await person(database, "editor")
    await published(database, editor, title="Mud one", tags=("Sea", "Wall"), new_category="Coast")
    clock.pass_(days=2)
    await published(database, editor, title="Mud two", tags=("Sea",))
    await published(database, await person(database, "author"), title="Mud three")
    assert sorted(await titles(database, "mud", tag="sea")) == ["Mud one", "Mud two"]
    assert await titles(database, "mud", tag="sea", year="2026") == ["Mud two"]
    assert await titles(database, "", category="coast") == ["Mud one"]
    assert await titles(database, "mud -two", author="edna-reed") == ["Mud one"]
    assert await titles(database, "-one", tag="sea") == ["Mud two"]
    assert await titles(database, "mud", tag="nonsense") == []
    assert await titles(database, "", year="2024") == []
    found = await find(database, "mud", tag="sea", category="coast")
    assert [(one.kind, one.name) for one in found.filters] == [("tag", "Sea"), ("category", "Coast")]
    await database.dispose()


async def test_a_tag_of_drafts_alone_has_no_name_for_readers(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, title="Mud", tags=("SeCReT",))
    await withdraw(database, editor, post.post_id)
    found = await find(database, "mud", tag="secret")
    assert [one.name for one in found.filters] == ["secret"]
    assert found.total == 0


async def test_changed_tags_are_filtered_by_when_they_are_published(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, title="Mud", tags=("Sea",))
    await edited(database, editor, post.post_id, tags=("Wall",))
    assert await titles(database, "mud", tag="sea") == ["Mud"]
    await publish(database, editor, post.post_id)
    assert await titles(database, "mud", tag="sea") == []
    assert await titles(database, "mud", tag="wall") == ["Mud"]


@pytest.mark.parametrize(
    ("typed", "meant"), [("harbuor", "harbour"), ("harbor wall", "harbour wall"), ("mussles", "mussels"), ("musels -mud", "mussels -mud")]
)
async def test_a_misspelt_title_word_is_still_found(database: Database, typed: str, meant: str) -> None:
    await publish_all(database, [("Harbour wall", "Stone"), ("Mussels", "From the second ladder"), ("Mussels again", "Blue")])
    found = await find(database, typed)
    assert found.is_of_meant
    assert found.meant == meant
    assert found.hits


async def test_few_results_of_a_misspelt_word_come_with_a_suggestion(database: Database) -> None:
    await publish_all(database, [("Harbour", "Stone"), ("The new harbour", "Stone"), ("Spelling", "Some write harbor.")])
    found = await find(database, "harbor")
    assert [hit.card.title for hit in found.hits] == ["Spelling"]
    assert (found.meant, found.is_of_meant) == ("harbour", False)
    assert not (await find(database, "harbour")).meant


async def test_words_of_titles_are_known_while_a_title_has_them(database: Database) -> None:
    editor = await person(database, "editor")

    async def known() -> dict[str, int]:
        async with database.read() as session:
            return {word.word: word.uses for word in await session.scalars(select(SearchWord))}

    first = await published(database, editor, title="Low tide, tide")
    second = await published(database, editor, title="High tide")
    assert await known() == {"low": 1, "tide": 2, "high": 1}
    await edited(database, editor, second.post_id, title="High water")
    await publish(database, editor, second.post_id)
    assert await known() == {"low": 1, "tide": 1, "high": 1, "water": 1}
    await withdraw(database, editor, first.post_id)
    assert await known() == {"high": 1, "water": 1}
    async with database.read() as session:
        assert set(await session.scalars(select(SearchVariant.word))) == {"high", "water"}


async def test_results_come_in_numbered_pages(database: Database) -> None:
    await publish_all(database, [(f"Mud {number}", "Mud") for number in range(12)])
    first, second = await find(database, "mud"), await find(database, "mud", page="2")
    assert (first.total, first.pages, len(first.hits), len(second.hits)) == (12, 2, 10, 2)
    assert {hit.card.title for hit in (*first.hits, *second.hits)} == {f"Mud {number}" for number in range(12)}
    assert (await find(database, "mud", page="99")).page == 2


async def test_a_snippet_is_of_the_text_as_it_was_written(database: Database) -> None:
    await publish_all(database, [("Mud", "Im **März** gab es *Müll* & mehr.")])
    (hit,) = (await find(database, "mull")).hits
    assert hit.snippet == [("Im März gab es ", False), ("Müll", True), (" & mehr.", False)]


async def test_a_page_of_results_is_few_questions_however_many_there_are(database: Database) -> None:
    async def asked(q: str, **filters: str) -> int:
        with questions(database) as sent:
            await find(database, q, **filters)
        return len(sent)

    await publish_all(database, [(f"Mud {number}", "Mud") for number in range(4)], tags=("Sea",))
    few = await asked("mud")
    await publish_all(database, [(f"Mud and more {number}", "Mud") for number in range(6)])
    assert await asked("mud") == few <= 7
    assert await asked("mud", tag="sea") == few + 1
    assert await asked("nothing") <= 6


async def test_common_words_are_ranked_among_the_newest(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST", 5)
    await publish_all(database, [(f"Mud {number}", "Mud and words") for number in range(9)])
    found = await find(database, "words")
    assert (found.total, found.is_more) == (5, True)


async def test_posts_of_all_times_are_found(database_url: str) -> None:
    """PostgreSQL looks at the newest weeks first, then at more, then at everything."""
    clock = Clock(datetime(1969, 7, 20, tzinfo=UTC))
    database = Database(database_url, clock=clock)
    for _ in range(12):
        await publish_all(database, [(f"Mud of {clock.now:%Y}", "Mud")])
        clock.pass_(days=365 * 5 + 2)
    assert await titles(database, "mud") == [f"Mud of {1969 + 5 * n}" for n in range(11, 1, -1)]
    await database.dispose()


async def test_a_new_date_moves_a_document(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, title="Mud")
    async with database.transaction() as work:
        row = await work.session.merge(post)
        row.published_at = post.published_at - timedelta(days=400)
        await search_index.index(work, [(row, "Mud")])
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(SearchDocument)) == 1
    assert await titles(database, "mud") == ["Mud"]


async def test_a_very_long_text_is_published_and_its_beginning_found(database: Database) -> None:
    many = "\n\n".join(" ".join(f"w{a}x{b}" for b in range(100)) for a in range(300))
    await publish_all(database, [("Long", f"beginning {many}")])
    assert await titles(database, "beginning w3x7") == ["Long"]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=st.one_of(st.text(max_size=60), st.text("ab\"-*() :^&|!<>'\\\0😀مد東", max_size=40)))
async def test_whatever_is_typed_is_no_error(database: Database, typed: str) -> None:
    await find(database, typed, tag=typed, year=typed)
    await find(database, typed)


@pytest.mark.parametrize(
    "typed", ["\0", "x" * 10_000, "😀" * 3000, "مد " * 500, '"' * 999, "a " * 5000, "東" * 3000, "tag:x:*", "1e5 3.14 -5 0x1F"]
)
async def test_a_flood_is_no_error(database: Database, typed: str) -> None:
    await publish_all(database, [("Mud", "Mud")])
    assert await titles(database, typed) == []


# --- titles near a mistyped address ------------------------------------------------------------------------------------------


async def near(database: Database, path: str) -> list[tuple[str, str]]:
    async with database.read() as session:
        return await search.near_titles(session, path)


async def test_titles_near_a_mistyped_path(database: Database) -> None:
    await publish_all(database, [("The harbour wall", "x"), ("Harbour mud", "x"), ("Mussels", "x")])
    assert await near(database, "/2026/harbor-wall.html") == [("The harbour wall", "/the-harbour-wall"), ("Harbour mud", "/harbour-mud")]
    assert await near(database, "/musels") == [("Mussels", "/mussels")]
    assert await near(database, "/wp-login.php") == []
    assert await near(database, "/\0😀/") == []


async def test_no_more_than_five_titles_are_near(database: Database) -> None:
    await publish_all(database, [(f"Harbour {number}", "x") for number in range(7)])
    assert len(await near(database, "/harbour")) == 5


# --- what was not found --------------------------------------------------------------------------------------------------------


async def misses(database: Database) -> dict[str, int]:
    async with database.read() as session:
        return {miss.query: miss.times for miss in await search.list_misses(session)}


async def test_misses_are_counted_folded(database: Database) -> None:
    counted = Misses()
    for query in ("Müll", "mull ", "crabs", "  "):
        counted.note(query)
    async with database.transaction() as work:
        await search.record_misses(work, counted.take())
    counted.note("crabs")
    counted.note("CRABS")
    async with database.transaction() as work:
        await search.record_misses(work, counted.take())
    assert await misses(database) == {"crabs": 3, "mull": 2}
    assert not counted


@pytest.mark.parametrize("query", ["ana@example.org", "0171 2345678", "x" * 101, "!?"])
def test_what_may_be_of_a_person_or_means_nothing_is_not_counted(query: str) -> None:
    counted = Misses()
    counted.note(query)
    assert not counted


async def test_a_flood_of_misses_fills_neither_memory_nor_disk(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_MISSES", 5)
    counted = Misses()
    for _ in range(2):
        counted.note("crabs")
    async with database.transaction() as work:
        await search.record_misses(work, counted.take())
    for number in range(3):
        for other in range(9):
            counted.note(f"noise {number} {other}")
        async with database.transaction() as work:
            taken = counted.take()
            assert len(taken) == 5
            await search.record_misses(work, taken)
    kept = await misses(database)
    assert len(kept) == 5
    assert kept["crabs"] == 2


async def test_old_misses_are_forgotten(database_url: str) -> None:
    clock = Clock()
    database = Database(database_url, clock=clock)
    async with database.transaction() as work:
        await search.record_misses(work, {"crabs": 1})
    clock.pass_(days=91)
    async with database.transaction() as work:
        await search.record_misses(work, {"mussels": 1})
        await search.prune_misses(work)
        assert await work.session.scalar(select(func.count()).select_from(SearchMiss)) == 1
    await database.dispose()


async def test_the_worker_writes_down_what_was_not_found(database: Database, tmp_path: Path) -> None:
    counted = Misses()
    counted.note("crabs")
    working = asyncio.create_task(loop.run(means(database, tmp_path), Metrics(), counted))
    while not await misses(database):
        await asyncio.sleep(0.02)
    working.cancel()
    await asyncio.wait([working])
    assert await misses(database) == {"crabs": 1}


# --- making it anew ------------------------------------------------------------------------------------------------------------


async def test_reindexing_mends_whatever_was_wrong(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "BATCH", 2)
    await publish_all(database, [(f"Mud {word}", "Words") for word in ("one", "two", "three", "four", "five")], tags=("Sea",))
    async with database.transaction() as work:
        for damage in (
            "DELETE FROM search_documents WHERE ref = 2",
            "UPDATE search_documents SET heading = '', body = '', marks = '', text = '' WHERE ref = 3",
            "INSERT INTO search_documents (kind, ref, language, title, body) VALUES ('post', 99, 'en', 'stray', 'stray')",
            "DELETE FROM search_words WHERE word = 'mud'",
            "UPDATE search_words SET uses = 7 WHERE word = 'one'",
            "INSERT INTO search_words VALUES ('stray', 1)",
        ):
            await work.session.execute(text(damage))
    assert await search_index.renew_all(database) == 5
    assert len(await titles(database, "mud words", tag="sea")) == 5
    assert await titles(database, "stray") == []
    async with database.read() as session:
        words = {word.word: word.uses for word in await session.scalars(select(SearchWord))}
    assert words == {"mud": 5, "one": 1, "two": 1, "three": 1, "four": 1, "five": 1}


async def test_reindexing_can_be_interrupted_and_run_again(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search_index, "BATCH", 2)
    await publish_all(database, [(f"Mud {number}", "Words") for number in range(5)])
    async with database.transaction() as work:
        await work.session.execute(text("DELETE FROM search_documents"))
    async with database.transaction() as work:
        await search_index.renew(work, 0)
    assert len(await titles(database, "mud")) == 2
    await search_index.renew_all(database)
    assert len(await titles(database, "mud")) == 5
