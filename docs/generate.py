"""Regenerates the generated parts of the docs: ``python -m docs.generate``.

In pages, these are between ``<!-- generated: NAME -->`` and ``<!-- end -->``. Pictures and
``openapi.json`` are generated as a whole; the latter is in the repository so that reviews
show changes of the API.
"""

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import rich_click as click

from docs.lifecycle import table as lifecycle
from docs.lifecycle.picture import picture
from incidentrelay.cli import reference, tables
from incidentrelay.cli.main import main

DOCS = Path(__file__).resolve().parent
_PART = re.compile(r"(<!-- generated: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def commands() -> str:
    """A section for each command, from its help."""
    context = click.Context(main, info_name="incidentrelay")
    pairs = ((name, main.get_command(context, name)) for name in main.list_commands(context))
    return "\n\n".join(_command(name, command) for name, command in pairs)


def _command(name: str, command: click.Command) -> str:
    text, _, example = (command.help or "").partition("Example: ")
    lines = [f"## {name}", "", " ".join(text.split()).replace(". ", ".\n")]
    lines += ["", "```sh", " ".join(example.split()), "```"]
    options = [
        option
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    if options:
        rows = [(f"`{', '.join(option.opts)}`", option.help or "") for option in options]
        lines += ["", tables.table(("Option", "Meaning"), rows)]
    return "\n".join(lines)


PARTS: Mapping[str, Callable[[], str]] = {
    "settings": tables.settings,
    "permissions": tables.permissions,
    "commands": commands,
    "transitions": lifecycle.transitions,
    "arrivals": lifecycle.arrivals,
    "metrics": tables.metrics,
}
PICTURES: Mapping[str, Callable[[], str]] = {"concepts/alert-lifecycle.svg": picture}


def generated(page: str) -> str:
    """The text of a page with its generated parts regenerated."""
    return _PART.sub(lambda part: f"{part[1]}\n{PARTS[part[2]]()}\n\n{part[3]}", page)


def pages() -> list[Path]:
    return sorted(DOCS.rglob("*.md"))


def openapi() -> str:
    return json.dumps(reference.openapi_document(), indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    (DOCS / "openapi.json").write_text(openapi(), encoding="utf-8")
    for name, make in PICTURES.items():
        (DOCS / name).write_text(make(), encoding="utf-8")
    for path in pages():
        text = path.read_text(encoding="utf-8")
        path.write_text(generated(text), encoding="utf-8")
