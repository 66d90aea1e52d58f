"""Formatting of values for people."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.web.console.toolkit.filters import ago, browser, clock, duration, safe_url, span

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (40, "40 s"),
        (60, "1 min"),
        (61, "1 min"),
        (3600, "1 h"),
        (3660, "1 h 1 min"),
        (3605, "1 h"),
        (86_400, "1 d"),
        (90_000, "1 d 1 h"),
        (86_460, "1 d"),
        (8_640_000, "100 d"),
        (-90, "1 min"),
    ],
)
def test_duration(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("hours", "text"),
    [
        (8, "Tue 10 Mar, 13:00–21:00 CET"),
        (24, "Tue 10 Mar, 13:00 CET – Wed 11 Mar, 13:00 CET"),
        (24 * 20, "Tue 10 Mar, 13:00 CET – Mon 30 Mar, 14:00 CEST"),
    ],
)
def test_a_span_says_its_day_once(hours: int, text: str) -> None:
    assert span(NOW, NOW + timedelta(hours=hours), "Europe/Berlin", NOW) == text


def test_a_span_over_a_change_of_the_clocks_says_both_zones() -> None:
    start = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    said = span(start, start + timedelta(hours=3), "Europe/Berlin", NOW)
    assert said == "Sun 25 Oct, 02:30 CEST – Sun 25 Oct, 04:30 CET"


@given(st.timedeltas())
def test_a_duration_has_one_or_two_units(value: timedelta) -> None:
    words = duration(value).split(" ")
    assert len(words) in {2, 4}
    assert all(number.isdigit() for number in words[::2])
    assert set(words[1::2]) <= {"d", "h", "min", "s"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (4, "just now"),
        (-4, "just now"),
        (5, "5 s ago"),
        (180, "3 min ago"),
        (4_800, "1 h 20 min ago"),
        (200_000, "2 d ago"),
        (-7_200, "in 2 h"),
    ],
)
def test_ago(seconds: int, text: str) -> None:
    assert ago(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(
    ("zone", "text"),
    [
        ("UTC", "Tue 10 Mar, 12:00 UTC"),
        ("Europe/Paris", "Tue 10 Mar, 13:00 CET"),
        ("America/New_York", "Tue 10 Mar, 08:00 EDT"),
        ("Pacific/Auckland", "Wed 11 Mar, 01:00 NZDT"),
        ("Nowhere/Land", "Tue 10 Mar, 12:00 UTC"),
        ("../../etc/passwd", "Tue 10 Mar, 12:00 UTC"),
    ],
)
def test_clock(zone: str, text: str) -> None:
    assert clock(NOW, zone, NOW) == text


def test_the_clock_shows_another_year() -> None:
    assert clock(NOW - timedelta(days=365), "UTC", NOW) == "Mon 10 Mar 2025, 12:00 UTC"


@pytest.mark.parametrize(
    "url",
    [
        "https://wiki.example.net/a?b=1&c=2#d",
        "http://10.0.0.1:9090/graph",
        "HTTPS://EXAMPLE.NET/",
        "https://[::1]/",
    ],
)
def test_a_web_address_is_kept(url: str) -> None:
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        None,
        7,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "\x01javascript:alert(1)",
        " https://example.net",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "/local",
        "https://",
        "https:evil",
        "https:/\\evil",
        "https://[::1",
        'https://example.net/"onmouseover=x',
        "ftp://example.net/",
    ],
)
def test_everything_else_is_no_link(url: object) -> None:
    assert safe_url(url) is None


@given(st.text())
def test_what_is_kept_is_a_web_address(text: str) -> None:
    kept = safe_url(text)
    assert kept is None or kept.lower().startswith(("http://", "https://"))


@pytest.mark.parametrize(
    ("agent", "text"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140 Mobile Safari/537", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19) Version/19 Safari/604", "Safari on iPhone"),
        ("curl/8.9", "curl"),
        ("", "Unknown browser"),
        ("x" * 300, "x" * 60),
    ],
)
def test_a_browser_is_named_as_people_do(agent: str, text: str) -> None:
    assert browser(agent) == text
