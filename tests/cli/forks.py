"""Processes of the program that need not import it again: one imports everything, and forks for each command.

Each fork has its own memory, streams, environment and folder, and is from ``cms.__main__`` on what ``python -m cms`` is. Importing takes
longer than most commands do.

process = forks.start(["db", "check"], env=…, cwd=…, stdin=file, stdout=file, stderr=file)
assert process.wait(10) == 0
"""

import atexit
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any, Self

from tests import counting

ROOT = Path(__file__).resolve().parents[2]
MAX_REQUEST = 200_000  # bytes


class Process:
    """What ``subprocess.Popen`` has, of a child that is not ours."""

    def __init__(self, said: IO[bytes]) -> None:
        self._said = said
        self.pid = int(said.readline())
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("squall", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None and select.select([self._said], [], [], timeout)[0]:
            self.returncode = int(self._said.readline())
            self._said.close()
        return self.returncode


class Forks:
    """The process that forks; started when it is first needed, and gone with the one that asked."""

    _only: Self | None = None

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [sys.executable, "-m", "tests.cli.forks", str(theirs.fileno())]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100"}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])
        theirs.close()

    @classmethod
    def only(cls) -> Self:
        if cls._only is None:
            cls._only = cls()
        return cls._only

    def start(self, arguments: list[str], *, env: dict[str, str], cwd: Path, stdin: IO[Any], stdout: IO[Any], stderr: IO[Any]) -> Process:
        reading, writing = os.pipe()
        request = json.dumps({"arguments": arguments, "env": env, "cwd": str(cwd)}).encode()
        socket.send_fds(self._socket, [request], [stdin.fileno(), stdout.fileno(), stderr.fileno(), writing])
        os.close(writing)
        return Process(os.fdopen(reading, "rb"))


def start(arguments: list[str], **options: Any) -> Process:
    return Forks.only().start(arguments, **options)


# --- the process that forks ------------------------------------------------------------------------------------------------


def _serve(asked: socket.socket) -> bool:
    """False when nobody asks any more; True in a child, which has become what was asked for."""
    children: dict[int, int] = {}  # by their numbers: where it is told how they ended
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([asked, woken], [], [])
        if woken in ready:
            os.read(woken, MAX_REQUEST)
            _tell(children)
        if asked not in ready:
            continue
        request, files, _, _ = socket.recv_fds(asked, MAX_REQUEST, 4)
        if not request:
            return False
        *streams, told = files
        child = os.fork()
        if child == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            asked.close()
            for descriptor in (woken, waking, told, *children.values()):
                os.close(descriptor)
            _become(json.loads(request), streams)
            return True
        for descriptor in streams:
            os.close(descriptor)
        os.write(told, b"%d\n" % child)
        children[child] = told


def _tell(children: dict[int, int]) -> None:
    """Only a parent knows its children's exit codes."""
    for child in list(children):
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            told = children.pop(child)
            with contextlib.suppress(BrokenPipeError):
                os.write(told, b"%d\n" % os.waitstatus_to_exitcode(status))
            os.close(told)


def _become(request: dict[str, Any], streams: list[int]) -> None:
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    counting.begin_anew()
    time.tzset()
    main = importlib.import_module("cms.__main__")
    sys.modules["__main__"] = main  # what rendering processes import again
    sys.argv = [str(main.__file__), *request["arguments"]]
    sys.path[0] = request["cwd"]


def _compile_templates() -> None:
    """All of them, which each that serves would do again with those that it shows."""
    folder = data_folder("templates")
    loader = Loader(str(folder))
    for file in folder.rglob("*.html"):
        loader.load(str(file.relative_to(folder)))
    assert Squall.__init__.__kwdefaults__
    Squall.__init__.__kwdefaults__["templates"] = loader


def _end(code: int) -> None:
    """As an interpreter ends, but nothing is given back: with all that was imported, that takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    import email_validator
    import zxcvbn
    from sqlalchemy.orm import configure_mappers

    from cms.app import Squall
    from cms.cli import commands, main, serving
    from cms.settings import data_folder
    from cms.ui.module import Loader

    assert commands, serving  # which main() would import,
    assert email_validator, zxcvbn  # and the first person with a password

    configure_mappers()  # which each would do in the same way
    _compile_templates()
    gc.collect()
    gc.freeze()  # what is shared stays shared, and is not looked through by each when it ends

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever runs the tests
    if _serve(socket.socket(fileno=int(sys.argv[1]))):
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            main()
        except SystemExit as end:
            if isinstance(end.code, int):
                _end(end.code)
            raise
