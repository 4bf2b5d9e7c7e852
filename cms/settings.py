"""Settings of a deployment: from SQUALL_* variables and squall.toml; nothing else reads the environment.

What belongs to the site itself is in the database (``models/site.py``), not here. docs/settings.md describes
each one; a test compares.
"""

import fcntl
import hashlib
import ipaddress
import os
import re
import secrets
import tomllib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

import idna
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
    validate_email,
)

from cms.errors import OperatorError

PREFIX = "SQUALL_"
TOML_NAME = "squall.toml"
SECRET_KEY_NAME = "secret.key"  # noqa: S105 - a file's name
MINIMUM_SECRET_LENGTH = 32  # characters

_USUAL_PORTS = {"http": 80, "https": 443}
_DATABASE_OPTIONS = {"sqlite": (), "postgresql": ("host", "port", "user", "password", "passfile", "ssl", "sslmode")}
_SMTP = {"smtp": ("starttls", 587), "smtps": ("tls", 465), "smtp+plain": ("plain", 25)}  # how, and the usual port
_UNREADABLE = re.compile(r"[\s\x00-\x1f]")
_FOREIGN = re.compile(r"[\s\x00-\x1f%]")  # in no address; urlsplit takes some of it out without a word
_HEADER = r"^[A-Za-z0-9_-]{1,64}$"
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"  # RFC 1123, 2.1, and the underscore that names in container networks have
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")
_S3_PLACE = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:/([\w-][\w.-]*(?:/[\w-][\w.-]*)*)?)?/?", re.ASCII)

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


