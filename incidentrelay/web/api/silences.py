"""Silences: preview, ending one early, and a draft for an alert."""

from datetime import timedelta
from typing import Any

from incidentrelay.domain.errors import NotAllowed
from incidentrelay.domain.permissions import Permission
from incidentrelay.services.silences import preview as silence_preview
from incidentrelay.services.silences import proposals, silences
from incidentrelay.web.api.toolkit import crud
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.links import api_url
from incidentrelay.web.resources.alerts.alerts import AlertNode
from incidentrelay.web.resources.base import Item
from incidentrelay.web.resources.silences import SilenceNode, TeamSilences
from incidentrelay.web.schemas.silence import (
    SilencePreviewSchema,
    SilenceProposalSchema,
    SilenceSchema,
)

USUAL = timedelta(hours=1)


@api_view(
    context=TeamSilences,
    name="preview",
    method="POST",
    permission=Permission.VIEW,
    body=SilenceSchema,
    returns=SilencePreviewSchema,
    errors=(413, 415, 422),
    summary="Preview what a silence would cover",
)
def preview(context: TeamSilences, request: Any) -> Any:
    if not request.has_permission(Permission.VIEW, context.root.place(context.team)["alerts"]):
        raise NotAllowed("A preview shows alerts; the token lacks the scope alerts:read.")
    data = crud.without_version(request.body_data)
    return silence_preview.preview_silence(request.db, context.team, data, now=request.now)


@api_view(
    context=SilenceNode,
    name="end",
    method="POST",
    permission=Permission.EDIT,
    returns="schema",
    errors=(409,),
    summary="End the silence now, including its future windows",
)
def end(context: SilenceNode, request: Any) -> Item:
    row = silences.end_silence(request.db, context.obj, actor=crud.actor(request), now=request.now)
    node = context.__parent__
    return node.fresh(row) if isinstance(node, TeamSilences) else context


@api_view(
    context=AlertNode,
    name="silence",
    method="GET",
    permission=Permission.VIEW,
    returns=SilenceProposalSchema,
    summary="Draft a silence for this alert",
)
def proposal(context: AlertNode, request: Any) -> dict[str, Any]:
    proposed = proposals.propose_silence(request.db, context.obj)
    folder = context.root.place(context.obj.team)["silences"]
    return {
        "url": api_url(request, folder),
        "body": {
            "matchers": proposed.matchers,
            "ends_at": request.now + USUAL,
            "reason": proposed.reason,
        },
        "notes": proposed.notes,
    }
