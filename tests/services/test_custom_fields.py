"""Fields that administrators define: what may stand in them, where it is said, and what readers get."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from cms import crdt
from cms.db.session import Database
from cms.errors import Forbidden, InvalidInput
from cms.events import Event, PostPublished
from cms.models import CustomField, Post, Published, WorkingCopy
from cms.models.post import Kind
from cms.policy import Actor
from cms.schemas.fields import FieldInput, NewFieldInput
from cms.schemas.post import PostFields, PostInput
from cms.services import custom_fields, jobs, posts, revisions, working_copies
from cms.worker.tasks import TASKS
from tests import factories
from tests.factories import draft, edited, means, person, publish


async def define(database: Database, actor: Actor, label: str, type: str = "text", **more: Any) -> CustomField:
    async with database.transaction() as work:
        return await custom_fields.define(work, actor, NewFieldInput.model_validate({"label": label, "type": type, **more}))


async def custom_of(database: Database, post_id: int) -> dict[str, str]:
    async with database.read() as session:
        return PostFields.model_validate((await session.get_one(WorkingCopy, post_id)).fields).custom


async def picture_of(database: Database, actor: Actor) -> int:
    async with database.transaction() as work:
        digest = f"{actor.user_id}" * 64
        return (await factories.asset(work, actor, name="boat.png", digest=digest[:64], size=1, alt="A boat", dimensions=(4, 3))).id


async def in_document(database: Database, actor: Actor, post_id: int, fields: dict[str, Any]) -> PostFields:
    """Written as the editor does; the working copy after it."""
    async with database.transaction() as work:
        stored = await working_copies.open_document(work, post_id)
        await working_copies.append(work, {post_id: crdt.Document(*stored.all).edit(fields=fields)})
    async with database.transaction() as work:
        return PostFields.model_validate((await working_copies.project(work, post_id, actor.user_id)).fields)


async def test_what_two_change_of_a_field_is_both_kept_and_of_one_part_the_second_is_told(database: Database) -> None:
    adam = await person(database, "administrator")
    field = await define(database, adam, "Sky", "choice", choices="clear\ncloudy")
    seen = custom_fields.shown_in_form(field)

    async def change(**changed: Any) -> CustomField:
        async with database.transaction() as work:
            return await custom_fields.change(work, adam, field.id, FieldInput.model_validate({**seen, **changed, "seen": seen}))

    await asyncio.gather(change(is_required=True), change(help="Look up."))
    now = await change(choices="clear\nrain")
    assert (now.label, now.help, now.is_required, now.choices) == ("Sky", "Look up.", True, ["clear", "rain"])
    with pytest.raises(InvalidInput) as told:
        await change(choices="clear\nfog")
    assert told.value.errors == {"choices": "Somebody else has written “clear / rain” here meanwhile. Saving now replaces it."}


async def test_what_is_set_goes_out_in_order_with_its_label_and_as_what_it_is(database: Database) -> None:
    adam, ana = await person(database, "administrator"), await person(database, "author")
    picture = await picture_of(database, ana)
    for label, type, more in [
        ("Height of the tide", "number", {}),
        ("Seen on", "date", {}),
        ("Sky", "choice", {"choices": "clear\r\ncloudy\r\nclear"}),
        ("Chart", "link", {}),
        ("Boat", "picture", {}),
        ("Harbour", "text", {"is_required": True}),
        ("Nobody fills this in", "text", {}),
    ]:
        await define(database, adam, label, type, **more)
    await define(database, adam, "Harbour", kind="page", is_required=True)
    said = {"height_of_the_tide": "3,50", "seen_on": "2026-11-29", "sky": "clear", "chart": "/charts", "boat": str(picture)}
    post = await draft(database, ana, custom=said)
    with pytest.raises(InvalidInput) as refused:
        await publish(database, ana, post.id)
    assert refused.value.errors == {"custom.harbour": "Harbour: This is needed before it goes out."}
    await edited(database, ana, post.id, custom={"harbour": "Faro"})
    public = await publish(database, ana, post.id)
    assert [(each["label"], each["type"], each["value"]) for each in public.custom or ()] == [
        ("Height of the tide", "number", 3.5),
        ("Seen on", "date", "2026-11-29"),
        ("Sky", "choice", "clear"),
        ("Chart", "link", "/charts"),
        (
            "Boat",
            "picture",
            {
                "id": picture,
                "path": f"/media/{picture}/{str(ana.user_id) * 12}/boat.png",
                "type": "image/png",
                "frames": 1,
                "width": 4,
                "height": 3,
                "alt": "A boat",
                "focus": [50, 50],
            },
        ),
        ("Harbour", "text", "Faro"),
    ]


@pytest.mark.parametrize(
    ("type", "typed", "sentence"),
    [
        ("number", "about 3", "Write a number"),
        ("number", "1e999", "Write a number"),
        ("date", "2026-02-30", "Write a day"),
        ("choice", "rain", "Choose one"),
        ("link", "javascript:alert(1)", "Write a whole address"),
        ("link", "//example.org", "Write a whole address"),
        ("link", "https://[example.org", "Write a whole address"),
        ("link", "http:///tides", "Write a whole address"),
        ("picture", "999", "no such picture"),
        ("picture", "one", "no such picture"),
    ],
)
async def test_what_is_no_value_of_its_type_is_refused_where_it_stands(database: Database, type: str, typed: str, sentence: str) -> None:
    if database.dialect.name != "sqlite":
        pytest.skip("what is said of a value is no matter of the database")
    adam, ana = await person(database, "administrator"), await person(database, "author")
    await define(database, adam, "Sky", type, choices="clear\ncloudy")
    with pytest.raises(InvalidInput) as refused:
        await draft(database, ana, custom={"sky": typed})
    assert sentence in refused.value.errors["custom.sky"]


async def test_two_who_fill_in_two_fields_at_once_both_keep_theirs_and_what_is_wrong_does_not_go_out(database: Database) -> None:
    adam, ana = await person(database, "administrator"), await person(database, "author")
    for label, type in (("Tide", "number"), ("Wind", "text"), ("Boat", "picture")):
        await define(database, adam, label, type)
    post = await draft(database, ana)
    await in_document(database, ana, post.id, {"custom.tide": "3", "custom.boat": "999", "custom.unknown": "x", "custom.Bad key": 1})
    kept = await in_document(database, adam, post.id, {"custom.wind": "south"})
    assert kept.custom == {"tide": "3", "wind": "south"}, "a picture that is not there and what nobody defined are set back"
    async with database.read() as session:
        stored = await working_copies.read_document(session, post.id)
    assert stored
    assert crdt.Document(*stored.all).fields["custom.boat"] == ""
    assert (await in_document(database, ana, post.id, {"custom.tide": "3 m"})).custom["tide"] == "3 m"  # still typing
    with pytest.raises(InvalidInput) as refused:
        await publish(database, ana, post.id)
    assert list(refused.value.errors) == ["custom.tide"]
    await in_document(database, ana, post.id, {"custom.tide": "", "custom.wind": None})
    assert await custom_of(database, post.id) == {}
    assert (await publish(database, ana, post.id)).custom is None


async def test_value_outlives_its_definition_unseen_and_an_old_revision_takes_back_what_came_since(database: Database) -> None:
    adam, ana = await person(database, "administrator"), await person(database, "author")
    tide, _ = await define(database, adam, "Tide"), await define(database, adam, "Wind")
    post = await draft(database, ana, custom={"tide": "high"})
    await edited(database, ana, post.id, custom={"wind": "south"})
    async with database.transaction() as work:
        first = (await revisions.list_all(work.session, ana, post.id))[1][0]
        await revisions.restore(work, ana, post.id, first.id)
    assert await custom_of(database, post.id) == {"tide": "high"}
    async with database.transaction() as work:
        await custom_fields.delete(work, adam, tide.id)
    await edited(database, ana, post.id, title="Renamed", custom={"tide": "low"})
    assert await custom_of(database, post.id) == {"tide": "high"}
    assert (await publish(database, ana, post.id)).custom is None


async def test_new_label_comes_to_all_that_is_public_by_a_job_that_may_be_done_twice(database: Database, tmp_path: Path) -> None:
    adam, ana = await person(database, "administrator"), await person(database, "author")
    tide, _ = await define(database, adam, "Tide"), await define(database, adam, "Wind")
    post, other = await draft(database, ana, custom={"tide": "high", "wind": "south"}), await draft(database, ana, title="Other")
    for each in (post, other):
        await publish(database, ana, each.id)
    async with database.transaction() as work:
        await custom_fields.change(work, adam, tide.id, FieldInput(label="Water"))
    heard: list[Event] = []
    database.listen(heard.append)
    async with database.transaction() as work:
        job = await jobs.claim(work)
    assert job
    for _ in range(2):
        await TASKS[job.name](means(database, tmp_path), job.payload)
    async with database.read() as session:
        public = await session.get_one(Published, post.id)
    assert [(each["label"], each["value"]) for each in public.custom or ()] == [("Water", "high"), ("Wind", "south")]
    told = [(event.post_id, event.aspects) for event in heard if isinstance(event, PostPublished)]
    assert told == [(post.id, ("custom",))], "once, and of the text that has it"


async def test_clearing_a_field_again_leaves_nothing_changed(database: Database) -> None:
    adam, ana = await person(database, "administrator"), await person(database, "author")
    await define(database, adam, "Tide")
    post = await draft(database, ana)
    await publish(database, ana, post.id)
    await edited(database, ana, post.id, custom={"tide": "high"})
    await edited(database, ana, post.id, custom={"tide": ""})
    async with database.read() as session:
        assert (await session.get_one(Post, post.id)).has_changes is False


async def test_form_without_scripts_changes_only_the_fields_that_somebody_touched(database: Database) -> None:
    adam, ana = await person(database, "administrator"), await person(database, "author")
    await define(database, adam, "Tide")
    await define(database, adam, "Wind")
    post = await draft(database, ana, custom={"tide": "high", "wind": "south"})
    seen = {"title": "Low tide", "text": "Mud, *mostly*.", "custom.tide": "high", "custom.wind": "south"}
    await edited(database, ana, post.id, custom={"wind": "north"})  # meanwhile
    async with database.transaction() as work:
        form = {"title": "Low tide", "text": "Mud, *mostly*.", "custom.tide": "low", "custom.wind": "south", "seen": seen}
        await posts.save(work, ana, post.id, PostInput.model_validate(form))
    assert await custom_of(database, post.id) == {"tide": "low", "wind": "north"}


async def test_key_is_made_once_of_the_label_and_order_is_changed_by_steps(database: Database) -> None:
    adam, editor = await person(database, "administrator"), await person(database, "editor")
    made = [await define(database, adam, label) for label in ("Höhe", "2 tides", "Höhe!", "潮")]
    assert [field.key for field in made] == ["hohe", "field_2_tides", "hohe_2", made[3].key]
    assert made[3].key.isascii()
    async with database.transaction() as work:
        await custom_fields.change(work, adam, made[0].id, FieldInput(label="Height"))
        await custom_fields.move(work, adam, made[0].id, 1)
        await custom_fields.move(work, adam, made[0].id, -5)
        await custom_fields.move(work, adam, made[2].id, -1)
    async with database.read() as session:
        order = [(field.key, field.label) for field in await custom_fields.list_of(session, Kind.POST)]
    assert order[:3] == [("hohe", "Height"), ("hohe_2", "Höhe!"), ("field_2_tides", "2 tides")]
    with pytest.raises(InvalidInput) as refused:
        await define(database, adam, "HEIGHT")
    assert "label" in refused.value.errors
    with pytest.raises(InvalidInput) as refused:
        await define(database, adam, "Sky", "choice", choices="clear")
    assert "choices" in refused.value.errors
    with pytest.raises(Forbidden):
        await define(database, editor, "Mine")