class Settings(BaseModel):
    """Typed settings. Values come through ``load``, which knows where each is from and so can name it."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, validate_default=True)

    data: Path = Field(Path("data"), description="Folder for database, media and the secret key; made on first start.")
    host: str = Field("localhost", description="Name or address to listen on; `0.0.0.0` for all.")
    port: int = Field(8888, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    workers: int = Field(0, ge=0, le=256, description="Processes that serve; 0: one on SQLite, one for each processor on PostgreSQL.")
    site_url: str = Field("", description="Public address of the site; `http://localhost:PORT` when empty.")
    database_url: str = Field(
        "",
        description="`sqlite+aiosqlite:///PATH` or `postgresql+asyncpg://USER:PASSWORD@HOST/NAME`;"
        " a SQLite file in the data folder when empty.",
    )
    migrate: bool = Field(True, description="Bring the database up to date on start.")
    secret_keys: tuple[SecretStr, ...] = Field(
        (),
        description="Keys that sign cookies and seal secrets, newest first, separated by commas; a file in the data folder when empty.",
    )
    media_url: str = Field(
        "", description="Where uploads are kept: `file:///PATH` or `s3://BUCKET/PREFIX`; a folder in the data folder when empty."
    )
    s3_endpoint: str = Field("", description="Address of the S3-compatible storage, like `https://s3.example.org`; that of AWS when empty.")
    s3_region: str = Field("us-east-1", pattern=r"^[a-z0-9-]{1,64}$", description="Region of the bucket.")
    s3_access_key_id: str = Field("", description="Name of the key to the bucket; when empty, the machine's own role in AWS is used.")
    s3_secret_access_key: SecretStr = Field(SecretStr(""), description="The secret of that key.")
    media_signed: bool = Field(
        False, description="Readers get uploads straight from the S3 storage, by signed addresses, and not through the program."
    )
    media_cdn_url: str = Field("", description="Address of a CDN that has `/media/…` of this site, like `https://cdn.example.org`.")
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Server for outgoing mail: `smtp://USER:PASSWORD@HOST:587` (with STARTTLS), `smtps://…` (TLS from the start),"
        " `smtp+plain://HOST:25` (without TLS). When empty, links are shown to administrators instead.",
    )
    mail_from: str = Field(
        "",
        description="Address that mail comes from, as `NAME <ADDRESS>` or alone; needed with `SQUALL_SMTP_URL`.",
    )
    argon2_memory: int = Field(19, ge=8, le=4096, description="Memory for hashing a password, in MiB.")
    argon2_passes: int = Field(2, ge=1, le=100, description="Passes over that memory.")
    argon2_lanes: int = Field(1, ge=1, le=64, description="Lanes in it that are filled at once.")
    oidc_issuer: str = Field("", description="Address of an OpenID Connect provider that people may sign in with; needs the extra `oidc`.")
    oidc_client_id: str = Field("", description="What the provider calls this site.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="What this site proves that with; empty for a public client.")
    oidc_name: str = Field("OpenID", max_length=40, description="What the provider is called on the page where people sign in.")
    connections: int = Field(800, ge=10, le=100_000, description="Most connections at once in one process; others are told to try later.")
    trusted_proxies: tuple[IPNetwork, ...] = Field(
        (), description="Networks of proxies whose `X-Forwarded-For` is believed, separated by commas."
    )
    metrics_token: SecretStr = Field(
        SecretStr(""),
        description="Bearer token for `/metrics`; when empty, only direct requests from loopback may read it.",
    )
    page_cache: int = Field(64, ge=0, le=100_000, description="Megabytes of memory for finished pages; 0 keeps none.")
    cdn_seconds: int = Field(
        0, ge=0, le=31_536_000, description="How long a CDN in front may keep a page without asking; 0: it asks each time, as browsers do."
    )
    surrogate_keys: bool = Field(False, description="Tell a CDN what each page shows, in a header.")
    surrogate_header: str = Field(
        "Surrogate-Key", pattern=_HEADER, description="Name of that header; in `Cache-Tag` there are commas between, in others spaces."
    )
    purge_url: str = Field("", description="Address of whatever keeps pages in front and is told what is over: a CDN or a cache.")
    purge_by: Literal["header", "json", "address"] = Field(
        "header",
        validate_default=True,
        description="How it is told: what pages showed, in a header (Fastly, Varnish) or as JSON (Cloudflare) of a POST; or by a `PURGE` of"
        " each address (nginx, Varnish).",
    )
    purge_field: str = Field(
        "", pattern=rf"{_HEADER}|^$", description="Name of the header or of the list in JSON; `Surrogate-Key` or `tags` when empty."
    )
    purge_token: SecretStr = Field(SecretStr(""), description="Token that this is asked for with.")
    purge_token_header: str = Field(
        "Authorization", pattern=_HEADER, description="Header that the token is sent in; in `Authorization` it follows `Bearer`."
    )
    pages_folder: Path | None = Field(
        None, description="Folder for finished pages as files, that a web server in front answers with; none when empty."
    )
    access_log: Literal["full", "sampled", "off"] = Field(
        "full",
        description="A line for each answer (`full`); for one in a hundred of those that were kept, and each of the others (`sampled`);"
        " for none (`off`).",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least serious log line that is written.")
    log_format: Literal["auto", "pretty", "json"] = Field(
        "auto", description="`pretty`, `json`, or `auto`: pretty on a terminal, JSON otherwise."
    )

    @field_validator("secret_keys", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return cls._parts(value)

    @staticmethod
    def _parts(value: Any) -> Any:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _networks(cls, value: Any) -> Any:
        """One sentence, where pydantic would have one for each kind of network."""
        try:
            return tuple(ipaddress.ip_network(part) for part in cls._parts(value))
        except (TypeError, ValueError):
            raise ValueError("is a list of networks like 10.0.0.0/8 or ::1/128, separated by commas") from None

    @field_validator("secret_keys")
    @classmethod
    def _long_enough(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if any(len(key.get_secret_value()) < MINIMUM_SECRET_LENGTH for key in keys):
            raise ValueError(f"each key needs at least {MINIMUM_SECRET_LENGTH} characters")
        return keys

    @field_validator("database_url")
    @classmethod
    def _known_driver(cls, url: str) -> str:
        if url and not url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            raise ValueError("begins with sqlite+aiosqlite:/// or postgresql+asyncpg://")
        if url and url.removeprefix("sqlite+aiosqlite:///") in ("", ":memory:"):
            raise ValueError("is without a file, and connections to a database in memory would each see another")
        if not _has_readable_port(url):
            raise ValueError("is not an address; signs like @ : / # ? in its password are written as %40 %3A %2F %23 %3F")
        return _with_known_options(url)

    @field_validator("site_url")
    @classmethod
    def _whole_url(cls, url: str) -> str:
        try:
            return _origin(url) if url else ""
        except ValueError:
            raise ValueError("is an address like https://example.org, without a path") from None

    @field_validator("smtp_url")
    @classmethod
    def _known_server(cls, url: SecretStr) -> SecretStr:
        if url.get_secret_value():
            smtp_server(url.get_secret_value())
        return url

    @field_validator("mail_from")
    @classmethod
    def _sender(cls, sender: str, info: ValidationInfo) -> str:
        if not sender and "smtp_url" in info.data and info.data["smtp_url"].get_secret_value():
            raise ValueError("is needed with SQUALL_SMTP_URL: the address that mail comes from")
        try:
            name, address = validate_email(sender) if sender else ("", "")
        except ValueError:  # its message repeats what stands there
            raise ValueError("is an address like desk@example.org or The Desk <desk@example.org>") from None
        if not name.isprintable() or not address.isascii():
            raise ValueError("is an address in ASCII; only the name before it may have other letters")
        return sender

    @field_validator("media_url")
    @classmethod
    def _known_storage(cls, url: str) -> str:
        if url.startswith("s3://"):
            if not _S3_PLACE.fullmatch(url):
                raise ValueError("is s3:// and the name of a bucket, then perhaps a / and a prefix of letters, digits and -_./")
            return url
        if url and not url.startswith("file:///"):
            raise ValueError("begins with file:/// or s3://")
        if url and (not _folder_of(url).name or "\0" in _folder_of(url).name):
            raise ValueError("is file:/// and the path of a folder for uploads alone")
        return url

    @field_validator("s3_endpoint", "media_cdn_url")
    @classmethod
    def _whole_address(cls, url: str) -> str:
        try:
            return _origin(url) if url else ""
        except ValueError:
            raise ValueError("is an address like https://files.example.org, without a path") from None

    @field_validator("s3_secret_access_key")
    @classmethod
    def _is_pair(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        if bool(secret.get_secret_value()) != bool(info.data.get("s3_access_key_id")):
            raise ValueError("is needed with SQUALL_S3_ACCESS_KEY_ID, and of no use without it")
        return secret

    @field_validator("media_signed")
    @classmethod
    def _can_sign(cls, is_signed: bool, info: ValidationInfo) -> bool:
        has_key = "s3_secret_access_key" in info.data and info.data["s3_secret_access_key"].get_secret_value()
        if is_signed and not (info.data.get("media_url", "").startswith("s3://") and has_key):
            raise ValueError("is only for uploads in S3 (SQUALL_MEDIA_URL) with a key (SQUALL_S3_ACCESS_KEY_ID): a folder signs nothing")
        return is_signed

    @field_validator("oidc_issuer")
    @classmethod
    def _is_issuer(cls, url: str) -> str:
        """Kept as it is written: the provider's own spelling is compared with it, sign by sign."""
        try:
            parts = urlsplit(url)
            more = parts.username is not None or parts.query or parts.fragment or parts.port == 0 or _FOREIGN.search(url)
        except ValueError:
            more = True
        is_safe = not more and parts.hostname and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname)))
        if url and not is_safe:
            raise ValueError("is an address like https://id.example.org; only on this machine it may begin with http://")
        return url

    @field_validator("oidc_client_id")
    @classmethod
    def _needs_issuer(cls, client_id: str, info: ValidationInfo) -> str:
        issuer = info.data.get("oidc_issuer")
        if issuer and not client_id:
            raise ValueError("is needed with SQUALL_OIDC_ISSUER: what the provider calls this site")
        if issuer == "" and client_id:
            raise ValueError("is of no use without SQUALL_OIDC_ISSUER")
        return client_id

    @field_validator("oidc_client_secret")
    @classmethod
    def _needs_client_id(cls, secret: SecretStr, info: ValidationInfo) -> SecretStr:
        if info.data.get("oidc_issuer") == "" and secret.get_secret_value():
            raise ValueError("is of no use without SQUALL_OIDC_ISSUER")
        return secret

    @field_validator("purge_url")
    @classmethod
    def _is_asked_there(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            is_whole = bool(parts.scheme in _USUAL_PORTS and parts.hostname and parts.port != 0 and parts.username is None)
        except ValueError:
            is_whole = False
        if url and (not is_whole or parts.query or parts.fragment or _UNREADABLE.search(url)):
            raise ValueError("is an address like https://api.example.org/purge or http://127.0.0.1:6081, without user, ? and #")
        return url.rstrip("/")

    @field_validator("purge_by")
    @classmethod
    def _knows_what_pages_show(cls, by: str, info: ValidationInfo) -> str:
        if info.data.get("purge_url") and by != "address" and not info.data.get("surrogate_keys"):
            raise ValueError("is header or json only with SQUALL_SURROGATE_KEYS: what is in front has to know what pages show")
        return by

    @field_validator("pages_folder")
    @classmethod
    def _can_be_files(cls, folder: Path | None, info: ValidationInfo) -> Path | None:
        if folder and info.data.get("surrogate_keys"):
            raise ValueError("is of no use with SQUALL_SURROGATE_KEYS: a file does not say what it shows")
        if folder and info.data.get("page_cache") == 0:
            raise ValueError("is of no use with SQUALL_PAGE_CACHE=0: the folder has the pages that are kept")
        if folder and set(str(folder)) & set('$"\\\n'):
            raise ValueError('is a path without $, ", \\ and line breaks, which web servers read otherwise')
        return folder.expanduser().absolute() if folder else None

    @model_validator(mode="after")
    def _absolute(self) -> "Settings":
        object.__setattr__(self, "data", self.data.expanduser().absolute())
        return self

    @property
    def public_url(self) -> str:
        """The site's address without a slash at the end."""
        return self.site_url or f"http://localhost:{self.port}"

    @property
    def purges_addresses(self) -> bool:
        return bool(self.purge_url) and self.purge_by == "address"

    @property
    def smtp(self) -> "SmtpServer | None":
        url = self.smtp_url.get_secret_value()
        return smtp_server(url) if url else None

    @property
    def is_https(self) -> bool:
        return self.public_url.startswith("https:")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite+aiosqlite:///{quote(str(self.data / 'squall.db'))}"

    @property
    def processes(self) -> int:
        """How many serve."""
        return self.workers or (1 if self.sqlite_path else len(os.sched_getaffinity(0)))

    @property
    def sqlite_path(self) -> Path | None:
        """The database's file, or None on PostgreSQL."""
        prefix = "sqlite+aiosqlite:///"
        return Path(unquote(self.database.removeprefix(prefix).partition("?")[0])) if self.database.startswith(prefix) else None

    @property
    def media_folder(self) -> Path | None:
        """Where uploads are, if not in a bucket."""
        if self.bucket[0]:
            return None
        return _folder_of(self.media_url) if self.media_url else self.data / "media"

    @property
    def bucket(self) -> tuple[str, str]:
        """Its name and the prefix of names in it; empty if uploads are in a folder."""
        found = _S3_PLACE.fullmatch(self.media_url)
        return (found[1], found[2] or "") if found else ("", "")


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over, and how it is kept from others' eyes: "tls" from the start, "starttls", or "plain" not at all."""

    host: str
    port: int
    security: str
    user: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class SecretKeys:
    """Keys for signing by version. A key's version comes from its hash, so that the order of keys may change."""

    by_version: Mapping[int, str]
    newest: int


def handed_on(**settings: str) -> dict[str, str]:
    """The environment for a command of our own: as it is, but for these settings, by their names."""
    return {**os.environ, **{PREFIX + name.upper(): value for name, value in settings.items()}}


def load(environment: Mapping[str, str] | None = None, **given: Any) -> Settings:
    """Read the settings; ``given`` (from the command line) wins over all. Raises ``OperatorError`` that names what is wrong."""
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in given.items() if value is not None}
    from_environment = _from_environment(environment)
    working = _from_toml(Path(TOML_NAME))
    data = Path(_first("data", given, from_environment, working) or "data").expanduser()
    beside = _from_toml(data / TOML_NAME) if data.absolute() != Path.cwd() else {}
    if "data" in beside:
        raise OperatorError(f"{data / TOML_NAME}: `data` cannot be set in the data folder itself; use SQUALL_DATA.")
    sources = {
        "the command line": given,
        "the environment": from_environment,
        str(data / TOML_NAME): beside,
        TOML_NAME: working,
    }
    merged: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for where, values in sources.items():
        for name, value in values.items():
            if name not in merged:
                merged[name], origin[name] = value, where
    try:
        return Settings(**merged)
    except ValidationError as error:
        raise OperatorError(_explain(error, origin)) from None


