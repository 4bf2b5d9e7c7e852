"""Imports, exports, backups, checks and jobs at the desk, done by the real command line."""

import asyncio
import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from cms.errors import OperatorError
from cms.handlers.admin.system import JOBS
from cms.mail import MailFailed
from cms.models import Job
from cms.models.desk import TransferKind
from cms.policy import SYSTEM
from cms.rendering import Renderer
from cms.schemas.transfers import BackupPlan
from cms.services import jobs, transfer_runs
from cms.wording import say
from cms.worker import errands, loop
from cms.worker.tasks import TASKS, Means
from tests import factories
from tests.watching import Clock
from tests.web import Answer, Browser, Site, running_site

GERMAN = {"Accept-Language": "de"}
LONG = pytest.mark.timeout(240)


def means_of(site: Site) -> Means:
    parts = site.application.parts
    return Means(
        parts.database, parts.sealer, parts.mailer, parts.storage, parts.renderer, parts.imaging, parts.renditions,
        parts.settings.public_url, parts.settings.data,
    )  # fmt: skip


async def work_off(site: Site) -> None:
    while await loop.run_next(means_of(site), site.application.parts.metrics, is_long=True):
        pass


def zipped(files: dict[str, str]) -> bytes:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return kept.getvalue()


async def send(browser: Browser, content: bytes, **fields: str) -> Answer:
    await browser.get("/admin/transfers")
    form = {"_xsrf": browser.cookies["xsrf"], **fields}
    return await browser.upload("/admin/transfers/imports", form, "archive", "site.zip", "application/zip", content)


BLOG = {
    "blog/config.toml": 'base_url = "https://old.example"\ntitle = "Old"\n',
    "blog/content/low-tide.md": '+++\ntitle = "Low tide"\ndate = 2020-01-02\n+++\nMud at last. ![Mud](gone.png)\n',
}


@LONG
async def test_archive_is_rehearsed_brought_in_and_taken_out_again(site: Site) -> None:
    owner, reader = await site.signed_in("owner"), site.browser()
    rehearsal = await send(owner, zipped(BLOG), rehearsal="on", permalink="/{slug}")
    assert rehearsal.status == 303
    assert "It begins within a few seconds." in (await owner.get(rehearsal.location)).words
    await work_off(site)
    shown = await owner.get(rehearsal.location)
    assert "Would bring in: 1 post; found: 1 text." in shown.words
    assert "Würde importieren: 1 Beitrag; gefunden: 1 Text." in (await owner.get(rehearsal.location, **GERMAN)).words
    assert "Links, pictures and old addresses that lead nowhere gone.png content/low-tide.md:5" in shown.words
    assert (await reader.get("/low-tide")).status == 404
    real = await owner.post(rehearsal.location)
    assert real.status == 303, "what was rehearsed needs not be sent again"
    await work_off(site)
    shown = await owner.get(real.location)
    assert "Brought in: 1 post; found: 1 text." in shown.words
    assert (await owner.post(real.location)).status == 404, "only a rehearsal is brought in"
    async with asyncio.timeout(10):  # it was another process that brought it in: this one hears of it
        while (page := await reader.get("/low-tide")).status == 404:
            await asyncio.sleep(0.05)
    assert "Mud at last." in page.text
    report = await owner.get(f"{real.location}/report")
    assert report.headers["Content-Security-Policy"].startswith("sandbox")
    exported = await owner.post("/admin/transfers/exports")
    await work_off(site)
    archive = zipfile.ZipFile(io.BytesIO((await owner.get(f"{exported.location}/file")).body))
    assert "Mud at last." in archive.read("content/low-tide/index.md").decode()
    for path in (real.location, exported.location):
        assert (await owner.post(path, {"_method": "delete"})).status == 303
        assert (await owner.get(path)).status == 404
    left = [path.name for path in (site.application.parts.settings.data / "transfers").iterdir()]
    assert all(rehearsal.location.rsplit("/", 1)[1] in name or name.startswith("in-") for name in left)


