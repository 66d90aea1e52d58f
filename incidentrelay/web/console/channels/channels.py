"""The list of channels, the page of one, its test, and its deletion."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incidentrelay.domain.enums import DeliveryState
from incidentrelay.domain.errors import NotFound
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Channel
from incidentrelay.services.channels import channel_queries, channels
from incidentrelay.services.channels.channel_queries import ChannelDelivery, ChannelListing
from incidentrelay.services.delivery import channel_tests
from incidentrelay.services.delivery import failed as failed_notifications
from incidentrelay.web.console.channels import config_form, wording
from incidentrelay.web.console.channels.wording import ChannelHealthView, DeliveryView
from incidentrelay.web.console.components.resend import offer_resend
from incidentrelay.web.console.forms import forms
from incidentrelay.web.console.toolkit import nav, team_choice
from incidentrelay.web.console.toolkit.actions import action_view
from incidentrelay.web.console.toolkit.actors import actor
from incidentrelay.web.console.toolkit.confirm_delete import DeleteQuestion, confirm_delete
from incidentrelay.web.console.toolkit.view import console_view
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.channels import ChannelNode, Channels, TeamChannels

INDEX = "channels/index.jinja2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRow:
    """One channel of the list."""

    url: str
    team_name: str
    name: str
    kind: str
    health: ChannelHealthView


@console_view(context=Channels, permission=Permission.VIEW, template=INDEX)
def index(context: Channels, request: Any) -> dict[str, Any]:
    found = channel_queries.list_channels(request.db, request.identity)
    creatable = team_choice.teams(context, request, "channels")
    return _list(context, request, found, bool(creatable))


@console_view(context=TeamChannels, permission=Permission.VIEW, template=INDEX)
def team_index(context: TeamChannels, request: Any) -> dict[str, Any]:
    team = context.team
    found = channel_queries.list_channels(request.db, request.identity, team_id=team.id)
    creatable = request.has_permission(Permission.CREATE, context)
    return {
        **_list(context, request, found, creatable),
        "crumbs": nav.list_breadcrumbs_above(request, context),
        "team_name": team.name,
    }


def _list(
    context: Node, request: Any, found: Sequence[ChannelListing], creatable: bool
) -> dict[str, Any]:
    return {
        "crumbs": [],
        "team_name": None,
        "rows": [_row(context, request, listed) for listed in found],
        "new_url": f"{console_url(request, context)}/new" if creatable else None,
    }


def _row(context: Node, request: Any, listed: ChannelListing) -> ChannelRow:
    channel = listed.channel
    return ChannelRow(
        url=console_url(request, context.root.place(channel)),
        team_name=f"{channel.team.group.name} / {channel.team.name}",
        name=channel.name,
        kind=_label(request, channel.kind),
        health=wording.view_health(listed),
    )


def _label(request: Any, kind: str) -> str:
    """The kind's title; its name if its package is no longer installed."""
    try:
        label: str = request.registry["channels"].get(kind).info.label
    except NotFound:
        return kind
    return label


choose_team = team_choice.ask_team(Channels, "channels", "channel")


@console_view(
    context=ChannelNode,
    permission=Permission.VIEW,
    template="channels/channel.jinja2",
    fragment="channels/_live.jinja2",
)
def show(context: ChannelNode, request: Any) -> dict[str, Any]:
    channel, before = context.obj, forms.before(request.GET)
    (listed,) = channel_queries.load_health(request.db, [channel])
    found, older = channel_queries.list_deliveries(request.db, channel, before)
    return {
        "channel": channel,
        "kind": _label(request, channel.kind),
        "health": wording.view_health(listed),
        "deliveries": [_delivery(context, request, each) for each in found],
        "failed": len(failed_notifications.list_channel_failures(request.db, channel)),
        "next_url": f"{request.path}?before={older}" if older else None,
        **_settings(context, request),
        **_links(context, request),
    }


def _delivery(context: ChannelNode, request: Any, each: ChannelDelivery) -> DeliveryView:
    row = each.notification
    offer: Mapping[str, str | None] = {}
    if row.state is DeliveryState.FAILED and row.alert is not None:
        offer = offer_resend(request, context.root.place(row), row)
    return wording.view_delivery(each, request.script_name, offer)


def _settings(context: ChannelNode, request: Any) -> dict[str, Any]:
    channel: Channel = context.obj
    registry = request.registry["channels"]
    found = []
    if channel.kind in registry.names():
        found = config_form.config_fields(registry.get(channel.kind), stored=True)
    public = channels.public_config(channel, registry)
    return {
        "config": wording.view_config(found, public),
        "users": channel_queries.find_users(request.db, channel),
    }


def _links(context: ChannelNode, request: Any) -> dict[str, Any]:
    """Links; None if the reader may not follow them."""
    url = console_url(request, context)
    named = {
        "edit": Permission.EDIT,
        "test": Permission.TEST,
        "resend": Permission.RESPOND,
        "delete": Permission.DELETE,
    }
    return {
        "crumbs": nav.list_breadcrumbs_above(request, context),
        **{
            f"{name}_url": f"{url}/{name}" if request.has_permission(permission, context) else None
            for name, permission in named.items()
        },
    }


@action_view(ChannelNode, "test", Permission.TEST)
def test(context: ChannelNode, request: Any) -> str:
    channel_tests.send_channel_test(request.db, context.obj, actor=actor(request), now=request.now)
    return "The test is on its way. The answer appears below."


@action_view(ChannelNode, "resend", Permission.RESPOND)
def resend(context: ChannelNode, request: Any) -> str:
    count = failed_notifications.resend_channel_failures(
        request.db, context.obj, actor=actor(request), now=request.now
    )
    if not count:
        return "Nothing is left to be sent again."
    return f"{'1 message is' if count == 1 else f'{count} messages are'} sent again."


@confirm_delete(ChannelNode)
def ask_delete(context: ChannelNode, _request: Any) -> DeleteQuestion:
    name = context.obj.name
    return DeleteQuestion(
        page=context,
        title=f"Delete the channel {name}?",
        consequences=(
            "Its configuration and secrets are deleted. This cannot be undone.",
            "A channel that a route, a policy or the team's fallback uses is kept.",
        ),
        button="Delete the channel",
        done=f"Channel {name} deleted.",
        path="channels",
    )
