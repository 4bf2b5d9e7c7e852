"""``./squall``, the script that a checkout is started with. Nothing here installs anything: that needs a network.

Never the script of the real checkout: it would make the .venv anew in which these tests are running.
"""

import os
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
NEEDED = ("sh", "cat", "cksum", "dirname", "id", "readlink", "rm")  # on the PATH of a machine without a Python


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the script looks at, in a folder whose name needs quoting."""
    folder = tmp_path / "my squall's checkout"
    shutil.copytree(ROOT / "requirements", folder / "requirements")
    shutil.copy2(ROOT / "squall", folder)
    for name in ("cms", "templates", "static", "migrations"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture
def installed(checkout: Path) -> Path:
    """A checkout after its first start: a .venv with these very packages, and the stamps."""
    venv.create(checkout / ".venv", symlinks=True)
    site = next((checkout / ".venv/lib").glob("python3*/site-packages"))
    (site / "squall.pth").write_text(f"{checkout}\n{sysconfig.get_path('purelib')}\n")
    stamp(checkout)
    return checkout


def stamp(checkout: Path) -> None:
    with (checkout / "requirements/run.txt").open() as requirements:
        checksum = subprocess.check_output(["cksum"], stdin=requirements, text=True)
    (checkout / ".venv/run.stamp").write_text(f"{checkout} {checksum}")


@pytest.fixture
def bare_path(tmp_path: Path) -> Path:
    """A folder for PATH with nothing but what the script itself needs."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in NEEDED:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return folder


def run(script: Path | str, *arguments: str, cwd: Path | str = "/", **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [script, *arguments], cwd=cwd, env=dict(os.environ) | environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )


@pytest.mark.parametrize("shell", ["sh", "dash", "bash", "busybox"])
def test_every_shell_understands_it(shell: str) -> None:
    if not shutil.which(shell):
        pytest.skip(f"no {shell}")
    command = ["busybox", "sh"] if shell == "busybox" else [shell]
    for script in ("squall", ".ci/run"):
        subprocess.run([*command, "-n", ROOT / script], check=True)


def test_too_old_a_python_is_one_sentence(checkout: Path, bare_path: Path) -> None:
    old = bare_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")  # how "is it at least 3.11?" is answered by an older one
    old.chmod(0o755)
    done = run(checkout / "squall", "run", PATH=str(bare_path))
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["squall: Python 3.11 or newer is needed, and none was found; install it and try again."]
    assert not (checkout / ".venv").exists()


def test_no_python_at_all_is_the_same_sentence(checkout: Path, bare_path: Path) -> None:
    done = run(checkout / "squall", "run", PATH=str(bare_path))
    assert done.returncode == 1
    assert done.stderr.startswith("squall: Python 3.11 or newer is needed")
    assert done.stderr.count("\n") == 1


def test_of_two_pythons_of_one_version_it_is_the_system_s(checkout: Path, bare_path: Path) -> None:
    system = next((found for minor in (13, 12, 11) if (found := Path(f"/usr/bin/python3.{minor}")).exists()), None)
    if system is None:
        pytest.skip("the system has none")
    for name in (system.name, "uv"):  # one that somebody built, and an installer that is done at once
        (bare_path / name).write_text("#!/bin/sh\n")
        (bare_path / name).chmod(0o755)
    run(checkout / "squall", "--help", PATH=f"{bare_path}:/usr/bin")
    assert (checkout / ".venv/bin/python").resolve() == system.resolve()


def test_a_python_of_ours_that_cannot_start_is_made_anew(installed: Path, bare_path: Path) -> None:
    python = installed / ".venv/bin/python"
    python.unlink()
    python.symlink_to("/nowhere/python3")  # what an upgrade of the system's Python leaves
    assert "Python 3.11 or newer" in run(installed / "squall", PATH=str(bare_path)).stderr


def test_a_venv_that_was_copied_along_is_not_used(installed: Path, tmp_path: Path, bare_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(installed, copy, symlinks=True)
    assert "Python 3.11 or newer" in run(copy / "squall", PATH=str(bare_path)).stderr


def test_changed_requirements_are_noticed(installed: Path, bare_path: Path) -> None:
    with (installed / "requirements/run.txt").open("a") as requirements:
        requirements.write("# one more\n")
    assert "Python 3.11 or newer" in run(installed / "squall", PATH=str(bare_path)).stderr


needs_command_line = pytest.mark.skipif(not (ROOT / "cms/__main__.py").exists(), reason="there is no command line yet")


@needs_command_line
def test_alone_it_shows_help(installed: Path) -> None:
    done = run(installed / "squall")
    assert done.returncode == 0, done.stderr
    assert "Usage" in done.stdout
    assert "serve" in done.stdout
    assert done.stderr == ""  # quiet when there is nothing to do


@needs_command_line
def test_called_through_links_from_elsewhere(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links/relative").symlink_to(os.path.relpath(installed / "squall", tmp_path / "links"))
    (tmp_path / "squall").symlink_to(tmp_path / "links/relative")
    done = run("./squall", "--help", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")


@needs_command_line
def test_surroundings_do_not_break_it(installed: Path, tmp_path: Path) -> None:
    (tmp_path / "tornado.py").write_text("raise SystemExit('the wrong tornado')")
    (tmp_path / "cms.py").write_text("raise SystemExit('the wrong cms')")
    done = run(installed / "squall", "--help", cwd=tmp_path, PYTHONPATH=str(tmp_path), PYTHONHOME="/nowhere", CDPATH=str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")


@needs_command_line
def test_exit_code_and_arguments_pass_through(installed: Path) -> None:
    assert run(installed / "squall", "no such command").returncode == 2