@LONG
async def test_what_was_found_in_an_archive_is_said_in_the_language_of_whoever_looks(site: Site) -> None:
    owner = await site.signed_in("owner")
    broken = {"blog/content/one.md": '+++\ntitle = "One"\ndate = "soon"\n+++\n{{ map(id=1) }} [Out](../../../out.md)\n'}
    broken |= {"blog/content/two.md": "+++\ntitle\n+++\n", "blog/content/three.md": '+++\ntitle = "Three"\n+++\n![Mud](Pages)\n'}
    broken["blog/content/four.md"] = "+++\nrender = false\n+++\nFor nobody.\n"
    rehearsal = await send(owner, zipped({**BLOG, **broken}), rehearsal="on", permalink="/{slug}")
    await work_off(site)
    english, german = (await owner.get(rehearsal.location)).words, (await owner.get(rehearsal.location, **GERMAN)).words
    for said, told in (
        (
            "“soon” is no date; it has no date now, and is a draft",
            "„soon“ ist kein Datum; der Text hat jetzt kein Datum und ist ein Entwurf",
        ),
        ("the shortcode map", "der Shortcode map"),
        ("../../../out.md leads out of the folder", "../../../out.md führt aus dem Ordner hinaus"),
        ("the front matter cannot be read: ", "die Angaben am Anfang sind nicht zu lesen: "),
        ("had no address of its own: render = false", "hatte keine eigene Adresse: render = false"),
        ("Pages content/three.md:4", "Pages content/three.md:4"),
    ):
        assert said in english
        assert told in german
    person = await factories.person(site.database, "owner")
    async with site.database.transaction() as work:
        (row,) = await transfer_runs.list_of(work.session, person, [TransferKind.IMPORT])
        old = [{key: value for key, value in each.items() if key != "parts"} for each in (row.report or {})["findings"]]
        row.report = {**(row.report or {}), "findings": old}
    german = (await owner.get(rehearsal.location, **GERMAN)).words
    assert "the shortcode map" in german, "an earlier release kept no parts"
    assert "hatte keine eigene Adresse: render = false" in german


@LONG
async def test_what_is_no_archive_or_no_site_is_told_in_a_sentence(site: Site) -> None:
    owner = await site.signed_in("owner")
    for content, said in ((b"", "Choose a ZIP archive"), (b"<html>", "This is no ZIP archive.")):
        answer = await send(owner, content, permalink="/kept/{slug}")
        assert answer.status == 422
        assert said in answer.words
        assert "/kept/{slug}" in answer.text
    for content, said in ((b"PK\x03\x04broken", "no ZIP archive, or it is damaged"), (zipped({"a.txt": "x"}), "does not look like a site")):
        answer = await send(owner, content)
        assert answer.status == 303
        again = await send(owner, zipped(BLOG))
        assert "One is under way" in again.words
        await work_off(site)
        assert said in (await owner.get(answer.location)).words
    assert "sieht nicht nach einer Website von Zola, Hugo oder Jekyll aus" in (await owner.get(answer.location, **GERMAN)).words


def test_archive_writes_nothing_outside_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive, folder = tmp_path / "a.zip", tmp_path / "here" / "in"
    folder.parent.mkdir()
    archive.write_bytes(zipped({"../out.txt": "x", "/etc/out.txt": "x", "c:/out.txt": "x", "fine/in.txt": "x", "a\\..\\..\\b.txt": "x"}))
    errands.unpack(archive, folder)
    assert [path.relative_to(tmp_path).as_posix() for path in sorted(tmp_path.rglob("*.txt"))] == ["here/in/fine/in.txt"]
    monkeypatch.setattr(errands, "MOST_BYTES", 3)
    with pytest.raises(OperatorError, match="too much"):
        errands.unpack(archive, folder)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_archive_whose_bytes_are_damaged_is_refused(tmp_path: Path, method: int) -> None:
    kept = io.BytesIO()
    with zipfile.ZipFile(kept, "w", method) as packed:
        packed.writestr("a.md", "Mud at last. " * 50)
    content = kept.getvalue()
    start = content.index(b"a.md") + len("a.md") + (4 if method == zipfile.ZIP_LZMA else 0)
    archive = tmp_path / "a.zip"
    archive.write_bytes(content[:start] + b"\xff" * 8 + content[start + 8 :])
    with pytest.raises(OperatorError, match="damaged"):
        errands.unpack(archive, tmp_path / "in")


