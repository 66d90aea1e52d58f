from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.enums import AlertStatus, SignalStatus
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import Alert, AuditEntry, Notification, Route, Team
from incidentrelay.services.access.secrets import TokenKind, token_digest, token_hint, token_kind
from incidentrelay.services.intake import routes
from incidentrelay.services.outbox import records as outbox_records
from tests.services.conftest import ADMIN
from tests.support import factories
from tests.support.pager import MINUTE, NOW, Accepts, Pager, a_signal, build, no_links

DATA = {"name": "Prometheus", "source": "alertmanager"}


def make(
    session: Session, team: Team, now: datetime, integrations: Any, **data: Any
) -> tuple[Route, str]:
    return routes.create(
        session, team, {**DATA, **data}, actor=ADMIN, now=now, integrations=integrations
    )


def last_line(session: Session) -> AuditEntry:
    session.flush()
    return session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()


def test_a_route_has_a_token_of_which_the_hash_is_kept(
    session: Session, team: Team, now: datetime, integrations: Any
) -> None:
    route, token = make(session, team, now, integrations)
    assert token_kind(token) is TokenKind.ROUTE
    assert (route.token_digest, route.token_hint) == (token_digest(token), token_hint(token))
    assert (route.slug, route.source, route.position, route.matchers) == (
        "prometheus",
        "alertmanager",
        0,
        [],
    )
    assert token not in str(last_line(session).diff)
    second, _ = make(session, team, now, integrations, slug="second")
    assert second.position == 1


@pytest.mark.both_databases
def test_what_a_route_pages(session: Session, now: datetime, integrations: Any) -> None:
    team = factories.team(session, factories.group(session, "sre"), "core")
    first, second = factories.channel(session, team, "b"), factories.channel(session, team, "a")
    rotation = factories.rotation(session, team, "primary")
    policy = factories.policy(session, team, "night")
    route, _ = make(
        session,
        team,
        now,
        integrations,
        rotation="primary",
        policy="night",
        channels=["a", "b"],
        matchers=['team="core"', "severity=~warning|critical"],
        group_by=["alertname", "cluster"],
    )
    session.flush()
    session.expire_all()
    routes.update(session, route, {"channels": ["b", "a"]}, actor=ADMIN, now=now)
    assert (route.rotation_id, route.policy_id, route.version) == (rotation.id, policy.id, 1)
    assert route.channels == [first, second]
    session.expire_all()
    data = {"channels": ["a"], "rotation": None, "group_by": []}
    routes.update(session, route, data, actor=ADMIN, now=now)
    assert (route.rotation_id, route.channels, route.version) == (None, [second], 2)
    assert last_line(session).diff == {
        "channels": [["b", "a"], ["a"]],
        "rotation": ["primary", None],
        "group_by": [["alertname", "cluster"], []],
    }


def test_only_the_channels_change_and_it_is_an_edit(
    session: Session, team: Team, now: datetime, integrations: Any
) -> None:
    factories.channel(session, team, "chat")
    route, _ = make(session, team, now, integrations)
    routes.update(session, route, {"channels": ["chat"]}, actor=ADMIN, now=now.replace(hour=13))
    assert (route.version, route.updated_at.hour) == (2, 13)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"source": "pigeon"}, "source"),
        ({"source": None}, "source"),
        ({"rotation": "abroad"}, "rotation"),
        ({"policy": "abroad"}, "policy"),
        ({"channels": ["abroad"]}, "channels"),
        ({"channels": "abroad"}, "channels"),
        ({"group_by": ["a", "a"]}, "group_by"),
        ({"group_by": [""]}, "group_by"),
        ({"reopen_window": -1}, "reopen_window"),
        ({"auto_resolve_after": 299}, "auto_resolve_after"),
        ({"auto_resolve_after": 2592001}, "auto_resolve_after"),
        ({"position": -1}, "position"),
        ({"token": "mine"}, "token"),
    ],
)
def test_bad_routes(
    session: Session,
    team: Team,
    now: datetime,
    integrations: Any,
    data: dict[str, Any],
    field: str,
) -> None:
    abroad = factories.team(session, team.group)
    factories.rotation(session, abroad, "abroad")
    factories.policy(session, abroad, "abroad")
    factories.channel(session, abroad, "abroad")
    with pytest.raises(InvalidInput) as caught:
        make(session, team, now, integrations, **data)
    assert list(caught.value.errors) == [field]


