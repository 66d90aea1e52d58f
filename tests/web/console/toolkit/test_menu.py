"""The menu entry of each page."""

import pytest

from incidentrelay.web.console.toolkit.nav import find_section


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/alerts", "alerts"),
        ("/alerts/7", "alerts"),
        ("/notifications", "alerts"),
        ("/oncall", "oncall"),
        ("/reports/on-call", "oncall"),
        ("/groups/sre/teams/core/rotations/primary/edit", "rotations"),
        ("/groups/sre/teams/core/rotations/primary/overrides/3/delete", "rotations"),
        ("/groups/sre/teams/core/silences/new", "silences"),
        # A team's name is no section.
        ("/groups/sre/teams/silences/rotations/primary", "rotations"),
        ("/groups/sre/teams/core/routes/alertmanager/token", "routes"),
        ("/groups/sre/teams/core", "groups"),
        ("/groups/sre/teams/core/members/new", "groups"),
        ("/groups/sre/edit", "groups"),
        ("/users/ann/edit", "groups"),
        ("/groups", "groups"),
        ("/me", "me"),
        ("/", ""),
    ],
)
def test_sections(path: str, expected: str) -> None:
    assert find_section(path) == expected
