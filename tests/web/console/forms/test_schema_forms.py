"""Forms validated by the API's schemas, and the macros that show them."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from marshmallow import Schema, fields, validate
from webob.multidict import MultiDict

import incidentrelay
from incidentrelay.domain.enums import TeamRole
from incidentrelay.domain.errors import Conflict, DomainError, InvalidInput, StaleVersion
from incidentrelay.web.console.forms.moments import format_instant, parse_instant
from incidentrelay.web.console.forms.schema_forms import SchemaForm
from incidentrelay.web.console.toolkit.context import FILTERS
from incidentrelay.web.schemas.base import Flag, Instant, number
from tests.support.markup import Page

TEMPLATES = Path(incidentrelay.__file__).parent / "templates"
NAMES = ("name", "slug", "text", "count", "limit", "role", "on", "tags", "at")


class Thing(Schema):
    name = fields.String(required=True, validate=validate.Length(1, 5))
    slug = fields.String(validate=validate.Length(1, 5))
    text = fields.String(load_default="none")
    count = number(0, 10, load_default=3)
    limit = number(0, 10, load_default=None, allow_none=True)
    role = fields.Enum(TeamRole, by_value=True, required=True)
    on = Flag(load_default=True)
    tags = fields.List(fields.String(validate=validate.Length(max=3)))
    at = Instant()


FULL = (
    ("name", " a "),
    ("slug", ""),
    ("text", ""),
    ("count", "4"),
    ("limit", ""),
    ("role", "manager"),
    ("tags", "x"),
    ("tags", "y"),
    ("at", "2026-07-01T09:00"),
)


def sent(*pairs: tuple[str, str], **changes: str) -> SimpleNamespace:
    kept = [pair for pair in pairs if pair[0] not in changes]
    return SimpleNamespace(POST=MultiDict([*kept, *changes.items()]))


def posted(**changes: str) -> SchemaForm:
    return SchemaForm.posted(Thing, NAMES, sent(*FULL, **changes), zone="Europe/Berlin")


def test_texts_become_what_the_schema_knows() -> None:
    assert posted().load() == {
        "name": "a",
        "text": "",
        "count": 4,
        "limit": None,
        "role": TeamRole.MANAGER,
        "on": False,
        "tags": ["x", "y"],
        "at": datetime(2026, 7, 1, 7, tzinfo=UTC),
    }


def test_an_empty_field_is_the_default_of_something_new_but_not_of_an_edit() -> None:
    form = posted(count="")
    assert form.load()["count"] == 3
    with pytest.raises(InvalidInput) as caught:
        form.load(partial=True)
    assert set(caught.value.errors) == {"count", "slug"}


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "Fill this in."),
        ("name", "longer", "between 1 and 5"),
        ("name", "a\x00b", "Control characters"),
        ("count", "11", "less than or equal to 10"),
        ("count", "many", "integer"),
        ("role", "king", "Must be one of"),
        ("tags", "long", "maximum length"),
        ("at", "soon", "Enter a date and a time"),
        ("at", "2026-03-29T02:30", "There is no 02:30 on that day"),
        ("at", "0001-01-01T00:00", "1900 to 2199"),
    ],
)
def test_what_is_wrong_names_its_field_and_all_typed_stays(
    field: str, value: str, said: str
) -> None:
    form = posted(**{field: value})
    with pytest.raises(InvalidInput) as caught:
        form.load()
    request = refusing(form, caught.value)
    assert request.response.status_int == 422
    assert said in form.error(field)
    assert [name for name, _ in form.summary()] == [field]
    assert form.value("role") == ("king" if field == "role" else "manager")
    assert form.value(field) == ([value] if field == "tags" else value)


def refusing(form: SchemaForm, error: DomainError, row: Any = None) -> Any:
    doomed: list[bool] = []
    request = SimpleNamespace(
        tm=SimpleNamespace(doom=lambda: doomed.append(True)),
        response=SimpleNamespace(status_int=200),
    )
    form.reject(request, error, row)
    assert doomed == [True]
    return request


def test_errors_of_several_fields_are_told_together() -> None:
    form = posted(at="soon", count="11")
    with pytest.raises(InvalidInput) as caught:
        form.load()
    assert set(caught.value.errors) == {"at", "count"}


def test_what_is_wrong_elsewhere_is_said_at_the_top() -> None:
    form = posted()
    refusing(form, InvalidInput.of("members", "There is no user with this name."))
    assert form.summary() == [(None, "There is no user with this name.")]
    request = refusing(form, Conflict("The slug is taken."))
    assert request.response.status_int == 409
    assert (None, "The slug is taken.") in form.summary()


def test_a_form_of_a_row_sends_back_what_it_shows() -> None:
    row = SimpleNamespace(
        name="a",
        slug="s",
        text="t",
        count=4,
        limit=None,
        role=TeamRole.MANAGER,
        on=True,
        tags=["x"],
        at=datetime(2026, 12, 1, 8, tzinfo=UTC),
        version=7,
    )
    form = SchemaForm.of(Thing, NAMES, row, zone="Europe/Berlin")
    assert form.value("at") == "2026-12-01T09:00"
    assert (form.value("limit"), form.value("count"), form.version) == ("", "4", "7")
    form.check_version(row)
    assert form.load(partial=True) == {name: getattr(row, name) for name in NAMES}


def test_whoever_was_slower_saves_again_knowingly() -> None:
    form, row = posted(version="6"), SimpleNamespace(version=7)
    with pytest.raises(StaleVersion):
        form.check_version(row)
    request = refusing(form, StaleVersion(), row)
    assert request.response.status_int == 412
    assert "your input is kept" in form.summary()[0][1]
    assert form.value("name") == " a "
    form.check_version(row)


def test_a_time_that_is_sent_back_untouched_keeps_its_seconds_and_its_hour() -> None:
    second = datetime(2026, 10, 25, 1, 30, 15, tzinfo=UTC)
    row = SimpleNamespace(name="a", at=second, version=1)
    form = SchemaForm.of(Thing, ("name", "at"), row, zone="Europe/Berlin")
    assert form.value("at") == "2026-10-25T02:30"
    assert form.load_changes(row) == {"name": "a"}
    form.values["at"] = "2026-10-25T02:31"
    assert form.load_changes(row)["at"] == datetime(2026, 10, 25, 0, 31, tzinfo=UTC)


def test_fields_have_the_names_of_the_api() -> None:
    class Span(Schema):
        start = Instant(data_key="from", required=True)

    form = SchemaForm.posted(Span, ("from",), sent(("from", "2026-07-01T09:00")))
    assert form.load() == {"start": datetime(2026, 7, 1, 9, tzinfo=UTC)}
    refusing(form, InvalidInput.of("from", "Too early."))
    assert form.summary() == [("from", "Too early.")]


def test_what_is_wrong_inside_of_something_leads_to_the_nearest_field() -> None:
    form = posted()
    form.values |= {"layers.0": "", "layers.0.zone": "Mars"}
    refusing(form, InvalidInput({"layers.0.zone": ["No."], "layers.0.windows.1.opens": ["So."]}))
    assert form.summary() == [("layers.0.zone", "No."), ("layers.0", "So.")]
    assert form.error("layers.0.windows") == "So."


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-10-25T01:59", "2026-10-24T23:59"),
        ("2026-10-25T02:30", "2026-10-25T00:30"),
        ("2026-10-25T03:00", "2026-10-25T02:00"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30"),
    ],
)
def test_a_time_that_happens_twice_is_the_first_unless_it_says_which(text: str, hour: str) -> None:
    assert parse_instant(text, "Europe/Berlin", "at").strftime("%Y-%m-%dT%H:%M") == hour


def test_a_zone_that_is_gone_is_utc() -> None:
    at = datetime(2026, 1, 1, 9, tzinfo=UTC)
    assert parse_instant(format_instant(at, "Mars/Olympus"), "Mars/Olympus", "at") == at


PAGE = """
{% import "_macros/forms.jinja2" as forms with context %}
{{ forms.start(form) }}
{{ forms.text(form, "name", "Name", "What people call it.", required=true, suggestions=["q"]) }}
{{ forms.area(form, "text", "Text") }}
{{ forms.number(form, "count", "Count", low=0, high=10) }}
{{ forms.select(form, "role", "Role", (("manager", "Manager"), ("responder", "Responder"))) }}
{{ forms.checks(form, "tags", "Tags", (("x", "X"), ("z", "Z"))) }}
{{ forms.check(form, "on", "On") }}
{{ forms.moment(form, "at", "From") }}
{{ forms.submit("Save", "/back") }}
"""


def shown(form: SchemaForm) -> Page:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    env.filters |= FILTERS
    return Page(env.from_string(PAGE).render(form=form, csrf_token="c5rf", asset=str))


def test_every_field_has_its_label_and_its_words() -> None:
    form = posted(name="longer")
    refusing(form, InvalidInput.of("name", "Too long."))
    page = shown(form)
    assert page.open == []
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    fields_of = [*page.all("input"), *page.all("select"), *page.all("textarea")]
    seen = {attrs["id"] for attrs in fields_of if attrs.get("type") != "hidden"}
    assert seen <= {attrs["for"] for attrs in page.all("label")}
    name = next(attrs for attrs in page.all("input") if attrs.get("name") == "name")
    assert (name["value"], name["aria-invalid"]) == ("longer", "true")
    assert name["aria-describedby"] == "field-name-error field-name-hint"
    assert set(name["aria-describedby"].split()) <= ids
    assert {"href": "#field-name"} in page.all("a")
    assert "From (Europe/Berlin)" in page.text


def test_what_was_chosen_and_ticked_is_so_again() -> None:
    page = shown(posted(on="yes", text="\nfirst line"))
    (chosen,) = [attrs for attrs in page.all("option") if "selected" in attrs]
    assert chosen["value"] == "manager"
    ticked = [attrs for attrs in page.all("input") if "checked" in attrs]
    assert [(attrs["name"], attrs["value"]) for attrs in ticked] == [("tags", "x"), ("on", "yes")]
    assert page.all("input")[0]["name"] == "csrf_token"
