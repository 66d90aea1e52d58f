"""``prune``: deletes what the settings say is too old."""

from pathlib import Path

import rich_click as click

from incidentrelay.cli.config import config_option, open_database, read_settings


@click.command()
@config_option
def prune(config: Path) -> None:
    """Delete what is older than the settings retention.* allow.

    The worker does so every hour, for up to half a minute. This command continues until
    nothing old is left. It is safe while everything runs, and can be stopped at any time.

    Example: incidentrelay prune -c production.ini
    """
    from incidentrelay import utc_now
    from incidentrelay.tasks import maintenance

    settings = read_settings(config)
    database = open_database(settings, config)
    counts = maintenance.prune(settings, database, utc_now, longest=None)
    database.dispose()
    for name, count in counts.items():
        click.echo(f"{count} {name} deleted.")
    if not counts:
        click.echo("Nothing is old enough to be deleted.")
