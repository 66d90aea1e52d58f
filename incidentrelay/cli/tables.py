"""Markdown tables for the documentation, generated from the program."""

from collections.abc import Iterable, Mapping, Sequence

from incidentrelay.domain.permissions import GROUP_GRANTS, TEAM_GRANTS, Permission, ScopeLevel
from incidentrelay.services.operations.metrics import METRICS
from incidentrelay.settings.declaration import KEYS
from incidentrelay.settings.key import PREFIX, Key

_PLACES: Mapping[ScopeLevel, str] = {
    ScopeLevel.GROUP: "group",
    ScopeLevel.TEAMS: "all teams",
    ScopeLevel.TEAM: "the team",
    ScopeLevel.CONTENTS: "the team's contents",
    ScopeLevel.TEAM_MEMBERS: "the team's members",
}


def settings() -> str:
    """One row for each setting."""
    rows = [_setting(key) for key in KEYS]
    return table(("Setting", "Environment", "Default", "Meaning"), rows)


def permissions() -> str:
    """One row for each permission, one column for each role; cells say where it applies."""
    roles = [(f"{role} (group)", grants) for role, grants in GROUP_GRANTS.items()]
    roles += [(f"{role} (team)", grants) for role, grants in TEAM_GRANTS.items()]
    rows = []
    for permission in Permission:
        cells = [
            ", ".join(
                words for place, words in _PLACES.items() if permission in grants.get(place, ())
            )
            for _, grants in roles
        ]
        rows.append((f"`{permission}`", *(cell or "–" for cell in cells)))
    return table(("Permission", *(name for name, _ in roles)), rows)


def metrics() -> str:
    """One row for each number of ``/metrics``."""
    rows = [
        (
            f"`{metric.full_name}`",
            ", ".join(f"`{label}`" for label in metric.labels) or "–",
            metric.doc,
        )
        for metric in METRICS
    ]
    return table(("Metric", "Labels", "Meaning"), rows)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a bar inside a cell is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines
    )


def _setting(key: Key) -> tuple[str, str, str, str]:
    names = f"`{PREFIX}{key.name}`"
    variables = f"`{key.env}`"
    if key.secret:
        names += f", `{PREFIX}{key.name}_file`"
        variables += f", `{key.env}_FILE`"
    default = (
        "must be set" if key.default is None else f"`{key.default}`" if key.default else "empty"
    )
    return names, variables, default, f"{key.doc} {key.hint}".strip()
