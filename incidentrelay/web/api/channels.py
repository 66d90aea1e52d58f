"""Channels: generated secrets and test messages."""

from collections.abc import Sequence
from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Notification
from incidentrelay.services.channels import channels
from incidentrelay.services.delivery import channel_tests
from incidentrelay.web.api.toolkit import crud
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.channels import ChannelNode, TeamChannels
from incidentrelay.web.schemas.alerts.alert import NotificationSchema


@api_view(
    context=TeamChannels,
    method="POST",
    permission=Permission.CREATE,
    body="schema",
    returns="schema",
    status=201,
    errors=(409, 413, 415, 422),
    summary="Create a channel; a generated secret is shown only once",
)
def create_channel(context: TeamChannels, request: Any) -> Item:
    data = crud.without_version(request.body_data)
    row = channels.create(
        request.db,
        context.team,
        data,
        actor=crud.actor(request),
        now=request.now,
        **context.extras(),
    )
    node = crud.created(context, request, row)
    if isinstance(node, ChannelNode):
        node.revealed = channels.generated_secrets(row, data["config"], **context.extras())
    return node


@api_view(
    context=ChannelNode,
    name="test",
    method="POST",
    permission=Permission.TEST,
    returns=NotificationSchema,
    status=202,
    errors=(409,),
    summary="Send a real test message; GET this URL for its result",
)
def test_channel(context: ChannelNode, request: Any) -> Notification:
    return channel_tests.send_channel_test(
        request.db, context.obj, actor=crud.actor(request), now=request.now
    )


@api_view(
    context=ChannelNode,
    name="test",
    method="GET",
    permission=Permission.VIEW,
    returns=NotificationSchema,
    many=True,
    summary="List the latest test messages and their results, newest first",
)
def tests(context: ChannelNode, request: Any) -> Sequence[Notification]:
    return channel_tests.latest_channel_test(request.db, context.obj)
