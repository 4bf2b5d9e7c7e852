"""Posts at the desk: who sees which, saving, revisions, trash."""

from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from cms.db.session import Database
from cms.errors import Conflict, Forbidden, InvalidInput, NotFound
from cms.events import WorkChanged
from cms.models import Post, PostAuthor, PostCategory, PostTag, Revision, Tag, WorkingCopy
from cms.models.post import Kind, Live, Reason, Side
from cms.policy import ANONYMOUS, Capability, allows
from cms.schemas.post import PostInput
from cms.services import posts
from tests import watching
from tests.desk import counts, sees
from tests.factories import draft, edited, page, person, publish, published, restore, trash, withdraw


async def revisions(database: Database, post_id: int) -> list[Revision]:
    async with database.read() as session:
        return list(await session.scalars(select(Revision).where(Revision.post_id == post_id).order_by(Revision.id)))


async def post_of(database: Database, post_id: int) -> Post:
    async with database.read() as session:
        return await session.get_one(Post, post_id)


# --- making and saving -----------------------------------------------------------------------------------------------------


async def test_new_post_is_a_draft_of_its_author_with_a_first_revision(database: Database) -> None:
    ana = await person(database, "author")
    with watching.events(database) as heard:
        post = await draft(database, ana, title="*Low* tide", text="Mud.", tags=("Sea", "Mud"))
    assert heard == [WorkChanged(post.id)]
    assert (post.title, post.folded_title, post.live, post.status) == ("Low tide", "low tide", Live.NEVER, "draft")
    async with database.read() as session:
        seen = await posts.get_draft(session, ana, post.id)
    assert (seen.content, seen.version, seen.updated_by, seen.tags) == ("Mud.", 1, "Ana Silva", ("Sea", "Mud"))
    assert (seen.fields.title, seen.fields.authors) == ("*Low* tide", (ana.user_id,))
    (first,) = await revisions(database, post.id)
    assert (first.reason, first.content, first.created_by_id) == (Reason.SAVED, "Mud.", ana.user_id)


async def test_whoever_made_a_post_may_go_on_with_what_was_returned(database: Database) -> None:
    ana = await person(database, "author")
    assert allows(ana, Capability.POST_EDIT, await draft(database, ana))


async def test_empty_post_can_be_saved(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana, title="", text="")
    assert (post.title, post.status) == ("", "draft")


async def test_revisions_are_made_exactly_when_something_was_saved_or_published(database: Database) -> None:
    editor = await person(database, "editor")
    post = await draft(database, editor, text="one")
    await edited(database, editor, post.id, text="two")
    await edited(database, editor, post.id)  # nothing changed
    await publish(database, editor, post.id)  # this very text has a revision
    await publish(database, editor, post.id)
    await withdraw(database, editor, post.id)
    await publish(database, editor, post.id)
    await edited(database, editor, post.id, title="Other")
    await trash(database, editor, post.id)
    await restore(database, editor, post.id)
    made = await revisions(database, post.id)
    assert [(one.reason, one.content, one.fields["title"]) for one in made] == [
        (Reason.SAVED, "one", "Low tide"),
        (Reason.SAVED, "two", "Low tide"),
        (Reason.SAVED, "two", "Other"),
    ]


async def test_publishing_what_no_revision_has_makes_one(database: Database) -> None:
    editor = await person(database, "editor")
    post = await draft(database, editor)
    async with database.transaction() as work:  # as an autosave will do
        (await work.session.get_one(WorkingCopy, post.id)).content = "typed since"
    await publish(database, editor, post.id)
    assert [(one.reason, one.content) for one in await revisions(database, post.id)][1:] == [(Reason.PUBLISHED, "typed since")]


async def test_second_of_two_who_save_the_same_version_is_refused_and_nothing_is_lost(database: Database) -> None:
    ana, editor = await person(database, "author"), await person(database, "editor")
    post = await draft(database, ana, text="first")
    await edited(database, editor, post.id, text="editor's", version=1)
    with pytest.raises(Conflict):
        await edited(database, ana, post.id, text="author's", version=1)
    assert [one.content for one in await revisions(database, post.id)] == ["first", "editor's"]


async def test_version_of_the_working_copy_counts_each_change(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana)
    for number in (2, 3):
        await edited(database, ana, post.id, text=f"version {number}")
    async with database.read() as session:
        assert (await posts.get_draft(session, ana, post.id)).version == 3


async def test_post_can_be_made_and_saved_again_in_one_transaction(database: Database) -> None:
    ana = await person(database, "author")
    async with database.transaction() as work:
        post = await posts.create(work, ana, Kind.POST, PostInput(title="One", tags=("Sea", "Mud")))
        await posts.save(work, ana, post.id, PostInput(title="Two", tags=("Mud", "Sand"), version=1))
    assert (await post_of(database, post.id)).title == "Two"


