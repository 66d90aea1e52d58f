"""Everything needed to resolve the recipients of a plan, loaded at once.

A directory for any number of alerts takes a constant number of statements; after that, finding
people needs no database.
"""

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import BindParameter, Select, bindparam, select
from sqlalchemy.orm import Session

from incidentrelay.channels.kinds import INBOX, PROFILE
from incidentrelay.domain import matchers as matching
from incidentrelay.domain.enums import Severity, TargetKind, Urgency
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.escalation.notification_rules import effective_rules, urgency_of
from incidentrelay.domain.escalation.plan import Plan
from incidentrelay.domain.oncall.schedule import Schedule
from incidentrelay.domain.silences.coverage import (
    SilenceCoverage,
    TeamSilence,
    coverage_of_signals,
    covers_labels,
    find_quiet_start,
)
from incidentrelay.models import Channel, Silence, Team, User
from incidentrelay.services.common import silence_timing
from incidentrelay.services.oncall.schedules import load_paging_schedules
from incidentrelay.services.recipients import contact_methods, insiders
from incidentrelay.services.recipients.contact_methods import NO_CONTACT_METHODS, ContactMethods

log = logging.getLogger(__name__)

_IDS: BindParameter[int] = bindparam("ids", expanding=True)
# The silence may be missing.
_TEAMS: Select[Team, Any] = (
    select(Team, Silence)
    .outerjoin(Silence, (Silence.team_id == Team.id) & (Silence.ends_at > bindparam("now")))
    .where(Team.id.in_(_IDS))
    .order_by(Silence.id)
)


@dataclass(frozen=True, slots=True)
class Recipient:
    """One address: ``target`` is its stable name, ``label`` is for people.

    It is notified ``delay`` seconds after the others. ``contact`` is the label of a
    person's contact.
    """

    target: str
    method: str
    label: str
    user_id: int | None = None
    channel_id: int | None = None
    contact_id: int | None = None
    contact: str = ""
    delay: int = 0


@dataclass(slots=True)
class Directory:
    """``urgency`` selects which of a person's notification rules apply.

    With a ``group_id``, people and channels outside that group have no address: plans
    keep ids of people who may have left since. Site admins belong to every group.
    """

    schedules: Mapping[int, Schedule] = field(default_factory=dict)
    teams: Mapping[int, Team] = field(default_factory=dict)
    team_members: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    users: Mapping[int, User] = field(default_factory=dict)
    channels: Mapping[int, Channel] = field(default_factory=dict)
    silences: Mapping[int, tuple[TeamSilence, ...]] = field(default_factory=dict)
    ways: Mapping[int, ContactMethods] = field(default_factory=dict)
    members: frozenset[tuple[int, int]] = frozenset()
    channel_groups: Mapping[int, int] = field(default_factory=dict)
    urgency: Urgency = Urgency.HIGH
    group_id: int | None = None

    def about(self, severity: Severity) -> "Directory":
        """The same directory for an alert of that severity."""
        return replace(self, urgency=urgency_of(severity))

    def in_team(self, team_id: int) -> "Directory":
        """The same directory for an alert of that team."""
        team = self.teams.get(team_id)
        return self.in_group(team.group_id) if team else self

    def in_group(self, group_id: int) -> "Directory":
        return replace(self, group_id=group_id)

    def name(self, user_id: int | None) -> str | None:
        user = self.users.get(user_id) if user_id is not None else None
        return user.display_name if user else None

    def person(self, user_id: int | None) -> tuple[Recipient, ...]:
        """The addresses of an active person: the inbox, and those in their rules.

        Without a confirmed contact method, the e-mail address of the profile is used.
        """
        user = self.users.get(user_id) if user_id is not None else None
        if user is None or not user.active or not self._is_insider(user):
            return ()
        name = user.display_name
        inbox = Recipient(f"user:{user.id}:{INBOX}", INBOX, name, user_id=user.id)
        ways = self.ways.get(user.id, NO_CONTACT_METHODS)
        if not ways.contacts and user.email:
            return inbox, Recipient(f"user:{user.id}:{PROFILE}", PROFILE, name, user_id=user.id)
        return inbox, *self._by_rules(user, ways)

    def _is_insider(self, user: User) -> bool:
        if self.group_id is None or user.is_admin:
            return True
        return (self.group_id, user.id) in self.members

    def at_once(self, user_id: int | None) -> tuple[Recipient, ...]:
        """The addresses of an active person that an urgent page uses at once."""
        urgent = replace(self, urgency=Urgency.HIGH).person(user_id)
        return tuple(recipient for recipient in urgent if recipient.delay == 0)

    def _by_rules(self, user: User, ways: ContactMethods) -> Iterator[Recipient]:
        rules = effective_rules(ways.rules.get(self.urgency, ()), list(ways.contacts), self.urgency)
        for rule in rules:
            contact = ways.contacts[rule.contact_id]
            target = f"user:{user.id}:{contact.kind}:{contact.id}"
            yield Recipient(
                # The same contact may have another rule with a longer delay.
                f"{target}:{rule.delay}" if rule.delay else target,
                contact.kind,
                user.display_name,
                user_id=user.id,
                contact_id=contact.id,
                contact=contact.label,
                delay=rule.delay,
            )

    def channel(self, channel_id: int | None) -> tuple[Recipient, ...]:
        channel = self.channels.get(channel_id) if channel_id is not None else None
        if channel is None or not channel.enabled:
            return ()
        if self.group_id not in (None, self.channel_groups.get(channel.id)):
            return ()
        target = f"channel:{channel.id}"
        return (Recipient(target, channel.kind, channel.name, channel_id=channel.id),)

    def fallback(self, team_id: int) -> tuple[Recipient, ...]:
        team, people = self.teams[team_id], self.in_team(team_id)
        return people.person(team.fallback_user_id) + people.channel(team.fallback_channel_id)

    def coverage(
        self, team_id: int, signals: Iterable[Mapping[str, str]], at: datetime
    ) -> SilenceCoverage | None:
        """The silences that keep an alert quiet, given the labels of its firing signals."""
        return coverage_of_signals(self.silences.get(team_id, ()), signals, at)

    def covers(self, team_id: int, labels: Mapping[str, str], at: datetime) -> bool:
        """Whether a silence covers one signal with these labels."""
        return covers_labels(self.silences.get(team_id, ()), labels, at)

    def quiet_start(
        self, team_id: int, signals: Iterable[Mapping[str, str]], at: datetime
    ) -> datetime | None:
        """The first instant from ``at`` on at which silences cover all these signals."""
        return find_quiet_start(self.silences.get(team_id, ()), signals, at)


