"""Settings: where they come from, which wins, what is refused and in which words; and the secret key."""

import multiprocessing
import os
import pwd
import re
import stat
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from cms import settings
from cms.errors import OperatorError
from cms.settings import SECRET_KEY_NAME, Settings, add_secret_key, forget_older_keys, load, prepare_data_folder, secret_keys

ROOT = Path(__file__).resolve().parent.parent
SECRET = "correct-horse-battery-staple-and-more"
OTHER = "another-key-of-more-than-thirty-two-letters"

# For each setting: as a variable, in TOML, and what both must become.
EXAMPLES: dict[str, tuple[str, str, Any]] = {
    "data": ("/srv/squall", '"/srv/squall"', "/srv/squall"),
    "host": ("0.0.0.0", '"0.0.0.0"', "0.0.0.0"),
    "port": ("9000", "9000", "9000"),
    "workers": ("3", "3", "3"),
    "site_url": ("https://example.org/", '"https://example.org/"', "https://example.org"),
    "database_url": ("postgresql+asyncpg://u:p@db/s", '"postgresql+asyncpg://u:p@db/s"', "postgresql+asyncpg://u:p@db/s"),
    "migrate": ("false", "false", "False"),
    "secret_keys": (f"{SECRET}, {OTHER}", f'["{SECRET}", "{OTHER}"]', [SECRET, OTHER]),
    "media_url": ("file:///srv/media", '"file:///srv/media"', "file:///srv/media"),
    "s3_endpoint": ("https://s3.example.org/", '"https://s3.example.org"', "https://s3.example.org"),
    "s3_region": ("eu-central-1", '"eu-central-1"', "eu-central-1"),
    "s3_access_key_id": ("squall", '"squall"', "squall"),
    "s3_secret_access_key": (SECRET, f'"{SECRET}"', SECRET),
    "media_signed": ("true", "true", "True"),
    "media_cdn_url": ("https://cdn.example.org", '"https://cdn.example.org/"', "https://cdn.example.org"),
    "smtp_url": ("smtp://u:p@mail:587", '"smtp://u:p@mail:587"', "smtp://u:p@mail:587"),
    "mail_from": ("Desk <desk@example.org>", '"Desk <desk@example.org>"', "Desk <desk@example.org>"),
    "argon2_memory": ("64", "64", "64"),
    "argon2_passes": ("3", "3", "3"),
    "argon2_lanes": ("4", "4", "4"),
    "connections": ("200", "200", "200"),
    "oidc_issuer": ("https://id.example.org", '"https://id.example.org"', "https://id.example.org"),
    "oidc_client_id": ("squall", '"squall"', "squall"),
    "oidc_client_secret": (SECRET, f'"{SECRET}"', SECRET),
    "oidc_name": ("Staff", '"Staff"', "Staff"),
    "trusted_proxies": ("10.0.0.0/8, ::1/128", '["10.0.0.0/8", "::1/128"]', ["10.0.0.0/8", "::1/128"]),
    "metrics_token": (SECRET, f'"{SECRET}"', SECRET),
    "page_cache": ("16", "16", "16"),
    "cdn_seconds": ("300", "300", "300"),
    "surrogate_keys": ("true", "true", "True"),
    "access_log": ("sampled", '"sampled"', "sampled"),
    "surrogate_header": ("Cache-Tag", '"Cache-Tag"', "Cache-Tag"),
    "purge_url": ("https://api.example.org/purge/", '"https://api.example.org/purge"', "https://api.example.org/purge"),
    "purge_by": ("json", '"json"', "json"),
    "purge_field": ("xkey", '"xkey"', "xkey"),
    "purge_token": (SECRET, f'"{SECRET}"', SECRET),
    "purge_token_header": ("Fastly-Key", '"Fastly-Key"', "Fastly-Key"),
    "pages_folder": ("/srv/pages", '"/srv/pages"', "/srv/pages"),
    "log_level": ("debug", '"debug"', "debug"),
    "log_format": ("json", '"json"', "json"),
}


