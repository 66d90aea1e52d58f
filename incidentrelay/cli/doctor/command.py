"""``doctor``."""

import json
from dataclasses import asdict
from pathlib import Path

import rich_click as click

from incidentrelay.cli.config import config_option

_MARKS = {"ok": "ok", "failed": "FAILED", "skipped": "-"}


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
@click.pass_context
def doctor(ctx: click.Context, config: Path, as_json: bool) -> None:
    """Check the installation: one line for each check, with what to do if it failed.

    Ends with exit code 1 if a check failed. It changes nothing.

    Example: incidentrelay doctor -c production.ini
    """
    from incidentrelay import utc_now
    from incidentrelay.cli.doctor.checks import (
        CHECKS,
        CheckOutcome,
        Diagnosis,
        Installation,
        diagnose,
    )

    found: list[Diagnosis] = []
    installation = Installation(config, utc_now)
    for each in diagnose(installation, CHECKS):
        found.append(each)
        if not as_json:
            advice = f" Try: {each.advice}" if each.advice else ""
            click.echo(f"{_MARKS[each.outcome]:7} {each.name:9} {each.sentence}{advice}")
    installation.close()
    healthy = all(each.outcome is CheckOutcome.OK for each in found)
    if as_json:
        checks = [asdict(each) for each in found]
        click.echo(json.dumps({"ok": healthy, "checks": checks}, indent=2))
    if not healthy:
        ctx.exit(1)
