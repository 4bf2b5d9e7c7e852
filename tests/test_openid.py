"""What signing in elsewhere needs to be installed, and what it does not."""

import subprocess
import sys
from pathlib import Path

import pytest

from cms.errors import OperatorError
from cms.openid import OpenID, Secrets
from cms.settings import load

ROOT = Path(__file__).resolve().parent.parent
PROVIDER = {"SQUALL_OIDC_ISSUER": "https://id.example.org", "SQUALL_OIDC_CLIENT_ID": "squall"}


def test_provider_without_the_extra_is_refused_at_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "joserfc", None)
    for name in [name for name in sys.modules if name == "cms.id_tokens"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.delattr("cms.id_tokens", raising=False)
    with pytest.raises(OperatorError, match=r"pip install 'squall\[oidc\]'"):
        OpenID(load(PROVIDER))


def test_program_runs_without_the_extra_where_no_provider_is_set() -> None:
    script = "import sys; sys.modules['joserfc'] = None; import cms.cli.serving"
    subprocess.run([sys.executable, "-c", script], check=True, cwd=ROOT)


def test_checkout_has_the_extra() -> None:
    """`./squall run` installs what stands there, so that a provider needs only its settings."""
    assert "\njoserfc==" in (ROOT / "requirements/run.txt").read_text()


def test_verifier_and_nonce_tell_nothing_of_each_other() -> None:
    """https://www.rfc-editor.org/rfc/rfc7636#section-4.1: 43 to 128 characters."""
    one, other = Secrets.of("secret"), Secrets.of("another")
    assert {len(text) for text in (one.verifier, one.nonce, one.challenge)} == {43}
    assert len({one.verifier, one.nonce, one.challenge, other.verifier, other.nonce, other.challenge, "secret"}) == 7
    assert Secrets.of("secret") == one