_ISSUER, _CLIENT = {"SQUALL_OIDC_ISSUER": "https://id.example.org"}, {"SQUALL_OIDC_CLIENT_ID": "squall"}
_BUCKET = {"SQUALL_MEDIA_URL": "s3://bucket"}
_KEY_ID, _KEY = {"SQUALL_S3_ACCESS_KEY_ID": "squall"}, {"SQUALL_S3_SECRET_ACCESS_KEY": SECRET}
NEEDS = {  # of a setting that cannot stand alone
    "s3_access_key_id": _KEY,
    "s3_secret_access_key": _KEY_ID,
    "media_signed": {**_BUCKET, **_KEY_ID, **_KEY},
    "smtp_url": {"SQUALL_MAIL_FROM": "desk@example.org"},
    "oidc_issuer": _CLIENT,
    "oidc_client_id": _ISSUER,
    "oidc_client_secret": {**_ISSUER, **_CLIENT},
    "purge_url": {"SQUALL_SURROGATE_KEYS": "1"},
}


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [plain(part) for part in value]
    return value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)


def test_every_setting_has_an_example_here() -> None:
    assert set(EXAMPLES) == set(Settings.model_fields)


@pytest.mark.parametrize("name", EXAMPLES)
def test_setting_is_read_from_the_environment(name: str) -> None:
    variable, _, expected = EXAMPLES[name]
    assert plain(getattr(load({f"SQUALL_{name.upper()}": variable, **NEEDS.get(name, {})}), name)) == expected


@pytest.mark.parametrize("name", EXAMPLES)
def test_setting_is_read_from_a_file(name: str) -> None:
    _, toml, expected = EXAMPLES[name]
    Path("squall.toml").write_text(f"{name} = {toml}\n")
    assert plain(getattr(load(NEEDS.get(name, {})), name)) == expected


@pytest.mark.parametrize("name", EXAMPLES)
def test_setting_has_a_default(name: str) -> None:
    assert hasattr(load({}), name)


def test_command_line_wins_over_environment_over_data_folder_over_working_folder() -> None:
    Path("data").mkdir()
    Path("squall.toml").write_text('host = "working"\nport = 1\nlog_level = "error"\nsite_url = "http://working.example"')
    Path("data/squall.toml").write_text('host = "beside"\nport = 2\nlog_level = "warning"')
    found = load({"SQUALL_HOST": "environment", "SQUALL_PORT": "3"}, port=4, host=None)
    assert (found.port, found.host, found.log_level, found.site_url) == (4, "environment", "warning", "http://working.example")


def test_file_in_the_data_folder_is_found_where_each_source_says_it_is() -> None:
    Path("elsewhere").mkdir()
    Path("elsewhere/squall.toml").write_text("port = 7")
    assert load({"SQUALL_DATA": "elsewhere"}).port == 7
    assert load({}, data="elsewhere").port == 7
    Path("squall.toml").write_text('data = "elsewhere"')
    assert load({}).port == 7


def test_data_folder_cannot_name_another_data_folder() -> None:
    Path("data").mkdir()
    Path("data/squall.toml").write_text('data = "/srv"')
    with pytest.raises(OperatorError, match="SQUALL_DATA"):
        load({})


def test_data_folder_may_be_the_working_folder() -> None:
    Path("squall.toml").write_text('data = "."\nport = 5')
    found = load({})
    assert (found.data, found.port) == (Path.cwd(), 5)


def test_empty_variable_is_as_good_as_none() -> None:
    Path("squall.toml").write_text("port = 5")
    found = load({"SQUALL_PORT": "", "SQUALL_DATA": "", "SQUALL_LOG_LEVEL": "", "SQUALL_SECRET_KEYS": ""})
    assert (found.port, found.data, found.log_level) == (5, Path.cwd() / "data", "info")


