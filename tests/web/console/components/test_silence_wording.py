"""Recurrences in words."""

import pytest

from incidentrelay.web.console.components.silence_wording import repeats

# 2 March 2026 is a Monday.
STORED = {"zone": "Europe/Berlin", "starts_on": "2026-03-02", "start_time": "02:30"}


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("FREQ=DAILY", "Every day"),
        ("FREQ=DAILY;INTERVAL=3", "Every 3 days"),
        ("FREQ=WEEKLY", "Every week on Monday"),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,TU", "Every 2 weeks on Tuesday and Sunday"),
        ("FREQ=MONTHLY", "Every month on day 2"),
        ("FREQ=MONTHLY;BYDAY=2TU", "Every month on the 2nd Tuesday"),
        ("FREQ=MONTHLY;BYDAY=-1FR,-2FR", "Every month on the 2nd last Friday and the last Friday"),
        ("FREQ=MONTHLY;BYMONTHDAY=-1,11", "Every month on the last day and day 11"),
        ("FREQ=MONTHLY;BYMONTH=4,10", "Every month on day 2 in April and October"),
        ("not a rule", "not a rule"),
    ],
)
def test_rules(rule: str, expected: str) -> None:
    found = repeats({**STORED, "rule": rule, "duration": 5400})
    assert found == f"{expected} at 02:30 (Europe/Berlin) for 1 h 30 min"


@pytest.mark.parametrize(
    ("end", "expected"),
    [
        ("COUNT=1", ", once"),
        ("COUNT=3", ", 3 times"),
        ("UNTIL=20261231", ", until 31 December 2026"),
        ("UNTIL=20261231T120000Z", ", until 31 December 2026"),
    ],
)
def test_ends(end: str, expected: str) -> None:
    assert repeats({**STORED, "rule": f"FREQ=DAILY;{end}", "duration": 60}).endswith(expected)
