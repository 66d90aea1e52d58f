from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import InvalidInput, NotAllowed
from incidentrelay.models import ApiToken, AuditEntry, Group, User
from incidentrelay.services.access import tokens
from incidentrelay.services.access.secrets import TokenKind, token_digest, token_kind
from incidentrelay.services.access.tokens import Granting
from tests.services.conftest import ADMIN, acting
from tests.support import factories

DAY = timedelta(days=1)
DATA = {"name": "CI", "scopes": ["alerts:write", "alerts:read"]}


def make(
    session: Session, user: User, now: datetime, granting: Granting | None = None, **data: Any
) -> tuple[ApiToken, str]:
    return tokens.create(
        session, user, {**DATA, **data}, actor=acting(user), now=now, granting=granting
    )


@pytest.mark.both_databases
def test_a_life(session: Session, now: datetime) -> None:
    ann, group = factories.user(session, "ann"), factories.group(session, "sre")
    factories.group_member(session, group, ann)
    token, text = make(session, ann, now, group="sre", expires_at=now + DAY)
    session.flush()
    session.refresh(token)
    assert token_kind(text) is TokenKind.USER
    assert (token.digest, token.hint) == (token_digest(text), text[:9])
    assert token.scopes == ["alerts:read", "alerts:write"]
    assert (token.group_id, token.expires_at, token.user_id) == (group.id, now + DAY, ann.id)
    tokens.update(session, token, {"name": "CD"}, actor=acting(ann), now=now)
    with pytest.raises(InvalidInput):
        tokens.update(session, token, {"scopes": ["profile:write"]}, actor=acting(ann), now=now)
    tokens.delete(session, token, actor=acting(ann), now=now)
    session.flush()
    assert session.scalars(select(ApiToken)).all() == []
    lines = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(line.action, line.subject) for line in lines] == [
        ("create", "ann/CI"),
        ("update", "ann/CD"),
        ("delete", "ann/CD"),
    ]
    assert text not in str([line.diff for line in lines])


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["alerts:admin"]}, "scopes"),
        ({"scopes": "alerts:read"}, "scopes"),
        ({"group": "other"}, "group"),
        ({"group": "none"}, "group"),
        ({"expires_at": datetime(2020, 1, 1, tzinfo=UTC)}, "expires_at"),
        ({"name": ""}, "name"),
        ({"digest": "x"}, "digest"),
    ],
)
def test_bad_tokens(
    session: Session, people: dict[str, User], now: datetime, data: dict[str, Any], field: str
) -> None:
    factories.group(session, "other")
    with pytest.raises(InvalidInput) as caught:
        make(session, people["ann"], now, **data)
    assert list(caught.value.errors) == [field]


def test_nobody_creates_tokens_for_others(
    session: Session, people: dict[str, User], now: datetime
) -> None:
    with pytest.raises(NotAllowed):
        tokens.create(session, people["ann"], DATA, actor=acting(people["bob"]), now=now)
    limits = Granting(["alerts:read", "alerts:write"], None, None)
    with pytest.raises(NotAllowed):
        tokens.create(session, people["ann"], DATA, actor=ADMIN, now=now, granting=limits)
    token, _ = tokens.create(session, people["ann"], DATA, actor=ADMIN, now=now)
    assert token.user_id == people["ann"].id


def test_an_admin_is_in_every_group(session: Session, group: Group, now: datetime) -> None:
    root = factories.user(session, "root", is_admin=True)
    assert make(session, root, now, group="sre")[0].group_id == group.id


BOTH = ("alerts:read", "alerts:write")


@pytest.mark.parametrize(
    ("scopes", "bound", "days", "data", "allowed"),
    [
        (BOTH, False, None, {}, True),
        (BOTH, False, None, {"group": "sre", "expires_at": 1}, True),
        (BOTH[:1], False, None, {}, False),
        (BOTH[:1], False, None, {"scopes": ["alerts:read"]}, True),
        (BOTH, True, None, {}, False),
        (BOTH, True, None, {"group": "apps"}, False),
        (BOTH, True, None, {"group": "sre"}, True),
        (BOTH, False, 2, {}, False),
        (BOTH, False, 2, {"expires_at": None}, False),
        (BOTH, False, 2, {"expires_at": 3}, False),
        (BOTH, False, 2, {"expires_at": 2}, True),
    ],
)
def test_a_token_cannot_create_one_with_more_scopes(
    session: Session,
    group: Group,
    people: dict[str, User],
    now: datetime,
    scopes: tuple[str, ...],
    bound: bool,
    days: int | None,
    data: dict[str, Any],
    allowed: bool,
) -> None:
    factories.group_member(session, factories.group(session, "apps"), people["ann"])
    limits = Granting(scopes, group.id if bound else None, now + days * DAY if days else None)
    given = {k: now + v * DAY if isinstance(v, int) else v for k, v in data.items()}
    if allowed:
        assert make(session, people["ann"], now, limits, **given)[0].id
    else:
        with pytest.raises(NotAllowed):
            make(session, people["ann"], now, limits, **given)
        assert session.scalars(select(ApiToken)).all() == []