REFUSED: dict[str, tuple[Mapping[str, str], str]] = {
    "unknown": ({"SQUALL_DATABSE_URL": SECRET}, "SQUALL_DATABSE_URL is not a setting"),
    "no number": ({"SQUALL_PORT": SECRET}, "SQUALL_PORT is wrong"),
    "too large": ({"SQUALL_PORT": "65536"}, "SQUALL_PORT is wrong"),
    "no choice": ({"SQUALL_LOG_LEVEL": SECRET}, "SQUALL_LOG_LEVEL is wrong"),
    "no boolean": ({"SQUALL_MIGRATE": SECRET}, "SQUALL_MIGRATE is wrong"),
    "short key": ({"SQUALL_SECRET_KEYS": f"{SECRET},hunter2"}, "SQUALL_SECRET_KEYS is wrong: each key needs at least 32 characters"),
    "other database": ({"SQUALL_DATABASE_URL": f"mysql://u:{SECRET}@db/s"}, "SQUALL_DATABASE_URL begins with sqlite"),
    "plain driver": ({"SQUALL_DATABASE_URL": f"postgresql://u:{SECRET}@db/s"}, "SQUALL_DATABASE_URL begins with sqlite"),
    "database's port": ({"SQUALL_DATABASE_URL": f"postgresql+asyncpg://u:{SECRET}/x@db/s"}, "SQUALL_DATABASE_URL is"),
    "database in memory": ({"SQUALL_DATABASE_URL": "sqlite+aiosqlite:///:memory:"}, "SQUALL_DATABASE_URL is"),
    "database without a file": ({"SQUALL_DATABASE_URL": "sqlite+aiosqlite:///"}, "SQUALL_DATABASE_URL is"),
    "unknown option": (
        {"SQUALL_DATABASE_URL": "postgresql+asyncpg://db/s?channel=x&ssl=require"},
        "are not known here (`channel`); it takes host",
    ),
    "option of a file": (
        {"SQUALL_DATABASE_URL": "sqlite+aiosqlite:///a.db?sslmode=require"},
        "are not known here (`sslmode`); a SQLite file",
    ),
    "option's port": ({"SQUALL_DATABASE_URL": "postgresql+asyncpg:///s?port=x"}, "SQUALL_DATABASE_URL is with a port"),
    "processes beyond all reason": ({"SQUALL_WORKERS": "2000"}, "SQUALL_WORKERS is wrong: input should be less than"),
    "path in the address": ({"SQUALL_SITE_URL": "https://example.org/blog"}, "SQUALL_SITE_URL is an address like"),
    "other scheme": ({"SQUALL_SITE_URL": "ftp://example.org"}, "SQUALL_SITE_URL is an address like"),
    "no scheme": ({"SQUALL_SITE_URL": "example.org"}, "SQUALL_SITE_URL is an address like"),
    "address with a name": ({"SQUALL_SITE_URL": f"https://me:{SECRET}@example.org"}, "SQUALL_SITE_URL is an address like"),
    "address with a fragment": ({"SQUALL_SITE_URL": "https://example.org#top"}, "SQUALL_SITE_URL is an address like"),
    "address with a strange port": ({"SQUALL_SITE_URL": "https://example.org:port"}, "SQUALL_SITE_URL is an address like"),
    "address with markup": ({"SQUALL_SITE_URL": "https://example.org<script>"}, "SQUALL_SITE_URL is an address like"),
    "address with a space": ({"SQUALL_SITE_URL": "https://ex ample.org"}, "SQUALL_SITE_URL is an address like"),
    "address with a line break": ({"SQUALL_SITE_URL": "https://exam\nple.org"}, "SQUALL_SITE_URL is an address like"),
    "address with an empty part": ({"SQUALL_SITE_URL": "https://example..org"}, "SQUALL_SITE_URL is an address like"),
    "address with no such number": ({"SQUALL_SITE_URL": "http://256.1.1.1"}, "SQUALL_SITE_URL is an address like"),
    "address with half a bracket": ({"SQUALL_SITE_URL": "http://[::1"}, "SQUALL_SITE_URL is an address like"),
    "address with a zone": ({"SQUALL_SITE_URL": "http://[fe80::1%eth0]"}, "SQUALL_SITE_URL is an address like"),
    "address that no script writes": ({"SQUALL_SITE_URL": "https://ex\u2060\u0300ample.org\u2fff"}, "SQUALL_SITE_URL is an address like"),
    "mail of nobody": ({"SQUALL_SMTP_URL": f"smtp://u:{SECRET}@mail"}, "SQUALL_MAIL_FROM is needed with SQUALL_SMTP_URL"),
    "no address to send from": ({"SQUALL_MAIL_FROM": SECRET}, "SQUALL_MAIL_FROM is an address like"),
    "sender with a line break": ({"SQUALL_MAIL_FROM": "The\nDesk <desk@example.org>"}, "SQUALL_MAIL_FROM is an address like"),
    "other way to send": ({"SQUALL_SMTP_URL": f"lmtp://u:{SECRET}@mail"}, "SQUALL_SMTP_URL begins with smtp://"),
    "mail server's port": ({"SQUALL_SMTP_URL": f"smtp://u:{SECRET}/x@mail"}, "SQUALL_SMTP_URL is not an address"),
    "mail server with a space": ({"SQUALL_SMTP_URL": "smtp://mail server"}, "SQUALL_SMTP_URL is not an address"),
    "mail server without a name": ({"SQUALL_SMTP_URL": f"smtp://u:{SECRET}@"}, "SQUALL_SMTP_URL is an address like"),
    "mail server with a path": ({"SQUALL_SMTP_URL": "smtp://mail/x"}, "SQUALL_SMTP_URL is an address like"),
    "user without a password": ({"SQUALL_SMTP_URL": "smtp://hunter2@mail"}, "SQUALL_SMTP_URL is with a user and a password"),
    "other storage": ({"SQUALL_MEDIA_URL": "ftp://x/y"}, "SQUALL_MEDIA_URL begins with file:///"),
    "bucket with capitals": ({"SQUALL_MEDIA_URL": "s3://Bucket"}, "SQUALL_MEDIA_URL is s3:// and the name of a bucket"),
    "bucket without a name": ({"SQUALL_MEDIA_URL": "s3:///prefix"}, "SQUALL_MEDIA_URL is s3:// and the name of a bucket"),
    "prefix that leaves": ({"SQUALL_MEDIA_URL": "s3://bucket/../x"}, "SQUALL_MEDIA_URL is s3:// and the name of a bucket"),
    "bucket with a key": ({"SQUALL_MEDIA_URL": f"s3://me:{SECRET}@bucket"}, "SQUALL_MEDIA_URL is s3:// and the name of a bucket"),
    "storage of nowhere": ({"SQUALL_S3_ENDPOINT": "s3.example.org"}, "SQUALL_S3_ENDPOINT is an address like"),
    "storage with a path": ({"SQUALL_S3_ENDPOINT": "https://s3.example.org/bucket"}, "SQUALL_S3_ENDPOINT is an address like"),
    "key without its secret": (_KEY_ID, "SQUALL_S3_SECRET_ACCESS_KEY is needed with SQUALL_S3_ACCESS_KEY_ID"),
    "secret of no key": (_KEY, "SQUALL_S3_SECRET_ACCESS_KEY is needed with SQUALL_S3_ACCESS_KEY_ID"),
    "purges of what nobody knows": ({"SQUALL_PURGE_URL": "https://cdn.example.org"}, "SQUALL_PURGE_BY is header or json only with"),
    "purges of nowhere": ({"SQUALL_PURGE_URL": "cdn.example.org"}, "SQUALL_PURGE_URL is an address like"),
    "purges with a user": ({"SQUALL_PURGE_URL": f"https://me:{SECRET}@cdn.example.org"}, "SQUALL_PURGE_URL is an address like"),
    "purges with half a bracket": ({"SQUALL_PURGE_URL": "http://[::1"}, "SQUALL_PURGE_URL is an address like"),
    "header with a line break": ({"SQUALL_PURGE_TOKEN_HEADER": "A\nB"}, "SQUALL_PURGE_TOKEN_HEADER is wrong"),
    "pages that say what they show": ({"SQUALL_PAGES_FOLDER": "/p", "SQUALL_SURROGATE_KEYS": "1"}, "SQUALL_PAGES_FOLDER is of no use with"),
    "pages that are not kept": ({"SQUALL_PAGES_FOLDER": "/p", "SQUALL_PAGE_CACHE": "0"}, "SQUALL_PAGES_FOLDER is of no use with"),
    "folder that nginx would not find": ({"SQUALL_PAGES_FOLDER": "/$p"}, "SQUALL_PAGES_FOLDER is a path without $"),
    "folder that signs": ({"SQUALL_MEDIA_SIGNED": "1", **_KEY_ID, **_KEY}, "SQUALL_MEDIA_SIGNED is only for uploads in S3"),
    "role that signs": ({"SQUALL_MEDIA_SIGNED": "1", **_BUCKET}, "SQUALL_MEDIA_SIGNED is only for uploads in S3"),
    "part of a CDN": ({"SQUALL_MEDIA_CDN_URL": "https://cdn.example.org/x"}, "SQUALL_MEDIA_CDN_URL is an address like"),
    "storage that is the whole disk": ({"SQUALL_MEDIA_URL": "file:///"}, "SQUALL_MEDIA_URL is file:/// and the path"),
    "storage with a strange sign": ({"SQUALL_MEDIA_URL": "file:///a%00b"}, "SQUALL_MEDIA_URL is file:/// and the path"),
    "no network": ({"SQUALL_TRUSTED_PROXIES": f"10.0.0.0/8,{SECRET}"}, "SQUALL_TRUSTED_PROXIES is a list of networks"),
    "no name": ({"SQUALL_": "x"}, "SQUALL_ is not a setting"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_wrong_setting_is_refused_by_name_without_its_value(case: str) -> None:
    environment, words = REFUSED[case]
    with pytest.raises(OperatorError) as refused:
        load(environment)
    assert words in refused.value.message
    assert refused.value.message.endswith(".")
    for leaked in (SECRET, "hunter2"):
        assert leaked not in str(refused.value)
        assert leaked not in repr(refused.value.__cause__)


def test_wrong_networks_are_one_sentence() -> None:
    with pytest.raises(OperatorError) as refused:
        load({"SQUALL_TRUSTED_PROXIES": "foo,bar"})
    assert refused.value.message.count("SQUALL_TRUSTED_PROXIES") == 1


def test_several_wrong_settings_are_all_named_with_where_they_stand() -> None:
    Path("squall.toml").write_text("nonsense = 1\n[server]\nport = 2\n")
    with pytest.raises(OperatorError) as refused:
        load({"SQUALL_PORT": "x"})
    for words in ("`nonsense` in squall.toml is not a setting", "`server` in squall.toml is not a setting", "SQUALL_PORT is wrong"):
        assert words in refused.value.message


@pytest.mark.parametrize("content", [b"port = ", b"port = 1\nport = 2", b"\xff\xfe"])
def test_broken_file_is_refused_by_name(content: bytes) -> None:
    Path("squall.toml").write_bytes(content)
    with pytest.raises(OperatorError, match=r"squall\.toml is not valid TOML"):
        load({})


def test_secrets_do_not_show_in_a_representation() -> None:
    assert SECRET not in repr(load({"SQUALL_SECRET_KEYS": SECRET, "SQUALL_METRICS_TOKEN": SECRET}))


def test_database_and_media_are_in_the_data_folder_unless_said_otherwise() -> None:
    found = load({"SQUALL_DATA": "/srv/it's 50% off #1?"})
    assert found.sqlite_path == Path("/srv/it's 50% off #1?/squall.db")
    assert found.media_folder == Path("/srv/it's 50% off #1?/media")
    assert load({"SQUALL_DATABASE_URL": EXAMPLES["database_url"][0]}).sqlite_path is None
    assert load({"SQUALL_MEDIA_URL": "file:///mnt/media"}).media_folder == Path("/mnt/media")
    assert load({"SQUALL_MEDIA_URL": "file:///mnt/my%20media"}).media_folder == Path("/mnt/my media")
    for url, bucket in (
        ("s3://my.bucket", ("my.bucket", "")),
        ("s3://bucket/", ("bucket", "")),
        ("s3://bucket/a/b_c/", ("bucket", "a/b_c")),
    ):
        there = load({"SQUALL_MEDIA_URL": url})
        assert (there.media_folder, there.bucket) == (None, bucket)
    assert found.bucket == ("", "")


def test_encryption_of_the_database_may_be_asked_for_in_the_words_of_postgresql() -> None:
    found = load({"SQUALL_DATABASE_URL": "postgresql+asyncpg://u:p%3F@/s?host=/run/postgresql&sslmode=require"})
    assert found.database == "postgresql+asyncpg://u:p%3F@/s?host=/run/postgresql&ssl=require"


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://mail.example", ("mail.example", 587, "starttls", "", "")),
        ("smtps://u:p@mail.example", ("mail.example", 465, "tls", "u", "p")),
        ("smtp+plain://localhost", ("localhost", 25, "plain", "", "")),
        ("smtp://a%40b.example:p%3A%2F%25@[::1]:2525/", ("::1", 2525, "starttls", "a@b.example", "p:/%")),
    ],
)
def test_mail_server_is_read_from_its_address(url: str, expected: tuple[object, ...]) -> None:
    server = settings.smtp_server(url)
    assert (server.host, server.port, server.security, server.user, server.password) == expected
    assert "p:/%" not in repr(server)