def _origin(url: str) -> str:
    """The address as browsers say it in Origin, which everything else is compared with (https://url.spec.whatwg.org/#host-parsing): small
    letters, other scripts as Punycode, the usual port left out. Raises ``ValueError`` if it is none."""
    parts = urlsplit(url)
    more = parts.username is not None or parts.path not in ("", "/") or parts.query or parts.fragment
    if parts.scheme not in _USUAL_PORTS or more or _FOREIGN.search(url):
        raise ValueError
    port = "" if parts.port in (None, _USUAL_PORTS[parts.scheme]) else f":{parts.port}"
    return f"{parts.scheme}://{_host(parts.hostname or '')}{port}"


def _host(name: str) -> str:
    if ":" in name:
        return f"[{ipaddress.IPv6Address(name)}]"
    known = name if name.isascii() else idna.encode(name, uts46=True).decode()
    if not _HOST_NAME.fullmatch(known):
        raise ValueError
    return str(ipaddress.IPv4Address(known)) if known.rpartition(".")[2].isdigit() else known


def is_loopback(host: str) -> bool:
    """Whether it is this very machine, as it is written: without the brackets around an address of the new kind."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _with_known_options(url: str) -> str:
    """A database's address as its driver wants it: ``ssl`` is called ``sslmode`` elsewhere. Raises ``ValueError``."""
    address, mark, query = url.partition("?")
    known = _DATABASE_OPTIONS[address.partition("+")[0]] if address else ()
    options = parse_qsl(query, keep_blank_values=True)
    unknown = [f"`{name}`" for name, _ in options if name not in known]
    if unknown:
        takes = f"it takes {', '.join(known)}" if known else "a SQLite file takes none"
        raise ValueError(f"is with options that are not known here ({', '.join(unknown)}); {takes}")
    if any(name == "port" and not value.replace(",", "").isdecimal() for name, value in options):
        raise ValueError("is with a port that is no number")
    return address + mark + urlencode([("ssl" if name == "sslmode" else name, value) for name, value in options], safe="/")


