"""The result types of a simulation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from incidentrelay.domain.enums import AlertStatus, Outcome, Severity, SignalStatus
from incidentrelay.services.alerts.upcoming import PlannedStep


class StepKind(StrEnum):
    """What happens in one step. The first four are kinds of notifications."""

    PAGE = "page"
    REMINDER = "reminder"
    ESCALATION = "escalation"
    FALLBACK = "fallback"
    EXHAUSTED = "exhausted"
    SILENCED = "silenced"
    PASSED_OVER = "passed_over"
    WAITS = "waits"


@dataclass(frozen=True, slots=True)
class MatcherCheck:
    """``value`` is the value of the matcher's label; None if it is missing."""

    matcher: str
    label: str
    value: str | None
    matched: bool


@dataclass(frozen=True, slots=True)
class CoveringSilence:
    """A silence that covers the alert."""

    id: int
    until: datetime


@dataclass(frozen=True, slots=True)
class PlanInfo:
    """``source`` ∈ default, policy. ``running``: an earlier item started it.

    ``version`` is the version of the policy that the plan copies.
    """

    source: str
    policy: str | None
    rotation: str | None
    running: bool
    version: int | None = None


@dataclass(frozen=True, slots=True)
class ForecastPerson:
    """``contacts`` are the (method, label) pairs of the contacts used.

    ``rotation`` is set if they are notified because they are on call in it, ``until`` the
    next handoff.
    """

    username: str
    display_name: str
    methods: tuple[str, ...]
    contacts: tuple[tuple[str, str], ...] = ()
    rotation: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ForecastChannel:
    slug: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class ForecastStep:
    """``nobody`` is why a target was not reached; ``assignee`` is that after the step.

    ``until`` is when a waiting step continues.
    """

    at: datetime
    kind: StepKind
    people: tuple[ForecastPerson, ...] = ()
    channels: tuple[ForecastChannel, ...] = ()
    nobody: str | None = None
    assignee: str | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class SimulationForecast:
    """What would happen to one item.

    ``outcome`` is None if the route is disabled. ``alert_id`` is None for an alert that
    does not exist yet. ``before`` has to pass before the steps start. ``more``: the plan
    continues after the last step.
    """

    outcome: Outcome | None
    reason: str
    title: str | None = None
    status: SignalStatus | None = None
    severity: Severity | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    dedup_key: str | None = None
    matchers: tuple[MatcherCheck, ...] = ()
    group_key: str | None = None
    alert_id: int | None = None
    alert_status: AlertStatus | None = None
    silence: CoveringSilence | None = None
    partial_silences: tuple[int, ...] = ()
    plan: PlanInfo | None = None
    assignee: str | None = None
    before: PlannedStep | None = None
    steps: tuple[ForecastStep, ...] = ()
    more: bool = False
    sentences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertForecast:
    """What happens next to one alert; fields as in :class:`SimulationForecast`.

    ``partial_silences`` cover only some of its firing signals.
    """

    plan: PlanInfo
    silence: CoveringSilence | None = None
    partial_silences: tuple[int, ...] = ()
    assignee: str | None = None
    before: PlannedStep | None = None
    steps: tuple[ForecastStep, ...] = ()
    more: bool = False
