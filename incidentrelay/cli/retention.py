"""``forget-old``: deleting what the settings say is too old."""

from pathlib import Path

import rich_click as click

from incidentrelay.cli.config import config_option, open_database, read_settings


@click.command()
@config_option
def forget_old(config: Path) -> None:
    """Delete what is older than the settings retention.* say.

    The worker does this every hour, for half a minute. This goes on until nothing old is left.
    It is safe while everything runs, and can be stopped at any time.

    Example: incidentrelay forget-old -c production.ini
    """
    from incidentrelay import utc_now
    from incidentrelay.tasks import retention

    settings = read_settings(config)
    database = open_database(settings, config)
    found = retention.run(settings, database, utc_now, longest=None)
    database.dispose()
    for name, count in found.items():
        click.echo(f"{count} {name} deleted.")
    if not found:
        click.echo("Nothing is old enough to be deleted.")