def smtp_server(url: str) -> SmtpServer:
    """Raises ``ValueError`` with what is wrong, without repeating it."""
    scheme = url.partition("://")[0]
    if scheme not in _SMTP:
        raise ValueError("begins with smtp:// (STARTTLS), smtps:// (TLS from the start) or smtp+plain:// (no TLS)")
    if not _has_readable_port(url) or _UNREADABLE.search(url):
        raise ValueError("is not an address; signs like @ : / # ? in its password are written as %40 %3A %2F %23 %3F")
    parts = urlsplit(url)
    if not parts.hostname or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("is an address like smtp://USER:PASSWORD@HOST:587, with nothing behind it")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("is with a user and a password, or with neither")
    security, port = _SMTP[scheme]
    return SmtpServer(parts.hostname, parts.port or port, security, unquote(parts.username or ""), unquote(parts.password or ""))


def _folder_of(url: str) -> Path:
    return Path(unquote(url.removeprefix("file://")))


def _has_readable_port(url: str) -> bool:
    try:
        _ = urlsplit(url).port
    except ValueError:  # its message repeats what stands there, which may be a part of a password
        return False
    return True


def _first(name: str, *sources: Mapping[str, Any]) -> Any:
    return next((source[name] for source in sources if name in source), None)


def _from_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """An empty variable is one that was not set: files of containers and services cannot leave a line out."""
    return {name.removeprefix(PREFIX).lower(): value for name, value in environment.items() if name.startswith(PREFIX) and value}


