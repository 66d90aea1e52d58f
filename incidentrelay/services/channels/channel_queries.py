"""What the pages of channels show, in a constant number of statements."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session, contains_eager, joinedload

from incidentrelay.domain.delivery.circuit_breaker import CLOSED, Circuit
from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import (
    Attempt,
    Channel,
    Group,
    Notification,
    Policy,
    Route,
    RouteChannel,
    Team,
)
from incidentrelay.services.access.visibility import Memberships, scope
from incidentrelay.services.channels import providers
from incidentrelay.services.channels.health import ChannelHealth, channel_health
from incidentrelay.services.common import references

MAX_CHANNELS = 300
PAGE_SIZE = 20


@dataclass(frozen=True, slots=True)
class ChannelListing:
    channel: Channel
    health: ChannelHealth
    circuit: Circuit


@dataclass(frozen=True, slots=True)
class ChannelDelivery:
    """A message of a channel, and how its last attempt ended ("" before the first)."""

    notification: Notification
    answer: str


@dataclass(frozen=True, slots=True)
class ChannelUsers:
    """What leads to a channel: names of routes and policies; ``fallback``: of its team."""

    routes: Sequence[str]
    policies: Sequence[str]
    fallback: bool


def list_channels(
    session: Session, memberships: Memberships, *, team_id: int | None = None
) -> list[ChannelListing]:
    """The visible channels of active teams, by team and name; at most 300."""
    query = (
        select(Channel)
        .join(Channel.team)
        .join(Team.group)
        .options(contains_eager(Channel.team).contains_eager(Team.group))
        .where(Team.active, Group.active)
        .order_by(Team.name, Team.id, Channel.name, Channel.id)
        .limit(MAX_CHANNELS)
    )
    if team_id is not None:
        query = query.where(Team.id == team_id)
    return load_health(
        session, session.scalars(scope(query, Channel, memberships, Permission.VIEW)).all()
    )


def load_health(session: Session, channels: Sequence[Channel]) -> list[ChannelListing]:
    """The channels with their health, in their order."""
    names = {channel.id: providers.provider_of(channel.id) for channel in channels}
    circuits = providers.load_circuits(session, list(names.values()))
    health = channel_health(session, names)
    return [
        ChannelListing(
            each, health.get(each.id, ChannelHealth()), circuits.get(names[each.id], CLOSED)
        )
        for each in channels
    ]


def list_deliveries(
    session: Session, channel: Channel, before: int | None = None
) -> tuple[list[ChannelDelivery], int | None]:
    """A page of the channel's messages, newest first, and the next ``before``."""
    query = (
        select(Notification)
        .where(Notification.channel_id == channel.id)
        .options(
            joinedload(Notification.alert),
            joinedload(Notification.user),
            joinedload(Notification.channel),
            joinedload(Notification.team).joinedload(Team.group),
        )
        .order_by(Notification.id.desc())
        .limit(PAGE_SIZE + 1)
    )
    if before is not None:
        query = query.where(Notification.id < before)
    rows = list(session.scalars(query))
    shown = rows[:PAGE_SIZE]
    answers = _answers(session, [row.id for row in shown])
    older = shown[-1].id if len(rows) > PAGE_SIZE else None
    return [ChannelDelivery(row, answers.get(row.id, "")) for row in shown], older


def _answers(session: Session, ids: Sequence[int]) -> Mapping[int, str]:
    last = (
        select(func.max(Attempt.id))
        .where(Attempt.notification_id.in_(ids))
        .group_by(Attempt.notification_id)
    )
    query = select(Attempt.notification_id, Attempt.reason).where(Attempt.id.in_(last))
    return {row.notification_id: row.reason for row in session.execute(query)}


def find_users(session: Session, channel: Channel) -> ChannelUsers:
    """Everything that leads to the channel."""
    routes = (
        select(Route.name)
        .join(RouteChannel, RouteChannel.route_id == Route.id)
        .where(RouteChannel.channel_id == channel.id)
        .order_by(Route.name)
    )
    policies = (
        select(Policy.name, Policy.steps)
        .join(Team, Team.id == Policy.team_id)
        .where(Team.group_id == channel.team.group_id)
        .order_by(Policy.name)
    )
    target = (TargetKind.CHANNEL, channel.id)
    return ChannelUsers(
        routes=session.scalars(routes).all(),
        policies=[
            name
            for name, steps in session.execute(policies)
            if target in references.step_targets(steps)
        ],
        fallback=channel.team.fallback_channel_id == channel.id,
    )