async def test_fields_that_the_form_does_not_show_stay(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana)
    async with database.transaction() as work:
        copy = await work.session.get_one(WorkingCopy, post.id)
        copy.fields = {**copy.fields, "language": "de", "from_a_plugin": {"a": 1}}
    await edited(database, ana, post.id, title="New")
    async with database.read() as session:
        fields = (await session.get_one(WorkingCopy, post.id)).fields
    assert (fields["language"], fields["from_a_plugin"], fields["title"]) == ("de", {"a": 1}, "New")


async def test_has_changes_is_true_exactly_while_the_text_differs_from_what_readers_see(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, title="Tide", text="one")
    assert (await post_of(database, post.post_id)).status == "published"
    assert (await edited(database, editor, post.post_id, text="two")).status == "changed"
    assert (await edited(database, editor, post.post_id, text="one")).status == "published"
    assert (await edited(database, editor, post.post_id, tags=("Sea",))).status == "changed"
    await publish(database, editor, post.post_id)
    assert (await post_of(database, post.post_id)).status == "published"
    await edited(database, editor, post.post_id, text="three")
    assert (await withdraw(database, editor, post.post_id)).status == "withdrawn"
    assert not (await edited(database, editor, post.post_id, text="four")).has_changes


async def test_rows_of_the_working_side_follow_the_working_copy_and_the_live_side_what_is_public(database: Database) -> None:
    editor = await person(database, "editor")
    post = await published(database, editor, tags=("Sea", "Mud"), new_category="Coast")
    await edited(database, editor, post.post_id, tags=("Sand", "Mud"), category=None)
    assert await terms(database, Side.LIVE) == (["Sea", "Mud"], 1, [editor.user_id])
    assert await terms(database, Side.WORK) == (["Sand", "Mud"], 0, [editor.user_id])
    await publish(database, editor, post.post_id)
    assert await terms(database, Side.LIVE) == (["Sand", "Mud"], 0, [editor.user_id])
    await withdraw(database, editor, post.post_id)
    assert await terms(database, Side.LIVE) == ([], 0, [])
    assert await terms(database, Side.WORK) == (["Sand", "Mud"], 0, [editor.user_id])


async def terms(database: Database, side: Side) -> tuple[Sequence[str], int | None, Sequence[int]]:
    async with database.read() as session:
        tags = await session.scalars(
            select(Tag.name).join(PostTag, PostTag.tag_id == Tag.id).where(PostTag.side == side).order_by(PostTag.position)
        )
        categories = await session.scalar(select(func.count()).select_from(PostCategory).where(PostCategory.side == side))
        authors = await session.scalars(select(PostAuthor.user_id).where(PostAuthor.side == side))
        return tags.all(), categories, authors.all()


# --- who may ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def newsroom(database: Database) -> dict[str, Post]:
    """A post of each state by an author and a contributor; ``foreign`` ones are an editor's."""
    editor, ana, cem = await person(database, "editor"), await person(database, "author"), await person(database, "contributor")
    found = {}
    for name, actor in (("ana", ana), ("cem", cem), ("foreign", editor)):
        found[f"{name} draft"] = await draft(database, actor, title=f"{name} draft")
        found[f"{name} live"] = await draft(database, actor, title=f"{name} live")
        await publish(database, editor, found[f"{name} live"].id)
        found[f"{name} withdrawn"] = await draft(database, actor, title=f"{name} withdrawn")
        await publish(database, editor, found[f"{name} withdrawn"].id)
        await withdraw(database, editor, found[f"{name} withdrawn"].id)
        found[f"{name} trashed"] = await draft(database, actor, title=f"{name} trashed")
        await trash(database, editor, found[f"{name} trashed"].id)
    return found


LIVE = {"ana live", "cem live", "foreign live"}
VISIBLE = {
    "editor": None,
    "author": LIVE | {"ana draft", "ana withdrawn", "ana trashed"},
    "contributor": LIVE | {"cem draft", "cem withdrawn", "cem trashed"},
    "reader": LIVE,
}


@pytest.mark.parametrize("role", VISIBLE)
async def test_lists_counts_and_single_posts_agree_on_what_a_role_sees(database: Database, newsroom: dict[str, Post], role: str) -> None:
    actor = ANONYMOUS if role == "reader" else await person(database, role)
    expected = set(newsroom) if VISIBLE[role] is None else VISIBLE[role]
    trashed = {name for name in expected if name.endswith("trashed")}
    assert await sees(database, actor) == expected - trashed
    assert await sees(database, actor, status="trashed") == trashed
    kinds = {"draft": "draft", "published": "live", "withdrawn": "withdrawn", "trashed": "trashed"}
    tally = {status: sum(name.endswith(word) for name in expected) for status, word in kinds.items()}
    assert await counts(database, actor) == {"all": len(expected - trashed), "changed": 0, **tally}
    for name, post in newsroom.items():
        async with database.read() as session:
            if name in expected:
                assert (await posts.get_visible(session, actor, post.id)).title == name
            else:
                with pytest.raises(NotFound):
                    await posts.get_visible(session, actor, post.id)


