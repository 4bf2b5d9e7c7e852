"""The process above those that serve: it starts, watches and replaces them, and answers nobody itself.

It imports next to nothing, has no settings and opens no database. The first worker reads the settings, brings the database up to date,
binds the socket and hands it up; what is wrong is said by that worker, and the way in which it ends is ours. So a reload has new code and
new settings everywhere, though the parent stays. docs/decisions/0017-processes.md says why.
"""

import contextlib
import fcntl
import json
import os
import selectors
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from cms.server.systemd import Systemd

PID_FILE = "squall.pid"  # in the data folder; locked for as long as we live

START = 60.0  # seconds in which a worker must be ready; but for the first, which may migrate a large database
SILENCE = 60.0  # seconds after which a worker that says nothing is ended: its loop stands still
LEAVE = 40.0  # seconds for one that was asked to leave; it gives requests and jobs less than that
SETTLED = 10.0  # seconds after which a worker that ends is no sign of one that cannot live
PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0)  # seconds until one is started in place of another, by how often they ended soon
MOST_FAILURES = 8  # in a row, with nobody left who serves: then it is given up


class Worker:
    """One process that serves, or is about to, or has done."""

    def __init__(self, number: int, pid: int, line: socket.socket) -> None:
        self.number, self.pid, self.line = number, pid, line
        self.is_ready = False
        self.why = ""  # it cannot serve
        self.since = self.heard_at = time.monotonic()
        self.ends_at = float("inf")  # when it is ended, once it was asked to leave

    @property
    def is_leaving(self) -> bool:
        return self.ends_at < float("inf")

    def kill(self, number: int) -> None:
        os.kill(self.pid, number)  # not reaped yet, or it would not be known any more