async def test_import_that_breaks_down_holds_up_no_other(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def break_down(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(errands, "unpack", break_down)
    owner = await site.signed_in("owner")
    first = await send(owner, zipped(BLOG))
    await work_off(site)
    assert "It could not be done." in (await owner.get(first.location)).words
    assert (await send(owner, zipped(BLOG))).status == 303
    assert (await owner.post(first.location, {"_method": "delete"})).status == 303


async def test_import_whose_worker_was_killed_each_time_holds_up_no_other(site: Site) -> None:
    owner, clock = await site.signed_in("owner"), Clock()
    site.database.clock = clock
    first = await send(owner, zipped(BLOG))
    for _ in range(jobs.MAX_ATTEMPTS):
        await TASKS["keep_idle"](means_of(site), {})
        async with site.database.transaction() as work:
            assert await jobs.claim(work, [transfer_runs.JOB], is_long=True)
        clock.pass_(minutes=10)
    assert "One is under way" in (await send(owner, zipped(BLOG))).words
    async with site.database.transaction() as work:
        assert await jobs.claim(work, [transfer_runs.JOB], is_long=True) is None
    await TASKS["keep_idle"](means_of(site), {})
    assert "Its worker ended each time" in (await owner.get(first.location)).words
    assert (await send(owner, zipped(BLOG))).status == 303


@LONG
async def test_backup_is_made_and_only_the_owner_takes_it_away(site: Site) -> None:
    owner, administrator = await site.signed_in("owner"), await site.signed_in("administrator")
    await factories.published(site.database, await factories.person(site.database, "editor"))
    assert (await administrator.post("/admin/backups")).status == 303
    await work_off(site)
    page = await owner.get("/admin/backups")
    path = next(link.get("href") for link in page.page.iter("a") if (link.get("href") or "").endswith("/file"))
    assert (await owner.get(path)).body.startswith(b"\x1f\x8b")
    assert (await administrator.get(path)).status == 403
    assert "/file" not in (await administrator.get("/admin/backups")).text
    assert (await administrator.post(path.removesuffix("/file"), {"_method": "delete"})).status == 303
    assert (await owner.get(path)).status == 404


@LONG
async def test_system_page_says_what_the_doctor_says(site: Site) -> None:
    owner = await site.signed_in("owner")
    assert "Nobody has looked yet" in (await owner.get("/admin/system")).words
    await owner.post("/admin/system")
    await work_off(site)
    assert "checks" in (await owner.get("/admin/system")).words
    async with site.database.transaction() as work:
        work.session.add(Job(name="keep_house", payload={}, due_at=work.now, created_at=work.now, finished_at=work.now, error="It broke."))
    await owner.post("/admin/system")
    await work_off(site)
    assert "Jobs failed and are not tried again: " in (await owner.get("/admin/system")).words
    german = (await owner.get("/admin/system", **GERMAN)).words
    assert "Aufgaben sind gescheitert und werden nicht noch einmal versucht: keep_house (Aufgabe " in german
    assert "Datenordner" in german
    folder = site.application.parts.settings.data
    folder.chmod(0o707)
    await owner.post("/admin/system")
    await work_off(site)
    assert f"Jeder auf diesem Rechner darf in den Datenordner {folder} schreiben." in (await owner.get("/admin/system", **GERMAN)).words


async def test_system_page_says_what_serves_and_what_stands_in_front(database_url: str, tmp_path: Path, renderer: Renderer) -> None:
    options = {"workers": 3, "purge_url": "http://token.example.org:6081/purge", "purge_by": "address", "pages_folder": tmp_path / "pages"}
    async with running_site(database_url, tmp_path / "data", renderer=renderer, **options) as site:
        owner = await site.signed_in("owner")
        page = (await owner.get("/admin/system")).page
        names, values = (["".join(each.itertext()).strip() for each in page.iter(kind)] for kind in ("dt", "dd"))
        said = dict(zip(names, values, strict=True))
        assert said["Processes that serve"] == "3"
        assert said["CDN or cache in front"] == "token.example.org"
        assert said["Folder for a web server"] == str(tmp_path / "pages")
        assert "in one of 3 processes" in (await owner.get("/admin/cache")).words


@LONG
async def test_why_a_backup_failed_is_said_in_the_language_of_whoever_looks(site: Site) -> None:
    owner, folder = await site.signed_in("owner"), site.application.parts.settings.data / "backups"
    folder.write_text("In the way.")
    await owner.post("/admin/backups")
    await work_off(site)
    assert f"The backup could not be written to {folder}/squall-" in (await owner.get("/admin/backups")).words
    assert f"Die Sicherung konnte nicht nach {folder}/squall-" in (await owner.get("/admin/backups", **GERMAN)).words


async def test_backups_by_themselves_are_asked_for_once_a_day_and_the_oldest_go(site: Site) -> None:
    owner, clock, data = await factories.person(site.database, "owner"), Clock(), site.application.parts.settings.data
    site.database.clock = clock
    (data / "backups").mkdir()
    async with site.database.transaction() as work:
        await transfer_runs.choose_plan(work, owner, BackupPlan(every="day", keep=2))
    for day in range(4):
        async with site.database.transaction() as work:
            await transfer_runs.keep_backups(work)
            await transfer_runs.keep_backups(work)
        async with site.database.transaction() as work:
            (row,) = [each for each in await rows(work.session, owner) if each.state == "waiting"]
            (data / f"backups/{day}.tar.gz").write_text("x")
            await transfer_runs.end(work, row.id, file=f"backups/{day}.tar.gz", size=1)
        clock.pass_(days=1)
    await errands.clear_away(site.database, data)
    assert sorted(path.name for path in (data / "backups").iterdir()) == ["2.tar.gz", "3.tar.gz"]


async def rows(session: Any, actor: Any) -> Any:
    return await transfer_runs.list_of(session, actor, [transfer_runs.TransferKind.BACKUP])


async def test_failed_job_is_shown_with_its_reason_tried_again_or_given_up(site: Site) -> None:
    owner = await site.signed_in("owner")
    now = site.database.clock()
    async with site.database.transaction() as work:
        for number in (1, 2):
            await jobs.enqueue(work, "keep_idle", key=f"failed:{number}")
        for job in await work.session.scalars(jobs.select(Job).where(Job.key.like("failed:%"))):
            job.finished_at, job.error, job.attempts = now, "OSError: the mail server is asleep", 8
    page = await owner.get("/admin/jobs")
    assert page.words.count("the mail server is asleep") == 2
    first, second = sorted({form.get("action") for form in page.page.iter("form") if (form.get("action") or "").startswith("/admin/jobs/")})
    assert (await owner.post(first)).status == 303
    assert (await owner.post(second, {"_method": "delete"})).status == 303
    assert (await owner.post(second)).status == 404
    assert "asleep" not in (await owner.get("/admin/jobs")).words
    assert await loop.run_next(means_of(site), site.application.parts.metrics)


async def test_jobs_say_what_is_brought_in_or_taken_out(site: Site) -> None:
    owner = await site.signed_in("owner")
    async with site.database.transaction() as work:
        await transfer_runs.ask(work, SYSTEM, TransferKind.EXPORT, form="markdown")
        await jobs.enqueue(work, transfer_runs.JOB, transfer=999_999)  # as releases before did
    said = (await owner.get("/admin/jobs")).words
    assert said.count("Does an export") == said.count("Does an import, an export, a backup or a check") == 1


async def test_why_a_job_failed_is_said_with_its_names_in_the_language_of_whoever_looks(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = await site.signed_in("owner")
    await factories.draft(site.database, await factories.person(site.database, "owner"))

    async def break_down(*_: object) -> None:
        raise MailFailed(say("The mail server {where} did not answer in time.", where="mail.example"))

    monkeypatch.setitem(TASKS, "keep_idle", break_down)
    async with site.database.transaction() as work:
        await jobs.enqueue(work, "keep_idle")
    with capture_logs() as lines:
        while await loop.run_next(means_of(site), site.application.parts.metrics):
            pass
    (line,) = (line for line in lines if line["event"] == "job failed")
    assert (line["reason"], line["exc_info"]) == ("The mail server mail.example did not answer in time.", None), "one line, no traceback"
    async with site.database.transaction() as work:
        job = (await work.session.scalars(jobs.select(Job).where(Job.name == "keep_idle"))).one()
        job.finished_at = work.now
    for path in ("/admin/jobs", "/admin"):
        assert "The mail server mail.example did not answer in time." in (await owner.get(path)).words
        assert "Der Mailserver mail.example hat nicht rechtzeitig geantwortet." in (await owner.get(path, **GERMAN)).words


async def test_long_work_keeps_no_letter_waiting(site: Site) -> None:
    async with site.database.transaction() as work:
        await jobs.enqueue(work, transfer_runs.JOB, transfer=999_999)
        await jobs.enqueue(work, "keep_idle")
    async with site.database.transaction() as work:
        assert (await jobs.claim(work, [transfer_runs.JOB], is_long=False)).name == "keep_idle"  # type: ignore[union-attr]
        assert await jobs.claim(work, [transfer_runs.JOB], is_long=False) is None
        assert (await jobs.claim(work, [transfer_runs.JOB], is_long=True)).name == transfer_runs.JOB  # type: ignore[union-attr]


def test_every_job_has_words() -> None:
    assert TASKS.keys() <= JOBS.keys()
