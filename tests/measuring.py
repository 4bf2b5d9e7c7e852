"""Coverage, switched off where counting lines would cost many times what is counted: the same lines are counted in other tests."""

import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from unittest import mock

import coverage
import greenlet

_PREFIXES = ("COVERAGE", "COV_")


@contextmanager
def unmeasured() -> Iterator[None]:
    """What runs in here runs at its own speed."""
    measuring = coverage.Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    greenlet.settrace(None)
    try:
        yield
    finally:
        start(measuring)


def start(measuring: coverage.Coverage) -> None:
    """Go on. At each call and return coverage asks which greenlet this is, and looks it up in a weak dictionary, which is written in
    Python: half of what counting takes. With numbers, which are told whenever another greenlet goes on, a plain one does.

    What ``Coverage.start`` does before is done already; it would look through all modules again, which takes longer than many a test.
    """
    collector = measuring._collector
    if collector is None or collector.concur_id_func is None:
        measuring.start()
        return
    collector.concur_id_func = _numbers.current
    _numbers.goes_on("switch", (greenlet.getcurrent(), greenlet.getcurrent()))
    greenlet.settrace(_numbers.goes_on)
    with mock.patch.object(weakref, "WeakKeyDictionary", dict):
        collector.start()
        _is_counted()
    measuring._started = True
    measuring._instances.append(measuring)


def _is_counted() -> None:
    """The first call that is: for it coverage makes its dictionary."""


class _Numbers:
    """Of greenlets that are alive, from 1; the one that all others begin in is 0."""

    def __init__(self) -> None:
        self._known = weakref.WeakKeyDictionary[greenlet.greenlet, int]()
        self._current = bytearray()
        self.current = self._current.__len__  # nothing in Python is asked more quickly

    def goes_on(self, event: str, greenlets: tuple[greenlet.greenlet, greenlet.greenlet]) -> None:
        _, one = greenlets
        if one.parent is None:
            number = 0
        elif (number := self._known.get(one, 0)) == 0:
            taken = set(self._known.values())
            number = self._known[one] = next(each for each in count(1) if each not in taken)
        self._current[:] = bytes(number)


_numbers = _Numbers()


@contextmanager
def unmeasured_workers() -> Iterator[None]:
    """Processes that are started in here run at their own speed."""
    kept = {name: os.environ.pop(name) for name in list(os.environ) if is_about_measuring(name)}
    try:
        yield
    finally:
        os.environ.update(kept)


def unmeasured_environment() -> dict[str, str]:
    """For processes that run at their own speed."""
    return {name: value for name, value in os.environ.items() if not is_about_measuring(name)}


def is_about_measuring(name: str) -> bool:
    """Whether a variable of the environment is what makes processes count their lines."""
    return name.startswith(_PREFIXES)
