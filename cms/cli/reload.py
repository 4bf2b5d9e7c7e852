"""``squall reload``: new code and new settings, without anybody being kept waiting."""

import contextlib
import fcntl
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import typer

from cms.cli.program import DataOption, JsonOption, load_settings, print_json
from cms.errors import OperatorError
from cms.server.parent import PID_FILE

LOOK_EVERY = 0.05  # seconds


def register(app: typer.Typer) -> None:
    app.command("reload")(reload)


def reload(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Replace the processes that serve by new ones, with the program and the settings as they are now; nobody is kept waiting."""
    settings = load_settings(data=data)
    with _running(settings.data) as file:
        pid, before = _read(file)
        os.kill(pid, signal.SIGHUP)
        while True:
            if not _is_locked(file):
                raise OperatorError("Squall ended meanwhile; its log says why.")
            _, now = _read(file)
            if now["done"] > before["begun"]:
                break
            time.sleep(LOOK_EVERY)
    if now["problem"]:
        raise OperatorError(f"Nothing was replaced that serves, and it goes on as before: {now['problem']}")
    if as_json:
        print_json({"pid": pid, "workers": now["workers"]})
        return
    typer.echo(f"Replaced {now['workers']} {'process' if now['workers'] == 1 else 'processes'} that serve from {settings.data}.")


@contextlib.contextmanager
def _running(data: Path) -> Iterator[IO[str]]:
    """The file of the parent that serves from this folder. It holds a lock on it for as long as it lives, whatever its number."""
    try:
        with (data / PID_FILE).open("r", encoding="utf-8") as file:
            if _is_locked(file):
                yield file
                return
    except FileNotFoundError:
        pass
    except OSError as error:
        raise OperatorError(f"{data / PID_FILE} cannot be read ({error.strerror}); reload as the user that Squall runs as.") from None
    raise OperatorError(f"No Squall serves from {data}; --data names another data folder.")


def _is_locked(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _read(file: IO[str]) -> tuple[int, dict[str, Any]]:
    """Its number, and what it says of reloads; once more if it was just writing that."""
    while True:
        file.seek(0)
        pid, _, reloads = file.read().partition("\n")
        with contextlib.suppress(ValueError):
            return int(pid), json.loads(reloads)
        if not _is_locked(file):
            raise OperatorError("Squall ended meanwhile; its log says why.")
