"""Your contacts, and the rules for when each is used."""

from marshmallow import fields, validate

from incidentrelay.domain.enums import Urgency
from incidentrelay.domain.escalation.notification_rules import LONGEST_DELAY, MOST_RULES
from incidentrelay.services.common import limits
from incidentrelay.web.schemas.alerts.alert import NotificationSchema
from incidentrelay.web.schemas.base import INTEGER, Body, Instant, Ref, Resource, number


class ContactSchema(Resource):
    """``verified_at`` is null until you confirm it; until then it gets no pages.

    ``profile`` marks the e-mail address of the profile, which is changed there.
    """

    kind = fields.String(required=True, validate=validate.Length(*limits.KIND))
    label = fields.String(required=True, validate=validate.Length(*limits.CONTACT_LABEL))
    address = fields.String(required=True, validate=validate.Length(*limits.ADDRESS))
    verified_at = Instant(dump_only=True, allow_none=True)
    profile = fields.Boolean(dump_only=True)


class CodeSchema(Body):
    code = fields.String(required=True, validate=validate.Length(*limits.CODE))


class RuleSchema(Body):
    """``delay`` is in seconds after the page; ``contact_id`` is a confirmed contact."""

    delay = number(0, LONGEST_DELAY, required=True)
    contact_id = number(1, INTEGER, required=True)


class RuleListSchema(Body):
    """``default`` is true if the person has no rules, and these are the defaults."""

    urgency = fields.Enum(Urgency, by_value=True, dump_only=True)
    default = fields.Boolean(dump_only=True)
    rules = fields.List(
        fields.Nested(RuleSchema), required=True, validate=validate.Length(max=MOST_RULES)
    )


class RuleTestSchema(NotificationSchema):
    """One message of a test. ``contact`` is the label of its contact."""

    contact = Ref("contact.label", dump_only=True)