def test_public_address_follows_the_port_until_one_is_given() -> None:
    assert load({"SQUALL_PORT": "9000"}).public_url == "http://localhost:9000"
    given = load({"SQUALL_SITE_URL": "https://example.org/"})
    assert (given.public_url, given.is_https) == ("https://example.org", True)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("HTTPS://Example.ORG", "https://example.org"),
        ("https://example.org:443/", "https://example.org"),
        ("http://example.org:80", "http://example.org"),
        ("http://example.org:443", "http://example.org:443"),
        ("https://exämple.org", "https://xn--exmple-cua.org"),
        ("https://EXÄMPLE.org:8443", "https://xn--exmple-cua.org:8443"),
        ("https://straße.example", "https://xn--strae-oqa.example"),
        ("https://例え.テスト/", "https://xn--r8jz45g.xn--zckzah"),
        ("http://my_blog:8888", "http://my_blog:8888"),
        ("http://127.0.0.1:8888", "http://127.0.0.1:8888"),
        ("http://[0:0::1]:8888", "http://[::1]:8888"),
    ],
)
def test_public_address_is_written_as_browsers_write_it(typed: str, meant: str) -> None:
    """Cookies, HSTS and the check of Host and Origin hang on it."""
    found = load({"SQUALL_SITE_URL": typed})
    assert found.public_url == meant
    assert found.is_https is meant.startswith("https:")


