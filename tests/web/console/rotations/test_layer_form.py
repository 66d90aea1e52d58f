"""The layers of a schedule as texts of a form."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webob.multidict import MultiDict

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.web.console.forms.repeating_rows import press, row_values
from incidentrelay.web.console.rotations import layer_form
from incidentrelay.web.console.rotations.layer_form import HoursDraft, LayerDraft

NIGHT = {"opens": "22:00", "closes": "06:00"}
LAYERS = [
    {
        "key": 3,
        "name": "Base",
        "members": ["ann", "bob"],
        "unit": "weeks",
        "length": 2,
        "handoff_time": "09:00:30",
        "handoff_weekday": 1,
        "zone": "Europe/Berlin",
        "start_date": "2026-03-02",
        "windows": [],
    },
    {
        "key": 4,
        "name": "Nights",
        "members": ["cy"],
        "unit": "days",
        "length": 1,
        "handoff_time": "12:00",
        "handoff_weekday": 0,
        "zone": "UTC",
        "start_date": "2026-03-03",
        "windows": [{"weekday": 0, **NIGHT}, {"weekday": 1, **NIGHT}],
    },
]


def sent(drafts: list[LayerDraft]) -> Any:
    """What a browser sends for these drafts."""
    pairs: list[tuple[str, str]] = []
    for name, value in row_values(drafts, "layers").items():
        if name.endswith(".members"):
            draft = drafts[int(name.split(".")[1])]
            pairs += [(name, member) for member in draft.members]
        else:
            several = value if isinstance(value, list) else [value]
            pairs += [(name, one) for one in several]
    return SimpleNamespace(POST=MultiDict(pairs))


def test_layers_go_through_the_form_unchanged() -> None:
    drafts = layer_form.read_drafts(sent(layer_form.layer_drafts(LAYERS)))
    assert layer_form.to_json(drafts) == LAYERS
    assert drafts[1].hours == [HoursDraft(["0", "1"], "22:00", "06:00")]


@pytest.mark.parametrize(
    ("verb", "members"),
    [
        ("member-up:0:1", ["bob", "ann"]),
        ("member-down:0:0", ["bob", "ann"]),
        ("member-up:0:0", ["ann", "bob"]),
        ("member-down:0:1", ["ann", "bob"]),
        ("member-remove:0:0", ["bob"]),
        ("add:0", ["ann", "bob"]),
    ],
)
def test_members_move(verb: str, members: list[str]) -> None:
    drafts = layer_form.layer_drafts(LAYERS)
    assert press(layer_form.BUTTONS, verb, drafts, "UTC")
    assert drafts[0].members == members


@pytest.mark.parametrize(
    ("verb", "names"),
    [
        ("layer-up:0", ["Nights", "Base"]),
        ("layer-down:1", ["Nights", "Base"]),
        ("layer-up:1", ["Base", "Nights"]),
        ("layer-down:0", ["Base", "Nights"]),
        ("layer-remove:0", ["Nights"]),
        ("layer-add", ["Base", "Nights", "Layer 3"]),
    ],
)
def test_layers_move(verb: str, names: list[str]) -> None:
    drafts = layer_form.layer_drafts(LAYERS)
    assert press(layer_form.BUTTONS, verb, drafts, "UTC")
    assert [draft.name for draft in drafts] == names


def test_a_new_layer_is_like_the_one_below_it_but_empty() -> None:
    drafts = layer_form.layer_drafts(LAYERS)
    press(layer_form.BUTTONS, "layer-add", drafts, "UTC")
    made = drafts[2]
    assert (made.key, made.members, made.hours, made.start_date) == ("", [], [], "")
    assert (made.unit, made.zone) == ("days", "UTC")


def test_the_last_layer_stays_and_there_are_not_too_many() -> None:
    drafts = [LayerDraft(name="Base")]
    press(layer_form.BUTTONS, "layer-remove:0", drafts, "UTC")
    assert len(drafts) == 1
    for _ in range(30):
        press(layer_form.BUTTONS, "layer-add", drafts, "UTC")
    assert len(drafts) == layer_form.MAX_LAYERS


def test_hours_come_and_go() -> None:
    drafts = layer_form.layer_drafts(LAYERS)
    press(layer_form.BUTTONS, "hours-add:0", drafts, "UTC")
    assert layer_form.to_json(drafts)[0]["windows"][0] == {
        "weekday": 0,
        "opens": "09:00",
        "closes": "17:00",
    }
    press(layer_form.BUTTONS, "hours-remove:0:0", drafts, "UTC")
    assert layer_form.to_json(drafts) == LAYERS


@given(st.text(max_size=20) | st.from_regex(r"\A[a-z-]{1,14}(:\d{1,6}){0,3}\Z"))
def test_a_button_that_nobody_was_shown_does_no_harm(verb: str) -> None:
    drafts = layer_form.layer_drafts(LAYERS)
    press(layer_form.BUTTONS, verb, drafts, "UTC")
    assert drafts


def test_whoever_was_chosen_is_added_by_any_button() -> None:
    request = sent(layer_form.layer_drafts(LAYERS))
    request.POST["layers.0.person"] = "cy"
    assert layer_form.read_drafts(request)[0].members == ["ann", "bob", "cy"]


def test_hours_without_a_day_are_refused_where_they_stand() -> None:
    drafts = layer_form.layer_drafts(LAYERS)
    drafts[0].hours = [HoursDraft([], "", ""), HoursDraft([], "09:00", "10:00")]
    with pytest.raises(InvalidInput) as caught:
        layer_form.to_json(drafts)
    assert list(caught.value.errors) == ["layers.0.hours.1.weekdays"]


@pytest.mark.parametrize(
    ("given_name", "place"),
    [
        ("layers.1.windows.1.opens", "layers.1.hours.0.opens"),
        ("layers.1.windows.2.closes", "layers.1.hours.1.closes"),
        ("layers.1.windows.2.weekday", "layers.1.hours.1.weekdays"),
        ("layers.1.windows.9.opens", "layers.1.windows.9.opens"),
        ("layers.7.windows.0.opens", "layers.7.windows.0.opens"),
        ("layers.0.zone", "layers.0.zone"),
    ],
)
def test_what_is_wrong_is_said_at_its_row(given_name: str, place: str) -> None:
    drafts = layer_form.layer_drafts(LAYERS)
    drafts[1].hours.append(HoursDraft(["5"], "x", "y"))
    error = layer_form.place_errors(InvalidInput.of(given_name, "No."), drafts)
    assert error.errors == {place: ["No."]}