class Parent:
    """``command``: what is appended to the name of the interpreter to start a worker, but for the descriptor of the line to us."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._systemd = Systemd()
        self._sockets = self._systemd.sockets
        self._shared = _new_folder()
        self._selector = selectors.DefaultSelector()
        self._workers: dict[int, Worker] = {}  # by process: all there are
        self._current: dict[int, Worker] = {}  # by number: those that serve or will
        self._wanted = 1
        self._is_up = self._is_stopping = False
        self._code = 0
        self._failures, self._not_before = 0, 0.0
        self._is_asked, self._begun, self._done = False, 0, 0  # reloads
        self._to_replace: list[int] = []
        self._successor: Worker | None = None
        self._problem = ""  # of the last reload
        self._told_at = 0.0
        self._pid_file = -1
        self._is_json = True
        self._terminals = [each for each in (0, 1, 2) if os.isatty(each)]

    def run(self) -> int:
        """Until all workers are gone. What our process ends with."""
        woken, waking = os.pipe()
        os.set_blocking(woken, False)
        os.set_blocking(waking, False)
        signal.set_wakeup_fd(waking)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self._selector.register(woken, selectors.EVENT_READ, lambda: self._take_signals(woken))
        self._start_current(1)
        self._is_stopping, self._code = not self._workers, int(not self._workers)
        try:
            while self._workers or not self._is_stopping:
                for key, _ in self._selector.select(1.0 if self._is_up else 0.2):
                    key.data()
                self._look_after()
        finally:
            if self._shared:
                _remove_folder(self._shared)
            if self._pid_file >= 0:
                os.ftruncate(self._pid_file, 0)
        return self._code

    # --- one worker ---

    def _start(self, number: int) -> Worker | None:
        """None if no process could be started: there is no memory, or the interpreter is just being replaced."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        words = {"number": number, "is_first": not self._is_up, "shared": str(self._shared or "")}
        socket.send_fds(ours, [json.dumps(words).encode()], [each.fileno() for each in self._sockets])
        theirs.set_inheritable(True)
        try:
            pid = os.posix_spawn(sys.executable, [sys.executable, *self._command, str(theirs.fileno())], os.environ)
        except OSError as error:
            ours.close()
            self._problem = f"No process could be started ({error.strerror})."
            return None
        finally:
            theirs.close()
        worker = self._workers[pid] = Worker(number, pid, ours)
        self._selector.register(ours, selectors.EVENT_READ, lambda: self._listen(worker))
        return worker

    def _start_current(self, number: int) -> None:
        if worker := self._start(number):
            self._current[number] = worker
        else:
            self._lost(number, is_soon=True, why=self._problem)

    def _listen(self, worker: Worker) -> None:
        while worker.line.fileno() >= 0:
            try:
                data, descriptors, _, _ = socket.recv_fds(worker.line, 65536, 8)
            except BlockingIOError:
                return
            except OSError:  # it ended before it had read what we said
                data, descriptors = b"", []
            worker.heard_at = time.monotonic()
            if not data:
                self._selector.unregister(worker.line)
                worker.line.close()
                return
            words = json.loads(data)
            worker.why = words.get("why", "")
            if "workers" in words:
                self._is_serving(worker, words, descriptors)

    def _is_serving(self, worker: Worker, words: dict[str, Any], descriptors: list[int]) -> None:
        worker.is_ready, worker.since = True, time.monotonic()
        self._wanted, self._is_json = words["workers"], words["is_json"]
        if descriptors:
            self._sockets = [socket.socket(fileno=each) for each in descriptors]
        if not self._is_up:
            self._is_up = True
            self._lock(words["data"])
            self._systemd.tell("READY=1")
        if worker is self._successor:
            self._successor = None
            self._dismiss(self._current.get(worker.number))
            self._current[worker.number] = worker

    def _dismiss(self, worker: Worker | None) -> None:
        """Let it finish what it has begun, and leave."""
        if worker is None or worker.is_leaving:
            return
        if self._current.get(worker.number) is worker:
            del self._current[worker.number]
        worker.ends_at = time.monotonic() + LEAVE
        worker.kill(signal.SIGTERM)

    def _ended(self, worker: Worker, code: int) -> None:
        self._listen(worker)  # its last words
        if worker.line.fileno() >= 0:  # held by a child of its own
            self._selector.unregister(worker.line)
            worker.line.close()
        if worker is self._successor:
            self._successor = None
            self._to_replace = []
            self._problem = worker.why or f"The new worker ended with code {code}; the log says why."
        elif self._current.get(worker.number) is worker:
            del self._current[worker.number]
            if not self._is_up:
                self._is_stopping, self._code = True, code if code >= 0 else 128 - code
            elif not self._is_stopping:
                is_soon = not worker.is_ready or time.monotonic() - worker.since < SETTLED
                self._lost(worker.number, is_soon=is_soon, code=code, why=worker.why)

    def _lost(self, number: int, *, is_soon: bool, **more: Any) -> None:
        self._failures = self._failures + 1 if is_soon else 0
        pause = PAUSES[min(max(self._failures - 1, 0), len(PAUSES) - 1)]
        self._not_before = time.monotonic() + pause
        self._say("warning", "a worker ended", worker=number, **more, again_in=pause)
        if self._failures >= MOST_FAILURES and not any(each.is_ready for each in self._current.values()):
            self._say("error", f"The last {self._failures} workers ended soon after their start, and nobody serves; Squall gives up.")
            self._code = 1
            self._stop()

    # --- all of them ---

    def _look_after(self) -> None:
        now = time.monotonic()
        for worker in list(self._workers.values()):
            if now > worker.ends_at:
                self._say("warning", "a worker does not leave, and is ended", worker=worker.number)
                worker.kill(signal.SIGKILL)
            elif self._is_up and (now - worker.heard_at > SILENCE if worker.is_ready else now - worker.since > START):
                self._say("warning", "a worker is silent, and is ended", worker=worker.number)
                worker.kill(signal.SIGKILL)
                worker.heard_at = worker.since = now
        if any(worker.is_ready and now - worker.since > SETTLED for worker in self._current.values()):
            self._failures = 0
        if self._is_up and not self._is_stopping:
            if now >= self._not_before:
                for number in range(1, self._wanted + 1):
                    if number not in self._current and not self._is_stopping:
                        self._start_current(number)
            for number in [each for each in self._current if each > self._wanted]:
                self._dismiss(self._current[number])
            self._go_on_reloading()
        if self._systemd.watchdog and now - self._told_at > self._systemd.watchdog and any(w.is_ready for w in self._workers.values()):
            self._told_at = now
            self._systemd.tell("WATCHDOG=1")

    def _go_on_reloading(self) -> None:
        if self._successor:
            return
        if self._to_replace:
            if (number := self._to_replace.pop(0)) <= self._wanted:
                self._successor = self._start(number)
            if self._problem:
                self._to_replace = []
        elif self._done < self._begun:
            self._done = self._begun
            if self._problem:
                self._say("error", "not reloaded; those that served go on", why=self._problem)
            else:
                self._say("info", "reloaded", workers=len(self._current))
            self._systemd.tell("READY=1")
            self._note()
        elif self._is_asked and not any(worker.is_leaving for worker in self._workers.values()):
            self._is_asked, self._begun = False, self._begun + 1
            self._problem, self._failures, self._not_before = "", 0, 0.0
            self._to_replace = sorted(self._current)
            self._systemd.tell_reloading()
            self._note()

    def _stop(self) -> None:
        if self._is_stopping:
            return
        self._is_stopping = True
        self._systemd.tell("STOPPING=1")
        for each in self._sockets:
            each.close()  # those who come from now on hear that nobody is there
        for worker in self._workers.values():
            self._dismiss(worker)

    # --- signals ---

    def _take_signals(self, woken: int) -> None:
        for number in os.read(woken, 4096):
            if number == signal.SIGCHLD:
                self._reap()
            elif number == signal.SIGHUP and all(map(os.isatty, self._terminals)):
                self._is_asked = True
            else:  # to be stopped, or somebody has closed the window
                self._stop()

    def _reap(self) -> None:
        """Ours, and in a container whoever has nobody else."""
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            if worker := self._workers.pop(pid, None):
                self._ended(worker, os.waitstatus_to_exitcode(status))

    # --- what is said ---

    def _lock(self, data: str) -> None:
        """``squall reload`` finds us by it: a lock ends with its holder, however that ends, and a number alone may be anybody's."""
        try:
            descriptor = os.open(f"{data}/{PID_FILE}", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._say("info", "another Squall serves from this data folder; `squall reload` reaches that one", data=data)
        except OSError as error:
            self._say("warning", "`squall reload` will not find this one", why=error.strerror, data=data)
        else:
            self._pid_file = descriptor
            self._note()

    def _note(self) -> None:
        if self._pid_file >= 0:
            reloads = {"begun": self._begun, "done": self._done, "workers": self._wanted, "problem": self._problem}
            with contextlib.suppress(OSError):  # the disk may be full
                size = os.pwrite(self._pid_file, f"{os.getpid()}\n{json.dumps(reloads)}\n".encode(), 0)
                os.ftruncate(self._pid_file, size)

    def _say(self, level: str, event: str, **more: Any) -> None:
        """In the form of all other lines (telemetry.py)."""
        at = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + f".{time.time_ns() // 1000 % 1_000_000:06}Z"
        said = {name: value for name, value in more.items() if value != ""}
        if self._is_json:
            line = json.dumps({**said, "event": event, "level": level, "timestamp": at})
        else:
            line = " ".join([at, f"[{level}]", event, *(f"{name}={value}" for name, value in said.items())])
        with contextlib.suppress(OSError):  # nobody reads it any more
            print(line, file=sys.stderr, flush=True)


def _new_folder() -> Path | None:
    """For what workers tell each other, if one can be made."""
    path = Path(os.environ.get("TMPDIR") or "/tmp", f"squall-{os.getpid()}-{os.urandom(8).hex()}")  # noqa: S108 - nobody else guesses it
    try:
        path.mkdir(0o700)
    except OSError:
        return None
    return path


def _remove_folder(path: Path) -> None:
    with contextlib.suppress(OSError):  # it may be gone: systems remove what lies untouched for days where it is
        for each in path.iterdir():
            each.unlink()
        path.rmdir()
