"""People at the desk: inviting, changing and deleting accounts, as administrators and those whom it concerns meet it."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import select

from cms.models import AuditEntry, Job, User
from cms.rendering import Renderer
from cms.services import accounts, invitations, notices
from cms.services import site as sites
from cms.services.notices import Notice
from cms.telemetry import Metrics
from cms.wording import say
from cms.worker import loop
from cms.worker.tasks import Means
from tests import factories
from tests.handlers.admin.pages import buttons, by_class, by_id, fields, form_of, words
from tests.postbox import Postbox, free_port, link_in, postbox, text_of
from tests.watching import Clock, orders, questions
from tests.web import PASSWORD, Answer, Browser, Site, path_of, running_site

NEW = "another slow tide"


@pytest.fixture
async def mailing(database_url: str, tmp_path: Path, renderer: Renderer) -> AsyncIterator[tuple[Site, Postbox]]:
    """A site with a mail server."""
    with postbox() as box:
        options = {"smtp_url": box.url(), "mail_from": "desk@example.org"}
        async with running_site(database_url, tmp_path / "data", renderer=renderer, **options) as site:
            await site.person("owner")
            yield site, box


async def work_off(site: Site) -> None:
    """What the worker would do."""
    parts = site.application.parts
    means = Means(
        parts.database, parts.sealer, parts.mailer, parts.storage, parts.renderer, parts.imaging, parts.renditions,
        parts.settings.public_url, parts.settings.data,
    )  # fmt: skip
    while await loop.run_next(means, Metrics()):
        pass


async def user_of(site: Site, email: str) -> User:
    async with site.database.read() as session:
        return (await session.scalars(select(User).where(User.email == email))).one()


def shown_link(answer: Answer) -> str:
    return path_of(by_id(answer.page, "link").get("value") or "")


async def invited(browser: Browser, email: str = "nia@example.org", **form: str) -> str:
    """The path of a link that was shown."""
    answer = await browser.post("/admin/people/invitations", {"email": email, "role": "editor", **form})
    assert answer.status == 200, answer.text
    return shown_link(answer)


def invitation_ids(answer: Answer) -> list[str]:
    return re.findall(r'action="/admin/people/invitations/(\d+)"', answer.text)


# --- invitations -----------------------------------------------------------------------------------------------------------


async def test_invited_person_makes_an_account_with_the_role_that_was_meant(site: Site) -> None:
    admin, nia = await site.signed_in("owner"), site.browser()
    path = await invited(admin, name="Nia Bell")
    page = await nia.get(path)
    assert (page.status, page.headers["Referrer-Policy"], page.headers["Cache-Control"]) == (200, "no-referrer", "no-store")
    assert fields(page.page)["name"] == "Nia Bell"
    assert "nia@example.org" in page.words
    refused = await nia.post(path, {"name": "Nia Bell", "password": "short"})
    assert refused.status == 422
    refused = await nia.post(path, {"name": "", "password": "niabell123"})
    assert ("This is needed." in refused.words, "This is easy to guess." in refused.words) == (True, True), "all in one round"
    answer = await nia.post(path, {"name": "Nia Bell", "password": NEW})
    assert (answer.status, answer.location) == (303, "/admin")
    assert (await nia.get("/admin/pages")).status == 200, "an editor, signed in"
    assert (await nia.get("/admin/people")).status == 403
    assert (await site.browser().sign_in("nia@example.org", NEW)).status == 303
    for again in (await site.browser().get(path), await site.browser().post(path, {"name": "X", "password": NEW})):
        assert again.status == 404
        assert "used already, or has ended" in again.words


async def test_open_invitations_are_listed_renewed_and_withdrawn(site: Site) -> None:
    admin = await site.signed_in("administrator")
    first = await invited(admin)
    people = await admin.get("/admin/people")
    assert "1 invitation open" in people.words
    (number,) = invitation_ids(people)
    second = shown_link(await admin.post(f"/admin/people/invitations/{number}"))
    assert [(await site.browser().get(path)).status for path in (first, second)] == [404, 200]
    (number,) = invitation_ids(await admin.get("/admin/people"))
    withdrawn = await admin.post(f"/admin/people/invitations/{number}", {"_method": "delete"})
    assert withdrawn.status == 303
    assert (await site.browser().get(second)).status == 404
    assert invitation_ids(await admin.get("/admin/people")) == []
    assert (await admin.post(f"/admin/people/invitations/{number}", {"_method": "delete"})).status == 404


async def test_second_invitation_of_an_address_ends_the_first(site: Site) -> None:
    admin = await site.signed_in("owner")
    first, second = await invited(admin), await invited(admin, role="author")
    assert [(await site.browser().get(path)).status for path in (first, second)] == [404, 200]
    answer = await admin.post("/admin/people/invitations", {"email": "nia@example.org", "role": "editor"})
    assert "A link that was made for this address before leads nowhere now." in answer.words, "also to who loads the page again"


async def test_letter_with_a_link_that_is_void_is_not_sent_any_more(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    admin = await site.signed_in("owner")
    mail = {"email": "nia@example.org", "role": "author", "by_mail": "on"}
    for _ in range(2):
        assert (await admin.post("/admin/people/invitations", mail)).status == 303
    await work_off(site)
    assert len(box.letters) == 1
    assert (await admin.post("/admin/people/invitations", {**mail, "email": "bo@example.org"})).status == 303
    async with site.database.transaction() as work:
        (job,) = await work.session.scalars(select(Job).where(Job.key.is_not(None), Job.finished_at.is_(None), Job.name == "send_mail"))
        carrier = json.loads(site.application.parts.sealer.open(job.payload["sealed"]))["facts"]["carrier"]
        await invitations.accept(work, carrier, "Bo", None)
    await work_off(site)
    assert {letter["To"] for letter in box.letters[1:]} == {"owner@example.org"}


async def test_of_two_invitations_of_an_address_at_once_one_is_open(site: Site) -> None:
    admins = [await site.signed_in(role) for role in ("owner", "administrator")]
    paths = await asyncio.gather(*(invited(admin, role=role) for admin, role in zip(admins, ("editor", "administrator"), strict=True)))
    assert sorted([(await site.browser().get(path)).status for path in paths]) == [200, 404]


async def test_invitation_ends_with_the_standing_of_who_invited(site: Site) -> None:
    admin, owner = await site.signed_in("administrator"), await site.signed_in("owner")
    path = await invited(admin)
    await owner.post(f"/admin/people/{await site.person('administrator')}/role", {"role": "editor"})
    assert (await site.browser().get(path)).status == 404
    assert (await site.browser().post(path, {"name": "N", "password": NEW})).status == 404


@pytest.mark.parametrize(("email", "role"), [("owner@example.org", "editor"), ("x@example.org", "owner"), ("no address", "editor")])
async def test_wrong_invitation_is_refused_with_what_was_typed(site: Site, email: str, role: str) -> None:
    admin = await site.signed_in("owner")
    answer = await admin.post("/admin/people/invitations", {"email": email, "role": role, "name": "Nia"})
    assert answer.status == 422
    assert fields(answer.page)["name"] == "Nia"
    assert by_class(answer.page, "problems")


async def test_invitation_comes_by_mail(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    admin = await site.signed_in("administrator")
    answer = await admin.post("/admin/people/invitations", {"email": "nia@example.org", "name": "Nia", "role": "author", "by_mail": "on"})
    assert (answer.status, answer.location) == (303, "/admin/people")
    async with site.database.read() as session:
        payload = str((await session.scalars(select(Job.payload).where(Job.name == "send_mail"))).all())
    assert "nia" not in payload, "neither the address nor the link can be read in the table"
    await work_off(site)
    (letter,) = box.letters
    assert letter["Subject"] == "An invitation to The Tide Table"
    assert "Administrator Person invites you" in text_of(letter)
    assert (await site.browser().post(path_of(link_in(letter)), {"name": "Nia", "password": NEW})).status == 303
    await work_off(site)
    assert (box.letters[-1]["To"], box.letters[-1]["Subject"]) == ("administrator@example.org", "Nia accepted your invitation")


# --- passwords -------------------------------------------------------------------------------------------------------------


async def test_new_password_by_a_letter(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    elsewhere = await site.signed_in("author")
    asked = await site.browser().post("/password", {"email": "author@example.org"})
    unknown = await site.browser().post("/password", {"email": "nobody@example.org"})
    assert (asked.status, asked.words) == (unknown.status, unknown.words) == (200, asked.words)
    assert box.letters == [], "the answer waits for no server"
    await work_off(site)
    (letter,) = box.letters
    assert letter["To"] == "author@example.org"
    path, browser = path_of(link_in(letter)), site.browser()
    page = await browser.get(path)
    assert (page.status, page.headers["Referrer-Policy"]) == (200, "no-referrer")
    assert (await browser.post(path, {"password": "short"})).status == 422
    answer = await browser.post(path, {"password": NEW})
    assert (answer.status, answer.location) == (303, "/login")
    assert (await elsewhere.get("/admin")).location.startswith("/login"), "signed out everywhere"
    assert (await site.browser().sign_in("author@example.org", PASSWORD)).status == 422
    assert (await site.browser().sign_in("author@example.org", NEW)).status == 303
    ended = await browser.get(path)
    assert ended.status == 404
    assert [link.get("href") for link in by_class(ended.page, "primary")] == ["/password"], "where there is a new one"
    assert (await browser.post(path, {"password": NEW})).status == 404
    await work_off(site)
    assert "Your password was changed" in [letter["Subject"] for letter in box.letters]


async def test_known_and_unknown_addresses_cost_the_same(site: Site) -> None:
    await site.person("author")
    browser, asked = site.browser(), {}
    for email in ("warming@example.org", "author@example.org", "nobody@example.org"):
        with orders(site.database) as sent, questions(site.database) as read:
            await browser.post("/password", {"email": email})
        asked[email] = [statement for statement, _ in (*sent, *read)]
    assert asked["author@example.org"] == asked["nobody@example.org"]
    assert not any("FROM users" in statement for statement in asked["author@example.org"]), "whose it is, nobody has looked"


async def test_only_the_last_link_sets_a_password(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    await site.person("author")
    for _ in range(2):
        await site.browser().post("/password", {"email": "author@example.org"})
    await work_off(site)
    first, second = (path_of(link_in(letter)) for letter in box.letters)
    assert [(await site.browser().get(path)).status for path in (first, second)] == [404, 200]


async def test_who_is_disabled_gets_no_link(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    owner, author = await site.signed_in("owner"), await site.person("author")
    await site.browser().post("/password", {"email": "author@example.org"})
    await work_off(site)
    path = path_of(link_in(box.letters[0]))
    await owner.post(f"/admin/people/{author}/access", {"_method": "delete"})
    assert (await site.browser().get(path)).status == 404
    await site.browser().post("/password", {"email": "author@example.org"})
    await work_off(site)
    assert len(box.letters) == 1


async def test_asking_too_often_is_refused_for_everybody_alike(site: Site) -> None:
    await site.person("author")
    answers = {}
    for email in ("author@example.org", "nobody@example.org"):
        for _ in range(5):
            assert (await site.browser().post("/password", {"email": email})).status == 200
        answers[email] = await site.browser().post("/password", {"email": email})
    assert {answer.status for answer in answers.values()} == {429}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in answers.values())
    assert len({answer.words for answer in answers.values()}) == 1


async def test_without_mail_the_link_is_in_the_terminal_and_with_an_administrator(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    owner, author = await site.signed_in("owner"), await site.person("author")
    answer = await site.browser().post("/password", {"email": "author@example.org"})
    assert "terminal" in answer.words
    await work_off(site)
    found = re.search(r"A new password, for author@example.org .*\n  http://\S+?(/password/\S+)", capsys.readouterr().out)
    assert found
    invitation = await invited(owner)
    await work_off(site)
    said = capsys.readouterr().out
    assert "An invitation to" in said
    assert invitation in said
    assert "new device" not in said, "what lets nobody in"
    assert (await site.browser().get(found[1])).status == 200
    assert "Make the link" in (await owner.get(f"/admin/people/{author}/password")).words
    made = await owner.post(f"/admin/people/{author}/password")
    assert "one that was made before leads nowhere now" in made.words
    path = shown_link(made)
    assert (await site.browser().get(found[1])).status == 404, "one link at a time"
    assert (await site.browser().post(path, {"password": NEW})).status == 303
    assert (await site.browser().sign_in("author@example.org", NEW)).status == 303


# --- another e-mail address ------------------------------------------------------------------------------------------------


async def test_address_changes_when_both_have_said_yes(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    author = await site.signed_in("author")
    assert (await author.post("/account/email", {"email": "author@example.org"})).status == 422
    assert (await author.post("/account/email", {"email": "new@example.org"})).status == 303
    await work_off(site)
    assert [letter["To"] for letter in box.letters] == ["author@example.org", "new@example.org"]
    old, new = (path_of(link_in(letter)) for letter in box.letters)
    stranger = site.browser()
    asked = await stranger.get(new)
    assert asked.status == 200, "to look at it does nothing yet"
    assert "Author Person signs in with new@example.org from then on." in asked.words
    assert "author@example.org" not in asked.text, "who opens it may be a stranger"
    assert "other address" in (await stranger.post(new)).words
    assert (await stranger.get(new)).status == 404
    assert (await user_of(site, "author@example.org")).name == "Author Person"
    assert "is changed" in (await stranger.post(old)).words
    assert (await site.browser().sign_in("new@example.org")).status == 303
    assert (await site.browser().sign_in("author@example.org")).status == 422
    await work_off(site)
    assert ("author@example.org", "Your e-mail address was changed") in [(letter["To"], letter["Subject"]) for letter in box.letters]


async def test_without_mail_both_links_are_in_the_terminal(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    author = await site.signed_in("author")
    assert "shown on the terminal" in (await author.get("/account/email")).words
    assert (await author.post("/account/email", {"email": "new@example.org"})).status == 303
    await work_off(site)
    links = re.findall(r", for (\S+) .*\n  http://\S+?(/account/email/\S+)", capsys.readouterr().out)
    assert [to for to, _ in links] == ["author@example.org", "new@example.org"]
    for _, path in links:
        assert (await site.browser().post(path)).status == 200
    assert (await site.browser().sign_in("new@example.org")).status == 303


async def test_address_that_somebody_else_has_is_refused_at_the_end_only(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    author = await site.signed_in("author")
    assert (await author.post("/account/email", {"email": "owner@example.org"})).status == 303, "nobody learns whose it is"
    await work_off(site)
    old, new = (path_of(link_in(letter)) for letter in box.letters)
    assert (await site.browser().post(old)).status == 200
    refused = await site.browser().post(new)
    assert refused.status == 422
    assert "Somebody has this address already" in refused.words
    assert buttons(refused.page) == [], "it would be refused again"


async def test_second_wish_voids_the_first(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    author = await site.signed_in("author")
    for email in ("one@example.org", "two@example.org"):
        await author.post("/account/email", {"email": email})
    await work_off(site)
    links = [path_of(link_in(letter)) for letter in box.letters]
    assert [(await site.browser().get(path)).status for path in links] == [404, 404, 200, 200]


async def test_administrator_changes_an_address_at_once(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    owner, author = await site.signed_in("owner"), await site.person("author")
    await site.browser().post("/password", {"email": "author@example.org"})
    await work_off(site)
    path = path_of(link_in(box.letters[0]))
    assert (await owner.post(f"/admin/people/{author}/email", {"email": "owner@example.org"})).status == 422
    assert (await owner.post(f"/admin/people/{author}/email", {"email": "new@example.org"})).status == 303
    assert (await site.browser().get(path)).status == 404, "whoever reads the old address gets in no more"
    await work_off(site)
    assert box.letters[-1]["To"] == "author@example.org"


# --- the list and one person -----------------------------------------------------------------------------------------------


async def test_list_shows_and_finds_people(site: Site) -> None:
    owner = await site.signed_in("owner")
    ana = await factories.person(site.database, "author", "Ana Silva")
    await factories.person(site.database, "editor", "Edna Reed")
    await factories.published(site.database, ana, title="Low tide")
    people = await owner.get("/admin/people")
    rows = [words(row) for row in people.page.iter("tr")][1:]
    assert [name in row for name, row in zip(("Ana Silva", "Edna Reed", "Olga Owner"), rows, strict=True)] == [True] * 3
    assert ["No password" in rows[0], "Password only" in rows[2]] == [True, True]
    assert "1 text" in rows[0]
    assert "not signed in" in rows[0]
    assert "just now" in rows[2]
    for query, found in (("?q=ana", 1), ("?q=example.org+reed", 1), ("?role=editor", 1), ("?q=nobody", 0), ("?role=disabled", 0)):
        assert len(list((await owner.get(f"/admin/people{query}")).page.iter("tr"))) == (found + 1 if found else 0), query
    assert (await owner.get("/admin/people?role=reader")).status == 404


async def test_one_person_is_renamed_disabled_enabled_and_signed_out(site: Site) -> None:
    owner, author = await site.signed_in("owner"), await site.signed_in("author")
    number = await site.person("author")
    assert (await owner.post(f"/admin/people/{number}", {"name": ""})).status == 422
    assert (await owner.post(f"/admin/people/{number}", {"name": "Ana da Silva"})).status == 303
    assert "Ana da Silva" in (await owner.get(f"/admin/people/{number}")).words
    assert (await owner.post(f"/admin/people/{number}/sessions", {"_method": "delete"})).status == 303
    assert (await author.get("/admin")).location.startswith("/login")
    assert (await author.sign_in("author@example.org")).status == 303
    assert (await owner.post(f"/admin/people/{number}/access", {"_method": "delete"})).status == 303
    assert "Disabled, and signed out everywhere." in (await owner.get(f"/admin/people/{number}")).words
    assert (await author.get("/admin")).location.startswith("/login"), "at once"
    assert (await author.sign_in("author@example.org")).status == 422
    assert "disabled" in (await owner.get("/admin/people")).words
    assert (await owner.post(f"/admin/people/{number}/access")).status == 303
    assert (await author.sign_in("author@example.org")).status == 303


async def test_role_is_changed_and_told(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    owner, author, number = await site.signed_in("owner"), await site.signed_in("author"), await site.person("author")
    assert (await owner.post(f"/admin/people/{number}/role", {"role": "owner"})).status == 422
    assert (await owner.post(f"/admin/people/{number}/role", {"role": "editor"})).status == 303
    assert (await author.get("/admin")).location.startswith("/login")
    await work_off(site)
    assert "Your role from now on: editor." in text_of(box.letters[0])


async def test_nobody_runs_his_own_account_or_the_owners(site: Site) -> None:
    administrator, owner = await site.signed_in("administrator"), await site.signed_in("owner")
    mine, theirs = await site.person("administrator"), await site.person("owner")
    of_oneself = {
        "/role": {"role": "editor"},
        "/access": {"_method": "delete"},
        "/deletion": {"heir": str(await site.person("editor"))},
    }
    of_the_owner = {
        **of_oneself,
        "": {"name": "Stolen"},
        "/sessions": {"_method": "delete"},
        "/password": {},
        "/email": {"email": "stolen@example.org"},
    }
    before = await standing(site)
    for browser, number, acts in ((administrator, mine, of_oneself), (administrator, theirs, of_the_owner), (owner, theirs, of_oneself)):
        for act, form in acts.items():
            refused = await browser.post(f"/admin/people/{number}{act}", form)
            assert (refused.status, words(next(refused.page.iter("h1")))) == (403, "Not possible"), (act, number)
            assert [link.get("href") for link in by_class(refused.page, "primary")] == [f"/admin/people/{number}"], "the way back"
            assert "Send again" not in buttons(refused.page), "it would be refused for ever"
    assert await standing(site) == before
    not_asked = {"role": 3, "deletion": 3, "password": 1, "email": 1}  # by an administrator of the owner, of oneself, by the owner
    for act, number_of in not_asked.items():
        for browser, number in ((administrator, theirs), (administrator, mine), (owner, theirs))[:number_of]:
            assert (await browser.get(f"/admin/people/{number}/{act}")).status == 403, (act, number)
    for browser in (administrator, owner):
        assert (await browser.get("/admin/people")).status == 200, "still signed in"


async def standing(site: Site) -> list[tuple[object, ...]]:
    async with site.database.read() as session:
        return [(user.email, user.role, user.name, user.disabled_at) for user in await session.scalars(select(User).order_by(User.id))]


async def test_ownership_is_handed_over_by_the_owner_alone(site: Site) -> None:
    owner, administrator, number = await site.signed_in("owner"), await site.signed_in("administrator"), await site.person("administrator")
    assert (await administrator.get(f"/admin/people/{number}/ownership")).status == 403
    assert (await administrator.post(f"/admin/people/{number}/ownership")).status == 403
    assert (await owner.get(f"/admin/people/{number}/ownership")).status == 200
    answer = await owner.post(f"/admin/people/{number}/ownership")
    assert (answer.status, answer.location) == (303, "/login")
    assert (await user_of(site, "owner@example.org")).role == "administrator"
    assert (await user_of(site, "administrator@example.org")).role == "owner"
    for browser in (owner, administrator):
        assert (await browser.get("/admin")).location.startswith("/login")


async def test_deleted_person_leaves_texts_to_another(site: Site) -> None:
    owner = await site.signed_in("owner")
    ana, edna = await factories.person(site.database, "author", "Ana Silva"), await factories.person(site.database, "editor", "Edna Reed")
    post = await factories.published(site.database, ana, title="Low tide")
    reader = site.browser()
    assert "Ana Silva" in (await reader.get(f"/{post.path}")).words
    assert (await owner.post(f"/admin/people/{ana.user_id}/deletion", {"heir": str(ana.user_id)})).status == 422
    assert (await owner.post(f"/admin/people/{ana.user_id}/deletion", {"heir": str(edna.user_id)})).status == 303
    page = await reader.get(f"/{post.path}")
    assert "Edna Reed" in page.words
    assert "Ana" not in page.text
    moved = await reader.get("/author/ana-silva")
    assert (moved.status, moved.location) == (301, "/author/edna-reed")
    assert "Low tide" in (await reader.get("/author/edna-reed")).words
    assert (await owner.get(f"/admin/people/{ana.user_id}")).status == 404
    async with site.database.read() as session:
        kept = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "user.delete"))).one()
    assert (kept.subject_id, kept.details) == (ana.user_id, {"heir": edna.user_id})


async def test_new_device_is_told_to_the_person(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    first = await site.signed_in("author")
    assert (await first.sign_in("author@example.org")).status == 303, "the same browser again"
    await work_off(site)
    assert box.letters == []
    assert (await site.browser().sign_in("author@example.org")).status == 303
    await work_off(site)
    (letter,) = box.letters
    assert letter["Subject"] == "A new device signed in"
    assert "127.0.0.1" in text_of(letter)


async def test_letters_speak_what_the_person_chose_else_what_the_site_speaks(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    ana, edna = await site.person("author"), await site.person("editor")
    async with site.database.transaction() as work:
        (await accounts.get(work.session, ana)).locale = "de"
        for user_id in (ana, edna):
            await notices.tell(work, user_id, Notice.ROLE, role=say("editor"))
        await notices.second_factor(work, ana, say("The passkey “{name}” was removed", name="{Save}"))
        await notices.enqueue(work, site.application.parts.sealer, Notice.RESET, to="ana@example.org", user_id=ana, carrier="x")
    await work_off(site)
    german, english, second, sealed = box.letters
    assert german["Subject"] == "Deine Rolle wurde geändert"
    assert "Deine Rolle ab jetzt: Redakteur." in text_of(german)
    assert "Your role from now on: editor." in text_of(english)
    assert "„{Save}“ wurde entfernt." in text_of(second)
    assert sealed["Subject"] == "Ein neues Passwort"
    async with site.database.transaction() as work:
        await sites.configure(work, language="de-AT")
        await notices.tell(work, edna, Notice.ROLE, role=say("editor"))
    await work_off(site)
    assert box.letters[-1]["Subject"] == "Deine Rolle wurde geändert"


# --- mail of the site ------------------------------------------------------------------------------------------------------


async def test_test_of_the_mail_arrives_or_says_why_not(mailing: tuple[Site, Postbox]) -> None:
    site, box = mailing
    admin = await site.signed_in("administrator")
    form = fields((page := (await admin.get("/admin/site/mail")).page), form_of(page, "/admin/site/mail"))
    assert (await admin.post("/admin/site/mail", form)).status == 303
    assert box.letters[0]["To"] == "administrator@example.org"
    box.refuses = "550 We know nobody <administrator@example.org>"
    answer = await admin.post("/admin/site/mail", form)
    assert "refused the recipient (550)" in answer.words
    assert "We know nobody <administrator@example.org>" in answer.words


async def test_without_a_mail_server_there_is_no_test(site: Site) -> None:
    admin = await site.signed_in("owner")
    assert "SQUALL_SMTP_URL is not set" in (await admin.get("/admin/site/mail")).words
    assert (await admin.post("/admin/site/mail")).status == 404


async def test_letter_waits_for_a_server_that_is_away(database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    clock, port = Clock(), free_port()
    options = {"smtp_url": f"smtp+plain://localhost:{port}", "mail_from": "desk@example.org"}
    async with running_site(database_url, tmp_path / "data", renderer=renderer, clock=clock, **options) as site:
        await site.person("author")
        await site.browser().post("/password", {"email": "author@example.org"})
        await work_off(site)
        async with site.database.read() as session:
            job = (await session.scalars(select(Job).where(Job.name == "send_mail"))).one()
        assert f"localhost:{port} cannot be reached" in (job.error or "")
        assert "author@" not in (job.error or "")
        assert "/password/" not in (job.error or "")
        clock.pass_(minutes=2)
        with postbox(port) as box:
            await work_off(site)
        assert len(box.letters) == 1
