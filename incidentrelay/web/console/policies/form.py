"""The steps of a policy as the editor's form has them: texts, in their order.

Buttons come from :mod:`incidentrelay.web.console.forms.repeating_rows`. Fields have the
names of the API, so errors land beside them: ``steps.0.conditions.hours.zone``. Only
times differ: minutes, where the API has seconds.
A target is one text, ``rotation:primary``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.common import limits
from incidentrelay.services.escalation.policies import LONGEST_DELAY, MAX_STEPS
from incidentrelay.web.console.forms import forms, repeating_rows
from incidentrelay.web.console.forms.repeating_rows import number, text

LONGEST_MINUTES = LONGEST_DELAY // 60
_LONGEST = 200


@dataclass(slots=True)
class Draft:
    """One step; ``delay`` and ``wait`` are minutes, ``wait`` "" is not to wait."""

    delay: str = "5"
    again: bool = False
    targets: list[str] = field(default_factory=list)
    severity: str = ""
    weekdays: list[str] = field(default_factory=list)
    opens: str = ""
    closes: str = ""
    zone: str = "UTC"
    wait: str = ""

    @property
    def conditional(self) -> bool:
        """Whether it has conditions, right or wrong."""
        return bool(self.severity or self.wait or self.has_hours)

    @property
    def has_hours(self) -> bool:
        return bool(self.weekdays or self.opens or self.closes)


def of(steps: Sequence[Mapping[str, Any]], zone: str) -> list[Draft]:
    """The drafts of steps as the API shows them; ``zone`` is that of hours to come."""
    return [_of(step, zone) for step in steps]


def read(request: Any) -> list[Draft]:
    """What the browser sent. Whatever was chosen to be added is a target."""
    return [
        _read(request, f"steps.{place}.")
        for place in range(MAX_STEPS)
        if f"steps.{place}.delay" in request.POST
    ]


def act(drafts: list[Draft], verb: str, zone: str) -> bool:
    """Do what a button says (``step-up:2``); False where it is none of these buttons."""
    return repeating_rows.act(_ACTS, verb, drafts, zone)


def to_json(drafts: Sequence[Draft]) -> list[dict[str, Any]]:
    """The steps as the API takes them; raises InvalidInput for what only this form can say."""
    errors: dict[str, list[str]] = {}
    for place, draft in enumerate(drafts):
        for name, given in (("delay", draft.delay), ("conditions.wait_for_on_call", draft.wait)):
            if given and not isinstance(_seconds(given), int):
                sentence = f"Write minutes, from 0 to {LONGEST_MINUTES}."
                errors[f"steps.{place}.{name}"] = [sentence]
        if draft.has_hours and not draft.weekdays:
            name = f"steps.{place}.conditions.hours.weekdays"
            errors[name] = ["Choose at least one day."]
    if errors:
        raise InvalidInput(errors)
    return [_json(draft) for draft in drafts]


def values(drafts: Sequence[Draft]) -> dict[str, Any]:
    """The values of the fields, by name."""
    found: dict[str, Any] = {}
    for place, draft in enumerate(drafts):
        start, hours = f"steps.{place}", f"steps.{place}.conditions.hours"
        found |= {
            f"{start}.delay": draft.delay,
            f"{start}.targets": "",
            f"{start}.add": "",
            f"{start}.notify_assignee_again": draft.again,
            f"{start}.conditions.severity": draft.severity,
            f"{start}.conditions.wait_for_on_call": draft.wait,
            f"{hours}.weekdays": draft.weekdays,
            f"{hours}.opens": draft.opens,
            f"{hours}.closes": draft.closes,
            f"{hours}.zone": draft.zone,
        }
    return found


def _of(step: Mapping[str, Any], zone: str) -> Draft:
    conditions = step["conditions"]
    hours = conditions.get("hours") or {}
    wait = conditions.get("wait_for_on_call")
    return Draft(
        delay=_minutes(step["delay"]),
        again=step["notify_assignee_again"],
        # A deleted target has no name; it stays until somebody removes it.
        targets=[f"{target['kind']}:{target['name'] or ''}" for target in step["targets"]],
        severity=conditions.get("severity") or "",
        weekdays=[str(day) for day in hours.get("weekdays", ())],
        opens=hours.get("opens", ""),
        closes=hours.get("closes", ""),
        zone=hours.get("zone", zone),
        wait=_minutes(wait) if wait else "",
    )


def _read(request: Any, start: str) -> Draft:
    hours = f"{start}conditions.hours."
    targets = [target[:_LONGEST] for target in forms.words(request, f"{start}targets")]
    chosen = text(request, f"{start}add")
    return Draft(
        delay=text(request, f"{start}delay"),
        again=f"{start}notify_assignee_again" in request.POST,
        targets=list(dict.fromkeys([*targets, *([chosen] if chosen else [])]))[
            : limits.STEP_TARGETS.high + 1
        ],
        severity=text(request, f"{start}conditions.severity"),
        weekdays=forms.words(request, f"{hours}weekdays")[:7],
        opens=text(request, f"{hours}opens"),
        closes=text(request, f"{hours}closes"),
        zone=text(request, f"{hours}zone"),
        wait=text(request, f"{start}conditions.wait_for_on_call"),
    )


def _json(draft: Draft) -> dict[str, Any]:
    conditions: dict[str, Any] = {}
    if draft.severity:
        conditions["severity"] = draft.severity
    if draft.wait:
        conditions["wait_for_on_call"] = _seconds(draft.wait)
    if draft.has_hours:
        conditions["hours"] = {
            "weekdays": [number(day) for day in draft.weekdays],
            "opens": draft.opens,
            "closes": draft.closes,
            "zone": draft.zone,
        }
    delay = {"delay": _seconds(draft.delay)} if draft.delay else {}
    return {
        **delay,
        "notify_assignee_again": draft.again,
        "targets": [_target(target) for target in draft.targets],
        "conditions": conditions,
    }


def _target(given: str) -> dict[str, str]:
    kind, _, name = given.partition(":")
    return {"kind": kind, "name": name}


def _minutes(seconds: int) -> str:
    """Exact enough that ``_seconds`` finds the same number again."""
    return f"{seconds / 60:.4f}".rstrip("0").rstrip(".")


def _seconds(minutes: str) -> int | None:
    """None where it is no number of minutes that a step may have."""
    try:
        found = float(minutes.replace(",", "."))
    except ValueError:
        return None
    return round(found * 60) if math.isfinite(found) and 0 <= found <= LONGEST_MINUTES else None


def _move(drafts: list[Draft], place: int, to: int) -> None:
    """Steps change places; the waiting times stay where they are."""
    delays = [draft.delay for draft in drafts]
    repeating_rows.swap(drafts, place, to)
    for draft, delay in zip(drafts, delays, strict=True):
        draft.delay = delay


def _remove(drafts: list[Draft], place: int) -> None:
    """The first step keeps starting at once, whichever it is."""
    if len(drafts) > 1:
        gone = drafts.pop(place)
        if place == 0:
            drafts[0].delay = gone.delay


def _add(drafts: list[Draft], zone: str) -> None:
    if len(drafts) < MAX_STEPS:
        drafts.append(Draft(zone=zone))


_ACTS: Mapping[str, repeating_rows.Act] = {
    "add": lambda drafts, zone, place: drafts[place],
    "target-remove": lambda drafts, zone, place, row: drafts[place].targets.pop(row),
    "step-up": lambda drafts, zone, place: _move(drafts, place, place - 1),
    "step-down": lambda drafts, zone, place: _move(drafts, place, place + 1),
    "step-remove": lambda drafts, zone, place: _remove(drafts, place),
    "step-add": _add,
}
