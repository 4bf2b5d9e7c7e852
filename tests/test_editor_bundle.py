"""The editor's bundle is what its sources make, and their own tests are green."""

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BUILT = ("editor.js", "editor.licences.txt")
IGNORED = shutil.ignore_patterns("node_modules")

NPM, NODE = shutil.which("npm"), shutil.which("node")


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources with exactly the packages that the lock names; skips where npm cannot fetch them."""
    if not (NPM and NODE):
        pytest.skip("needs npm")
    copy = tmp_path_factory.mktemp("editor") / "editor"
    shutil.copytree(ROOT / "editor", copy, ignore=IGNORED)
    (copy.parent / "static").symlink_to(ROOT / "static")  # the sources count words with one of the desk's own scripts
    fetched = subprocess.run([NPM, "ci", "--prefer-offline", "--no-audit", "--no-fund"], cwd=copy, capture_output=True, text=True)
    if "EAI_AGAIN" in fetched.stderr or "ENOTFOUND" in fetched.stderr or "ECONNREFUSED" in fetched.stderr:
        pytest.skip("npm reaches no registry")
    assert fetched.returncode == 0, fetched.stderr
    return copy


def test_the_committed_bundle_is_what_the_sources_make(workshop: Path, tmp_path: Path) -> None:
    subprocess.run([NODE, "build.js", tmp_path], cwd=workshop, check=True, capture_output=True)
    for name in BUILT:
        assert (tmp_path / name).read_bytes() == (ROOT / "static/js" / name).read_bytes(), f"{name} is old: npm run build"


def test_the_lock_names_no_registry() -> None:
    assert '"resolved"' not in (ROOT / "editor/package-lock.json").read_text(encoding="utf-8")


def test_the_sources_own_tests_are_green(workshop: Path) -> None:
    ran = subprocess.run([NODE, "--test", "test/"], cwd=workshop, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout
    assert "# pass 0" not in ran.stdout
