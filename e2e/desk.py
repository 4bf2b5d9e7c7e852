"""What is at the desk before a journey begins, written into the program's database."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from sqlalchemy import func, select

from cms.db.session import Database
from cms.models import CustomField, Folder, Job, Passkey, Post, PostTemplate, Redirect, Revision, SavedView, Snippet, Transfer, TrashedThing
from cms.models.base import Base
from cms.models.desk import FieldType, Match, TransferKind, TransferState
from cms.models.post import Kind
from cms.policy import Actor
from cms.schemas.account import InvitationInput
from cms.schemas.desk import ReviewInput
from cms.schemas.threads import ThreadInput
from cms.services import accounts, invitations, notifications, reviews, threads
from e2e.conftest import OpenBrowser, browsers, owned_site
from e2e.pages.first_run import EMAIL, PASSWORD
from e2e.pages.sign_in import SignInScreen
from e2e.program import Program
from tests import factories

COLLEAGUE = "nia@example.org"


@contextmanager
def two_people(folder: Path) -> Iterator[tuple[Program, OpenBrowser, Chrome, Chrome]]:
    """A site with its owner in one browser and an editor, ``COLLEAGUE``, in another."""
    program = owned_site.start(Program(folder))
    with browsers() as open_browser:
        owner, colleague = owned_site.let_in(open_browser()), open_browser()
        program.make_person(COLLEAGUE, "Nia Bell", "editor", PASSWORD)
        SignInScreen(colleague).come_in(program.url, COLLEAGUE, PASSWORD)
        yield program, open_browser, owner, colleague
    program.stop()


def fill(program: Program, url: str, act: Callable[[Database, Actor], Awaitable[Any]], email: str = EMAIL) -> Any:
    async def filled() -> Any:
        database = Database(url or f"sqlite+aiosqlite:///{program.data / 'squall.db'}")
        try:
            async with database.read() as session:
                actor = (await accounts.get_by_email(session, email)).actor
            return await act(database, actor)
        finally:
            await database.dispose()

    return asyncio.run(filled())


def texts(*titles: str) -> Callable[[Database, Actor], Awaitable[list[int]]]:
    async def make(database: Database, actor: Actor) -> list[int]:
        return [(await factories.draft(database, actor, title=title)).id for title in titles]

    return make


def pages(*titles: str) -> Callable[[Database, Actor], Awaitable[list[int]]]:
    async def make(database: Database, actor: Actor) -> list[int]:
        return [(await factories.page(database, actor, title=title)).id for title in titles]

    return make


async def one_of_each(database: Database, actor: Actor) -> dict[str, int | str]:
    """Beside what the demo brings: something of everything that has a page or a row, by the names that addresses of tests have for it."""
    owner = actor.user_id or 0
    async with database.transaction() as work:
        by_hand = {"updated_at": work.now, "updated_by_id": owner, "version": 1}
        report = {
            "brought_in": {"posts": 2},
            "found": {"posts": 3},
            "number": 1,
            "findings": [{"outcome": "refused", "file": "a.md", "line": 3, "what": "No title."}],
        }
        asked = {"created_at": work.now, "finished_at": work.now, "created_by_id": owner}
        made: dict[str, Base] = {
            "snippet": Snippet(name="Sources", text="*Sources:* the harbour office.", **by_hand),
            "template": PostTemplate(kind=Kind.POST, name="Walk", content="## Way", fields={}, **by_hand),
            "field": CustomField(kind=Kind.POST, key="boat", label="Boat", type=FieldType.CHOICE, choices=["Gannet", "Tern"]),
            "redirect": Redirect(match=Match.PREFIX, path="old", target="/archive", created_at=work.now, created_by_id=owner),
            "view": SavedView(user_id=owner, kind=Kind.POST, name="To finish", query="status=draft"),
            "import": Transfer(kind=TransferKind.IMPORT, state=TransferState.DONE, options={"rehearsal": True}, report=report, **asked),
            "failed": Transfer(kind=TransferKind.IMPORT, state=TransferState.FAILED, options={}, error="This is no ZIP archive.", **asked),
            "backup": Transfer(kind=TransferKind.BACKUP, state=TransferState.DONE, options={}, file="x.zip", size=9_000_000, **asked),
            "job": Job(name="send_mail", payload={}, created_at=work.now, due_at=work.now, attempts=8, finished_at=work.now, error="Away"),
            "passkey": Passkey(
                user_id=owner, name="Phone", credential_id="x", public_key="x", sign_count=0, transports=[], is_synced=False,
                created_at=work.now,
            ),
            "trashed": TrashedThing(kind="field", number=9, name="Gear", was={"type": "text", "key": "gear"}, at=work.now, by_id=owner),
            "folder": Folder(name="Maps", folded="maps", created_at=work.now, created_by_id=owner),
            "asset": factories.asset_row("a" * 64, "harbour.png", width=640, height=480, created_at=work.now, created_by_id=owner),
            "film": factories.asset_row("b" * 64, "ebb.mp4", kind="video", content_type="video/mp4", created_at=work.now),
        }  # fmt: skip
        work.session.add_all(made.values())
        await work.session.flush()
        post = (await work.session.scalars(select(Post).where(Post.has_changes))).one()
        draft = (await work.session.scalars(select(Post).where(Post.live == "never"))).one()
        revision = await work.session.scalar(select(func.max(Revision.id)).where(Revision.post_id == post.id)) or 0
        await threads.begin(work, actor, post.id, ThreadInput(text="Is that so?"))
        await threads.begin(work, actor, post.id, ThreadInput(kind="suggestion", quote="prints a card", replacement="prints two"))
        await reviews.submit(work, actor, draft.id, ReviewInput(words="Please."))
        await notifications.tell(work, Actor(None, actor.role, "Wren"), [owner], "submitted", draft, "Please.")
        carrier = await invitations.invite(work, actor, InvitationInput(email="new@example.org"))
        return {
            **{name: row.id for name, row in made.items()},
            "post": post.id,
            "draft": draft.id,
            "revision": revision,
            "carrier": carrier,
        }


def box(driver: Chrome, title: str) -> Any:
    return driver.find_element(By.XPATH, f"//tr[.//*[text()='{title}']]//input[@name='id']")
