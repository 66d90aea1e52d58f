"""The console script ``incidentrelay``."""

import importlib
from typing import Any

import rich_click as click
from click.exceptions import Abort, ClickException, Exit

from incidentrelay import __version__
from incidentrelay.cli.errors import explain

# Command → its module in this package; its function has underscores for hyphens.
COMMANDS = {
    "quickstart": "quickstart.command",
    "serve": "servers",
    "worker": "servers",
    "migrate": "schema",
    "check-schema": "schema",
    "doctor": "doctor.command",
    "prune": "retention",
    "create-admin": "accounts",
    "set-password": "accounts",
    "create-token": "accounts",
    "deactivate-user": "accounts",
    "demo-data": "demo",
    "openapi": "reference",
    "settings": "reference",
    "permissions": "reference",
    "generate-secret": "reference",
}


# Old name → the command; accepted for one release, and not listed.
ALIASES = {"forget-old": "prune"}


class Commands(click.RichGroup):
    """Loads a command's module only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> Any:
        cmd_name = ALIASES.get(cmd_name, cmd_name)
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"incidentrelay.cli.{COMMANDS[cmd_name]}")
        return getattr(module, cmd_name.replace("-", "_"))

    def invoke(self, ctx: click.Context) -> Any:
        """Turns user and environment errors into one sentence and exit code 1."""
        try:
            return super().invoke(ctx)
        except (ClickException, Exit, Abort):
            raise
        except Exception as error:
            sentence = explain(error)
            if sentence is None:
                raise
            click.echo(f"incidentrelay: {sentence}", err=True)
            ctx.exit(1)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="incidentrelay")
def main() -> None:
    """Self-hosted on-call routing, alert delivery and escalation.

    Begin with: incidentrelay quickstart --data ./data
    """


if __name__ == "__main__":
    main(prog_name="incidentrelay")
