"""Processes of the program that need not import it again: one imports everything, and forks for each command.

Each fork has its own memory, streams, environment and folder, and is from ``cms.__main__`` on what ``python -m cms`` is. Importing takes
longer than most commands do. What serves has a second fork beside it, which becomes the process that renders.

process = forks.start(["db", "check"], env=…, cwd=…, stdin=file, stdout=file, stderr=file)
assert process.wait(10) == 0
"""

import asyncio
import atexit
import contextlib
import fcntl
import gc
import importlib
import json
import multiprocessing.spawn
import multiprocessing.util
import os
import re
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from pathlib import Path
from typing import IO, Any, NoReturn, Self

from tests import counting

ROOT = Path(__file__).resolve().parents[2]
MAX_REQUEST = 200_000  # bytes
RENDERING = {"serve", "run", "demo", "import"}  # commands that need what renders
SHOWN = ("/", "/archive", "/login", "/admin", "/admin/posts", "/admin/posts/new", "/admin/media", "/admin/site", "/account")
FAR = 500  # beyond all descriptors that a process has when it starts another


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


class Door:
    """Where whoever wants forks asks for them. The process that forks ends with this one, and need not be there before somebody comes."""

    def __init__(self, folder: Path) -> None:
        self.address = str(folder / "forks")
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(self.address)
        self._listening.listen()
        self._watched, self._held = os.pipe()
        self._process: subprocess.Popen[bytes] | None = None
        self._waiting: threading.Thread | None = None

    def start(self) -> None:
        watched = [self._listening.fileno(), self._watched]
        command = [sys.executable, "-m", "tests.cli.forks", *map(str, watched)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "100"}
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=watched)
        self._listening.close()  # if that process ends, nobody waits for it

    def start_when_asked(self) -> None:
        self._waiting = threading.Thread(target=self._start_when_asked, daemon=True)
        self._waiting.start()

    def _start_when_asked(self) -> None:
        if self._watched not in select.select([self._listening, self._watched], [], [])[0]:
            self.start()

    def close(self) -> None:
        """And wait until it has written down what was counted."""
        os.close(self._held)
        if self._waiting:
            self._waiting.join()
        if self._process:
            self._process.wait()


class Forks:
    """The process that forks, as it is asked: at the door of the whole run, or one of our own."""

    address = ""
    _only: Self | None = None

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if self.address:
            self._socket.connect(self.address)
            return
        with tempfile.TemporaryDirectory(prefix="squall-forks-", dir="/tmp") as folder:  # a socket's path has at most 107 characters
            self._door = Door(Path(folder))
            self._door.start()
            self._socket.connect(self._door.address)

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


def _serve(listening: socket.socket, watched: int) -> bool:
    """False when there is nobody any more who could ask; True in a child, which has become what was asked for."""
    asked: list[socket.socket] = []
    children: dict[int, int] = {}  # by their numbers: where it is told how they ended
    woken, waking = os.pipe()
    os.set_blocking(waking, False)
    signal.set_wakeup_fd(waking)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    while True:
        ready, _, _ = select.select([listening, watched, woken, *asked], [], [])
        if watched in ready:
            return False
        if woken in ready:
            os.read(woken, MAX_REQUEST)
            _tell(children)
        if listening in ready:
            asked.append(listening.accept()[0])
        for each in set(ready).intersection(asked):
            request, files, _, _ = socket.recv_fds(each, MAX_REQUEST, 4)
            if not request:
                asked.remove(each)
                each.close()
                continue
            *streams, told = files
            child = os.fork()
            if child == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for connection in (listening, *asked):
                    connection.close()
                for descriptor in (watched, woken, waking, told, *children.values()):
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
            counting.heed_forks()


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


