"""``squall user``: people, from the terminal."""

import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Literal

import typer

from cms.cli.program import DataOption, JsonOption, current_database, load_settings, print_json, run
from cms.db.session import Database, Work
from cms.errors import OperatorError
from cms.exchange import personal
from cms.handlers.forms import Form
from cms.models import User
from cms.policy import SYSTEM, Role
from cms.schemas.account import MAX_PASSWORD, MIN_PASSWORD, EmailInput, NameInput, OwnerInput, UserInput
from cms.sealing import Sealer
from cms.services import accounts, privacy, second_factor, site
from cms.services.passwords import Passwords
from cms.settings import Settings, secret_keys

app = typer.Typer(no_args_is_help=True, help="People: make, list, change, rename, disable, enable, export, erase.")

RoleName = Literal["owner", "administrator", "editor", "author", "contributor"]
EmailArgument = Annotated[str, typer.Argument(help="The person's e-mail address.")]
PasswordOption = Annotated[bool, typer.Option("--password-stdin", help="Read the password from standard input.")]


@app.command()
def create(
    email: EmailArgument,
    name: Annotated[str, typer.Option(help="The name readers see.")],
    role: Annotated[RoleName, typer.Option(help="What the person may do.")],
    password_stdin: PasswordOption = False,
    data: DataOption = None,
) -> None:
    """Make an account; without a password the person cannot sign in yet."""
    settings = load_settings(data=data)
    password = _password() if password_stdin else None

    async def act() -> None:
        async with current_database(settings) as database:
            hashed = await _hash(settings, database, password, name, email) if password is not None else None
            if role == "owner":
                await _create_owner(database, email, name, password, hashed)
            else:
                wanted = Form(UserInput, {"email": email, "name": name, "role": role}).value()
                async with database.transaction() as work:
                    await accounts.create(work, SYSTEM, wanted, hashed)

    run(act())
    typer.echo(f"Made {email}, {role}{'' if password else ', without a password'}.")


async def _create_owner(database: Database, email: str, name: str, password: str | None, hashed: str | None) -> None:
    if password is None or hashed is None:
        raise OperatorError("The owner needs a password; add --password-stdin.")
    async with database.read() as session:
        frame = await site.get_frame(session)
    wanted = Form(OwnerInput, {"email": email, "name": name, "password": password, "site_name": frame.name}).value()
    async with database.transaction() as work:
        await accounts.create_owner(work, wanted, hashed)


@app.command("list")
def list_users(data: DataOption = None, as_json: JsonOption = False) -> None:
    """Everybody with an account."""
    settings = load_settings(data=data)

    async def act() -> list[dict[str, object]]:
        async with current_database(settings) as database, database.read() as session:
            return [
                {"id": user.id, "email": user.email, "name": user.name, "role": user.role.value, "disabled": user.is_disabled}
                for user in await accounts.list_users(session)
            ]

    people = run(act())
    if as_json:
        print_json(people)
        return
    for person in people:
        typer.echo(f"{person['email']:<32} {person['role']:<14} {person['name']}{'  (disabled)' if person['disabled'] else ''}")
    typer.echo(f"{len(people)} {'person' if len(people) == 1 else 'people'}.")


@app.command()
def rename(email: EmailArgument, name: Annotated[str, typer.Argument(help="The name readers see.")], data: DataOption = None) -> None:
    """Give somebody another name, also above everything that is public."""
    wanted = Form(NameInput, {"name": name}).value().name
    _change(email, data, lambda work, user: accounts.rename(work, SYSTEM, user, wanted))
    typer.echo(f"{email} is {wanted} now.")


@app.command()
def role(
    email: EmailArgument, role: Annotated[RoleName, typer.Argument(help="What the person may do from now on.")], data: DataOption = None
) -> None:
    """Give somebody another role; ends the person's sessions."""
    user = _change(email, data, lambda work, user: accounts.change_role(work, SYSTEM, user, Role(role)))
    typer.echo(f"{email} is {role} now{_still_disabled(user)}.")


@app.command()
def password(email: EmailArgument, password_stdin: PasswordOption = False, data: DataOption = None) -> None:
    """Set somebody's password; ends the person's sessions."""
    wanted = _password() if password_stdin else _asked_password()
    settings = load_settings(data=data)

    async def act() -> User:
        async with current_database(settings) as database:
            async with database.read() as session:
                user = await accounts.get_by_email(session, email)
            hashed = await _hash(settings, database, wanted, user.name, email)
            async with database.transaction() as work:
                user = await accounts.get_by_email(work.session, email)
                await accounts.set_password(work, SYSTEM, user, hashed)
                return user

    user = run(act())
    typer.echo(f"{email} has a new password, and is signed out everywhere{_still_disabled(user)}.")