@pytest.mark.parametrize(
    ("given", "refused"),
    [
        ({"OIDC_ISSUER": "https://id.example.org"}, "SQUALL_OIDC_CLIENT_ID is needed with SQUALL_OIDC_ISSUER"),
        ({"OIDC_CLIENT_ID": "squall"}, "SQUALL_OIDC_CLIENT_ID is of no use without SQUALL_OIDC_ISSUER"),
        ({"OIDC_CLIENT_SECRET": SECRET}, "SQUALL_OIDC_CLIENT_SECRET is of no use without SQUALL_OIDC_ISSUER"),
    ],
)
def test_settings_of_a_provider_need_each_other(given: dict[str, str], refused: str) -> None:
    with pytest.raises(OperatorError, match=refused):
        load({f"SQUALL_{name}": value for name, value in given.items()})


@pytest.mark.parametrize(
    "issuer",
    [
        "id.example.org", "http://id.example.org", "http://10.0.0.1", "https://", "https://id.example.org/?a=b", "https://u:p@id.example.org",
        "https://id.example.org/#x", "https://id.example.org:0", "https://[::1", "https://id example.org", "javascript:alert(1)",
    ],
)  # fmt: skip
def test_issuer_is_an_address_that_can_be_trusted(issuer: str) -> None:
    with pytest.raises(OperatorError, match="SQUALL_OIDC_ISSUER is an address like"):
        load({"SQUALL_OIDC_ISSUER": issuer, "SQUALL_OIDC_CLIENT_ID": "squall"})


