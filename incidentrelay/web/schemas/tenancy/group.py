"""Groups and their members."""

from marshmallow import fields

from incidentrelay.domain.enums import GroupRole
from incidentrelay.web.schemas.base import TEXT, Flag, Ref, Resource, Slugged


class GroupSchema(Slugged):
    description = fields.String(load_default="", validate=TEXT)
    active = Flag(load_default=True)


class GroupMemberSchema(Resource):
    username = Ref("user.username", required=True)
    display_name = Ref("user.display_name", dump_only=True)
    role = fields.Enum(GroupRole, by_value=True, required=True)
