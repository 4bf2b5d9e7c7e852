"""``squall secret``: the keys that sign cookies and seal secrets."""

from datetime import timedelta
from typing import Annotated

import typer

from cms import settings as configuration
from cms.cli.program import DataOption, current_database, load_settings, run
from cms.db.session import Database
from cms.errors import OperatorError
from cms.policy import SYSTEM
from cms.sealing import Sealer, Under
from cms.services import sealed, sessions
from cms.settings import SECRET_KEY_NAME, Settings

app = typer.Typer(no_args_is_help=True, help="The keys that sign cookies and seal secrets.")

ForgetOption = Annotated[bool, typer.Option("--forget-older", help="Take the older keys away at once: everybody is signed out.")]
RESTART = "Restart Squall now: until then it works with the keys it started with, and cannot read what is sealed under the new one."


@app.callback()
def _secret() -> None:
    """The keys that sign cookies and seal secrets."""


@app.command()
def rotate(forget_older: ForgetOption = False, data: DataOption = None) -> None:
    """Make a new key and seal every stored secret under it; nobody is signed out. An interrupted run is finished by the next."""
    settings = load_settings(data=data)
    if settings.secret_keys and forget_older:
        raise OperatorError("The keys are in SQUALL_SECRET_KEYS: leave out all but the first there, after `squall secret rotate`.")
    run(_rotate(settings, forget_older=forget_older))


async def _rotate(settings: Settings, *, forget_older: bool) -> None:
    async with current_database(settings) as database:
        renewed = await _seal_anew(database, settings)
        if renewed:
            typer.echo("A rotation was begun before; this is the rest of it, and no other key is made.")
        elif settings.secret_keys:
            await _show_new_key(database, settings)
            return
        else:
            configuration.add_secret_key(settings)
            typer.echo(f"A new key stands first in {settings.data / SECRET_KEY_NAME}; the older ones are still read.")
            renewed = await _seal_anew(database, settings)
        typer.echo(f"{_secrets(renewed)} sealed under the newest key.")
        if forget_older:
            await _forget_older(database, settings)
        else:
            typer.echo(_when_older_can_go(database, settings))
        if not settings.secret_keys:
            typer.echo(RESTART)


async def _seal_anew(database: Database, settings: Settings) -> int:
    return await sealed.renew_all(database, Sealer(configuration.secret_keys(settings)))


async def _show_new_key(database: Database, settings: Settings) -> None:
    """The environment is not ours to change."""
    async with database.read() as session:
        standing = await sealed.standing(session, Sealer(configuration.secret_keys(settings)))
    typer.echo("A new key, which is kept nowhere else:\n")
    typer.echo(f"  {configuration.new_secret_key()}\n")
    typer.echo("In SQUALL_SECRET_KEYS put it before the ones there are, and a comma after it; then restart Squall. Nobody is signed out.")
    typer.echo("Where several processes serve the site, put it behind them first and restart each, so that all know it before one uses it.")
    if standing.total():
        typer.echo(f"Then run `squall secret rotate` again: {_secrets(standing.total())} to be sealed under it.")
    typer.echo(_when_older_can_go(database, settings))


async def _forget_older(database: Database, settings: Settings) -> None:
    """Sealing comes first: whatever only an older key opens would be lost with it."""
    async with database.read() as session:
        standing = await sealed.standing(session, Sealer(configuration.secret_keys(settings)))
    if standing[Under.OLDER]:
        raise OperatorError("Meanwhile something was sealed under an older key; restart Squall, and run this again.")
    configuration.forget_older_keys(settings)
    async with database.transaction() as work:
        ended = await sessions.end_all(work, SYSTEM)
    typer.echo(f"The older keys are forgotten. {ended} {'session has' if ended == 1 else 'sessions have'} ended.")


def _when_older_can_go(database: Database, settings: Settings) -> str:
    date = database.clock() + timedelta(days=sessions.LIFETIME.days + 1)
    where = "SQUALL_SECRET_KEYS" if settings.secret_keys else str(settings.data / SECRET_KEY_NAME)
    return f"The older keys can go from {date:%d %B %Y} on, when no session is signed with them any more: leave only the first in {where}."


def _secrets(number: int) -> str:
    return f"{number} {'secret is' if number == 1 else 'secrets are'}"
