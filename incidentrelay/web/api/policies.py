"""The quality of an escalation policy."""

from typing import Any

from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Rotation
from incidentrelay.services.escalation import double_duty
from incidentrelay.services.escalation.double_duty import DoubleDutyView
from incidentrelay.web.api.toolkit.view import api_view
from incidentrelay.web.resources.policies import PolicyNode
from incidentrelay.web.schemas.policy import PolicyQualitySchema


@api_view(
    context=PolicyNode,
    name="quality",
    method="GET",
    permission=Permission.VIEW,
    returns=PolicyQualitySchema,
    summary="Find people whom two steps page at once, in the next 14 days",
)
def quality(context: PolicyNode, request: Any) -> Any:
    policy, now = context.obj, request.now
    return {
        "start": now,
        "end": double_duty.horizon(now),
        "double_duty": [
            _shown(each, policy.team_id)
            for each in double_duty.list_double_duty(request.db, policy, now)
        ],
    }


def _shown(found: DoubleDutyView, team_id: int) -> dict[str, Any]:
    return {
        "user": found.user.username,
        "display_name": found.user.display_name,
        "start": found.start,
        "end": found.end,
        "first": _name(found.first, team_id),
        "second": _name(found.second, team_id),
    }


def _name(rotation: Rotation, team_id: int) -> str:
    """As in the steps of a policy of this team."""
    own = rotation.team_id == team_id
    return rotation.slug if own else f"{rotation.team.slug}/{rotation.slug}"
