"""``squall secret rotate``: nobody is signed out, nothing sealed is lost, and the operator reads what is left to do."""

import re
import sqlite3
import stat

import pytest

from cms.sealing import Sealer
from cms.settings import Settings, secret_keys
from tests.cli.program import Serving, Squall
from tests.web import Browser

OLD = "an-older-key-of-more-than-thirty-two-letters"


def sealer(*keys: str) -> Sealer:
    return Sealer(secret_keys(Settings(secret_keys=keys)))


def keys_of(squall: Squall) -> list[str]:
    return (squall.data / "secret.key").read_text().split()


def keep(squall: Squall, sealed: str) -> None:
    with sqlite3.connect(squall.data / "squall.db") as connection:
        connection.execute("UPDATE users SET totp_secret = ? WHERE role = 'author'", (sealed,))
    connection.close()


def kept(squall: Squall) -> str:
    with sqlite3.connect(squall.data / "squall.db") as connection:
        (sealed,) = connection.execute("SELECT totp_secret FROM users WHERE role = 'author'").fetchone()
    connection.close()
    return str(sealed)


@pytest.fixture
def owned(squall: Squall) -> Squall:
    """With an owner, and an author whose secret is sealed under the key of the folder."""
    squall.owner()
    squall.ok("user", "create", "ana@example.org", "--name", "Ana", "--role", "author")
    (squall.data / "secret.key").touch(0o600)
    (squall.data / "secret.key").write_text(OLD)
    keep(squall, sealer(OLD).seal("JBSWY3DP"))
    return squall


async def is_signed_in(site: Serving, browser: Browser) -> bool:
    browser.url = site.url
    return (await browser.get("/admin/posts")).status == 200


async def test_rotating_signs_nobody_out(owned: Squall) -> None:
    with owned.serving() as site:
        browser = Browser(site.url)
        assert (await browser.sign_in("owner@example.org")).status == 303
    said = owned.ok("secret", "rotate").out
    new, old = keys_of(owned)
    assert old == OLD
    assert new not in said
    assert "1 secret is sealed under the newest key." in said
    assert "Restart Squall now" in said
    assert re.search(r"older keys can go from \d\d \w+ \d{4} on", said)
    assert stat.S_IMODE((owned.data / "secret.key").stat().st_mode) == 0o600
    assert sealer(new).open(kept(owned)) == "JBSWY3DP"
    with owned.serving() as site:
        assert await is_signed_in(site, browser)
    said = owned.ok("secret", "rotate", "--forget-older").out
    assert "The older keys are forgotten. 1 session has ended." in said
    assert len(keys_of(owned)) == 1
    assert keys_of(owned) != [new]
    assert sealer(*keys_of(owned)).open(kept(owned)) == "JBSWY3DP"
    with owned.serving() as site:
        assert not await is_signed_in(site, browser)


def test_interrupted_rotation_is_finished_by_the_next(owned: Squall) -> None:
    (owned.data / "secret.key").write_text(f"{'n' * 40}\n{OLD}\n")
    found = {result["check"]: result for result in owned.ok("doctor", "--json").json}
    assert found["sealed secrets"]["problem"] == "Secrets sealed under an older key: 1."
    said = owned.ok("secret", "rotate").out
    assert "this is the rest of it" in said
    assert keys_of(owned) == ["n" * 40, OLD]
    assert sealer("n" * 40).open(kept(owned)) == "JBSWY3DP"
    assert all(
        result["ok"] and not result["problem"] for result in owned.ok("doctor", "--json").json if result["check"] == "sealed secrets"
    )


def test_keys_of_the_environment_are_changed_by_the_operator(owned: Squall) -> None:
    said = owned.ok("secret", "rotate", SQUALL_SECRET_KEYS=OLD)
    new = said.out.splitlines()[2].strip()
    assert len(new) >= 43
    assert "put it before the ones there are" in said.out
    assert "run `squall secret rotate` again: 1 secret is to be sealed under it" in said.out
    assert OLD not in said.out + said.err
    assert new not in said.err
    assert keys_of(owned) == [OLD]
    said = owned.ok("secret", "rotate", SQUALL_SECRET_KEYS=f"{new},{OLD}")
    assert "1 secret is sealed under the newest key." in said.out
    assert sealer(new).open(kept(owned)) == "JBSWY3DP"
    refused = owned("secret", "rotate", "--forget-older", SQUALL_SECRET_KEYS=f"{new},{OLD}").sentence
    assert "leave out all but the first" in refused


def test_secret_that_no_key_opens_is_found_by_the_doctor(owned: Squall) -> None:
    keep(owned, sealer("x" * 40).seal("JBSWY3DP"))
    done = owned("doctor", "--json")
    (found,) = [result for result in done.json if result["check"] == "sealed secrets"]
    assert done.code == 1
    assert found["problem"] == "Secrets that no key opens, such as those behind codes from an app: 1."
    (owned.data / "secret.key").unlink()
    assert not next(result for result in owned("doctor", "--json").json if result["check"] == "sealed secrets")["ok"]
    assert not (owned.data / "secret.key").exists()


def test_rotating_needs_a_database(squall: Squall) -> None:
    assert "There is no database" in squall("secret", "rotate").sentence
    assert not squall.data.exists()