@pytest.mark.parametrize(
    "issuer",
    ["https://id.example.org/realms/Desk/", "http://localhost:9000", "http://127.0.0.1:9000/x", "http://[::1]:9000", "https://10.0.0.1"],
)
def test_issuer_is_kept_as_its_provider_writes_it(issuer: str) -> None:
    assert load({"SQUALL_OIDC_ISSUER": issuer, "SQUALL_OIDC_CLIENT_ID": "squall"}).oidc_issuer == issuer


# --- the data folder and the secret key ------------------------------------------------------------------------------------


def prepared(folder: Path) -> Settings:
    found = load({}, data=str(folder))
    prepare_data_folder(found)
    return found


def test_data_folder_is_made_for_its_owner_only(tmp_path: Path) -> None:
    prepared(tmp_path / "a" / "b")
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
    assert not list((tmp_path / "a" / "b").iterdir())


def test_data_folder_that_is_a_file_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OperatorError, match=re.escape(f"{folder} cannot be used: {tmp_path / 'file'} is not a folder")):
            prepared(folder)


def test_folder_for_uploads_is_tried_before_anything_else_is_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    elsewhere = {"SQUALL_DATA": str(tmp_path / "data"), "SQUALL_MEDIA_URL": f"file://{tmp_path}/my%20media"}
    prepare_data_folder(load(elsewhere))
    assert (tmp_path / "my media").is_dir()
    with pytest.raises(OperatorError, match="file is not a folder; name another with SQUALL_MEDIA_URL"):
        prepare_data_folder(load({**elsewhere, "SQUALL_MEDIA_URL": f"file://{tmp_path}/file/below"}))
    (tmp_path / "data" / "media").write_text("")
    with pytest.raises(OperatorError, match="media is not a folder"):
        prepare_data_folder(load({"SQUALL_DATA": str(tmp_path / "data")}))