def _from_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise OperatorError(f"{path} is not valid TOML: {error}.") from None
    except OSError as error:
        raise OperatorError(
            f"The folder {path.parent} or its squall.toml cannot be read ({error.strerror}); start as the user it belongs to, open it to"
            " this one, or name another with SQUALL_DATA."
        ) from None


def _explain(error: ValidationError, origin: Mapping[str, str]) -> str:
    """One sentence for each setting, by the name it was given under; values are not repeated, they may be secret."""
    sentences = []
    for problem in error.errors():
        name = str(problem["loc"][0])
        where = origin.get(name, "")
        shown = f"{PREFIX}{name.upper()}" if where in ("the environment", "") else f"`{name}` in {where}"
        what = (
            "is not a setting; the documentation (docs/settings.md) lists them"
            if problem["type"] == "extra_forbidden"
            else _reason(problem["msg"])
        )
        sentences.append(f"{shown} {what}.")
    return " ".join(dict.fromkeys(sentences))


def _reason(message: str) -> str:
    text = message.removeprefix("Value error, ")
    return text if text.startswith(("begins", "is ")) else f"is wrong: {text[0].lower()}{text[1:]}"


def prepare_data_folder(settings: Settings) -> None:
    """Make the data folder (0700), and the one for uploads if it is elsewhere; raises ``OperatorError`` if they cannot be written to."""
    _make_writable(settings.data, "data folder", "SQUALL_DATA")
    if folder := _own_media_folder(settings):
        _make_writable(folder, "folder for uploads", "SQUALL_MEDIA_URL")


