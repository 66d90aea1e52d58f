"""The database's schema: ``migrate`` and ``check-schema``."""

from pathlib import Path

import rich_click as click

from incidentrelay.cli.config import config_option, open_database, read_settings
from incidentrelay.cli.errors import CommandFailed

ALL_WELL = "Schema check OK: all tables, columns and indexes are as the program expects."


@click.command()
@config_option
def migrate(config: Path) -> None:
    """Create the database's tables, or bring them up to date.

    It can run at any time, also on several machines at once.

    Example: incidentrelay migrate -c production.ini
    """
    from alembic.util import CommandError

    from incidentrelay import migrations
    from incidentrelay.db import Database

    database = Database.of(read_settings(config))
    try:
        before, head = migrations.current(database), migrations.head()
        migrations.upgrade(database)
    except CommandError:
        raise CommandFailed(
            f"The database has revision {before}, which this version does not know."
            " Install the newer version again."
        ) from None
    finally:
        database.dispose()
    if before == head:
        click.echo(f"The database was up to date already (revision {head}).")
    else:
        click.echo(f"The database is up to date now (revision {head}).")


@click.command()
@config_option
@click.pass_context
def check_schema(ctx: click.Context, config: Path) -> None:
    """Compare the database with what the program expects.

    Prints the differences, one a line, and ends with exit code 1 if there are any.

    Example: incidentrelay check-schema -c production.ini
    """
    from incidentrelay import migrations

    database = open_database(read_settings(config), config)
    differences = migrations.check(database)
    database.dispose()
    for difference in differences:
        click.echo(difference)
    if differences:
        ctx.exit(1)
    click.echo(ALL_WELL)
