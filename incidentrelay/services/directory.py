"""Everything that is needed to find out whom a plan reaches, loaded at once.

However many alerts are worked on together, a directory costs a constant number of
statements; afterwards finding people is arithmetic.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain import matchers as matching
from incidentrelay.domain import silences as silencing
from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.escalation import Plan
from incidentrelay.domain.matchers import Matcher
from incidentrelay.domain.oncall import Schedule
from incidentrelay.domain.silences import Cover, Timing
from incidentrelay.models import Channel, Rotation, Silence, Team, TeamMember, User
from incidentrelay.services import schedules, silence_timing

log = logging.getLogger(__name__)

Row = TypeVar("Row", User, Channel)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address: ``target`` is its stable name, ``label`` is for people."""

    target: str
    method: str
    label: str
    user_id: int | None = None
    channel_id: int | None = None


@dataclass(frozen=True, slots=True)
class TeamSilence:
    """A silence that is not over: whom it is about, and when it is in force."""

    id: int
    matchers: tuple[Matcher, ...]
    timing: Timing


@dataclass(slots=True)
class Directory:
    schedules: Mapping[int, Schedule] = field(default_factory=dict)
    teams: Mapping[int, Team] = field(default_factory=dict)
    team_members: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    users: Mapping[int, User] = field(default_factory=dict)
    channels: Mapping[int, Channel] = field(default_factory=dict)
    silences: Mapping[int, tuple[TeamSilence, ...]] = field(default_factory=dict)

    def name(self, user_id: int | None) -> str | None:
        user = self.users.get(user_id) if user_id is not None else None
        return user.display_name if user else None

    def person(self, user_id: int | None) -> tuple[Recipient, ...]:
        """The addresses of an active person: the inbox, and e-mail where there is one."""
        user = self.users.get(user_id) if user_id is not None else None
        if user is None or not user.active:
            return ()
        methods = ["inbox"] + (["email"] if user.email else [])
        return tuple(
            Recipient(f"user:{user.id}:{method}", method, user.display_name, user_id=user.id)
            for method in methods
        )

    def channel(self, channel_id: int | None) -> tuple[Recipient, ...]:
        channel = self.channels.get(channel_id) if channel_id is not None else None
        if channel is None or not channel.enabled:
            return ()
        target = f"channel:{channel.id}"
        return (Recipient(target, channel.kind, channel.name, channel_id=channel.id),)

    def fallback(self, team_id: int) -> tuple[Recipient, ...]:
        team = self.teams[team_id]
        return self.person(team.fallback_user_id) + self.channel(team.fallback_channel_id)

    def cover(self, team_id: int, labels: Mapping[str, str], at: datetime) -> Cover | None:
        """The silences over these labels, up to the end of the last that keeps them quiet."""
        return silencing.cover(self._timings(team_id, labels), at)

    def next_cover(self, team_id: int, labels: Mapping[str, str], at: datetime) -> datetime | None:
        """When the next silence over these labels begins after ``at``."""
        found = [silencing.next_start(timing, at) for _, timing in self._timings(team_id, labels)]
        return min((start for start in found if start is not None), default=None)

    def _timings(self, team_id: int, labels: Mapping[str, str]) -> list[tuple[int, Timing]]:
        return [
            (silence.id, silence.timing)
            for silence in self.silences.get(team_id, ())
            if matching.matches(silence.matchers, labels)
        ]


def load(
    session: Session,
    plans: Iterable[Plan],
    team_ids: Collection[int],
    *,
    now: datetime,
    user_ids: Iterable[int | None] = (),
) -> Directory:
    """The directory for these plans of these teams; ``user_ids`` are wanted besides."""
    ids: dict[TargetKind, set[int]] = defaultdict(set)
    for plan in plans:
        for step in plan.steps:
            for target in step.targets:
                if target.id is not None:
                    ids[target.kind].add(target.id)
    teams = {team.id: team for team in session.scalars(select(Team).where(Team.id.in_(team_ids)))}
    rotation_ids = ids[TargetKind.ON_CALL] | ids[TargetKind.NEXT_MEMBER]
    loaded = schedules.load(session, _in_force(session, rotation_ids))
    members = _team_members(session, ids[TargetKind.TEAM])
    wanted = ids[TargetKind.USER] | {user_id for user_id in user_ids if user_id is not None}
    wanted |= {team.fallback_user_id for team in teams.values() if team.fallback_user_id}
    wanted |= {user_id for people in members.values() for user_id in people}
    for schedule in loaded.values():
        wanted |= _people(schedule)
    channel_ids = ids[TargetKind.CHANNEL]
    channel_ids |= {team.fallback_channel_id for team in teams.values() if team.fallback_channel_id}
    return Directory(
        schedules=loaded,
        teams=teams,
        team_members=members,
        users=_by_id(session, User, wanted),
        channels=_by_id(session, Channel, channel_ids),
        silences=_silences(session, team_ids, now),
    )


def _in_force(session: Session, rotation_ids: Collection[int]) -> set[int]:
    """Without the paused ones, in which nobody is on call for new pages."""
    if not rotation_ids:
        return set()
    query = select(Rotation.id).where(Rotation.id.in_(rotation_ids), Rotation.enabled)
    return set(session.scalars(query))


def _by_id(session: Session, model: type[Row], ids: Collection[int]) -> dict[int, Row]:
    if not ids:
        return {}
    return {row.id: row for row in session.scalars(select(model).where(model.id.in_(ids)))}


def _people(schedule: Schedule) -> set[int]:
    people = {override.user_id for override in schedule.overrides}
    for revision in schedule.revisions:
        for layer in revision.layers:
            people.update(layer.members)
    return people


def _team_members(session: Session, team_ids: Collection[int]) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {team_id: [] for team_id in team_ids}
    if team_ids:
        query = select(TeamMember.team_id, TeamMember.user_id).where(
            TeamMember.team_id.in_(team_ids)
        )
        for team_id, user_id in session.execute(query.order_by(TeamMember.id)):
            found[team_id].append(user_id)
    return {team_id: tuple(people) for team_id, people in found.items()}


def _silences(
    session: Session, team_ids: Collection[int], now: datetime
) -> dict[int, tuple[TeamSilence, ...]]:
    """The silences of the teams that are not over."""
    query = select(Silence).where(Silence.team_id.in_(team_ids), Silence.ends_at > now)
    found: dict[int, list[TeamSilence]] = defaultdict(list)
    for row in session.scalars(query.order_by(Silence.id)):
        try:
            parsed, timing = matching.parse_list(row.matchers), silence_timing.of(row)
        except InvalidInput:
            # A zone that is gone, say. Better a page too many than none.
            log.exception("Silence %s is not understood any more, and covers nothing.", row.id)
            continue
        found[row.team_id].append(TeamSilence(row.id, parsed, timing))
    return {team_id: tuple(silences) for team_id, silences in found.items()}
