"""What systemd is told, and what it hands over (sd_notify(3), sd_listen_fds(3)). Without it nothing is said and nothing is there."""

import os
import socket
import time

_FIRST = 3  # descriptor of the sockets that are handed over


class Systemd:
    """Of this process: its children do not inherit what is meant for it."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        mine = str(os.getpid())
        count, of = _number("LISTEN_FDS"), os.environ.pop("LISTEN_PID", "")
        os.environ.pop("LISTEN_FDNAMES", None)
        self.sockets = [socket.socket(fileno=_FIRST + number) for number in range(count if of == mine else 0)]
        for each in self.sockets:
            each.set_inheritable(False)
        wanted, of = _number("WATCHDOG_USEC"), os.environ.pop("WATCHDOG_PID", mine)
        self.watchdog = wanted / 1e6 / 2 if of == mine else 0.0
        """Seconds between two signs of life; 0: nobody waits for any."""

    def tell(self, state: str) -> None:
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            try:
                line.sendto(state.encode(), address)
            except OSError:
                return  # nobody listens any more

    def tell_reloading(self) -> None:
        self.tell(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


def _number(name: str) -> int:
    """What is no number says as little as nothing at all."""
    said = os.environ.pop(name, "")
    return int(said) if said.isascii() and said.isdecimal() else 0
