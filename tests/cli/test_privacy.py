"""``squall user export`` and ``squall user erase``."""

import stat
import zipfile

from tests.cli.program import Squall


def test_export_is_a_file_for_this_user_alone(migrated: Squall) -> None:
    migrated.ok("user", "create", "ana@example.org", "--name", "Ana Silva", "--role", "author")
    file = migrated.folder / "ana.zip"
    said = migrated.ok("user", "export", "ana@example.org", file).out
    assert "all that is kept about ana@example.org" in said
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        assert b"Ana Silva" in archive.read("account.json")
    assert "cannot be made: File exists" in migrated("user", "export", "ana@example.org", file).sentence
    assert "There is nobody" in migrated("user", "export", "nobody@example.org", migrated.folder / "nobody.zip").sentence
    assert not (migrated.folder / "nobody.zip").exists()


def test_erasing_asks_for_a_word_and_does_it_once(migrated: Squall) -> None:
    migrated.ok("user", "create", "ana@example.org", "--name", "Ana Silva", "--role", "author")
    assert "add --yes" in migrated("user", "erase", "ana@example.org").sentence
    assert "Former author" in migrated.ok("user", "erase", "ana@example.org", "--yes").out
    assert "There is nobody" in migrated("user", "erase", "ana@example.org", "--yes").sentence
    (person,) = migrated.ok("user", "list", "--json").json
    assert (person["name"], person["email"], person["disabled"]) == ("Former author", f"erased-{person['id']}@erased.invalid", True)
    assert "erased before" in migrated("user", "erase", person["email"], "--yes").sentence
