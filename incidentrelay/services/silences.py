"""Silences: during a window, a team's alerts that match are quiet."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import Silence, Team, User
from incidentrelay.services import audit, checks, editing, escalations, label_matchers

LONGEST = timedelta(days=366)

_FIELDS: Mapping[str, checks.Check] = {
    "matchers": label_matchers.matchers,
    "starts_at": checks.instant,
    "ends_at": checks.instant,
    "reason": checks.DESCRIPTION,
    # Said by whoever means to silence everything; it is not stored.
    "everything": checks.flag,
}


def create(
    session: Session, team: Team, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Silence:
    """A new silence, from now on where no start is given.

    Matchers that ask for nothing are refused unless ``everything`` is true.
    """
    values = checks.clean(
        {"starts_at": now, **data}, _FIELDS, required=("matchers", "starts_at", "ends_at")
    )
    _check_matchers(values["matchers"], values.pop("everything", False))
    _check_window(values["starts_at"], values["ends_at"], now)
    creator = session.get(User, actor.user_id) if actor.user_id is not None else None
    silence = Silence(
        **values,
        team=team,
        team_id=team.id,
        created_by=creator,
        created_at=now,
        updated_at=now,
    )
    editing.insert(session, silence, taken="This silence is there already.")
    _record(session, actor, "create", team, silence, now, editing.given(values))
    escalations.reconsider(session, team.id, now=now)
    return silence


def update(
    session: Session, silence: Silence, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Silence:
    """Change the given fields; raises Conflict for a silence that has ended."""
    values = checks.clean(data, _FIELDS)
    if silence.ends_at <= now:
        raise Conflict("This silence has ended; make a new one.")
    everything = values.pop("everything", False)
    if values.get("matchers", silence.matchers) != silence.matchers:
        _check_matchers(values["matchers"], everything)
    starts_at = values.get("starts_at", silence.starts_at)
    _check_window(starts_at, values.get("ends_at", silence.ends_at), now)
    diff = editing.change(silence, values)
    if diff:
        editing.save(session, silence, now)
        team = session.get_one(Team, silence.team_id)
        _record(session, actor, "update", team, silence, now, diff)
        escalations.reconsider(session, silence.team_id, now=now)
    return silence


def delete(session: Session, silence: Silence, *, actor: Actor, now: datetime) -> None:
    """Delete the silence; alerts that it covered and that still fire page."""
    team = session.get_one(Team, silence.team_id)
    diff: audit.Diff = {"matchers": [silence.matchers, None], "ends_at": [silence.ends_at, None]}
    editing.remove(session, silence, used="This silence is still needed.")
    _record(session, actor, "delete", team, silence, now, diff)
    escalations.reconsider(session, team.id, now=now)


def _check_matchers(matchers: list[str], everything: bool) -> None:
    if not everything and label_matchers.match_everything(matchers):
        raise InvalidInput.of(
            "matchers",
            "These match every alert; name a label, or say that everything is meant.",
        )


def _check_window(starts_at: datetime, ends_at: datetime, now: datetime) -> None:
    if ends_at <= starts_at:
        raise InvalidInput.of("ends_at", "The end must be after the start.")
    if ends_at <= now:
        raise InvalidInput.of("ends_at", "This is in the past.")
    if ends_at - starts_at > LONGEST:
        raise InvalidInput.of("ends_at", f"A silence lasts at most {LONGEST.days} days.")


def _record(
    session: Session,
    actor: Actor,
    action: str,
    team: Team,
    silence: Silence,
    now: datetime,
    diff: audit.Diff,
) -> None:
    name = f"{team.slug}/{silence.id}"
    audit.record(session, actor, action, silence, diff, now=now, group_id=team.group_id, name=name)
