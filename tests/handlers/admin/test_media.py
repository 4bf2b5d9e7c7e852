"""The library at the desk: its page, one of it, what is done to several, for each role."""

import io
import json
import re
from datetime import timedelta
from typing import Any

from PIL import Image
from sqlalchemy import select

from cms.content.folding import fold
from cms.models import Asset, Job
from cms.services.intake import Brought
from cms.services.media import FORGETTING, storage_name
from tests import watching
from tests.factories import asset_row, person, published
from tests.handlers.admin.pages import by_class, by_id, fields, form_of, title, words
from tests.web import Answer, Browser, Site, path_of


def picture(width: int = 400, height: int = 200) -> bytes:
    """Dark at the left, light at the right."""
    made, kept = Image.new("RGB", (width, height), "navy"), io.BytesIO()
    made.paste("gold", (width // 2, 0, width, height))
    made.save(kept, "PNG")
    return kept.getvalue()


async def brought(site: Site, role: str = "author", name: str = "harbour.png", content: bytes = b"") -> int:
    actor = await person(site.database, role)
    taken = await site.application.parts.intake.take_bytes(actor, content or picture(), Brought(name=name))
    return taken.asset.id


async def rows(site: Site, role: str, number: int, **values: Any) -> list[int]:
    """Without bytes."""
    actor = await person(site.database, role)
    async with site.database.transaction() as work:
        given = [
            asset_row(
                digest=f"{actor.user_id or 0:032x}{n:032x}", name=f"tide-{n}.png", folded=fold(f"tide-{n}"), created_by_id=actor.user_id,
                created_at=work.now + timedelta(seconds=n), width=640, height=480, **values,
            )
            for n in range(number)
        ]  # fmt: skip
        work.session.add_all(given)
        await work.session.flush()
        return [asset.id for asset in given]


async def one(browser: Browser, number: int) -> dict[str, str]:
    return fields((page := (await browser.get(f"/admin/media/{number}")).page), form_of(page, form_id="asset"))


async def bulk(browser: Browser, act: str, ids: list[int], **given: Any) -> Answer:
    return await browser.post("/admin/media/bulk", {"act": act, "id": ids, **given})


async def asset(site: Site, number: int) -> Asset:
    async with site.database.read() as session:
        return await session.get_one(Asset, number)


async def test_page_shows_what_its_address_asks_for(site: Site) -> None:
    ana = await site.signed_in("author")
    assert "Nothing in the library yet" in (await ana.get("/admin/media")).words
    await rows(site, "author", 3)
    await rows(site, "editor", 1, alt="Mud")
    page = (await ana.get("/admin/media")).page
    assert words(by_class(page, "asset")[0]) == "Choose tide-2.png tide-2.png No alternative text"
    assert len([box for box in page.iter("input") if box.get("name") == "id"]) == 3, "one's own"
    assert by_class(page, "asset")[0].find("img").get("src").endswith("/320/tide-2.webp")
    answer = await ana.get("/admin/media?view=list&without_alt=on&sort=name")
    assert [words(each) for each in by_class(answer.page, "title")] == ["tide-0.png", "tide-1.png", "tide-2.png"]
    assert "Without alternative text" in answer.words
    assert "Nothing is like that" in (await ana.get("/admin/media?q=xylophone")).words
    assert "Pictures" in (await ana.get("/admin/media/room")).words
    typed = await ana.get("/admin/media?since=yesterday")
    assert (typed.status, words(by_id(typed.page, "since-error"))) == (422, "Write a day of the calendar, like 2026-11-29.")
    for address in ("?sort=colour", "?folder=99", "?view=3d", "?folder=x"):
        assert (await ana.get(f"/admin/media{address}")).status == 404, address
    assert path_of((await ana.get("/admin/media?page=9")).location) == "/admin/media"
    assert (await (await site.signed_in("contributor")).get("/admin/media")).status == 403


async def test_page_asks_as_often_whatever_its_length(site: Site) -> None:
    ana, asked = await site.signed_in("author"), []
    for number in (2, 30):
        async with site.database.transaction() as work:
            work.session.add_all(
                asset_row(digest=f"{number:032x}{n:032x}", name=f"{n}.png", created_at=work.now, created_by_id=None) for n in range(number)
            )
        with watching.questions(site.database) as sent:
            await ana.get("/admin/media?view=list")
        asked.append(len(sent))
    assert asked[0] == asked[1], asked


async def test_words_are_saved_and_two_who_change_them_see_both(site: Site) -> None:
    ana, edna = await site.signed_in("author"), await site.signed_in("editor")
    number = await brought(site)
    mine, hers = await one(ana, number), await one(edna, number)
    assert (await ana.post(f"/admin/media/{number}", {**mine, "alt": "Boats", "tags": "Sea, Mud", "name": "Old Harbour"})).status == 303
    kept = await asset(site, number)
    assert (kept.alt, kept.name) == ("Boats", "old-harbour.png")
    answer = await edna.post(f"/admin/media/{number}", {**hers, "alt": "Ships", "credit": "Leila"})
    assert answer.status == 409
    assert title(answer).startswith("Error:")
    differing = words(by_class(answer.page, "plain-table")[0])
    assert "Boats" in differing
    assert "Ships" in differing
    again = fields(answer.page, form_of(answer.page, form_id="asset"))
    assert (await edna.post(f"/admin/media/{number}", {**again, "name": "harbour"})).status == 303
    kept = await asset(site, number)
    assert (kept.alt, kept.credit, kept.name) == ("Ships", "Leila", "harbour.png")
    wrong = await edna.post(f"/admin/media/{number}", {**await one(edna, number), "crop_width": "2", "focus_x": "101"})
    assert wrong.status == 422
    assert "At least 5 percent have to stay." in wrong.words
    assert "media.edit" in (await (await site.signed_in("owner")).get(f"/admin/media/{number}")).text


async def test_focus_turn_and_crop_make_what_readers_get_and_are_taken_back(site: Site) -> None:
    ana = await site.signed_in("author")
    number = await brought(site)
    at, before = f"/admin/media/{number}", await asset(site, number)
    cut = {"focus_x": "75", "focus_y": "10", "rotation": "90", "crop_left": "0", "crop_top": "50", "crop_width": "100", "crop_height": "50"}
    there = await kept(site)
    assert (await ana.post(at, {**await one(ana, number), **cut, "name": "!"})).status == 422
    async with site.database.read() as session:
        forgotten = await session.scalars(select(Job).where(Job.name == FORGETTING))
        assert {storage_name(job.payload["digest"]) for job in forgotten} == await kept(site) - there != set(), "of what was refused"
    assert (await ana.post(at, {**await one(ana, number), **cut})).status == 303
    now = await asset(site, number)
    assert (now.focus, now.edits) == ((75, 10), {"rotation": 90, "crop": [0, 5000, 10000, 5000]})
    assert (now.width, now.height, now.digest) == (200, 200, before.digest)
    shown = Image.open(io.BytesIO((await ana.get(now.path)).body)).convert("RGB")
    assert shown.size == (200, 200)
    assert shown.getpixel((100, 150)) == (255, 215, 0), "of the turned picture the lower half: what was at the right"
    sent = await ana.get(f"{at}/original")
    assert (sent.body, sent.headers["Content-Disposition"]) == (picture(), "attachment; filename*=UTF-8''harbour.png")
    looked = await ana.get(f"{at}/original?shown=on")
    assert (looked.headers["Content-Type"], looked.headers.get("Content-Disposition")) == ("image/png", None)
    assert looked.headers["Content-Security-Policy"].startswith("sandbox")
    whole = {"rotation": "0", "crop_left": "", "crop_top": "", "crop_width": "", "crop_height": ""}
    assert (await ana.post(at, {**await one(ana, number), **whole})).status == 303
    assert ((await asset(site, number)).edits, (await asset(site, number)).shown_digest) == ({}, before.shown_digest)


async def kept(site: Site) -> set[str]:
    return {name async for name, _ in site.application.parts.storage.list()}


async def test_script_that_brought_a_picture_says_what_it_shows(site: Site) -> None:
    ana, otto = await site.signed_in("author"), await site.signed_in("editor")
    number = await brought(site, "editor")
    at, accept = f"/admin/media/{number}", {"Accept": "application/json"}
    assert (await ana.post(at, {"alt": "Boats"}, **accept)).status == 403
    answer = await otto.post(at, {"alt": "Boats"}, **accept)
    assert {**json.loads(answer.body), "version": 0} == {"id": number, "alt": "Boats", "is_decorative": False, "version": 0}
    assert json.loads((await otto.post(at, {"is_decorative": "on"}, **accept)).body)["is_decorative"] is True


async def test_alternative_texts_are_written_into_the_list_of_those_without(site: Site) -> None:
    ana = await site.signed_in("author")
    first, second, third = await rows(site, "author", 3)
    (theirs,) = await rows(site, "editor", 1)
    page = (await ana.get("/admin/media?view=list&without_alt=on")).page
    assert page.find(".//div[@class='news']").get("data-many") == "%d files changed."
    names = fields(page, form_of(page, form_id="alts"))
    assert {f"alt-{number}" for number in (first, second, third)} <= names.keys()
    assert f"alt-{theirs}" not in names
    sent = {
        f"alt-{first}": "A harbour",
        f"alt-{second}": "",
        f"alt-{third}": "",
        f"is_decorative-{third}": "on",
        "list": "view=list&without_alt=on",
    }
    answer = await ana.post("/admin/media/alternative-texts", sent)
    assert answer.location == "/admin/media?without_alt=on&view=list"
    assert "2 alternative texts were saved." in (await ana.get(answer.location)).words
    assert [((row := await asset(site, number)).alt, row.is_decorative) for number in (first, second, third)] == [
        ("A harbour", False), ("", False), ("", True),
    ]  # fmt: skip
    refused = await ana.post("/admin/media/alternative-texts", {f"alt-{theirs}": "Mine", f"alt-{second}": "x" * 1001})
    assert "Nothing was changed." in refused.words
    assert "It is not yours to change." in refused.words
    assert (await asset(site, theirs)).alt == (await asset(site, second)).alt == ""
    assert "Nothing was changed." in (await ana.get((await ana.post("/admin/media/alternative-texts", {})).location)).words


async def test_each_role_sees_all_and_changes_what_it_may(site: Site) -> None:
    ana, edna, cem = [await site.signed_in(role) for role in ("author", "editor", "contributor")]
    hers, mine = (await rows(site, "editor", 1))[0], (await rows(site, "author", 1))[0]
    page = (await ana.get(f"/admin/media/{hers}")).page
    assert by_id(page, "alt").get("readonly") is not None
    assert not by_class(page, "savebar")
    for at in (f"/admin/media/{hers}", f"/admin/media/{hers}/tracks"):
        assert (await ana.post(at, {"name": "x", "track": "1", "language": "en", "label": "English"})).status == 403
    for at in (f"/admin/media/{mine}", f"/admin/media/{mine}/original", "/admin/media", "/admin/media/room"):
        assert (await cem.get(at)).status == 403
    report = await bulk(ana, "trash", [mine, hers])
    assert (report.status, "1 file was moved to the trash." in report.words) == (200, True)
    assert "tide-0.png It is not yours to change." in report.words
    assert (await edna.get(f"/admin/media/{mine}")).status == 200, "editors take it out again"
    assert (await asset(site, hers)).trashed_at is None
    assert (await bulk(edna, "restore", [mine])).status == 303
    folder = path_of((await edna.post("/admin/media/folders", {"name": "Maps"})).location)
    assert folder == "/admin/media"
    assert (await ana.post("/admin/media/folders/1", {"name": "Mine"})).status == 403
    assert (await ana.post("/admin/media/folders/1", {"_method": "delete"})).status == 403


async def test_what_is_shown_is_moved_to_the_trash_by_a_second_button_that_names_the_places(site: Site) -> None:
    ana = await site.signed_in("author")
    number = (await rows(site, "author", 1))[0]
    actor = await person(site.database, "author")
    await published(site.database, actor, title="Mud, and what lives in it", text=f"![](/media/{number}/tide-0.png)")
    assert "Mud, and what lives in it" in (await ana.get(f"/admin/media/{number}")).words
    asked = await bulk(ana, f"trash-{number}", [], list="view=list")
    assert asked.status == 200
    assert "Mud, and what lives in it Readers see it there" in asked.words
    form = fields(asked.page, form_of(asked.page, "/admin/media/bulk"))
    assert (await asset(site, number)).trashed_at is None
    answer = await ana.post("/admin/media/bulk", {**form, "act": "trash"})
    assert (answer.status, answer.location) == (303, "/admin/media?view=list")
    trashed = await ana.get("/admin/media?trash=on")
    assert "tide-0.png" in trashed.words
    undo = form_of((await ana.get("/admin/media?trash=on")).page, "/admin/media/bulk")
    assert undo is not None
    final = await bulk(ana, "delete", [number])
    assert "This cannot be undone." in final.words
    gone = await ana.post("/admin/media/bulk", {**fields(final.page, form_of(final.page, "/admin/media/bulk")), "act": "delete"})
    assert gone.status == 303
    assert (await ana.get(f"/admin/media/{number}")).status == 404


async def test_folders_are_made_moved_and_deleted_by_forms(site: Site) -> None:
    edna = await site.signed_in("editor")
    number = (await rows(site, "editor", 1))[0]
    outer = (await edna.post("/admin/media/folders", {"name": "Figures"})).location.partition("=")[2]
    inner = (await edna.post("/admin/media/folders", {"name": "Maps", "parent": outer})).location.partition("=")[2]
    refused = await edna.post("/admin/media/folders", {"name": "maps", "parent": outer})
    assert (refused.status, words(by_id(refused.page, "name-error"))) == (422, "There is a folder of this name already.")
    ring = await edna.post(f"/admin/media/folders/{outer}", {"name": "Figures", "parent": inner})
    assert (ring.status, "cannot lie in itself" in ring.words) == (422, True)
    assert (await bulk(edna, "move", [number], to_folder=inner, list=f"folder={outer}")).location == f"/admin/media?folder={outer}"
    assert "tide-0.png" in (await edna.get(f"/admin/media?folder={outer}")).words
    assert (await edna.post(f"/admin/media/folders/{inner}", {"name": "Charts", "parent": ""})).status == 303
    assert "This folder is empty" in (await edna.get(f"/admin/media?folder={outer}")).words
    assert (await edna.post(f"/admin/media/folders/{inner}", {"_method": "delete"})).location == "/admin/media"
    assert (await asset(site, number)).folder_id is None
    nothing = await bulk(edna, "add_tags", [number])
    assert (nothing.status, words(by_id(nothing.page, "tags-error"))) == (422, "Write the tags, with commas between.")


async def test_film_has_captions_and_a_picture_before_it(site: Site) -> None:
    ana = await site.signed_in("author")
    film = (await rows(site, "author", 1, kind="video", content_type="video/mp4"))[0]
    words_of_it = await brought(site, name="en.vtt", content=b"WEBVTT\n\n00:00.000 --> 00:02.000\nLow water.\n")
    poster, at = await brought(site), f"/admin/media/{film}"
    assert (await ana.post(at, {**await one(ana, film), "poster": str(poster)})).status == 303
    assert (await asset(site, film)).poster_id == poster
    for track, status in ((poster, 422), (words_of_it, 303)):
        answer = await ana.post(f"{at}/tracks", {"track": str(track), "language": "en", "label": "English"})
        assert answer.status == status
    assert (await ana.post(f"{at}/tracks", {"track": str(words_of_it), "language": "?", "label": "x"})).status == 422
    page = await ana.get(at)
    assert page.page.find(".//video/track").get("src") == (await asset(site, words_of_it)).path
    assert "media-src 'self'" in page.headers["Content-Security-Policy"], "or it would not play"
    assert words(next(row for row in page.page.iter("li") if "Take away" in words(row))) == "Englishenen.vtt Take away"
    assert "Stands before it, or has its words" in (await ana.get(f"/admin/media/{poster}")).words
    assert (await ana.post(f"{at}/tracks", {"_method": "delete", "language": "en"})).status == 303
    assert "None so far." in (await ana.get(at)).words


async def test_picker_shows_the_same_to_be_chosen(site: Site) -> None:
    ana = await site.signed_in("author")
    number = (await rows(site, "author", 1, alt="Mud"))[0]
    await rows(site, "editor", 1, kind="file", content_type="application/pdf")
    page = (await ana.get("/admin/media?pick=picture")).page
    (link,) = [each for each in page.iter("a") if each.get("data-pick")]
    assert (link.get("data-pick"), link.get("data-alt"), link.get("data-markdown")) == (
        str(number),
        "Mud",
        f"![](/media/{number}/tide-0.png)",
    )
    assert not [box for box in page.iter("input") if box.get("name") == "id"]
    others = [each.get("href") or "" for each in page.iter("a") if re.match(r"/admin/media\?", each.get("href") or "")]
    assert others
    assert all("pick=picture" in each for each in others if "folder" in each or "sort" in each)
