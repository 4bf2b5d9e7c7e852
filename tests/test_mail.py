"""Letters, as a real mail server takes or refuses them."""

import asyncio
import socket
from pathlib import Path

import pytest

from cms import mail
from cms.mail import Letter, MailFailed, Smtp, Terminal, mailer_for
from cms.settings import Settings, smtp_server
from cms.ui.languages import language
from cms.wording import say
from tests.postbox import LOGIN, free_port, link_in, make_certificate, postbox, text_of

LINK = "https://tides.example/password/a-link-that-works-once"
LETTER = Letter(
    "ana@example.org", "Ana", "A new password", ("Somebody asked.", "Once <only>."), LINK, "Choose one", ("One hour.",), is_ticket=True
)
ENGLISH = language(["en"])


def smtp(url: str, sender: str = "desk@example.org") -> Smtp:
    return Smtp(smtp_server(url), sender, "https://tides.example")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_certificate(tmp_path_factory.mktemp("tls") / "localhost.pem")


async def refused(mailer: Smtp, letter: Letter = LETTER) -> MailFailed:
    with pytest.raises(MailFailed) as failed:
        await mailer.send(letter, "The Tide Table", ENGLISH)
    assert letter.to not in failed.value.message
    assert LINK not in failed.value.message
    assert failed.value.__suppress_context__, "what the server said is not in a log's traceback either"
    return failed.value


async def test_letter_has_both_forms_and_says_that_a_program_wrote_it() -> None:
    with postbox() as box:
        await smtp(box.url()).send(LETTER, "The Tide Table", ENGLISH)
    (letter,) = box.letters
    assert (letter["To"], letter["Subject"]) == ("ana@example.org", "A new password")
    assert letter["From"] == "The Tide Table <desk@example.org>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].endswith("@example.org>")
    assert letter["Date"]
    assert link_in(letter) == LINK
    text, html = text_of(letter), text_of(letter, "html")
    for words in ("Hello Ana,", "Somebody asked.", "One hour.", "The Tide Table", "https://tides.example/"):
        assert words in text
        assert words in html
    assert "Once <only>." in text
    assert "Once &lt;only&gt;." in html
    assert "color-scheme" in html


async def test_letter_speaks_the_language_of_whoever_gets_it() -> None:
    what = say("The passkey “{name}” was removed", name="Handy")
    german = Letter("ana@example.org", "Ana", say("An invitation to {site}", site="Watt"), (say("{what}.", what=what),), LINK, "Sign in")
    with postbox() as box:
        await smtp(box.url()).send(german, "The Tide Table", language(["de"]))
    (letter,) = box.letters
    assert letter["Subject"] == "Eine Einladung zu Watt"
    text, html = text_of(letter), text_of(letter, "html")
    for words in ("Hallo Ana,", "Der Passkey „Handy“ wurde entfernt.", "Anmelden"):
        assert words in text
        assert words in html
    assert '<html lang="de">' in html
    assert "Wenn der Knopf" in html


async def test_sender_may_have_a_name_of_its_own() -> None:
    with postbox() as box:
        await smtp(box.url(), "Schöne Grüße <desk@example.org>").send(LETTER, "The Tide Table", ENGLISH)
    assert box.letters[0]["From"].addresses[0].display_name == "Schöne Grüße"


async def test_address_in_another_script_goes_out_as_punycode() -> None:
    with postbox() as box:
        await smtp(box.url()).send(Letter("ana@exämple.org", "", "Tide", ("x",)), "S", ENGLISH)
    assert box.letters[0]["To"] == "ana@xn--exmple-cua.org"


@pytest.mark.parametrize(
    "letter",
    [
        Letter("ana@example.org\r\nBcc: all@example.org", "", "x", ()),
        Letter("ana@example.org", "", "x\r\nBcc: all@example.org", ()),
        Letter("ana@example.org\n", "", "x", ()),
        Letter("ana@example.org, all@example.org", "", "x", ()),
    ],
)
async def test_nobody_puts_a_header_into_a_letter(letter: Letter) -> None:
    with postbox() as box:
        assert "cannot be written" in (await refused(smtp(box.url()), letter)).message
        assert box.letters == []
        await smtp(box.url()).send(Letter("ana@example.org", "Ana\n\nhttps://evil.example/x", "Tide", ("x",)), "The Tide Table", ENGLISH)
    (sent,) = box.letters
    assert sent["Bcc"] is None
    assert "Hello Ana https://evil.example/x," in text_of(sent), "no line of its own"


async def test_letters_go_over_starttls(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with postbox(certificate=certificate, security="starttls", needs_login=True) as box:
        await refused(smtp(box.url("smtp", LOGIN)))  # nobody knows this certificate
        assert box.letters == []
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        await smtp(box.url("smtp", LOGIN)).send(LETTER, "S", ENGLISH)
    assert len(box.letters) == 1


async def test_letters_go_over_tls_from_the_start(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with postbox(certificate=certificate, security="tls") as box:
        await smtp(box.url("smtps")).send(LETTER, "S", ENGLISH)
    assert len(box.letters) == 1


async def test_without_starttls_nothing_is_sent(certificate: Path) -> None:
    with postbox() as box:
        assert "does not offer STARTTLS" in (await refused(smtp(box.url("smtp")))).message
    assert box.letters == []


async def test_refused_password_is_said_so() -> None:
    with postbox(needs_login=True) as box:
        error = await refused(smtp(box.url(login="desk:wrong")))
        assert "refused the user or the password (535)" in error.message
        assert "535" not in error.reply
        assert error.reply, "the server's sentence, for who asked"
        await smtp(box.url(login=LOGIN)).send(LETTER, "S", ENGLISH)
    assert len(box.letters) == 1


async def test_refused_recipient_is_named_to_whoever_looks_on_only() -> None:
    with postbox() as box:
        box.refuses = "550 ana@example.org does not live here"
        error = await refused(smtp(box.url()))
    assert "refused the recipient (550)" in error.message
    assert error.reply == "ana@example.org does not live here"


async def test_server_that_is_away_is_said_so() -> None:
    assert "cannot be reached" in (await refused(smtp(f"smtp+plain://localhost:{free_port()}"))).message


async def test_server_that_says_nothing_is_not_waited_for_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "PATIENCE", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        turns = asyncio.create_task(_count())
        error = await refused(smtp(f"smtp+plain://127.0.0.1:{silent.getsockname()[1]}"))
        assert "did not answer in time" in error.message
        turns.cancel()


async def _count() -> None:
    while True:
        await asyncio.sleep(0)


async def test_without_a_server_links_come_to_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    mailer = mailer_for(Settings())
    assert isinstance(mailer, Terminal)
    await mailer.send(LETTER, "S", ENGLISH)
    await mailer.send(Letter("ana@example.org", "Ana", "Your role was changed", ("x",), "https://tides.example/login"), "S", ENGLISH)
    shown = capsys.readouterr()
    assert "A new password, for ana@example.org" in shown.out
    assert LINK in shown.out
    assert "Your role" not in shown.out
    assert shown.err == ""


def test_settings_name_the_server() -> None:
    mailer = mailer_for(Settings(smtp_url="smtp://mail.example", mail_from="desk@example.org"))
    assert isinstance(mailer, Smtp)
    assert (mailer.can_reach_people, Terminal.can_reach_people) == (True, False)