def require_media_folder(settings: Settings) -> None:
    """Raise ``OperatorError`` if uploads cannot be read. That there are none yet in the data folder is no error."""
    folder = _own_media_folder(settings)
    if not folder:
        return
    try:
        os.scandir(folder).close()
    except OSError as error:
        raise OperatorError(
            f"The folder for uploads {folder} cannot be read ({error.strerror}); open it to this user or name another with"
            " SQUALL_MEDIA_URL."
        ) from None


def _own_media_folder(settings: Settings) -> Path | None:
    """If it is there, or was asked for by name; else the first start makes it in the data folder. None for a bucket."""
    folder = settings.media_folder
    return folder if folder and (settings.media_url or os.path.lexists(folder)) else None


def _make_writable(folder: Path, name: str, setting: str) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.write_bytes(b"")
        probe.unlink()
    except (FileExistsError, NotADirectoryError):
        file = next(path for path in (folder, *folder.parents) if os.path.lexists(path))
        raise OperatorError(f"The {name} {folder} cannot be used: {file} is not a folder; name another with {setting}.") from None
    except OSError as error:
        raise OperatorError(
            f"The {name} {folder} cannot be written to ({error.strerror}); make it writable or name another with {setting}."
        ) from None


def secret_keys(settings: Settings) -> SecretKeys:
    """The keys from the settings, or those in the data folder's file, which is made on first use with mode 0600."""
    keys = [key.get_secret_value() for key in settings.secret_keys] or _keys_from_file(settings.data / SECRET_KEY_NAME)
    versions = [int.from_bytes(hashlib.sha256(key.encode()).digest()[:3], "big") for key in keys]
    return SecretKeys(dict(zip(versions, keys, strict=True)), versions[0])


def new_secret_key() -> str:
    return secrets.token_urlsafe(48)


def add_secret_key(settings: Settings) -> None:
    """A new key in the file of the data folder, before those that are there."""
    _change_keys(settings, lambda keys: [new_secret_key(), *keys])


def forget_older_keys(settings: Settings) -> None:
    """Leave only the newest key in the file of the data folder."""
    _change_keys(settings, lambda keys: keys[:1])


def _change_keys(settings: Settings, change: Callable[[list[str]], list[str]]) -> None:
    """One at a time: a key that is lost takes with it whatever was sealed under it. The file stays its owner's, whoever does this."""
    path = settings.data / SECRET_KEY_NAME
    with ExitStack() as stack:
        try:
            folder = os.open(settings.data, os.O_RDONLY)
            stack.callback(os.close, folder)
            fcntl.flock(folder, fcntl.LOCK_EX)
            draft, owner = _draft(path, change(_keys_from_file(path))), path.stat()
            os.chown(draft, owner.st_uid, owner.st_gid)
            draft.replace(path)
            os.fsync(folder)
        except OSError as error:
            raise OperatorError(f"The secret key {path} cannot be changed ({error.strerror}); check the folder's permissions.") from None


def _keys_from_file(path: Path) -> list[str]:
    """Newest first, one a line."""
    try:
        # Written under another name and linked into place: a crash leaves no half key, and of two starting processes one wins.
        if not path.exists():
            draft = _draft(path, [new_secret_key()])
            try:
                os.link(draft, path)
            except FileExistsError:
                pass
            finally:
                draft.unlink()
        keys = [line.strip() for line in path.read_text(encoding="ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(f"The secret key {path} cannot be read or made ({error}); check its permissions.") from None
    if not keys or any(len(key) < MINIMUM_SECRET_LENGTH for key in keys):
        raise OperatorError(f"The secret key {path} is too short; remove it and start again (everybody signs in anew).")
    return keys


def _draft(path: Path, keys: list[str]) -> Path:
    """The file as it is to be, beside it. Its name is random: in a container each start has the same process number, and would stumble over
    a crashed one's."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write("\n".join(keys))
        file.flush()
        os.fsync(file.fileno())
    return draft


def data_folder(name: str) -> Path:
    """A folder that comes with the program (``templates``, ``static``, ``migrations``): in the installed wheel, or beside the package."""
    package = Path(__file__).parent
    inside = package / "_data" / name
    return inside if inside.is_dir() else package.parent / name
