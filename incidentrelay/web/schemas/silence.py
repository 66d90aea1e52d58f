"""Silences."""

from marshmallow import fields, validate

from incidentrelay.web.schemas.base import TEXT, Flag, Instant, InTeam, Ref, Resource


class SilenceSchema(InTeam, Resource):
    """``starts_at`` is now by default. ``everything`` allows to match every alert."""

    matchers = fields.List(
        fields.String(validate=validate.Length(1, 4096)),
        required=True,
        validate=validate.Length(max=64),
    )
    starts_at = Instant()
    ends_at = Instant(required=True)
    reason = fields.String(load_default="", validate=TEXT)
    everything = Flag()
    created_by = Ref("created_by.username", dump_only=True)
