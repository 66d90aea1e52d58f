"""Notifications, for lists across alerts."""

from marshmallow import fields, validate

from incidentrelay.domain.enums import DeliveryState, NotificationKind
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.alerts.alert import NotificationSchema
from incidentrelay.web.schemas.base import SLUG, InTeam, Ref
from incidentrelay.web.schemas.query import PageQuery


class PlacedNotificationSchema(InTeam, NotificationSchema):
    """A notification with its alert and its recipient, a ``user`` or a ``channel``."""

    alert_id = fields.Integer(dump_only=True, allow_none=True)
    alert_title = Ref("alert.title", dump_only=True)
    user = Ref("user.username", dump_only=True)
    channel = Ref("channel.slug", dump_only=True)


class NotificationQuery(PageQuery):
    state = fields.Enum(DeliveryState, by_value=True)
    kind = fields.Enum(NotificationKind, by_value=True)
    method = fields.String(validate=validate.Length(*limits.KIND))
    alert = fields.Integer(validate=validate.Range(*limits.ROW_ID))
    group = fields.String(validate=SLUG)
    team = fields.String(validate=SLUG)
    channel = fields.String(validate=SLUG)
