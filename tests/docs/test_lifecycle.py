"""The picture of an alert's life matches the tables."""

import xml.etree.ElementTree as ElementTree

import pytest

from docs.lifecycle import table as lifecycle
from docs.lifecycle.picture import picture
from docs.lifecycle.table import ARRIVALS, SITUATIONS, Effect
from incidentrelay.domain.alerts.transitions import TRANSITIONS, Action
from incidentrelay.domain.enums import AlertStatus, Outcome

FIRING, ACKNOWLEDGED, RESOLVED = AlertStatus


def test_the_picture_has_every_transition_of_the_table_and_no_other() -> None:
    drawn = {(edge.before, word): edge.after for edge in lifecycle.edges() for word in edge.people}
    assert drawn == {
        (before, str(action)): after
        for (before, action), after in TRANSITIONS.items()
        if action is not Action.REOPEN
    }


def test_what_sources_send_moves_an_alert_as_it_does_at_intake() -> None:
    moves = {(edge.before, edge.after) for edge in lifecycle.edges() if edge.sources}
    assert moves == {
        (None, FIRING),
        (FIRING, RESOLVED),
        (ACKNOWLEDGED, FIRING),
        (ACKNOWLEDGED, RESOLVED),
        (RESOLVED, FIRING),
    }


@pytest.mark.parametrize(
    ("arrival", "situation", "found"),
    [
        (0, 0, Effect(Outcome.CREATED, FIRING, pages=True)),
        (0, 2, Effect(Outcome.UPDATED, ACKNOWLEDGED, pages=False)),
        (1, 2, Effect(Outcome.UPDATED, FIRING, pages=True)),
        (2, 3, Effect(Outcome.REOPENED, FIRING, pages=True)),
        (3, 0, None),
        (3, 1, Effect(Outcome.RESOLVED, FIRING, pages=False)),
        (5, 1, Effect(Outcome.IGNORED, None, pages=False)),
    ],
)
def test_effects_of_arrivals(arrival: int, situation: int, found: Effect | None) -> None:
    assert lifecycle.effect(ARRIVALS[arrival], SITUATIONS[situation]) == found


def test_the_picture_is_complete_and_has_a_description() -> None:
    root = ElementTree.fromstring(picture())
    name = "{http://www.w3.org/2000/svg}"
    words = " ".join(element.text or "" for element in root.iter(f"{name}text"))
    about = root.findtext(f"{name}desc") or ""
    for edge in lifecycle.edges():
        for word in (*edge.people, *edge.sources):
            assert word in words
            assert word in about
