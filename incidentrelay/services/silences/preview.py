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
from incidentrelay.domain.silences.silences import SilenceWindow
from incidentrelay.models import Alert, Silence, Team
from incidentrelay.services.alerts import search as alert_search
from incidentrelay.services.common import silence_timing
from incidentrelay.services.silences import silences

RECENTLY = timedelta(hours=24)
MOST_ALERTS = 10
MOST_WINDOWS = 5
_MOST_LOOKED_AT = 5000


@dataclass(frozen=True, slots=True)
class SilencePreview:
    """``firing`` alerts would be silenced now; ``alerts`` are the newest of them.

    ``recent`` opened in the last 24 hours and would have been covered. ``incomplete``:
    there were too many alerts to check all. ``windows`` are the upcoming ones.
    """

    firing: int
    alerts: Sequence[Alert]
    recent: int
    incomplete: bool
    windows: Sequence[SilenceWindow]


def preview_silence(
    session: Session, team: Team, data: Mapping[str, Any], *, now: datetime
) -> SilencePreview:
    """Preview a silence with ``data``; raises InvalidInput as creating it would."""
    return preview_of(
        session, Silence(team_id=team.id, **silences.judge_silence(data, now)), now=now
    )


def preview_of(session: Session, silence: Silence, *, now: datetime) -> SilencePreview:
    """Preview the (saved or unsaved) silence while it is active."""
    parsed = matching.parse_list(silence.matchers)
    firing = _ids(session, silence, parsed, Alert.status == AlertStatus.FIRING)
    recent = _ids(session, silence, parsed, Alert.opened_at > now - RECENTLY)
    coming = domain.windows(silence_timing.timing_of(silence), now, silence.ends_at)
    shown = select(Alert).where(Alert.id.in_(firing[0][:MOST_ALERTS])).order_by(Alert.id.desc())
    return SilencePreview(
        firing=len(firing[0]),
        alerts=session.scalars(shown).all(),
        recent=len(recent[0]),
        incomplete=firing[1] or recent[1],
        windows=tuple(islice(coming, MOST_WINDOWS)),
    )


def _ids(
    session: Session, silence: Silence, parsed: Sequence[Matcher], condition: Any
) -> tuple[list[int], bool]:
    """The matching alerts, newest first, and whether there were too many to check all."""
    columns: Any = select(Alert.id, Alert.labels).where(Alert.team_id == silence.team_id, condition)
    query = alert_search.apply_filter(columns, {"matchers": parsed})
    rows = session.execute(query.order_by(Alert.id.desc()).limit(_MOST_LOOKED_AT + 1)).all()
    ids = [number for number, labels in rows if matching.matches(parsed, labels)]
    return ids, len(rows) > _MOST_LOOKED_AT
