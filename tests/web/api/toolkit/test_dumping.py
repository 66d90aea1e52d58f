"""Rows are dumped as marshmallow would dump them."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from marshmallow import Schema, fields

from incidentrelay.domain.enums import Severity
from incidentrelay.web.api.toolkit.dumping import dumper
from incidentrelay.web.schemas.base import Flag, Instant, Ref


class InnerSchema(Schema):
    x = fields.Integer()


class EverySchema(Schema):
    """Each type of field that API schemas use."""

    number = fields.Integer()
    text = fields.String(data_key="shown_text")
    other = fields.String(attribute="title")
    flag = fields.Boolean()
    own_flag = Flag()
    severity = fields.Enum(Severity, by_value=True)
    at = Instant()
    labels = fields.Dict(keys=fields.String(), values=fields.String())
    words = fields.List(fields.String())
    owner = Ref("team.slug", dump_only=True)
    inner = fields.Nested(InnerSchema)
    many = fields.List(fields.Nested(InnerSchema))
    secret = fields.String(load_only=True)


FULL: dict[str, Any] = {
    "number": 7,
    "text": "☎",
    "title": "Disk full",
    "flag": True,
    "own_flag": False,
    "severity": Severity.CRITICAL,
    "at": datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC),
    "labels": {"a": "b"},
    "words": ("a", "b"),
    "team": SimpleNamespace(slug="core"),
    "inner": SimpleNamespace(x=1),
    "many": [SimpleNamespace(x=1), SimpleNamespace(x=2)],
    "secret": "s",
}


@pytest.mark.parametrize(
    "row",
    [
        SimpleNamespace(**FULL),
        SimpleNamespace(**dict.fromkeys(FULL)),
        # Missing attributes are left out.
        SimpleNamespace(number=1, team=SimpleNamespace(slug="a")),
    ],
)
def test_a_dump_is_that_of_the_schema(row: Any) -> None:
    assert dumper(EverySchema)(row) == EverySchema().dump(row)


def test_a_mapping_is_dumped_by_its_items() -> None:
    assert dumper(InnerSchema)({"x": 1, "y": 2}) == {"x": 1}
