"""``prune``: deletes rows past their retention period."""

from pathlib import Path

import rich_click as click

from incidentrelay.cli.config import config_option, open_database, read_settings


@click.command()
@config_option
def prune(config: Path) -> None:
    """Delete rows older than the settings retention.* keep.

    The worker does this every hour, for up to half a minute. This command continues until
    nothing old is left. It can run beside the servers and be interrupted at any time.

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
