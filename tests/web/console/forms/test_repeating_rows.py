"""Rows of a form as dataclasses, and the buttons that change them."""

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, ClassVar

import pytest
from webob.multidict import MultiDict

from incidentrelay.web.console.forms.repeating_rows import (
    named,
    press,
    read_rows,
    row_values,
    rows,
    several,
    tick,
)


@dataclass
class Inner:
    mark: ClassVar[str] = "at"

    at: str = "09:00"


@dataclass
class Outer:
    mark: ClassVar[str] = "title"

    title: str = ""
    zone: str = field(default="UTC", metadata=named("where.zone"))
    loud: bool = field(default=False, metadata=tick("is_loud"))
    days: list[str] = field(default_factory=list, metadata=several(2))
    inner: list[Inner] = field(default_factory=list, metadata=rows(Inner, 3))


def sent(*pairs: tuple[str, Any]) -> Any:
    return SimpleNamespace(POST=MultiDict(pairs))


def test_rows_are_read_as_they_are_named_and_shown_by_the_same_names() -> None:
    request = sent(
        ("rows.0.title", " One "),
        ("rows.0.where.zone", "Asia/Tokyo"),
        ("rows.0.is_loud", "yes"),
        ("rows.0.days", "1"),
        ("rows.0.inner.0.at", "10:00"),
    )
    drafts = read_rows(Outer, request, "rows", 5)
    assert drafts == [Outer("One", "Asia/Tokyo", True, ["1"], [Inner("10:00")])]
    assert row_values(drafts, "rows") == {
        "rows.0.title": "One",
        "rows.0.where.zone": "Asia/Tokyo",
        "rows.0.is_loud": True,
        "rows.0.days": ["1"],
        "rows.0.inner.0.at": "10:00",
    }


def test_nothing_is_longer_than_a_form_can_be() -> None:
    request = sent(
        ("rows.0.title", "x" * 999),
        *(("rows.0.days", str(day)) for day in range(9)),
        *((f"rows.0.inner.{place}.at", "") for place in range(9)),
        ("rows.1.title", ""),
        ("rows.2.title", ""),
    )
    first, second = read_rows(Outer, request, "rows", 2)
    assert (len(first.title), len(first.days), len(first.inner)) == (200, 2, 3)
    assert second == Outer("", "", False, [], [])


def test_a_file_in_place_of_a_text_is_no_text() -> None:
    (row,) = read_rows(
        Outer, sent(("rows.0.title", object()), ("rows.0.days", object())), "rows", 1
    )
    assert (row.title, row.days) == ("", [])


@pytest.mark.parametrize("verb", ["", "drop", "pop:x", "pop:9", "pop", "pop:0:1", "pop:²"])
def test_a_button_of_another_page_does_nothing(verb: str) -> None:
    drafts = ["a", "b"]
    assert not press({"pop": lambda given, place: given.pop(place)}, verb, drafts)
    assert drafts == ["a", "b"]
    assert press({"pop": lambda given, place: given.pop(place)}, "pop:1", drafts)
    assert drafts == ["a"]