def _have_renderer_ready() -> None:
    """A fork from before there are threads, which becomes the first process that multiprocessing starts anew: importing what renders
    takes longer than all else that a site does at its start. Any other is started as ever."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        ours.close()
        _render(theirs)
    theirs.close()
    start_anew, ready = multiprocessing.util.spawnv_passfds, [child]

    def start(path: bytes, arguments: list[str], descriptors: list[int]) -> int:
        with contextlib.suppress(IndexError):  # there is one, for whoever is first
            if "--multiprocessing-fork" in arguments:
                chosen = ready.pop()
                with ours:
                    socket.send_fds(ours, [json.dumps([arguments[-2], descriptors]).encode()], descriptors)
                return chosen
        return start_anew(path, arguments, descriptors)

    multiprocessing.util.spawnv_passfds = start


def _render(asked: socket.socket) -> NoReturn:
    """As ``python -c 'from multiprocessing.spawn import spawn_main; spawn_main(…)'`` does it, with the same descriptors."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # as it is blocked where it is started
    signal.signal(signal.SIGINT, signal.default_int_handler)
    request, files, _, _ = socket.recv_fds(asked, MAX_REQUEST, 20)
    if not request:
        os._exit(0)  # it never was wanted
    code, numbers = json.loads(request)
    moved = [fcntl.fcntl(file, fcntl.F_DUPFD, FAR) for file in files]
    os.closerange(3, FAR)
    for file, number in zip(moved, numbers, strict=True):
        os.dup2(file, number)
    os.closerange(FAR, FAR + len(moved))
    sys.argv = ["-c", "--multiprocessing-fork"]
    try:
        multiprocessing.spawn.spawn_main(**{name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", code)})
    except SystemExit as end:
        os._exit(int(end.code or 0))
    except BaseException:
        traceback.print_exc()
    os._exit(1)


def _compile_templates() -> None:
    """All of them, which each that serves would do again with those that it shows."""
    folder = data_folder("templates")
    loader = Loader(str(folder))
    for file in folder.rglob("*.html"):
        loader.load(str(file.relative_to(folder)))
    assert Squall.__init__.__kwdefaults__
    Squall.__init__.__kwdefaults__["templates"] = loader


async def _show_pages() -> None:
    """Of a site: statements are compiled and much else is found out at the first page of each kind."""
    with tempfile.TemporaryDirectory() as folder:
        await migrations.upgrade(url := f"sqlite+aiosqlite:///{folder}/squall.db")
        async with running_site(url, Path(folder), renderer=Renderer()) as site:
            browser = await site.signed_in("owner")
            for path in SHOWN:
                assert (await browser.get(path)).status < 400, path


async def _encode_static_files() -> None:
    """All that lie on the disk, too: a browser asks for a third of a second's work, and what was made of a file is kept by its content."""
    folder = data_folder("static")
    files = StaticFiles(folder, {})
    for file in folder.rglob("*"):
        if file.is_file():
            await files.find(file.relative_to(folder).as_posix()).codings()


def _end(code: int) -> None:
    """As an interpreter ends, but nothing is given back: with all that was imported, that takes longer than most commands."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


if __name__ == "__main__":
    import alembic.context
    import email_validator
    import zxcvbn
    from sqlalchemy.orm import configure_mappers

    from cms.app import Squall
    from cms.cli import commands, main, serving
    from cms.content.pipeline import render
    from cms.db import migrations
    from cms.rendering import Renderer
    from cms.settings import data_folder
    from cms.static_files import StaticFiles
    from cms.ui.module import Loader
    from tests import statements
    from tests.web import running_site

    assert commands, serving  # which main() would import,
    assert email_validator, zxcvbn  # and the first person with a password,
    assert alembic.context  # and the first migration

    configure_mappers()  # which each would do in the same way
    _compile_templates()
    asyncio.run(_encode_static_files())
    statements.share()
    asyncio.run(_show_pages())
    render("*Ready*")  # as each does that renders, and compiles patterns for it
    assert threading.active_count() == 1, "a fork would be without the others"
    gc.collect()
    gc.freeze()  # what is shared stays shared, and is not looked through by each when it ends

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for whoever runs the tests
    if _serve(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])):
        if RENDERING.intersection(sys.argv[1:2]):
            _have_renderer_ready()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            main()
        except SystemExit as end:
            if isinstance(end.code, int):
                _end(end.code)
            raise