@app.command("reset-second-factor")
def reset_second_factor(email: EmailArgument, data: DataOption = None) -> None:
    """For somebody who lost it: takes away authenticator app, recovery codes and passkeys; ends the person's sessions."""
    user = _change(email, data, lambda work, user: second_factor.reset(work, SYSTEM, user))
    typer.echo(
        f"{email} signs in with the password alone again, to set up a new second factor if the role needs one, "
        f"and is signed out everywhere{_still_disabled(user)}."
    )


@app.command()
def email(
    email: EmailArgument, new: Annotated[str, typer.Argument(help="The address that the person has from now on.")], data: DataOption = None
) -> None:
    """Give somebody another e-mail address, without asking at either; the old one is told if mail can be sent."""
    wanted = Form(EmailInput, {"email": new}).value().email

    async def change(work: Work, user: User) -> None:
        await accounts.change_email(work, Sealer(secret_keys(load_settings(data=data))), SYSTEM, user, wanted)

    user = _change(email, data, change)
    typer.echo(f"{email} is {wanted} now{_still_disabled(user)}.")


@app.command()
def disable(email: EmailArgument, data: DataOption = None) -> None:
    """Take away somebody's access at once; what the person wrote stays."""
    _change(email, data, lambda work, user: accounts.disable(work, SYSTEM, user))
    typer.echo(f"{email} is disabled, and signed out everywhere.")


@app.command()
def enable(email: EmailArgument, data: DataOption = None) -> None:
    """Let somebody in again who was disabled."""
    _change(email, data, lambda work, user: accounts.enable(work, SYSTEM, user))
    typer.echo(f"{email} is enabled, and may sign in again.")


@app.command()
def export(
    email: EmailArgument, file: Annotated[Path, typer.Argument(help="The ZIP to make; none may be there yet.")], data: DataOption = None
) -> None:
    """Write all that is kept about somebody into a ZIP of JSON files."""
    settings = load_settings(data=data)

    async def act() -> int:
        async with current_database(settings) as database:
            async with database.transaction() as work:
                known = await accounts.get_by_email(work.session, email)
                user = await privacy.begin_export(work, SYSTEM, known.id)
                frame = await site.get_frame(work.session)
            return await _write(file, personal.pieces(database, user, frame.name))

    size = run(act())
    typer.echo(f"{file} has all that is kept about {email}: {size:,} bytes. Keep it as you keep a letter.")


async def _write(file: Path, pieces: AsyncIterator[bytes]) -> int:
    """For this user alone; what was begun and not finished does not stay."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise OperatorError(f"{file} cannot be made: {error.strerror}.") from None
    try:
        with os.fdopen(descriptor, "wb") as archive:
            async for piece in pieces:
                archive.write(piece)
            return archive.tell()
    except BaseException:
        file.unlink(missing_ok=True)
        raise


@app.command()
def erase(
    email: EmailArgument,
    yes: Annotated[bool, typer.Option("--yes", help="Do it: nothing brings the person back but a backup.")] = False,
    data: DataOption = None,
) -> None:
    """Forget who somebody was: name, address, profile, sessions, ways to sign in. What the person wrote stays, under another name."""
    if not yes:
        raise OperatorError(f"This forgets {email} for good, and keeps the texts under another name; add --yes to do it.")
    user = _change(email, data, lambda work, user: privacy.erase(work, SYSTEM, user.id))
    typer.echo(f"{email} is erased; the texts stand under “{user.name}” now. Backups from before still know the person.")


def _change(email: str, data: Path | None, change: Callable[[Work, User], Awaitable[None]]) -> User:
    settings = load_settings(data=data)

    async def act() -> User:
        async with current_database(settings) as database, database.transaction() as work:
            user = await accounts.get_by_email(work.session, email)
            await change(work, user)
            return user

    return run(act())


def _still_disabled(user: User) -> str:
    """Neither a role nor a password lets somebody in who was disabled."""
    return " (still disabled)" if user.is_disabled else ""


def _password() -> str:
    return _checked(sys.stdin.readline().rstrip("\n"))


def _asked_password() -> str:
    if not sys.stdin.isatty():
        raise OperatorError("There is no terminal to ask for the password; add --password-stdin.")
    return _checked(typer.prompt("New password", hide_input=True, confirmation_prompt=True))


def _checked(password: str) -> str:
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise OperatorError(f"A password has between {MIN_PASSWORD} and {MAX_PASSWORD} characters.")
    return password


async def _hash(settings: Settings, database: Database, password: str, *about: str) -> str:
    async with database.read() as session:
        site_name = (await site.get_frame(session)).name
    passwords = Passwords.of(settings)
    try:
        return await passwords.choose(password, *about, site_name)
    finally:
        passwords.close()
