"""Coverage, switched off where counting lines would cost many times what is counted: the same lines are counted in other tests."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import coverage

_PREFIXES = ("COVERAGE", "COV_")


@contextmanager
def unmeasured() -> Iterator[None]:
    """What runs in here runs at its own speed."""
    measuring = coverage.Coverage.current()
    if measuring is None:
        yield
        return
    measuring.stop()
    try:
        yield
    finally:
        measuring.start()


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