def load_directory(
    session: Session,
    plans: Iterable[Plan],
    team_ids: Collection[int],
    *,
    now: datetime,
    user_ids: Iterable[int | None] = (),
) -> Directory:
    """The directory for these plans of these teams; ``user_ids`` are loaded in addition."""
    ids = _target_ids(plans)
    teams, silences = _teams(session, team_ids, now)
    rotation_ids = ids[TargetKind.ON_CALL] | ids[TargetKind.NEXT_MEMBER]
    loaded = load_paging_schedules(session, rotation_ids, now)
    members = insiders.load_team_members(session, ids[TargetKind.TEAM])
    wanted = ids[TargetKind.USER] | {user_id for user_id in user_ids if user_id is not None}
    wanted |= {team.fallback_user_id for team in teams.values() if team.fallback_user_id}
    wanted |= {user_id for people in members.values() for user_id in people}
    for schedule in loaded.values():
        wanted |= _people(schedule)
    channel_ids = ids[TargetKind.CHANNEL]
    channel_ids |= {team.fallback_channel_id for team in teams.values() if team.fallback_channel_id}
    people = contact_methods.load_people(
        session, wanted, {team.group_id for team in teams.values()}
    )
    channels = insiders.load_channels(session, channel_ids)
    return Directory(
        schedules=loaded,
        teams=teams,
        team_members=members,
        users=people.users,
        channels={channel.id: channel for channel, _ in channels},
        silences=silences,
        ways=people.methods,
        members=frozenset(people.members),
        channel_groups={channel.id: group_id for channel, group_id in channels},
    )


def _target_ids(plans: Iterable[Plan]) -> dict[TargetKind, set[int]]:
    ids: dict[TargetKind, set[int]] = defaultdict(set)
    for plan in plans:
        for step in plan.steps:
            for target in step.targets:
                if target.id is not None:
                    ids[target.kind].add(target.id)
    return ids


def _people(schedule: Schedule) -> set[int]:
    people = {override.user_id for override in schedule.overrides}
    for revision in schedule.revisions:
        for layer in revision.layers:
            people.update(layer.members)
    return people


def _teams(
    session: Session, team_ids: Collection[int], now: datetime
) -> tuple[dict[int, Team], dict[int, tuple[TeamSilence, ...]]]:
    """The teams, and their silences that have not ended."""
    teams: dict[int, Team] = {}
    found: dict[int, list[TeamSilence]] = defaultdict(list)
    given = {"ids": list(team_ids), "now": now}
    for team, row in session.execute(_TEAMS, given) if team_ids else ():
        teams[team.id] = team
        if row is None:
            continue
        try:
            parsed, timing = matching.parse_list(row.matchers), silence_timing.timing_of(row)
        except InvalidInput:
            # For example a zone that no longer exists. Better one page too many than none.
            log.exception("Silence %s cannot be read and covers nothing.", row.id)
            continue
        found[row.team_id].append(TeamSilence(row.id, parsed, timing))
    return teams, {team_id: tuple(silences) for team_id, silences in found.items()}
