"""The choices in the form of the on-call report."""

from collections.abc import Callable, Mapping
from typing import Any

from incidentrelay.services.reports import choices as report_choices
from incidentrelay.services.reports import on_call_hours, public_holidays
from incidentrelay.web.console.toolkit.team_choice import team_names


def choices(request: Any, value: Callable[[str], str]) -> dict[str, Any]:
    """The choices of each field ((value, label)), always with the current one.

    ``value`` returns the current value of a field. Only a country has subdivisions.
    """
    found = on_call_hours.report_choices(request.db, request.identity)
    names = team_names(rotation.team for rotation in found)
    groups = {one.team.group_id: one.team.group for one in found}
    people = report_choices.list_report_people(request.db, groups, value("user"))
    offered: dict[str, Mapping[str, str]] = {
        "group": {group.slug: group.name for group in groups.values()},
        "team": {one.team.slug: names[one.team_id] for one in found},
        "rotation": {
            f"{one.team.slug}/{one.slug}": f"{names[one.team_id]} · {one.name}" for one in found
        },
        "user": {user.username: user.display_name for user in people},
        "country": public_holidays.list_countries(),
        "subdivision": public_holidays.list_subdivisions(value("country")),
    }
    return {
        "choices": {
            name: list(_with(value(name), known).items()) for name, known in offered.items()
        }
    }


def _with(asked: str, known: Mapping[str, str]) -> Mapping[str, str]:
    """The choices, with the current value even if it is no longer offered."""
    return known if not asked or asked in known else {**known, asked: asked}
