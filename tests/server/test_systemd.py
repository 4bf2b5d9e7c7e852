import os

import pytest

from cms.server.systemd import Systemd


@pytest.mark.parametrize("said", ["", "soon", "-1", "1e6", "²"])
def test_what_is_no_number_says_nothing(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LISTEN_FDS", "WATCHDOG_USEC"):
        monkeypatch.setenv(name, said)
    monkeypatch.setenv("LISTEN_PID", str(os.getpid()))
    systemd = Systemd()
    assert (systemd.sockets, systemd.watchdog) == ([], 0)
    assert "WATCHDOG_USEC" not in os.environ, "it is not for children"
