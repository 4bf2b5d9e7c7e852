"""All commands but the one that serves: whoever starts a site need not wait for what they import."""

from cms.cli import app, backup, bench, database, demo, doctor, media, nginx, operations, purge, reload, search, secrets, transfers, users

reload.register(app)
operations.register(app)
demo.register(app)
doctor.register(app)
bench.register(app)
nginx.register(app)
purge.register(app)
app.add_typer(backup.app, name="backup")
app.add_typer(database.app, name="db")
app.add_typer(transfers.app, name="import")
app.add_typer(transfers.out, name="export")
app.add_typer(media.app, name="media")
app.add_typer(search.app, name="search")
app.add_typer(secrets.app, name="secret")
app.add_typer(users.app, name="user")
