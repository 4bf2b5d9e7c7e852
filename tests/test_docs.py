"""Documents tell the truth: their commands run, their links lead somewhere."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tornado.testing import bind_unused_port

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]

ASSIGNMENT = re.compile(r"[A-Z_]+=\S*")


def commands(path: Path) -> list[str]:
    """Lines of the ``sh`` blocks."""
    blocks = re.findall(r"```sh\n(.*?)```", path.read_text(encoding="utf-8"), re.DOTALL)
    return [line for block in blocks for line in block.splitlines() if line.strip()]


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_links_lead_to_files_that_are_there(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#`]+?)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if not re.match(r"[a-z]+:|/", target) and "…" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", [path for path in DOCUMENTS if commands(path)], ids=lambda path: path.name)
def test_every_command_runs_as_it_is_written(path: Path, tmp_path: Path) -> None:
    """In order, in an empty folder; ``./squall`` is the same program without the installation around it (tests/test_script.py has that)."""
    backup = tmp_path / "a.tar.gz"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SQUALL_")}
    run(["db", "upgrade"], environment, tmp_path)
    shutil.copytree(ROOT / "tests" / "data" / "zola", tmp_path / "MY_BLOG")
    for line in commands(path):
        line = line.replace("FILE", str(backup)).replace("FOLDER", str(tmp_path / "restored"))
        words = shlex.split(line)
        settings = dict(word.split("=", 1) for word in words if ASSIGNMENT.fullmatch(word))
        words = [word for word in words if not ASSIGNMENT.fullmatch(word)]
        if not words:
            run(["db", "current"], {**environment, **settings}, tmp_path)
            continue
        assert words[0] == "./squall", line
        if words[1] == "test":
            continue  # this very run
        if words[1] == "run":
            serve(words[1:], environment, tmp_path)  # with the database of this test, whatever the line names
        elif words[1:3] == ["backup", "create"]:
            run([*words[1:], str(backup)], environment, tmp_path)
        else:
            run(words[1:], {**environment, **settings}, tmp_path)


def run(arguments: list[str], environment: dict[str, str], folder: Path) -> None:
    command = [sys.executable, "-m", "cms", *arguments]
    password = "a few words are best\n"
    done = subprocess.run(command, cwd=folder, env=environment, input=password, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, f"{arguments}: {done.stdout}{done.stderr}"


def serve(arguments: list[str], environment: dict[str, str], folder: Path) -> None:
    """It greets, and ends in peace."""
    socket, port = bind_unused_port()
    socket.close()
    command = [sys.executable, "-m", "cms", *arguments, "--port", str(port)]
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    assert server.stdout
    with server.stdout:
        assert any(f"http://localhost:{port}" in line for line in iter(server.stdout.readline, ""))
        server.send_signal(signal.SIGTERM)
        server.stdout.read()
    assert server.wait(30) == 0
