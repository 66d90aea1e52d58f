from datetime import datetime, timedelta

import pytest

from incidentrelay.domain.errors import NotAllowed
from incidentrelay.services.access.action_links import ActLink, read_act, sign_act

KEY = bytes(32)
WEEK = timedelta(days=7)


def test_a_signed_link_is_verified(now: datetime) -> None:
    token = sign_act(KEY, 17, 4, now)
    assert read_act(KEY, token, now + WEEK, WEEK) == ActLink(17, 4, now)
    assert "/" not in token
    assert "+" not in token


@pytest.mark.parametrize("later", [WEEK + timedelta(seconds=1), -timedelta(minutes=6)])
def test_its_time_is_limited(now: datetime, later: timedelta) -> None:
    with pytest.raises(NotAllowed, match="has expired"):
        read_act(KEY, sign_act(KEY, 17, 4, now), now + later, WEEK)


def test_another_key_does_not_fit(now: datetime) -> None:
    with pytest.raises(NotAllowed, match="incomplete"):
        read_act(b"x" * 32, sign_act(KEY, 17, 4, now), now, WEEK)


@pytest.mark.parametrize("token", ["", "a", "a.b", "\ud800", "é.é", "WzEsMl0.x"])
def test_nonsense_is_refused(now: datetime, token: str) -> None:
    with pytest.raises(NotAllowed):
        read_act(KEY, token, now, WEEK)


def test_a_changed_token_is_refused(now: datetime) -> None:
    token = sign_act(KEY, 17, 4, now)
    for place in range(len(token) - 1):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(NotAllowed):
            read_act(KEY, changed, now, WEEK)
