"""Secrets that are read again: what opens them, and what does not."""

import pytest

from cms.errors import OperatorError
from cms.sealing import Sealer, Under
from cms.settings import Settings, secret_keys

OLD, NEW, OTHER = ("o" * 40, "n" * 40, "x" * 40)


def sealer(*keys: str) -> Sealer:
    return Sealer(secret_keys(Settings(secret_keys=keys)))


def test_secret_is_opened_by_any_key_and_told_apart_by_it() -> None:
    sealed = sealer(OLD).seal("JBSWY3DP")
    both = sealer(NEW, OLD)
    assert "JBSWY3DP" not in sealed
    assert both.open(sealed) == "JBSWY3DP"
    assert [keys.standing(sealed) for keys in (sealer(OLD), both, sealer(NEW))] == [Under.NEWEST, Under.OLDER, Under.LOST]
    assert sealer(NEW).open(both.seal("JBSWY3DP")) == "JBSWY3DP"


@pytest.mark.parametrize("sealed", ["", "JBSWY3DP", "gAAAAA==", "é"])
def test_what_no_key_opens_is_said_in_a_sentence(sealed: str) -> None:
    keys = sealer(OTHER)
    assert keys.standing(sealed) is Under.LOST
    with pytest.raises(OperatorError, match="add that key again"):
        keys.open(sealed)
