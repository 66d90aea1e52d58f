"""Teams and their members."""

from marshmallow import fields

from incidentrelay.domain.enums import TeamRole
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.base import TEXT, Flag, Ref, Resource, Slugged, number


class TeamSchema(Slugged):
    """``ack_timeout`` and ``ack_covers`` are in seconds; ``fallback_*`` are a username and a
    channel's slug. Signals that join an alert page again if its acknowledgement is older than
    ``ack_covers``.
    """

    group = Ref("group.slug", dump_only=True)
    description = fields.String(load_default="", validate=TEXT)
    active = Flag(load_default=True)
    escalation_enabled = Flag(load_default=True)
    escalation_after_reminders = number(*limits.REMINDERS_BEFORE_ESCALATION, load_default=2)
    ack_timeout = number(*limits.ACK_TIMEOUT, load_default=None, allow_none=True)
    ack_covers = number(*limits.ACK_COVERS, load_default=3600)
    fallback_user = fields.String(load_default=None, allow_none=True)
    fallback_channel = fields.String(load_default=None, allow_none=True)


class TeamMemberSchema(Resource):
    username = Ref("user.username", required=True)
    display_name = Ref("user.display_name", dump_only=True)
    role = fields.Enum(TeamRole, by_value=True, required=True)
