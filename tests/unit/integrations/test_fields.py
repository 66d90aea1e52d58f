"""Reading foreign JSON never fails, and its results are bounded."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.enums import Severity, SignalStatus
from incidentrelay.integrations import fields


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        ("", ""),
        (1, "1"),
        (1.5, "1.5"),
        (True, "true"),
        (None, "null"),
        (["é", 1], '["é",1]'),
        ({"b": 1, "a": None}, '{"a":null,"b":1}'),
    ],
)
def test_what_is_not_a_string_becomes_its_json_text(value: Any, expected: str) -> None:
    assert fields.json_text(value) == expected


@pytest.mark.parametrize("silent", [None, False, "", " \n", [], {}])
def test_empty_fields_are_skipped(silent: Any) -> None:
    assert fields.first_text({"a": silent, "b": " found "}, "a", "b", "c") == "found"
    assert fields.first_text({"a": silent}, "a", "b") == ""


def test_zero_is_not_empty() -> None:
    assert fields.first_text({"a": 0}, "a") == "0"


@pytest.mark.parametrize("value", [None, "a=b", 1, ["a"]])
def test_labels_that_are_not_an_object_are_none(value: Any) -> None:
    assert fields.text_map(value) == {}
    assert fields.annotation_map(value) == {}


def test_a_label_without_a_name_is_left_out() -> None:
    assert fields.text_map({"": "x", "a": None}) == {"a": "null"}
    assert fields.annotation_map({"": "x", "a": None}) == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-08-08T14:32:08Z", datetime(2026, 8, 8, 14, 32, 8, tzinfo=UTC)),
        ("2026-08-08T16:32:08+02:00", datetime(2026, 8, 8, 14, 32, 8, tzinfo=UTC)),
        (
            " 2026-08-08T14:32:08.326990857Z ",
            datetime(2026, 8, 8, 14, 32, 8, 326990, tzinfo=UTC),
        ),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_it_reads_a_time(text: str, expected: datetime) -> None:
    found = fields.instant(text)
    assert found == expected
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    "value",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+23:00",
        "9999-12-31T23:59:59-23:00",
        "1969-12-31T23:59:59Z",
        "2026-08-08T14:32:08",
        "2026-08-08",
        "2026-13-08T14:32:08Z",
        "yesterday",
        "\ud800",
        "",
        None,
        1_786_000_000,
        {},
    ],
)
def test_a_time_that_is_not_usable_is_none(value: Any) -> None:
    assert fields.instant(value) is None


@pytest.mark.parametrize(
    "link",
    [
        "https://example.org/a?b=c#d",
        "http://prometheus:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        "HTTPS://example.org",
        "https://[2001:db8::1]:8080/x",
        "https://example.org/ü",
    ],
)
def test_a_web_link_passes(link: str) -> None:
    assert fields.web_link(None, "", f" {link}\n") == link


@pytest.mark.parametrize(
    "link",
    [
        "javascript:alert(1)",
        "java\nscript:alert(1)",
        "JaVaScRiPt:alert(1)//https://example.org",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "ftp://example.org",
        "//example.org/x",
        "/graph",
        "http:",
        "http://",
        "http:///path",
        "http://[::1",
        "https:\\\\example.org",
        'https://example.org/"onclick="x',
        "https://example.org/<b>",
        "https://exam ple.org",
        "https://example.org/\x00",
        "https://example.org/" + "x" * fields.MAX_LINK,
        "",
        None,
        1,
        ["https://example.org"],
    ],
)
def test_any_other_link_is_dropped(link: Any) -> None:
    assert fields.web_link(link) is None
    assert fields.web_link(link, "https://example.org") == "https://example.org"


@pytest.mark.parametrize("word", ["resolved", "RESOLVED", " ok ", "closed", "close", "recovery"])
def test_words_that_resolve(word: str) -> None:
    assert fields.status_of(word) is SignalStatus.RESOLVED


@pytest.mark.parametrize("word", ["firing", "", "alerting", "PROBLEM", "unresolved", "pending"])
def test_everything_else_fires(word: str) -> None:
    assert fields.status_of(word) is SignalStatus.FIRING


@pytest.mark.parametrize(
    ("item", "labels", "team"),
    [
        ({"team": "a"}, {"team": "b", "oncall_team": "c"}, "a"),
        ({"team": ""}, {"team": "b", "oncall_team": "c"}, "b"),
        ({}, {"team": None, "oncall_team": "c"}, "c"),
        ({}, {}, None),
    ],
)
def test_it_finds_the_team(item: dict[str, Any], labels: dict[str, Any], team: str | None) -> None:
    assert fields.team_of(item, labels) == team


def test_identity_prefers_the_best_field() -> None:
    item = {"status": "firing", "x": 1}
    labels = {"a": "1", "severity": "low"}
    assert fields.identity("own", labels, "t", item, 0) == "own"
    assert fields.identity("o" * 300, labels, "t", item, 0).startswith("sha256:")
    assert fields.identity("", labels, "t", item, 0).startswith("labels:")
    assert fields.identity("", {"severity": "low"}, "t", item, 0) == "title:t"
    assert fields.identity("", {}, "", item, 0).startswith("item:")


def test_identity_does_not_depend_on_severity_title_order_or_status() -> None:
    first = fields.identity("", {"a": "1", "b": "2", "severity": "low"}, "one", {}, 0)
    assert first == fields.identity("", {"severity": "high", "b": "2", "a": "1"}, "two", {}, 7)
    fires = fields.identity("", {}, "", {"status": "firing", "x": 1}, 0)
    assert fires == fields.identity("", {}, "", {"x": 1, "status": "resolved", "endsAt": "t"}, 0)


def test_unidentifiable_items_are_separate_problems() -> None:
    keys = {
        fields.identity("", {}, "", item, index)
        for item in ({"x": 1}, {"x": 2})
        for index in range(3)
    }
    assert len(keys) == 6


def test_the_original_word_for_a_severity_is_kept() -> None:
    assert fields.severity_and_labels("Critical", {}) == (
        Severity.CRITICAL,
        {"severity": "critical"},
    )
    assert fields.severity_and_labels("page", {"severity": "page"}) == (
        Severity.CRITICAL,
        {"severity": "page", "source_severity": "page"},
    )
    assert fields.severity_and_labels("", {"a": "1"}) == (Severity.WARNING, {"a": "1"})
    assert fields.severity_and_labels("Hoch", {}, Severity.HIGH) == (
        Severity.HIGH,
        {"severity": "high", "source_severity": "Hoch"},
    )


def test_everything_is_bounded() -> None:
    many = {f"name{n:04d}": "v" for n in range(500)}
    _, labels = fields.severity_and_labels("odd", many)
    assert len(labels) == fields.MAX_LABELS
    assert fields.severity_and_labels("odd", dict(reversed(many.items())))[1] == labels
    _, long = fields.severity_and_labels("", {"n" * 999: "v" * 9999})
    [(name, value)] = long.items()
    assert (len(name), len(value)) == (fields.MAX_LABEL_NAME, fields.MAX_LABEL_VALUE)
    assert value.endswith("…")
    [(_, note)] = fields.bounded_annotations({"a": "v" * 99_999}).items()
    assert len(note) == fields.MAX_ANNOTATION


@given(st.text(), st.integers(1, 50))
def test_clipping_keeps_to_its_limit(text: str, limit: int) -> None:
    clipped = fields.clip(text, limit)
    assert len(clipped) <= limit
    assert clipped == text or clipped[:-1] == text[: limit - 1]


@given(st.dictionaries(st.text(), st.integers() | st.text()))
def test_the_json_text_of_an_object_is_equivalent(value: dict[str, Any]) -> None:
    assert json.loads(fields.json_text(value)) == value
