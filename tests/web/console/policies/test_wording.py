"""Plans in words."""

from collections.abc import Mapping, Sequence
from datetime import time

import pytest

from incidentrelay.domain.enums import NotificationKind, Severity, TargetKind
from incidentrelay.domain.escalation.conditions import ALWAYS, Conditions, LocalHours
from incidentrelay.domain.escalation.plan import Plan, PlanStep, PlanTarget
from incidentrelay.services.escalation.policy_queries import PolicyPicture, PolicyThing
from incidentrelay.web.console.policies.wording import (
    GONE,
    TargetLine,
    conditions,
    in_short,
    repeats,
    view_policy,
)

CORE, WEB = 1, 2
ON_CALL = PlanTarget(TargetKind.ON_CALL, 1)
FOREIGN = PlanTarget(TargetKind.ON_CALL, 2)
ANNA = PlanTarget(TargetKind.USER, 3)
TEAM = PlanTarget(TargetKind.TEAM, 4)
MAIL = PlanTarget(TargetKind.CHANNEL, 5)
DELETED = PlanTarget(TargetKind.CHANNEL, 6)
AGAIN = PlanTarget(TargetKind.ASSIGNEE)
THINGS = {
    ON_CALL: PolicyThing("Primary", CORE, "Core"),
    FOREIGN: PolicyThing("Nights", WEB, "Web", paused=True),
    ANNA: PolicyThing("Anna Larsen"),
    TEAM: PolicyThing("Core"),
    MAIL: PolicyThing("Mail", CORE, "Core"),
}


def step(delay: int, *targets: PlanTarget, when: Conditions = ALWAYS) -> PlanStep:
    return PlanStep(delay, NotificationKind.PAGE, targets, when)


def picture(
    *steps: PlanStep,
    rounds: int = 0,
    reached: Mapping[PlanTarget, Sequence[str]] | None = None,
    fallback: Sequence[str] = (),
) -> PolicyPicture:
    nobody: dict[PlanTarget, Sequence[str]] = {t: () for each in steps for t in each.targets}
    plan = Plan(steps, rounds=rounds, exhausted_after=600)
    return PolicyPicture(plan, THINGS, nobody | dict(reached or {}), fallback)


def line(target: PlanTarget, *reached: str) -> TargetLine:
    (stop,) = view_policy(picture(step(0, target), reached={target: reached}), CORE).stops
    return stop.lines[0]


@pytest.mark.parametrize(
    ("target", "reached", "said", "bad"),
    [
        (ON_CALL, ("Anna",), "The person on call in Primary (now: Anna)", False),
        (ON_CALL, (), "The person on call in Primary (now: nobody)", True),
        (FOREIGN, (), "The person on call in Nights (Web) (paused: pages nobody)", True),
        (ANNA, ("Anna Larsen",), " Anna Larsen ()", False),
        (ANNA, (), " Anna Larsen (inactive: not notified)", True),
        (TEAM, ("A", "B"), "Everybody in Core (A and B)", False),
        (TEAM, tuple("ABCDEFG"), "Everybody in Core (A, B, C, D, E and 2 more)", False),
        (TEAM, (), "Everybody in Core (no active member)", True),
        (MAIL, ("Mail",), "The channel Mail ()", False),
        (MAIL, (), "The channel Mail (switched off: not notified)", True),
        (DELETED, (), f" {GONE} (nobody is notified)", True),
        (AGAIN, (), "The current assignee, again ()", False),
    ],
)
def test_a_target(target: PlanTarget, reached: tuple[str, ...], said: str, bad: bool) -> None:
    found = line(target, *reached)
    assert (f"{found.lead} {found.name} ({found.note})", found.bad) == (said, bad)


def test_when_steps_come() -> None:
    steps = (step(0, ANNA), step(0, MAIL), step(300, ANNA), step(5430, ANNA), step(86400, ANNA))
    assert [stop.when for stop in view_policy(picture(*steps), CORE).stops] == [
        "At once",
        "At the same time",
        "After 5 min, if nobody has reacted",
        "After 1 h 30 min 30 s, if nobody has reacted",
        "After 1 d, if nobody has reacted",
    ]
    assert view_policy(picture(step(120, ANNA)), CORE).stops[0].when == "After 2 min"


@pytest.mark.parametrize(
    ("rounds", "delay", "said", "begin"),
    [
        (0, 0, "", "together with the last step"),
        (1, 0, "once more", "together with the last step"),
        (3, 120, "3 more times", "2 min after the last step"),
    ],
)
def test_how_often(rounds: int, delay: int, said: str, begin: str) -> None:
    found = view_policy(picture(step(delay, ANNA), rounds=rounds), CORE)
    assert (found.repeats, repeats(Plan((), rounds=rounds))) == (said, said)
    assert begin in found.again


def test_how_it_ends() -> None:
    found = view_policy(picture(step(0, ANNA), fallback=("Dora", "Ops mail")), CORE)
    assert found.end == "After 10 min more, if nobody has reacted"
    assert found.fallback == "Dora and Ops mail"
    assert view_policy(picture(step(0, ANNA)), CORE).fallback == ""


def test_in_short() -> None:
    steps = (step(0, ON_CALL), step(300, AGAIN, FOREIGN), step(600, ANNA, DELETED))
    assert in_short(Plan(steps), THINGS, CORE) == [
        "At once: Primary",
        "+ 5 min: the same person again, Nights (Web)",
        f"+ 10 min: Anna Larsen, {GONE}",
    ]
    assert in_short(Plan((step(60, ANNA),)), THINGS, CORE) == ["+ 1 min: Anna Larsen"]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (ALWAYS, []),
        (Conditions(Severity.CRITICAL), ["Only if the alert is critical."]),
        (Conditions(Severity.HIGH), ["Only if the severity is high or worse."]),
        (
            Conditions(hours=LocalHours((0, 1, 2), time(18), time(9), "Europe/Paris")),
            ["Only Mon–Wed 18:00–09:00 of the next day (Europe/Paris)."],
        ),
        (
            Conditions(wait=7200),
            ["While nobody is on call, it waits for the next shift, at most 2 h."],
        ),
    ],
)
def test_conditions(found: Conditions, said: list[str]) -> None:
    assert list(conditions(found)) == said
