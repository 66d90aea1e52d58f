"""Prints reference material: ``openapi``, ``settings``, ``permissions``; and
``generate-secret``."""

import json
import secrets
import tempfile
from http import HTTPStatus
from typing import Any

import rich_click as click

from incidentrelay.settings.declaration import KEYS
from incidentrelay.settings.key import PREFIX


@click.command()
def openapi() -> None:
    """Print the OpenAPI document of the API.

    Example: incidentrelay openapi > openapi.json
    """
    click.echo(json.dumps(openapi_document(), indent=2, ensure_ascii=False))


@click.command()
@click.option("--markdown", is_flag=True, help="Print a Markdown table.")
def settings(markdown: bool) -> None:
    """Print all settings with their defaults.

    Example: incidentrelay settings
    """
    if markdown:
        from incidentrelay.cli import tables

        click.echo(tables.settings())
        return
    for key in KEYS:
        default = "must be set" if key.default is None else f"default: {key.default or '(empty)'}"
        click.echo(f"{PREFIX}{key.name}  ({default})")
        click.echo(f"    {key.doc}")
        click.echo(f"    {key.env}{' or ' + key.env + '_FILE' if key.secret else ''}")


@click.command()
def permissions() -> None:
    """Print the permissions of each role, as a Markdown table.

    Example: incidentrelay permissions
    """
    from incidentrelay.cli import tables

    click.echo(tables.permissions())


@click.command()
def generate_secret() -> None:
    """Print a new random secret, for incidentrelay.secret_key.

    Example: incidentrelay generate-secret > /etc/incidentrelay/secret_key
    """
    click.echo(secrets.token_urlsafe(48))


def openapi_document() -> dict[str, Any]:
    """The document that the running program serves."""
    from pyramid.request import Request

    from incidentrelay import make_app
    from incidentrelay.settings.loading import load

    with tempfile.TemporaryDirectory() as folder:
        placeholders = {
            f"{PREFIX}public_url": "http://localhost",
            f"{PREFIX}secret_key": secrets.token_urlsafe(48),
            f"{PREFIX}sqlalchemy.url": f"sqlite:///{folder}/database.sqlite",
            f"{PREFIX}huey.url": f"sqlite:///{folder}/queue.sqlite",
        }
        app = make_app(load(placeholders, {}))
        response = Request.blank("/api/openapi.json").get_response(app)
    if response.status_code != HTTPStatus.OK:
        raise RuntimeError(f"the OpenAPI document was answered with {response.status}")
    document: dict[str, Any] = response.json
    return document
