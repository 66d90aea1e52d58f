from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from incidentrelay.domain.enums import GroupRole
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.common import validation

UNKNOWN = ["There is no such field, or it cannot be changed."]


def test_every_wrong_field_is_named() -> None:
    with pytest.raises(InvalidInput) as caught:
        validation.clean(
            {"name": "", "extra": 1},
            {"name": validation.NAME, "size": validation.flag},
            required=("size",),
        )
    assert caught.value.errors == {
        "name": ["Write 1 to 120 characters."],
        "extra": UNKNOWN,
        "size": [validation.MISSING],
    }


def test_nested_errors_keep_their_path() -> None:
    def nested(value: Any) -> Any:
        raise InvalidInput({"0.zone": ["Wrong."], "list": ["Bad."]})

    with pytest.raises(InvalidInput) as caught:
        validation.clean({"list": []}, {"list": nested})
    assert caught.value.errors == {"list.0.zone": ["Wrong."], "list": ["Bad."]}


@pytest.mark.parametrize(
    ("check", "given", "stored"),
    [
        (validation.line(1, 5), "  ab ", "ab"),
        (
            validation.line(1, 20),
            "علی\u200cرضا\u00a0\u200f👨\u200d👩",
            "علی\u200cرضا\u00a0\u200f👨\u200d👩",
        ),
        (validation.prose(50), " a\n\tb ", "a\n\tb"),
        (validation.prose(50), "Donau\u00addampf", "Donau\u00addampf"),
        (validation.number(0, 5), 5, 5),
        (validation.flag, False, False),
        (validation.word(GroupRole), "owner", GroupRole.OWNER),
        (validation.optional(validation.flag), None, None),
        (validation.listing(validation.flag, 0, 2), (True, False), [True, False]),
        (validation.zone, "Europe/Paris", "Europe/Paris"),
        (
            validation.instant,
            datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2))),
            datetime(2026, 1, 1, 10, tzinfo=UTC),
        ),
    ],
)
def test_what_is_stored(check: validation.Check, given: Any, stored: Any) -> None:
    assert check(given) == stored


@pytest.mark.parametrize(
    ("check", "given"),
    [
        (validation.line(1, 5), "   "),
        (validation.line(1, 5), "abcdef"),
        (validation.line(1, 5), "a\nb"),
        (validation.line(1, 5), 5),
        (validation.prose(3), "abcd"),
        (validation.prose(30), "a\x00b"),
        (validation.number(0, 5), True),
        (validation.number(0, 5), 6),
        (validation.number(0, 5), "3"),
        (validation.flag, 1),
        (validation.word(GroupRole), "king"),
        (validation.word(GroupRole), ["owner"]),
        (validation.listing(validation.flag, 1, 2), []),
        (validation.listing(validation.flag, 0, 2), [True, True]),
        (validation.listing(validation.flag, 0, 2), "ab"),
        (validation.zone, "Mars/Olympus"),
        (validation.zone, 3),
        (validation.instant, datetime(2026, 1, 1)),  # noqa: DTZ001 - this is the mistake.
        (validation.instant, "2026-01-01"),
        (validation.instant, datetime.max.replace(tzinfo=timezone(timedelta(hours=-5)))),
    ],
)
def test_what_is_refused(check: validation.Check, given: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the sentence is for people.
        check(given)
