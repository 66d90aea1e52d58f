"""Channels: where a team's shared notifications go."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.delivery.rate_limit import MOST_PER_MINUTE
from incidentrelay.domain.enums import TargetKind
from incidentrelay.domain.errors import Conflict
from incidentrelay.models import Channel, Route, RouteChannel, Team
from incidentrelay.services.channels import config as channel_config
from incidentrelay.services.channels import providers
from incidentrelay.services.channels.config import ChannelRegistry, full_config, public_config
from incidentrelay.services.common import audit, references, resources, team_lookup, validation
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.common.slugs import check_slug, with_slug

_FIELDS: Mapping[str, validation.Check] = {
    "name": validation.NAME,
    "enabled": validation.flag,
    "messages_per_minute": validation.number(1, MOST_PER_MINUTE),
    # Checked by the schema of the kind; see channels/config.py.
    "config": lambda value: value,
}


def create(
    session: Session,
    team: Team,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    registry: ChannelRegistry,
    vault: SecretBox,
) -> Channel:
    """A new channel; raises Conflict if the team has one with this slug."""
    table = {**_FIELDS, "slug": check_slug, "kind": lambda value: value}
    values = validation.clean(with_slug(data), table, required=("name", "slug", "kind"))
    kind = channel_config.channel_kind(registry, values["kind"])
    config = channel_config.check_config(kind, values.pop("config", {}))
    conflict = f"There is a channel “{values['slug']}” in this team already."
    if team_lookup.has_slug(session, Channel, team.id, values["slug"]):
        raise Conflict(conflict)
    public, secrets = channel_config.split_secrets(kind.info, config)
    uid = str(uuid.uuid4())
    channel = Channel(
        **values,
        team=team,
        team_id=team.id,
        uid=uid,
        config=public,
        sealed=vault.seal(uid, secrets) if secrets else None,
        created_at=now,
        updated_at=now,
    )
    resources.insert_row(session, channel, conflict=conflict)
    shown = {**values, "config": channel_config.audit_config(kind.info, config)}
    audit.record_team_change(
        session, actor, "create", team, channel, resources.given_fields(shown), now=now
    )
    return channel


def generated_secrets(
    channel: Channel, given: Mapping[str, Any], registry: ChannelRegistry, vault: SecretBox
) -> dict[str, Any]:
    """The secrets of a new channel that its configuration did not bring (``given``)."""
    whole = full_config(channel, vault)
    secrets = registry.get(channel.kind).info.secrets
    return {name: whole[name] for name in sorted(secrets & set(whole)) if not given.get(name)}


def update(
    session: Session,
    channel: Channel,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    registry: ChannelRegistry,
    vault: SecretBox,
) -> Channel:
    """Change the given fields; those of ``config`` are merged into the current ones."""
    values = validation.clean(resources.without_fixed(channel, data, ("slug", "kind")), _FIELDS)
    given = values.pop("config", None)
    diff = resources.change_row(channel, values)
    if given is not None:
        diff |= _reconfigure(channel, given, registry, vault)
    if diff:
        resources.save_row(session, channel, now)
        if not diff.keys() <= {"name"}:
            providers.reset_provider(session, channel.id)
        audit.record_team_change(
            session,
            actor,
            "update",
            team_lookup.find_team(session, channel),
            channel,
            diff,
            now=now,
        )
    return channel


def delete(session: Session, channel: Channel, *, actor: Actor, now: datetime) -> None:
    """Delete the channel; raises Conflict while routes, policies or the fallback use it."""
    team = team_lookup.find_team(session, channel)
    routes = session.scalars(
        select(Route.slug)
        .join(RouteChannel, RouteChannel.route_id == Route.id)
        .where(RouteChannel.channel_id == channel.id)
    ).all()
    if routes:
        raise Conflict(f"Routes use this channel ({', '.join(sorted(routes))}).")
    if team.fallback_channel_id == channel.id:
        raise Conflict("This is the fallback of the team; choose another one first.")
    references.refuse_targets(
        session, team.group_id, {(TargetKind.CHANNEL, channel.id)}, "The channel"
    )
    providers.reset_provider(session, channel.id)
    resources.remove_row(session, channel, conflict="A route uses this channel.")
    audit.record_team_change(session, actor, "delete", team, channel, {}, now=now)


def _reconfigure(
    channel: Channel, given: Any, registry: ChannelRegistry, vault: SecretBox
) -> dict[str, list[Any]]:
    kind = channel_config.channel_kind(registry, channel.kind)
    old = full_config(channel, vault)
    new = channel_config.check_config(kind, channel_config.merge_config(kind, old, given))
    if new == old:
        return {}
    public, secrets = channel_config.split_secrets(kind.info, new)
    channel.config = public
    channel.sealed = vault.seal(channel.uid, secrets) if secrets else None
    before, after = (channel_config.audit_config(kind.info, config) for config in (old, new))
    return {"config": [before, after]}


__all__ = [
    "create",
    "delete",
    "full_config",
    "generated_secrets",
    "public_config",
    "update",
]
