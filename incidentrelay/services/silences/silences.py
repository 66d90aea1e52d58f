"""Creates and edits silences, which mute a team's matching alerts during a window."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import update as update_rows
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.matchers import parse_list, render_one
from incidentrelay.domain.silences import silences as domain
from incidentrelay.domain.silences.contradictions import find_contradictions
from incidentrelay.domain.text import join_words
from incidentrelay.models import Silence, Team, User
from incidentrelay.services.common import audit, resources, silence_timing, validation
from incidentrelay.services.common import matchers as label_matchers
from incidentrelay.services.escalation import runner as escalation_runner

_FIELDS: Mapping[str, validation.Check] = {
    "matchers": label_matchers.parse_matchers,
    "starts_at": validation.optional(validation.instant),
    "ends_at": validation.optional(validation.instant),
    "recurrence": validation.optional(silence_timing.check_recurrence),
    "reason": validation.DESCRIPTION,
    # Confirms a silence that matches every alert; not stored.
    "everything": validation.flag,
}


def create(
    session: Session, team: Team, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Silence:
    """Create a silence; it starts now by default.

    Matchers that match every alert are rejected unless ``everything`` is true.
    """
    values = judge_silence(data, now)
    creator = session.get(User, actor.user_id) if actor.user_id is not None else None
    silence = Silence(
        **values,
        team=team,
        team_id=team.id,
        created_by=creator,
        created_at=now,
        updated_at=now,
    )
    resources.insert_row(session, silence, conflict="This silence already exists.")
    audit.record_team_change(
        session, actor, "create", team, silence, resources.given_fields(values), now=now
    )
    _take_effect(session, silence, now)
    return silence


def judge_silence(data: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Validate ``data`` into columns; raises InvalidInput listing every error."""
    values = validation.clean(data, _FIELDS, required=("matchers",))
    _check_matchers(values["matchers"], values.pop("everything", False))
    values["starts_at"], values["ends_at"] = silence_timing.timing_bounds(values, now)
    return {"recurrence": None, "reason": "", **values}


def update(
    session: Session, silence: Silence, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Silence:
    """Change the given fields; raises Conflict for a silence that has ended."""
    values = validation.clean(data, _FIELDS)
    if silence.ends_at <= now:
        raise Conflict("This silence has ended; create a new one.")
    everything = values.pop("everything", False)
    if values.get("matchers", silence.matchers) != silence.matchers:
        _check_matchers(values["matchers"], everything)
    values["starts_at"], values["ends_at"] = silence_timing.timing_bounds(values, now, silence)
    _save(session, silence, values, actor, now)
    return silence


def end_silence(session: Session, silence: Silence, *, actor: Actor, now: datetime) -> Silence:
    """End the silence now, including future windows; alerts still firing page.

    Raises Conflict if it has ended or not started.
    """
    if silence.ends_at <= now:
        raise Conflict("This silence has ended.")
    if silence.starts_at > now:
        raise Conflict("This silence has not started; delete it instead.")
    _save(session, silence, {"ends_at": now}, actor, now)
    return silence


def _save(
    session: Session, silence: Silence, values: Mapping[str, Any], actor: Actor, now: datetime
) -> None:
    diff = resources.change_row(silence, values)
    if diff:
        resources.save_row(session, silence, now)
        team = session.get_one(Team, silence.team_id)
        audit.record_team_change(session, actor, "update", team, silence, diff, now=now)
        _take_effect(session, silence, now)


def _take_effect(session: Session, silence: Silence, now: datetime) -> None:
    """Apply the silence to alerts now and schedule its next change."""
    following = domain.next_change(silence_timing.timing_of(silence), now)
    set_next_change(session, silence, following)
    escalation_runner.reconsider(session, silence.team_id, now=now)


def set_next_change(session: Session, silence: Silence, at: datetime | None) -> None:
    """Store when a window next begins or ends, without a new version."""
    session.execute(update_rows(Silence).where(Silence.id == silence.id).values(next_change_at=at))
    if at is not None:
        db.hint(session, db.Hint("silences", silence.team_id, at))


def delete(session: Session, silence: Silence, *, actor: Actor, now: datetime) -> None:
    """Delete the silence; covered alerts that still fire page."""
    team = session.get_one(Team, silence.team_id)
    diff: audit.Diff = {"matchers": [silence.matchers, None], "ends_at": [silence.ends_at, None]}
    resources.remove_row(session, silence, conflict="This silence is still in use.")
    audit.record_team_change(session, actor, "delete", team, silence, diff, now=now)
    escalation_runner.reconsider(session, team.id, now=now)


def list_warnings(matchers: Sequence[str]) -> list[str]:
    """Sentences about matchers that are valid but can match nothing."""
    return [
        f"{join_words([render_one(matcher) for matcher in group])} contradict each other,"
        " so this silence covers nothing."
        for group in find_contradictions(parse_list(matchers))
    ]


def _check_matchers(matchers: list[str], everything: bool) -> None:
    if not everything and label_matchers.match_everything(matchers):
        raise InvalidInput.of(
            "matchers",
            "These match every alert; name a label, or confirm that you mean everything.",
        )
