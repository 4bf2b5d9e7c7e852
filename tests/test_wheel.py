"""The wheel has everything the program needs at run time and nothing else, and works where there is no checkout."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA_FOLDERS = ("templates", "static", "migrations", "demo")

needs_command_line = pytest.mark.skipif(not (ROOT / "cms/__main__.py").exists(), reason="there is no command line yet")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    call(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def site(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the wheel is installed; what it depends on stays in the environment of the tests."""
    folder = tmp_path_factory.mktemp("site")
    options: list[str | Path] = ["--quiet", "--no-deps", "--no-index", "--target", folder, wheel]
    if importlib.util.find_spec("pip"):
        call(sys.executable, "-m", "pip", "install", *options)
    elif uv := shutil.which("uv"):  # which makes environments without pip
        call(uv, "pip", "install", "--python", sys.executable, *options)
    else:
        pytest.skip("neither pip nor uv")
    return folder


def test_wheel_holds_what_git_tracks_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    metadata = {name for name in names if PurePosixPath(name).parts[0].endswith(".dist-info")}
    assert names - metadata == expected()
    assert {PurePosixPath(*PurePosixPath(name).parts[1:]).as_posix() for name in metadata} == {
        "METADATA",
        "RECORD",
        "WHEEL",
        "entry_points.txt",
        "licenses/LICENSE",
    }


def test_wheel_is_what_runs(site: Path) -> None:
    found = call(sys.executable, "-P", "-c", "import cms; print(cms.__file__)", **surroundings(site))
    assert Path(found.strip()).is_relative_to(site)


@needs_command_line
@pytest.mark.parametrize("command", ["module", "script"])
def test_command_line_works_from_the_wheel(site: Path, command: str) -> None:
    start = [sys.executable, "-P", "-m", "cms"] if command == "module" else [site / "bin/squall"]
    assert "serve" in call(*start, "--help", **surroundings(site))


@needs_command_line
def test_migrations_run_from_the_wheel(site: Path, tmp_path: Path) -> None:
    call(sys.executable, "-P", "-m", "cms", "db", "upgrade", **surroundings(site, SQUALL_DATA=str(tmp_path / "data")))
    assert list((tmp_path / "data").glob("*.db"))


@needs_command_line
def test_bench_says_that_it_needs_a_checkout(site: Path) -> None:
    command = [sys.executable, "-P", "-m", "cms", "bench", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, **surroundings(site))  # type: ignore[call-overload]
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert "needs a checkout of Squall, wrk and nginx" in done.stderr


def expected() -> set[str]:
    """Names in the wheel, from what lies in the checkout."""
    return {name if name.startswith("cms/") else f"cms/_data/{name}" for name in ours()}


def ours() -> list[str]:
    """Files of the checkout as git sees them: all that it does not ignore. Without git: all but bytecode."""
    git = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "cms", *DATA_FOLDERS]
    try:
        listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
        return [name for name in set(listed) if name and (ROOT / name).is_file()]
    except (OSError, subprocess.CalledProcessError):
        files = [path for folder in ("cms", *DATA_FOLDERS) for path in (ROOT / folder).rglob("*") if path.is_file()]
        return [path.relative_to(ROOT).as_posix() for path in files if path.suffix != ".pyc"]


def surroundings(site: Path, **environment: str) -> dict[str, object]:
    """Far from the checkout; its path comes after the wheel's, as ``squall.pth`` puts it at the end."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("SQUALL_")}
    return {"cwd": "/", "env": clean | {"PYTHONPATH": str(site)} | environment}


def call(*command: str | Path, **options: object) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr
    return str(done.stdout)
