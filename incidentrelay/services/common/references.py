"""References that the database does not check: ids inside policies and schedules."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import (
    Policy,
    Rotation,
    RotationLayer,
    RotationOverride,
    RotationRevision,
    Team,
)

_ROTATION_KINDS = {TargetKind.ON_CALL, TargetKind.NEXT_MEMBER}


def refuse_targets(
    session: Session,
    group_id: int | None,
    targets: Collection[tuple[TargetKind, int]],
    what: str,
    *,
    but_of_team: int | None = None,
) -> None:
    """Raise Conflict with the names of policies of the group that notify one of ``targets``.

    With ``group_id`` None, all groups are checked. Policies of ``but_of_team`` are ignored.
    """
    statement = select(Team.slug, Policy.slug, Policy.steps, Policy.team_id).join(
        Team, Team.id == Policy.team_id
    )
    if group_id is not None:
        statement = statement.where(Team.group_id == group_id)
    found = [
        f"{team}/{policy}"
        for team, policy, steps, team_id in session.execute(statement)
        if team_id != but_of_team and step_targets(steps) & set(targets)
    ]
    if found:
        raise Conflict(f"{what} is notified by policies ({', '.join(sorted(found))}).")


def rotations_using(session: Session, user_id: int, group_id: int) -> list[str]:
    """The group's rotations whose current schedule names the person, as team/rotation."""
    latest = load_current_revisions().subquery()
    rows = session.execute(
        select(Team.slug, Rotation.slug, RotationLayer.members)
        .join(Rotation, Rotation.team_id == Team.id)
        .join(latest, latest.c.rotation_id == Rotation.id)
        .join(RotationLayer, RotationLayer.revision_id == latest.c.id)
        .where(Team.group_id == group_id)
    )
    return sorted({f"{team}/{rotation}" for team, rotation, members in rows if user_id in members})


def was_on_call(session: Session, user_id: int) -> bool:
    """Whether any current or past schedule or any override names the person."""
    override = select(RotationOverride.id).where(RotationOverride.user_id == user_id).limit(1)
    if session.scalar(override) is not None:
        return True
    return any(user_id in members for members in session.scalars(select(RotationLayer.members)))


def load_current_revisions() -> Select[tuple[int, int]]:
    """(id, rotation_id) of each rotation's newest revision."""
    place = (
        func.row_number()
        .over(
            partition_by=RotationRevision.rotation_id,
            order_by=(
                RotationRevision.effective_from.desc().nulls_last(),
                RotationRevision.id.desc(),
            ),
        )
        .label("place")
    )
    ranked = select(RotationRevision.id, RotationRevision.rotation_id, place).subquery()
    return select(ranked.c.id, ranked.c.rotation_id).where(ranked.c.place == 1)


def step_targets(steps: Iterable[Mapping[str, Any]]) -> set[tuple[TargetKind, int]]:
    """The targets of a policy's stored steps."""
    found: set[tuple[TargetKind, int]] = set()
    for step in steps:
        for target in step["targets"]:
            kind = TargetKind(target["kind"])
            found.add((TargetKind.ON_CALL if kind in _ROTATION_KINDS else kind, target["id"]))
    return found
