"""``squall`` from the terminal: help, people, schema, routes. Each is a process of its own; errors are one line without a traceback."""

import contextlib
import json
import os
import re
import sqlite3
import subprocess
from pathlib import Path

import pytest
import typer
from typer.main import get_command

from cms.cli.commands import app
from tests.cli.program import PASSWORD, Squall


def command_paths() -> list[tuple[str, ...]]:
    """Every group and command there is, however deep."""

    def walk(command: object, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        below = getattr(command, "commands", {})
        return [path, *(found for name, child in below.items() for found in walk(child, (*path, name)))]

    return walk(get_command(app), ())


def test_every_command_has_help(squall: Squall) -> None:
    """In one process for all: each must say what it does and what its arguments are."""
    root = get_command(app)
    for path in command_paths():
        command = root
        for name in path:
            command = command.commands[name]  # type: ignore[attr-defined]
        assert command.help, path
        for parameter in command.params:
            assert getattr(parameter, "help", None) or parameter.name == "help", (path, parameter.name)
    assert {("serve",), ("doctor",), ("backup", "verify"), ("db", "check"), ("user", "create"), ("routes",)} <= set(command_paths())
    assert issubclass(typer.Exit, Exception)


@pytest.mark.parametrize("path", [("serve",), ("doctor",), ("backup",), ("backup", "create"), ("db",), ("user", "create"), ("routes",)])
def test_help_is_shown_and_nothing_else_happens(squall: Squall, path: tuple[str, ...]) -> None:
    done = squall.ok(*path, "--help")
    assert "Usage" in done.out
    assert not squall.data.exists()


def test_wrong_use_exits_with_2(squall: Squall) -> None:
    for arguments in (("no-such-command",), ("user", "create"), ("serve", "--no-such-option"), ("serve", "--port", "eighty")):
        assert squall(*arguments).code == 2
    assert squall().code == 2  # the help, as nothing was asked for
    assert not squall.data.exists()


# --- people ----------------------------------------------------------------------------------------------------------------


def test_people_from_the_terminal(migrated: Squall) -> None:
    made = migrated.ok("user", "create", "Ana@Example.org", "--name", "Ana Silva", "--role", "author", "--password-stdin", given=PASSWORD)
    assert "author" in made.out
    assert PASSWORD not in made.out + made.err
    migrated.ok("user", "create", "edna@example.org", "--name", "Edna Reed", "--role", "editor")
    people = {person["email"]: person for person in migrated.ok("user", "list", "--json").json}
    assert people["ana@example.org"]["role"] == "author"
    assert people["edna@example.org"]["disabled"] is False
    assert "Ana Reed" in migrated.ok("user", "rename", "ana@example.org", "Ana  Reed").out
    migrated.ok("user", "role", "ana@example.org", "editor")
    migrated.ok("user", "password", "ana@example.org", "--password-stdin", given="another good password\n")
    migrated.ok("user", "disable", "edna@example.org")
    people = {person["email"]: person for person in migrated.ok("user", "list", "--json").json}
    assert (people["ana@example.org"]["role"], people["ana@example.org"]["name"]) == ("editor", "Ana Reed")
    assert people["edna@example.org"]["disabled"] is True
    listed = migrated.ok("user", "list").out
    assert "(disabled)" in listed
    assert "2 people." in listed
    assert "(still disabled)" in migrated.ok("user", "role", "edna@example.org", "author").out
    assert "(still disabled)" in migrated.ok("user", "password", "edna@example.org", "--password-stdin", given=PASSWORD).out
    migrated.ok("user", "enable", "edna@example.org")
    assert "disabled" not in migrated.ok("user", "list").out
    assert "disabled" not in migrated.ok("user", "role", "edna@example.org", "editor").out
    assert "edna@new.example now" in migrated.ok("user", "email", "edna@example.org", "Edna@New.example").out
    assert "edna@new.example" in {person["email"] for person in migrated.ok("user", "list", "--json").json}


def test_wrong_people_are_refused_in_one_sentence(migrated: Squall) -> None:
    make = ("user", "create", "ana@example.org", "--name", "Ana", "--role", "author")
    assert "email" in migrated("user", "create", "not an address", "--name", "Ana", "--role", "author").sentence
    assert "name" in migrated("user", "create", "ana@example.org", "--name", " ", "--role", "author").sentence
    assert "characters" in migrated(*make, "--password-stdin", given="short\n").sentence
    assert "characters" in migrated(*make, "--password-stdin", given="").sentence
    assert migrated(*make[:-1], "emperor").code == 2
    migrated.ok(*make)
    assert "already" in migrated(*make).sentence
    assert "nobody" in migrated("user", "role", "somebody@example.org", "editor").sentence
    assert "nobody" in migrated("user", "rename", "somebody@example.org", "Ana").sentence
    assert "name" in migrated("user", "rename", "ana@example.org", " ").sentence
    assert "already" in migrated("user", "email", "ana@example.org", "ana@example.org").sentence
    assert "mail" in migrated("user", "email", "ana@example.org", "no address").sentence
    assert "nobody" in migrated("user", "email", "somebody@example.org", "x@example.org").sentence
    assert "nobody" in migrated("user", "disable", "somebody@example.org").sentence
    assert "nobody" in migrated("user", "enable", "somebody@example.org").sentence
    assert "--password-stdin" in migrated("user", "password", "ana@example.org", given=PASSWORD).sentence
    assert "nobody" in migrated("user", "password", "somebody@example.org", "--password-stdin", given=PASSWORD).sentence
    assert [person["email"] for person in migrated.ok("user", "list", "--json").json] == ["ana@example.org"]


def test_password_that_everybody_takes_is_refused_with_advice(migrated: Squall) -> None:
    make = ("user", "create", "ana@example.org", "--name", "Ana Silva", "--role", "author", "--password-stdin")
    for easy in ("password12", "ana@example.org", "Ana Silva"):
        refused = migrated(*make, given=f"{easy}\n").sentence
        assert "easy to guess" in refused or "characters" in refused
    migrated.ok(*make, given=PASSWORD)
    assert "easy to guess" in migrated("user", "password", "ana@example.org", "--password-stdin", given="qwertyuiop\n").sentence


def test_second_factor_is_taken_away_from_whoever_lost_it(migrated: Squall) -> None:
    make = ("user", "create", "olga@example.org", "--name", "Olga", "--role", "owner", "--password-stdin")
    migrated.ok(*make, given=PASSWORD)
    out = migrated.ok("user", "reset-second-factor", "olga@example.org").out
    assert "password alone" in out
    assert "a new second factor if the role needs one" in out
    assert "nobody" in migrated("user", "reset-second-factor", "somebody@example.org").sentence


def test_owner_is_made_once_and_stays(migrated: Squall) -> None:
    make = ("user", "create", "olga@example.org", "--name", "Olga", "--role", "owner")
    assert "--password-stdin" in migrated(*make).sentence
    migrated.ok(*make, "--password-stdin", given=PASSWORD)
    again = ("user", "create", "oscar@example.org", "--name", "Oscar", "--role", "owner", "--password-stdin")
    assert "owner" in migrated(*again, given=PASSWORD).sentence
    assert "owner" in migrated("user", "role", "olga@example.org", "editor").sentence
    assert "owner" in migrated("user", "disable", "olga@example.org").sentence
    migrated.ok("user", "email", "olga@example.org", "olga@new.example")


def test_no_database_yet_is_one_sentence_and_none_is_made(squall: Squall) -> None:
    for arguments in (("user", "list"), ("db", "check"), ("db", "downgrade", "base"), ("backup", "create")):
        assert "squall db upgrade" in squall(*arguments).sentence
    assert "nothing" in squall.ok("db", "current").out
    assert not squall.data.exists()


# --- the schema ------------------------------------------------------------------------------------------------------------


def test_schema_goes_up_and_down(migrated: Squall) -> None:
    migrated.ok("user", "create", "ana@example.org", "--name", "Ana", "--role", "author")
    here = migrated.ok("db", "current", "--json").json
    assert here["is_current"]
    assert "as the program expects" in migrated.ok("db", "check").out
    migrated.ok("db", "downgrade", "base")
    assert migrated.ok("db", "current", "--json").json["current"] is None
    assert migrated("db", "check").code == 1
    assert "squall db upgrade" in migrated("user", "list").sentence
    migrated.ok("db", "upgrade")
    assert f"at {here['head']}: up to date" in migrated.ok("db", "current").out
    assert migrated.ok("user", "list", "--json").json == []


def test_copy_of_the_file_is_made_before_it_is_changed(squall: Squall) -> None:
    squall.owner()
    squall.ok("db", "downgrade", "base")
    (copy,) = (squall.data / "backups").glob("before-migration-*.db")
    assert copy.stat().st_mode & 0o077 == 0
    with contextlib.closing(sqlite3.connect(f"{copy.as_uri()}?mode=ro", uri=True)) as database:
        assert database.execute("SELECT email FROM users").fetchall() == [("owner@example.org",)]
    assert [path.name for path in (squall.data / "backups").iterdir()] == [copy.name]


def test_unknown_revision_is_one_sentence(migrated: Squall) -> None:
    assert "not migrated" in migrated("db", "upgrade", "no-such").sentence
    assert "not migrated" in migrated("db", "downgrade", "no-such").sentence


def test_changed_table_is_noticed(squall: Squall) -> None:
    squall.ok("db", "upgrade")
    with contextlib.closing(sqlite3.connect(squall.data / "squall.db")) as database, database:
        database.execute("ALTER TABLE tags ADD COLUMN colour TEXT")
    done = squall("db", "check")
    assert done.code == 1
    assert "colour" in done.out


def test_folder_with_every_sign_in_its_name(squall: Squall) -> None:
    strange = squall.folder / "Ebbe & Flut #1 50%25?"
    squall.ok("db", "upgrade", "--data", strange)
    assert (strange / "squall.db").is_file()
    squall.ok("user", "create", "ana@example.org", "--name", "Ana", "--role", "author", "--data", strange)
    assert "1 person." in squall.ok("user", "list", "--data", strange).out
    squall.ok("db", "downgrade", "base", "--data", strange)
    assert list((strange / "backups").glob("*.db"))


def test_plain_alembic_works_too(squall: Squall) -> None:
    root = Path(__file__).resolve().parent.parent.parent
    environment = {**os.environ, "SQUALL_DATA": str(squall.data)}
    command = [str(Path(squall.command()[0]).parent / "alembic"), "upgrade", "head"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "up to date" in squall.ok("db", "current").out


# --- routes ----------------------------------------------------------------------------------------------------------------


def test_routes_are_readable(squall: Squall) -> None:
    routes = {route["name"]: route for route in squall.ok("routes", "--json").json}
    assert routes["home"]["path"] == "/"
    assert re.fullmatch(r"/tag/\{[a-z_]+\}", routes["tag"]["path"])
    assert routes["feed"]["path"] == "/feed.xml"
    assert routes["admin.page"]["requires"] == "page.edit"
    assert routes["admin.posts.new"]["requires"] == "post.create"
    assert routes["login"]["requires"] == ""
    assert {"GET", "HEAD"} <= set(routes["healthz"]["methods"])
    assert all(route["face"] for route in routes.values())
    assert {"name", "path", "pattern", "methods", "face", "requires"} == set(routes["home"])
    assert routes["admin.page"]["pattern"] == "/admin/pages/([1-9][0-9]{0,17})$"
    assert not any(set("()[]\\^$") & set(route["path"]) for route in routes.values())
    plain = squall.ok("routes").out
    assert f"{len(json.loads(squall.ok('routes', '--json').out))} routes." in plain
    assert not squall.data.exists()
