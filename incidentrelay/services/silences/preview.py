"""Previews which alerts a silence would cover."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain import matchers as matching
from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.matchers import Matcher
from incidentrelay.domain.silences import silences as domain
from incidentrelay.domain.silences.coverage import TeamSilence, covers_labels
from incidentrelay.domain.silences.silences import SilenceWindow
from incidentrelay.models import Alert, Silence, Team
from incidentrelay.services.alerts import search as alert_search
from incidentrelay.services.common import silence_timing
from incidentrelay.services.escalation.signal_labels import SignalLabels, load_signal_labels
from incidentrelay.services.recipients import directory as directories
from incidentrelay.services.silences import silences

RECENTLY = timedelta(hours=24)
MOST_ALERTS = 10
MOST_WINDOWS = 5
_MOST_LOOKED_AT = 5000


@dataclass(frozen=True, slots=True)
class SilencePreview:
    """``firing`` alerts would be quiet now; ``alerts`` are the newest of them.

    ``partly_covered`` more alerts would still page: the silence matches some of their firing
    signals, and no silence covers the rest. ``recent`` opened in the last 24 hours, and it
    matches all their signals. ``incomplete``: there were too many alerts to check all.
    ``windows`` are the upcoming ones.
    """

    firing: int
    alerts: Sequence[Alert]
    partly_covered: int
    recent: int
    incomplete: bool
    windows: Sequence[SilenceWindow]
    warnings: Sequence[str]


def preview_silence(
    session: Session,
    team: Team,
    data: Mapping[str, Any],
    *,
    now: datetime,
    replaces: Silence | None = None,
) -> SilencePreview:
    """Preview a silence with ``data``; raises InvalidInput as creating it would."""
    number = replaces.id if replaces is not None else None
    values = silences.judge_silence(data, now)
    return preview_of(session, Silence(id=number, team_id=team.id, **values), now=now)


def preview_of(session: Session, silence: Silence, *, now: datetime) -> SilencePreview:
    """Preview the (saved or unsaved) silence as if it were active now."""
    parsed = matching.parse_list(silence.matchers)
    firing, more_firing = _matching(session, silence, parsed, Alert.status == AlertStatus.FIRING)
    recent, more_recent = _matching(session, silence, parsed, Alert.opened_at > now - RECENTLY)
    others = _other_silences(session, silence, now)
    covered = [
        alert_id
        for alert_id, signals in firing.items()
        if all(
            matching.matches(parsed, labels) or covers_labels(others, labels, now)
            for labels in signals
        )
    ]
    shown = select(Alert).where(Alert.id.in_(covered[:MOST_ALERTS])).order_by(Alert.id.desc())
    coming = domain.windows(silence_timing.timing_of(silence), now, silence.ends_at)
    return SilencePreview(
        firing=len(covered),
        alerts=session.scalars(shown).all(),
        partly_covered=len(firing) - len(covered),
        recent=sum(
            all(matching.matches(parsed, labels) for labels in signals)
            for signals in recent.values()
        ),
        incomplete=more_firing or more_recent,
        windows=tuple(islice(coming, MOST_WINDOWS)),
        warnings=silences.list_warnings(silence.matchers),
    )


def _other_silences(session: Session, silence: Silence, now: datetime) -> Sequence[TeamSilence]:
    team_id = silence.team_id
    people = directories.load_directory(session, (), {team_id}, now=now)
    return [other for other in people.silences.get(team_id, ()) if other.id != silence.id]


def _matching(
    session: Session, silence: Silence, parsed: Sequence[Matcher], condition: Any
) -> tuple[dict[int, SignalLabels], bool]:
    """The alerts with a matching signal, newest first, with the labels of all signals.

    Returns too whether there were too many to check all.
    """
    columns: Any = select(Alert.id).where(Alert.team_id == silence.team_id, condition)
    query = columns.where(*alert_search.signal_conditions(parsed))
    ids = session.scalars(query.order_by(Alert.id.desc()).limit(_MOST_LOOKED_AT + 1)).all()
    labels = load_signal_labels(session, ids[:_MOST_LOOKED_AT])
    found = {
        alert_id: labels[alert_id]
        for alert_id in ids
        if any(matching.matches(parsed, signal) for signal in labels.get(alert_id, ()))
    }
    return found, len(ids) > _MOST_LOOKED_AT
