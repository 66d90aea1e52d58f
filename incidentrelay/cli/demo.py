"""Demo data: ``demo-data``, and the same for quickstart."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import rich_click as click

from incidentrelay.cli.config import config_option, open_database, read_settings
from incidentrelay.cli.errors import CommandFailed

if TYPE_CHECKING:
    from incidentrelay.db import Database
    from incidentrelay.services.operations.demo import DemoResult
    from incidentrelay.settings.declaration import Settings


@click.command()
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON.")
def demo_data(config: Path, as_json: bool) -> None:
    """Fill an empty installation with people, a team on call and routes.

    Prints the admin's password and the tokens, which cannot be shown again.

    Example: incidentrelay demo-data -c development.ini
    """
    settings = read_settings(config)
    database = open_database(settings, config)
    try:
        result = make_demo(settings, database)
    finally:
        database.dispose()
    if result is None:
        raise CommandFailed("There are users already; demo data is for an empty installation.")
    click.echo(json.dumps(result.to_json()) if as_json else "\n".join(lines(result)))


def make_demo(settings: "Settings", database: "Database") -> "DemoResult | None":
    """Create the demo data; returns None if the installation is not empty."""
    from incidentrelay import runtime
    from incidentrelay.services.operations.demo import create_demo

    parts = runtime.build(settings, database=database)
    try:
        with database.write() as session:
            return create_demo(
                session,
                now=parts.clock(),
                registry=parts.channels,
                vault=parts.vault,
                integrations=parts.integrations,
            )
    finally:
        parts.close()


def nobody_yet(database: "Database") -> bool:
    """Whether the installation is empty."""
    from sqlalchemy import select

    from incidentrelay.models import User

    with database.read() as session:
        return session.scalar(select(User.id).limit(1)) is None


def lines(result: "DemoResult") -> list[str]:
    """The result as lines for people."""
    width = max(len(route.source) for route in result.routes)
    return [
        f"User name:  {result.username}",
        f"Password:   {result.password}",
        f"API token:  {result.api_token}",
        "Route tokens:",
        *(f"  {route.source:<{width}}  {route.token}" for route in result.routes),
    ]