def test_folder_that_cannot_be_written_to_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o555)
    folder.chmod(0o555)
    assert "cannot be written to" in refused_as_nobody("prepare_data_folder(load({}, data=sys.argv[1]))", folder)


def test_key_file_that_cannot_be_read_is_refused_in_a_sentence(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    secret_keys(prepared(folder))
    folder.chmod(0o755)
    (folder / SECRET_KEY_NAME).chmod(0o000)
    assert "check its permissions" in refused_as_nobody("secret_keys(load({}, data=sys.argv[1]))", folder)


def refused_as_nobody(expression: str, folder: Path) -> str:
    """The sentence that somebody without rights gets; root may write everywhere, so a subprocess takes another's name."""
    script = (
        "import sys; from cms.errors import OperatorError; from cms.settings import *\n"
        "import os; os.chdir('/')\n"
        "if os.geteuid() == 0:\n    os.setgroups([]); os.setgid(int(sys.argv[3])); os.setuid(int(sys.argv[2]))\n"
        f"try: {expression}\nexcept OperatorError as error: print(error)"
    )
    nobody = pwd.getpwnam("nobody")
    for parent in folder.parents:  # pytest keeps its folders to itself
        if parent.owner() == pwd.getpwuid(os.geteuid()).pw_name and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    done = subprocess.run(
        [sys.executable, "-c", script, folder, str(nobody.pw_uid), str(nobody.pw_gid)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_secret_key_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    found = prepared(tmp_path / "data")
    before = os.umask(0)
    try:
        keys = secret_keys(found)
    finally:
        os.umask(before)
    assert stat.S_IMODE((found.data / SECRET_KEY_NAME).stat().st_mode) == 0o600
    assert secret_keys(found) == keys
    assert len(keys.by_version[keys.newest]) >= 43
    assert [path.name for path in found.data.iterdir()] == [SECRET_KEY_NAME]


def test_new_key_stands_before_those_that_are_still_read(tmp_path: Path) -> None:
    found = prepared(tmp_path / "data")
    path, first = found.data / SECRET_KEY_NAME, secret_keys(found)
    add_secret_key(found)
    both = secret_keys(found)
    assert both.newest != first.newest
    assert list(both.by_version) == [both.newest, first.newest]
    assert path.read_text().splitlines() == list(both.by_version.values())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    forget_older_keys(found)
    assert list(secret_keys(found).by_version) == [both.newest]
    assert [path.name for path in found.data.iterdir()] == [SECRET_KEY_NAME]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_key_file_stays_its_owners_whoever_changes_it(tmp_path: Path) -> None:
    found = prepared(tmp_path / "data")
    secret_keys(found)
    nobody = pwd.getpwnam("nobody")
    os.chown(found.data / SECRET_KEY_NAME, nobody.pw_uid, nobody.pw_gid)
    add_secret_key(found)
    assert (found.data / SECRET_KEY_NAME).stat().st_uid == nobody.pw_uid


def test_of_keys_that_are_added_at_once_none_is_lost(tmp_path: Path) -> None:
    found = prepared(tmp_path / "data")
    secret_keys(found)
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: add_secret_key(found), range(16)))
    assert len(secret_keys(found).by_version) == 17


def test_keys_of_a_folder_that_is_not_there_are_refused_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(OperatorError, match="cannot be changed"):
        add_secret_key(load({}, data=str(tmp_path / "nowhere")))


def test_remains_of_a_crashed_start_do_not_prevent_the_next(tmp_path: Path) -> None:
    """In a container the process has the same number each time."""
    found = prepared(tmp_path / "data")
    (found.data / f"{SECRET_KEY_NAME}.{os.getpid()}").write_text("half a k")
    assert len(secret_keys(found).by_version) == 1


@pytest.mark.parametrize("content", ["", "short", "ä" * 50, "k" * 40 + "\nshort"])
def test_spoilt_key_file_is_refused_in_a_sentence(tmp_path: Path, content: str) -> None:
    found = prepared(tmp_path / "data")
    (found.data / SECRET_KEY_NAME).write_text(content)
    with pytest.raises(OperatorError, match=SECRET_KEY_NAME):
        secret_keys(found)


def _key(folder: str, gate: Any) -> int:
    found = load({}, data=folder)
    gate.wait()
    return secret_keys(found).newest


def test_two_who_start_at_once_have_one_key(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager, context.Pool(4) as pool:
        for attempt in range(5):
            folder = tmp_path / str(attempt)
            prepared(folder)
            gate = manager.Barrier(4)
            assert len(set(pool.starmap(_key, [(str(folder), gate)] * 4))) == 1
            assert [path.name for path in folder.iterdir()] == [SECRET_KEY_NAME]


def test_version_of_a_key_does_not_depend_on_its_place() -> None:
    one = secret_keys(load({"SQUALL_SECRET_KEYS": f"{SECRET},{OTHER}"}))
    other = secret_keys(load({"SQUALL_SECRET_KEYS": f"{OTHER},{SECRET}"}))
    assert one.by_version == other.by_version
    assert one.by_version[one.newest] == SECRET
    assert other.by_version[other.newest] == OTHER


def test_folders_of_the_program_are_found_beside_the_package() -> None:
    assert (settings.data_folder("migrations") / "env.py").is_file()


# --- docs/settings.md ------------------------------------------------------------------------------------------------------


def documented() -> dict[str, str]:
    """Name → description, from the rows of the table."""
    rows = re.findall(r"^\| `SQUALL_([A-Z0-9_]+)` \| (.*?) \|", (ROOT / "docs/settings.md").read_text(), re.MULTILINE)
    return {name.lower(): description for name, description in rows}


def test_documentation_describes_every_setting_in_the_words_of_the_program() -> None:
    assert documented() == {name: field.description for name, field in Settings.model_fields.items()}


def test_examples_in_the_documentation_are_right() -> None:
    text = (ROOT / "docs/settings.md").read_text()
    (toml,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (shell,) = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    Path("squall.toml").write_text(toml)
    variables = dict(line.split("=", 1) for line in shell.strip().splitlines())
    found = load(variables)
    assert (str(found.data), found.site_url, found.log_level) == ("/var/lib/squall", "https://example.org", "warning")
