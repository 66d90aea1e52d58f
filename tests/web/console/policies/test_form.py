"""The steps of a policy as texts of a form."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from webob.multidict import MultiDict

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.escalation.policies import LONGEST_DELAY, MAX_STEPS
from incidentrelay.web.console.forms.repeating_rows import press, row_values
from incidentrelay.web.console.policies import form as policy_form
from incidentrelay.web.console.policies.form import StepDraft

HOURS = {"weekdays": [0, 4], "opens": "18:00", "closes": "09:00:30", "zone": "Europe/Paris"}
STEPS = [
    {
        "delay": 0,
        "notify_assignee_again": False,
        "targets": [{"kind": "rotation", "name": "primary"}],
        "conditions": {},
    },
    {
        "delay": 310,
        "notify_assignee_again": True,
        "targets": [{"kind": "user", "name": "ann"}, {"kind": "channel", "name": "web/mail"}],
        "conditions": {"severity": "high", "hours": HOURS, "wait_for_on_call": 5400},
    },
    {
        "delay": 900,
        "notify_assignee_again": True,
        "targets": [],
        "conditions": {},
    },
]


def sent(drafts: list[StepDraft]) -> Any:
    """What a browser sends for these drafts."""
    pairs: list[tuple[str, str]] = []
    for name, value in row_values(drafts, "steps").items():
        if name.endswith(".targets"):
            targets = drafts[int(name.split(".")[1])].targets
            pairs += [(name, target) for target in targets]
        elif isinstance(value, bool):
            pairs += [(name, "yes")] if value else []
        else:
            several = value if isinstance(value, list) else [value]
            pairs += [(name, one) for one in several]
    return SimpleNamespace(POST=MultiDict(pairs))


def shapes(drafts: list[StepDraft]) -> list[tuple[str, int]]:
    return [(draft.delay, len(draft.targets)) for draft in drafts]


def test_steps_go_through_the_form_unchanged() -> None:
    drafts = policy_form.read_drafts(sent(policy_form.step_drafts(STEPS, "UTC")))
    assert policy_form.to_json(drafts) == STEPS
    assert [draft.zone for draft in drafts] == ["UTC", "Europe/Paris", "UTC"]
    assert [draft.conditional for draft in drafts] == [False, True, False]


@given(st.integers(0, LONGEST_DELAY))
def test_every_delay_goes_through_minutes(delay: int) -> None:
    drafts = policy_form.step_drafts([{**STEPS[0], "delay": delay}], "UTC")
    assert policy_form.to_json(drafts)[0]["delay"] == delay


@pytest.mark.parametrize(
    ("verb", "after"),
    [
        # The waiting times stay where they are.
        ("step-up:1", [("0", 2), ("5.1667", 1), ("15", 0)]),
        ("step-down:1", [("0", 1), ("5.1667", 0), ("15", 2)]),
        ("step-up:0", [("0", 1), ("5.1667", 2), ("15", 0)]),
        ("step-down:2", [("0", 1), ("5.1667", 2), ("15", 0)]),
        # The new first step runs at once, as the old one did.
        ("step-remove:0", [("0", 2), ("15", 0)]),
        ("step-remove:1", [("0", 1), ("15", 0)]),
        ("step-add", [("0", 1), ("5.1667", 2), ("15", 0), ("5", 0)]),
        ("target-remove:1:0", [("0", 1), ("5.1667", 1), ("15", 0)]),
        ("add:1", [("0", 1), ("5.1667", 2), ("15", 0)]),
    ],
)
def test_what_buttons_do(verb: str, after: list[tuple[str, int]]) -> None:
    drafts = policy_form.step_drafts(STEPS, "UTC")
    assert press(policy_form.BUTTONS, verb, drafts, "Asia/Tokyo")
    assert shapes(drafts) == after


def test_the_last_step_stays_and_there_are_not_too_many() -> None:
    drafts = [StepDraft(delay="0")]
    press(policy_form.BUTTONS, "step-remove:0", drafts, "UTC")
    assert len(drafts) == 1
    for _ in range(MAX_STEPS + 5):
        press(policy_form.BUTTONS, "step-add", drafts, "Asia/Tokyo")
    assert len(drafts) == MAX_STEPS
    assert drafts[-1].zone == "Asia/Tokyo"


@given(st.text(max_size=20) | st.from_regex(r"\A[a-z-]{1,14}(:\d{1,6}){0,3}\Z"))
def test_a_button_that_nobody_was_shown_does_no_harm(verb: str) -> None:
    drafts = policy_form.step_drafts(STEPS, "UTC")
    press(policy_form.BUTTONS, verb, drafts, "UTC")
    assert drafts


def test_what_was_chosen_is_added_by_any_button_and_once() -> None:
    request = sent(policy_form.step_drafts(STEPS, "UTC"))
    request.POST["steps.0.add"] = "user:cy"
    request.POST["steps.1.add"] = "user:ann"
    first, second, _ = policy_form.read_drafts(request)
    assert first.targets == ["rotation:primary", "user:cy"]
    assert second.targets == ["user:ann", "channel:web/mail"]


def test_what_was_deleted_stands_there_until_it_is_taken_out() -> None:
    gone = {**STEPS[0], "targets": [{"kind": "user", "name": None}]}
    (draft,) = policy_form.step_drafts([gone], "UTC")
    assert draft.targets == ["user:"]


@pytest.mark.parametrize("given_text", ["soon", "-1", "10081", "nan", "inf", "1e9"])
@pytest.mark.parametrize(
    ("field", "place"), [("delay", "delay"), ("wait", "conditions.wait_for_on_call")]
)
def test_minutes_that_are_none(given_text: str, field: str, place: str) -> None:
    drafts = policy_form.step_drafts(STEPS, "UTC")
    setattr(drafts[1], field, given_text)
    with pytest.raises(InvalidInput) as caught:
        policy_form.to_json(drafts)
    assert caught.value.errors == {f"steps.1.{place}": ["Write minutes, from 0 to 10080."]}


def test_hours_without_a_day_are_refused_where_they_stand() -> None:
    drafts = [StepDraft(opens="09:00", closes="10:00"), StepDraft()]
    with pytest.raises(InvalidInput) as caught:
        policy_form.to_json(drafts)
    assert list(caught.value.errors) == ["steps.0.conditions.hours.weekdays"]