async def test_coauthor_sees_and_edits_what_somebody_else_began(database: Database) -> None:
    editor, ana = await person(database, "editor"), await person(database, "author")
    post = await draft(database, editor)
    async with database.transaction() as work:
        work.session.add(PostAuthor(post_id=post.id, side=Side.WORK, user_id=ana.user_id, position=1))
    assert (await edited(database, ana, post.id, text="together")).owner_ids == {editor.user_id, ana.user_id}


async def test_contributor_may_write_own_drafts_only(database: Database, newsroom: dict[str, Post]) -> None:
    cem = await person(database, "contributor")
    await edited(database, cem, newsroom["cem draft"].id, text="more")
    for name in ("cem live", "cem withdrawn", "foreign live"):
        for act in (edited, trash, publish, withdraw):
            with pytest.raises(Forbidden):
                await act(database, cem, newsroom[name].id)
    for name in ("foreign draft", "foreign withdrawn", "ana draft", "ana trashed"):
        for act in (edited, trash, publish, withdraw, restore):
            with pytest.raises(NotFound):
                await act(database, cem, newsroom[name].id)
    with pytest.raises(Forbidden):
        await publish(database, cem, newsroom["cem draft"].id)
    with pytest.raises(Forbidden):
        await page(database, cem)


async def test_author_may_do_everything_with_own_posts_and_nothing_with_others(database: Database, newsroom: dict[str, Post]) -> None:
    ana = await person(database, "author")
    mine = newsroom["ana live"].id
    for act in (edited, publish, withdraw, publish, trash, restore):
        await act(database, ana, mine)
    for act in (edited, publish, withdraw, trash):
        with pytest.raises(Forbidden):
            await act(database, ana, newsroom["cem live"].id)
        with pytest.raises(NotFound):
            await act(database, ana, newsroom["cem draft"].id)
    with pytest.raises(Forbidden):
        await page(database, ana)


async def test_own_post_that_was_trashed_unpublished_can_be_restored_by_its_contributor(
    database: Database, newsroom: dict[str, Post]
) -> None:
    cem = await person(database, "contributor")
    assert (await restore(database, cem, newsroom["cem trashed"].id)).status == "draft"


@pytest.mark.parametrize("absent", [0, 999, 2**62])
async def test_what_does_not_exist_is_not_found(database: Database, absent: int) -> None:
    editor = await person(database, "editor")
    for act in (edited, publish, withdraw, trash, restore):
        with pytest.raises(NotFound):
            await act(database, editor, absent)


@pytest.mark.parametrize("absent", [0, 999, 2**62])
async def test_terms_and_parents_that_do_not_exist_are_refused_by_field(database: Database, absent: int) -> None:
    editor = await person(database, "editor")
    with pytest.raises(InvalidInput) as refused:
        await draft(database, editor, category=absent)
    assert set(refused.value.errors) == {"category"}
    with pytest.raises(InvalidInput) as refused:
        await page(database, editor, parent=absent)
    assert set(refused.value.errors) == {"parent"}


@pytest.mark.parametrize("number", [-1, 2**63, 10**30])
def test_number_that_no_row_can_have_is_refused_before_it_reaches_the_database(number: int) -> None:
    for field in ("category", "parent", "version"):
        with pytest.raises(ValueError, match=field):
            PostInput(**{field: number})


async def test_post_is_no_parent_of_a_page_and_has_none(database: Database) -> None:
    editor = await person(database, "editor")
    post, top = await draft(database, editor), await page(database, editor)
    with pytest.raises(InvalidInput, match="no such page"):
        await page(database, editor, parent=post.id)
    below = await draft(database, editor, parent=top.id)
    async with database.read() as session:
        assert (await posts.get_draft(session, editor, below.id)).fields.parent is None


async def test_contributor_cannot_make_a_category_but_uses_those_there_are(database: Database) -> None:
    editor, cem = await person(database, "editor"), await person(database, "contributor")
    await draft(database, editor, new_category="Coast")
    with pytest.raises(InvalidInput) as refused:
        await draft(database, cem, new_category="Mountains")
    assert set(refused.value.errors) == {"new_category"}
    await draft(database, cem, new_category="Coast")


# --- trash -----------------------------------------------------------------------------------------------------------------


async def test_draft_goes_into_the_trash_and_comes_back_a_draft(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana)
    with watching.events(database) as heard:
        gone = await trash(database, ana, post.id)
        assert (gone.status, gone.was_ever_public, gone.trashed_at is None) == ("trashed", False, False)
        back = await restore(database, ana, post.id)
    assert (back.status, back.trashed_at, back.live_before_trash) == ("draft", None, None)
    assert heard == [WorkChanged(post.id)] * 2


async def test_trash_is_refused_twice_and_so_is_restoring_what_is_not_there(database: Database) -> None:
    ana = await person(database, "author")
    post = await draft(database, ana)
    with pytest.raises(Conflict):
        await restore(database, ana, post.id)
    await trash(database, ana, post.id)
    for act in (trash, edited, publish, withdraw):
        with pytest.raises(Conflict):
            await act(database, ana, post.id)
