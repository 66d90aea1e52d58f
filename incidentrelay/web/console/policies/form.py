"""The steps of a policy as the editor's form has them: texts, in their order.

Buttons come from :mod:`incidentrelay.web.console.forms.repeating_rows`. Fields have the
names of the API, so errors land beside them: ``steps.0.conditions.hours.zone``. Only
times differ: minutes, where the API has seconds.
A target is one text, ``rotation:primary``.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.common import limits
from incidentrelay.services.escalation.policies import LONGEST_DELAY, MAX_STEPS
from incidentrelay.web.console.forms import repeating_rows
from incidentrelay.web.console.forms.moments import format_minutes, parse_minutes
from incidentrelay.web.console.forms.repeating_rows import named, number, several, tick

LONGEST_MINUTES = LONGEST_DELAY // 60
# One more than the limit, so that the service can reject it.
_MOST_TARGETS = limits.STEP_TARGETS.high + 1


@dataclass(slots=True)
class StepDraft:
    """One step; ``delay`` and ``wait`` are minutes; with ``wait`` "" it does not wait.

    ``added`` is the target being added.
    """

    mark: ClassVar[str] = "delay"

    delay: str = "5"
    again: bool = field(default=False, metadata=tick("notify_assignee_again"))
    targets: list[str] = field(default_factory=list, metadata=several(_MOST_TARGETS))
    added: str = field(default="", metadata=named("add"))
    severity: str = field(default="", metadata=named("conditions.severity"))
    weekdays: list[str] = field(
        default_factory=list, metadata=several(7, name="conditions.hours.weekdays")
    )
    opens: str = field(default="", metadata=named("conditions.hours.opens"))
    closes: str = field(default="", metadata=named("conditions.hours.closes"))
    zone: str = field(default="UTC", metadata=named("conditions.hours.zone"))
    wait: str = field(default="", metadata=named("conditions.wait_for_on_call"))

    @property
    def conditional(self) -> bool:
        """Whether it has conditions, right or wrong."""
        return bool(self.severity or self.wait or self.has_hours)

    @property
    def has_hours(self) -> bool:
        return bool(self.weekdays or self.opens or self.closes)


def step_drafts(steps: Sequence[Mapping[str, Any]], zone: str) -> list[StepDraft]:
    """The drafts of steps as the API shows them; ``zone`` is the default for new hours."""
    return [_draft(step, zone) for step in steps]


def read_drafts(request: Any) -> list[StepDraft]:
    """What the browser sent. The target being added joins the others."""
    drafts: list[StepDraft] = repeating_rows.read_rows(StepDraft, request, "steps", MAX_STEPS)
    for draft in drafts:
        chosen = [draft.added] if draft.added else []
        found = list(dict.fromkeys([*draft.targets, *chosen]))
        draft.targets, draft.added = found[:_MOST_TARGETS], ""
    return drafts


def to_json(drafts: Sequence[StepDraft]) -> list[dict[str, Any]]:
    """The steps in the API's format; raises InvalidInput for errors specific to this form."""
    errors: dict[str, list[str]] = {}
    for place, draft in enumerate(drafts):
        for name, given in (("delay", draft.delay), ("conditions.wait_for_on_call", draft.wait)):
            if given and _seconds(given) is None:
                sentence = f"Write minutes, from 0 to {LONGEST_MINUTES}."
                errors[f"steps.{place}.{name}"] = [sentence]
        if draft.has_hours and not draft.weekdays:
            name = f"steps.{place}.conditions.hours.weekdays"
            errors[name] = ["Choose at least one day."]
    if errors:
        raise InvalidInput(errors)
    return [_json(draft) for draft in drafts]


def _draft(step: Mapping[str, Any], zone: str) -> StepDraft:
    conditions = step["conditions"]
    hours = conditions.get("hours") or {}
    wait = conditions.get("wait_for_on_call")
    return StepDraft(
        delay=format_minutes(step["delay"]),
        again=step["notify_assignee_again"],
        # A deleted target has no name. It stays until somebody removes it.
        targets=[f"{target['kind']}:{target['name'] or ''}" for target in step["targets"]],
        severity=conditions.get("severity") or "",
        weekdays=[str(day) for day in hours.get("weekdays", ())],
        opens=hours.get("opens", ""),
        closes=hours.get("closes", ""),
        zone=hours.get("zone", zone),
        wait=format_minutes(wait) if wait else "",
    )


def _json(draft: StepDraft) -> dict[str, Any]:
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


def _seconds(minutes: str) -> int | None:
    """None unless a step may wait that many minutes."""
    seconds = parse_minutes(minutes)
    return seconds if seconds is not None and seconds <= LONGEST_DELAY else None


def _move(drafts: list[StepDraft], place: int, to: int) -> None:
    """Swap two steps; the delays stay in place."""
    delays = [draft.delay for draft in drafts]
    repeating_rows.swap(drafts, place, to)
    for draft, delay in zip(drafts, delays, strict=True):
        draft.delay = delay


def _remove(drafts: list[StepDraft], place: int) -> None:
    """The first step keeps its delay, even if another step becomes the first."""
    if len(drafts) > 1:
        removed = drafts.pop(place)
        if place == 0:
            drafts[0].delay = removed.delay


def _add(drafts: list[StepDraft], zone: str) -> None:
    if len(drafts) < MAX_STEPS:
        drafts.append(StepDraft(zone=zone))


BUTTONS: Mapping[str, repeating_rows.Button] = {
    "add": lambda drafts, zone, place: drafts[place],
    "target-remove": lambda drafts, zone, place, row: drafts[place].targets.pop(row),
    "step-up": lambda drafts, zone, place: _move(drafts, place, place - 1),
    "step-down": lambda drafts, zone, place: _move(drafts, place, place + 1),
    "step-remove": lambda drafts, zone, place: _remove(drafts, place),
    "step-add": _add,
}
