"""The conditions of a policy step in the API's format.

::

    {"severity": "high", "wait_for_on_call": 3600,
     "hours": {"weekdays": [0, 1, 2, 3, 4], "opens": "18:00", "closes": "09:00",
               "zone": "Europe/Paris"}}

All are optional. They are stored in the same shape (domain/escalation/conditions.py).
"""

from collections.abc import Mapping, Sequence
from typing import Any

from incidentrelay.domain.enums import Severity, TargetKind
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.escalation.conditions import Conditions, LocalHours
from incidentrelay.services.common import limits, validation
from incidentrelay.services.oncall.layers import parse_time_of_day

SHORTEST_WAIT = 60
LONGEST_WAIT = limits.STEP_DELAY.high


def read_conditions(value: Any, targets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """``value`` as it is stored; raises InvalidInput with fields like ``hours.zone``.

    ``targets`` are those of the step, with their kinds.
    """
    values = validation.clean(_mapping(value), _CONDITIONS)
    if values.get("wait_for_on_call") and not any(t["kind"] == TargetKind.ON_CALL for t in targets):
        raise InvalidInput.of("wait_for_on_call", "Only a step that notifies a rotation can wait.")
    conditions = Conditions(
        values.get("severity"), values.get("hours"), values.get("wait_for_on_call", 0)
    )
    return conditions.to_json()


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError("This must be an object.")
    return value


def _hours(value: Any) -> LocalHours:
    values = validation.clean(_mapping(value), _HOURS, required=_HOURS)
    return LocalHours(
        tuple(sorted(values["weekdays"])), values["opens"], values["closes"], values["zone"]
    )


def _wait(value: Any) -> int:
    return 0 if value == 0 else validation.number(SHORTEST_WAIT, LONGEST_WAIT)(value)


_HOURS: Mapping[str, validation.Check] = {
    "weekdays": validation.listing(validation.number(*limits.WEEKDAY), *limits.WEEKDAYS),
    "opens": parse_time_of_day,
    "closes": parse_time_of_day,
    "zone": validation.zone,
}
_CONDITIONS: Mapping[str, validation.Check] = {
    "severity": validation.optional(validation.word(Severity)),
    "hours": validation.optional(_hours),
    "wait_for_on_call": _wait,
}
