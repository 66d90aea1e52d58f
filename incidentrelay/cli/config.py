"""The ini file: the option that names it, and reading it."""

import configparser
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import rich_click as click

from incidentrelay.cli.errors import CommandFailed
from incidentrelay.settings.declaration import Settings
from incidentrelay.settings.key import ConfigurationError
from incidentrelay.settings.loading import load

if TYPE_CHECKING:
    from incidentrelay.db import Database

Function = TypeVar("Function", bound=Callable[..., Any])

SECTION = "app:main"


def config_option(function: Function) -> Function:
    """Adds ``-c/--config`` (parameter ``config``: a Path) to a command."""
    option = click.option(
        "-c",
        "--config",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        envvar="INCIDENTRELAY_CONFIG",
        required=True,
        show_envvar=True,
        help="The ini file.",
    )
    return option(function)


def ini_loader(config: Path) -> Any:
    """PasteDeploy's loader of an ini file of any name."""
    from plaster import PlasterURL, get_loader

    return get_loader(PlasterURL("file+ini", str(config.resolve())), protocols=["wsgi"])


def read_settings(config: Path) -> Settings:
    """The settings of an ini file and the environment; raises ConfigurationError."""
    loader = ini_loader(config)
    try:
        if SECTION not in loader.get_sections():
            raise ConfigurationError(f"{config} has no section [{SECTION}].")
        section = loader.get_settings(SECTION)
    except (configparser.Error, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ConfigurationError(f"{config} cannot be read: {reason}") from None
    return load(section, os.environ)


def open_database(settings: Settings, config: Path) -> "Database":
    """The database, which must be at this program's revision.

    Raises CommandFailed with the command that helps if it is not.
    """
    from incidentrelay import migrations
    from incidentrelay.db import Database

    database = Database.of(settings)
    found, needed = migrations.current(database), migrations.head()
    if found == needed:
        return database
    database.dispose()
    state = "is empty" if found is None else f"has revision {found}, but {needed} is needed"
    raise CommandFailed(f"The database {state}; run incidentrelay migrate -c {config}")
