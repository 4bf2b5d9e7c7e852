"""``squall bench``: what it measures is measured for a moment, so that it works when it is wanted; its page says what it found."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bench.performance import machine
from bench.performance.__main__ import main
from bench.performance.page import draw
from bench.performance.parts import PARTS

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs" / "performance.json"
DRAWN = [
    "README.md",
    *(f"docs/{name}" for name in ("performance.md", *(f"pictures/performance-{of}.svg" for of in ("compared", "posts", "connections")))),
]


def missing() -> str:
    try:
        for name in (machine.WRK, machine.NGINX, machine.TASKSET):
            machine.tool(name)
    except machine.Missing as why:
        return str(why)
    return ""


@pytest.mark.timeout(300)
@pytest.mark.skipif(bool(missing()), reason=missing())
def test_everything_is_measured(tmp_path: Path) -> None:
    """But for signing in, which takes long and is ``bench/sign_ins.py``."""
    parts = [word for part in PARTS if part != "signing_in" for word in ("--only", part)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SQUALL_")}
    command = [sys.executable, "-m", "cms", "bench", "--quick", "--to", str(tmp_path), *parts]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "performance.json").read_text())
    assert results["left out"] == {}, done.stderr
    assert "not measured" not in done.stdout
    assert "Answers that were errors, or did not come: 0." in (tmp_path / "performance.md").read_text()


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_what_cannot_be_compared_is_said_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    for python in ("/nowhere/python", "/bin/false"):
        monkeypatch.setattr(sys, "argv", ["squall bench", "--quick", "--wagtail", python])
        assert main() == 1
        assert capsys.readouterr().err == f"squall bench: {python} is no Python that has wagtail and gunicorn.\n"


@pytest.mark.skipif(not FIGURES.exists(), reason="nothing was measured yet")
def test_page_says_what_was_found(tmp_path: Path) -> None:
    """Figures are changed by measuring, words in ``bench/performance/page.py`` and then by ``squall bench --draw``."""
    shutil.copy(ROOT / "README.md", tmp_path)
    (tmp_path / "docs").mkdir()
    draw(json.loads(FIGURES.read_text(encoding="utf-8")), tmp_path / "docs")
    for name in DRAWN:
        assert (tmp_path / name).read_text(encoding="utf-8") == (ROOT / name).read_text(encoding="utf-8"), name
