from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from incidentrelay.domain.enums import GroupRole
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services import checks

UNKNOWN = ["There is no such field, or it cannot be changed."]


def test_every_wrong_field_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        checks.clean(
            {"name": "", "extra": 1}, {"name": checks.NAME, "size": checks.flag}, required=("size",)
        )
    assert caught.value.errors == {
        "name": ["Write 1 to 120 characters."],
        "extra": UNKNOWN,
        "size": [checks.MISSING],
    }


def test_nested_errors_keep_their_path() -> None:
    def nested(value: Any) -> Any:
        raise InvalidInput({"0.zone": ["Wrong."], "list": ["Bad."]})

    with pytest.raises(InvalidInput) as caught:
        checks.clean({"list": []}, {"list": nested})
    assert caught.value.errors == {"list.0.zone": ["Wrong."], "list": ["Bad."]}


@pytest.mark.parametrize(
    ("check", "given", "stored"),
    [
        (checks.line(1, 5), "  ab ", "ab"),
        (checks.prose(50), " a\n\tb ", "a\n\tb"),
        (checks.number(0, 5), 5, 5),
        (checks.flag, False, False),
        (checks.word(GroupRole), "owner", GroupRole.OWNER),
        (checks.optional(checks.flag), None, None),
        (checks.listing(checks.flag, 0, 2), (True, False), [True, False]),
        (checks.zone, "Europe/Paris", "Europe/Paris"),
        (
            checks.instant,
            datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 1, 1, 10, tzinfo=UTC),
        ),
    ],
)
def test_what_is_stored(check: checks.Check, given: Any, stored: Any) -> None:
    assert check(given) == stored


@pytest.mark.parametrize(
    ("check", "given"),
    [
        (checks.line(1, 5), "   "),
        (checks.line(1, 5), "abcdef"),
        (checks.line(1, 5), "a\nb"),
        (checks.line(1, 5), 5),
        (checks.prose(3), "abcd"),
        (checks.prose(30), "a\x00b"),
        (checks.number(0, 5), True),
        (checks.number(0, 5), 6),
        (checks.number(0, 5), "3"),
        (checks.flag, 1),
        (checks.word(GroupRole), "king"),
        (checks.word(GroupRole), ["owner"]),
        (checks.listing(checks.flag, 1, 2), []),
        (checks.listing(checks.flag, 0, 2), [True, True]),
        (checks.listing(checks.flag, 0, 2), "ab"),
        (checks.zone, "Mars/Olympus"),
        (checks.zone, 3),
        (checks.instant, datetime(2026, 1, 1)),  # noqa: DTZ001 - this is the mistake.
        (checks.instant, "2026-01-01"),
        (checks.instant, datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))),
    ],
)
def test_what_is_refused(check: checks.Check, given: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is for people.
        check(given)