def test_bad_matchers_have_a_place(
    session: Session, team: Team, now: datetime, integrations: Any
) -> None:
    with pytest.raises(InvalidInput) as caught:
        make(session, team, now, integrations, matchers=["a=b", "c=~("])
    assert list(caught.value.errors) == ["matchers.1"]
    assert caught.value.errors["matchers.1"][0].startswith("At character 3:")


def test_slug_and_source_never_change(
    session: Session, team: Team, now: datetime, integrations: Any
) -> None:
    route, _ = make(session, team, now, integrations)
    same = {"slug": "prometheus", "source": "alertmanager", "enabled": False}
    routes.update(session, route, same, actor=ADMIN, now=now)
    assert not route.enabled
    with pytest.raises(InvalidInput) as caught:
        routes.update(session, route, {"source": "zabbix", "slug": "x"}, actor=ADMIN, now=now)
    assert set(caught.value.errors) == {"source", "slug"}
    with pytest.raises(Conflict, match="“prometheus”"):
        make(session, team, now, integrations)


def test_a_token_is_replaced(
    session: Session, team: Team, now: datetime, integrations: Any
) -> None:
    route, old = make(session, team, now, integrations)
    new = routes.rotate_token(session, route, actor=ADMIN, now=now)
    assert new != old
    assert route.token_digest == token_digest(new)
    line = last_line(session)
    assert (line.action, line.diff) == ("rotate_token", {"token": ["***", "***"]})


def test_a_replaced_token_is_kept_for_a_while(
    session: Session, team: Team, now: datetime, integrations: Any
) -> None:
    route, old = make(session, team, now, integrations)
    routes.rotate_token(session, route, actor=ADMIN, now=now, keep_old=timedelta(hours=1))
    assert route.old_token_digest == token_digest(old)
    assert route.old_token_until == now + timedelta(hours=1)
    assert last_line(session).diff["old_token_until"] == [None, "2026-03-10T13:00:00+00:00"]
    routes.rotate_token(session, route, actor=ADMIN, now=now)
    assert (route.old_token_digest, route.old_token_until) == (None, None)


def test_alerts_outlive_their_route(
    session: Session, team: Team, now: datetime, integrations: Any
) -> None:
    factories.channel(session, team, "chat")
    route, _ = make(session, team, now, integrations, channels=["chat"])
    alert = factories.alert(session, team, route, status=AlertStatus.RESOLVED, resolved_at=now)
    factories.signal(session, alert, status=SignalStatus.RESOLVED)
    session.expire(route)
    routes.delete(session, route, actor=ADMIN, now=now)
    session.expire_all()
    assert session.scalars(select(Route)).all() == []
    assert session.scalars(select(Alert.route_id)).all() == [None]


@pytest.fixture
def pager(database: Database) -> Pager:
    return build(database)


def delete(pager: Pager, **options: Any) -> None:
    with pager.database.write() as session:
        route = session.get_one(Route, pager.route_id)
        routes.delete(session, route, actor=ADMIN, now=NOW + MINUTE, **options)


@pytest.mark.both_databases
def test_a_route_with_open_alerts_is_kept(pager: Pager) -> None:
    pager.take(a_signal("disk"), a_signal("memory"))
    with pytest.raises(Conflict, match="2 alerts of this route are open"):
        delete(pager)
    pager.take(a_signal("memory", resolved=True))
    with pytest.raises(Conflict, match="One alert of this route is open"):
        delete(pager)
    pager.take(a_signal("disk", resolved=True))
    delete(pager)


@pytest.mark.both_databases
def test_open_alerts_can_be_resolved_with_their_route(
    pager: Pager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_BATCH", 2)
    pager.take(*[a_signal(f"disk-{number}") for number in range(3)])
    for notification_id in pager.due():
        claim = pager.claim(notification_id)
        if claim is not None:
            pager.record(claim, outbox_records.send_claim(claim, Accepts(), no_links, NOW))
    delete(pager, resolve=True)
    assert pager.timeline()[-3:] == ["resolved"] * 3
    with pager.database.read() as session:
        waiting = select(Notification.kind).where(Notification.state == "pending")
        assert set(session.scalars(waiting)) == {"update"}
        assert set(session.scalars(select(Alert.status))) == {AlertStatus.RESOLVED}
        assert session.get(Route, pager.route_id) is None
        assert last_line(session).diff == {"resolved_alerts": [None, 3]}
