from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import AuditEntry, Channel, Provider, RecipientRate, Team
from incidentrelay.services.channels import channels, providers
from incidentrelay.services.common.secret_box import SecretBox
from tests.services.conftest import ADMIN, Kinds
from tests.support import factories

URL, OTHER = "https://example.com/hook", "https://example.com/other"
HOOK = {"name": "Chat", "kind": "hook", "config": {"url": URL, "secret": "s3cret"}}


class Desk:
    """The services with everything but the row and the data."""

    def __init__(self, session: Session, kinds: Kinds, vault: SecretBox, now: datetime) -> None:
        self.session, self.kinds, self.vault = session, kinds, vault
        self.rest: dict[str, Any] = {
            "actor": ADMIN,
            "now": now,
            "registry": kinds,
            "vault": vault,
        }

    def create(self, team: Team, data: dict[str, Any]) -> Channel:
        return channels.create(self.session, team, data, **self.rest)

    def configure(self, channel: Channel, **config: Any) -> dict[str, Any]:
        channels.update(self.session, channel, {"config": config}, **self.rest)
        return channels.full_config(channel, self.vault)


@pytest.fixture
def desk(session: Session, kinds: Kinds, vault: SecretBox, now: datetime) -> Desk:
    return Desk(session, kinds, vault, now)


@pytest.mark.both_databases
def test_secrets_are_write_only(desk: Desk, session: Session) -> None:
    team = factories.team(session, factories.group(session, "sre"), "core")
    channel = desk.create(team, HOOK)
    session.flush()
    session.refresh(channel)
    assert (channel.slug, channel.config) == ("chat", {"url": URL})
    assert channel.sealed is not None
    assert b"s3cret" not in channel.sealed
    assert channels.full_config(channel, desk.vault) == {"url": URL, "secret": "s3cret"}
    assert channels.public_config(channel, desk.kinds) == {
        "url": URL,
        "secret": "***",
        "token": "***",
    }
    entry = session.scalars(select(AuditEntry)).one()
    assert entry.subject == "core/chat"
    assert entry.diff["config"] == [None, {"url": URL, "secret": "***"}]


def test_a_kind_can_make_its_secret(desk: Desk, team: Team) -> None:
    channel = desk.create(team, {**HOOK, "config": {"url": URL}})
    assert channels.full_config(channel, desk.vault)["secret"] == "made-by-the-kind"


def test_a_kind_without_secrets_has_no_seal(desk: Desk, team: Team) -> None:
    channel = desk.create(team, {"name": "Team inbox", "kind": "inbox"})
    assert (channel.sealed, channel.config) == (None, {})
    assert channels.public_config(channel, desk.kinds) == {}
    assert channels.full_config(channel, desk.vault) == {}


def test_a_kind_that_is_gone_shows_what_is_public(desk: Desk, team: Team) -> None:
    channel = desk.create(team, HOOK)
    channel.kind = "gone"
    assert channels.public_config(channel, desk.kinds) == {"url": URL}


@pytest.mark.parametrize(
    ("data", "field"),
    [
        ({"kind": "pigeon"}, "kind"),
        ({"kind": ["hook"]}, "kind"),
        ({"config": {}}, "config.url"),
        ({"config": {"url": "x"}}, "config.url"),
        ({"config": {"url": URL, "colour": "red"}}, "config.colour"),
        ({"config": "x"}, "config"),
        ({"sealed": "x"}, "sealed"),
        ({"uid": "x"}, "uid"),
    ],
)
def test_bad_channels(desk: Desk, team: Team, data: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.create(team, {**HOOK, **data})
    assert list(caught.value.errors) == [field]


@pytest.mark.parametrize("given", [{}, {"secret": "***"}, {"url": URL, "secret": "***"}])
def test_a_masked_or_missing_secret_is_kept(desk: Desk, team: Team, given: dict[str, Any]) -> None:
    channel = desk.create(team, HOOK)
    full = desk.configure(channel, note="hello", **given)
    assert full == {"url": URL, "secret": "s3cret", "note": "hello"}


def test_a_secret_changes_and_fields_go(desk: Desk, team: Team, session: Session) -> None:
    channel = desk.create(team, HOOK)
    assert desk.configure(channel, secret="n3w", note="x")["secret"] == "n3w"
    assert desk.configure(channel, secret=None, note=None) == {
        "url": URL,
        "secret": "made-by-the-kind",
    }
    session.flush()
    last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert last is not None
    assert "n3w" not in str(last.diff)


@pytest.mark.parametrize("given", [{}, {"secret": "***"}])
def test_a_kept_secret_goes_to_no_other_destination(
    desk: Desk, team: Team, given: dict[str, Any]
) -> None:
    channel = desk.create(team, HOOK)
    with pytest.raises(InvalidInput) as caught:
        desk.configure(channel, url=OTHER, **given)
    assert list(caught.value.errors) == ["config.secret"]
    assert channels.full_config(channel, desk.vault)["url"] == URL
    assert desk.configure(channel, url=OTHER, secret="again")["url"] == OTHER


def test_every_secret_must_be_entered_again(desk: Desk, team: Team) -> None:
    config = {"url": URL, "secret": "a", "token": "b"}
    channel = desk.create(team, {**HOOK, "config": config})
    with pytest.raises(InvalidInput) as caught:
        desk.configure(channel, url=OTHER, secret="again", token="***")
    assert list(caught.value.errors) == ["config.token"]


@pytest.mark.both_databases
def test_a_url_that_is_a_secret_shows_its_host(desk: Desk, team: Team, session: Session) -> None:
    config = {"url": "https://chat.example:8443/hooks/t0ken?key=t0ken"}
    channel = desk.create(team, {"name": "Chat", "kind": "chat", "config": config})
    session.flush()
    masked = {"url": "https://chat.example:8443/***"}
    assert channel.config == masked
    assert channels.public_config(channel, desk.kinds) == {**masked, "token": "***"}
    assert channels.full_config(channel, desk.vault) == config
    assert session.scalars(select(AuditEntry)).one().diff["config"] == [None, masked]


@pytest.mark.parametrize("given", [{}, {"url": "***"}, {"url": "https://chat.example/***"}])
def test_a_masked_url_is_kept(desk: Desk, team: Team, given: dict[str, Any]) -> None:
    config = {"url": "https://chat.example/hooks/t0ken", "token": "b"}
    channel = desk.create(team, {"name": "Chat", "kind": "chat", "config": config})
    assert desk.configure(channel, token="b", **given) == config


def test_a_new_url_gets_no_kept_secret(desk: Desk, team: Team) -> None:
    config = {"url": "https://chat.example/hooks/t0ken", "token": "b"}
    channel = desk.create(team, {"name": "Chat", "kind": "chat", "config": config})
    new = "https://other.example/hooks/t0ken"
    with pytest.raises(InvalidInput) as caught:
        desk.configure(channel, url=new)
    assert list(caught.value.errors) == ["config.token"]
    assert desk.configure(channel, url=new, token="c") == {"url": new, "token": "c"}


def test_other_fields_change_and_fixed_ones_do_not(desk: Desk, team: Team) -> None:
    channel = desk.create(team, HOOK)
    data = {"slug": "chat", "kind": "hook", "name": "Room", "enabled": False}
    channels.update(desk.session, channel, data, **desk.rest)
    assert (channel.name, channel.enabled, channel.version) == ("Room", False, 2)
    channels.update(desk.session, channel, {"config": {"url": URL}}, **desk.rest)
    assert channel.version == 2
    with pytest.raises(InvalidInput) as caught:
        channels.update(desk.session, channel, {"kind": "inbox"}, **desk.rest)
    assert list(caught.value.errors) == ["kind"]


def test_slugs_are_unique_in_a_team(desk: Desk, team: Team) -> None:
    desk.create(team, HOOK)
    with pytest.raises(Conflict, match="“chat”"):
        desk.create(team, HOOK)


def test_a_channel_in_use_stays(desk: Desk, team: Team, session: Session, now: datetime) -> None:
    channel = desk.create(team, HOOK)
    route = factories.route(session, team, "prometheus", channels=[channel])
    with pytest.raises(Conflict, match="prometheus"):
        channels.delete(session, channel, actor=ADMIN, now=now)
    session.delete(route)
    team.fallback_channel_id = channel.id
    with pytest.raises(Conflict, match="fallback"):
        channels.delete(session, channel, actor=ADMIN, now=now)
    team.fallback_channel_id = None
    step = {"delay": 0, "targets": [{"kind": "channel", "id": channel.id}]}
    policy = factories.policy(session, team, "night", steps=[step])
    with pytest.raises(Conflict, match="core/night"):
        channels.delete(session, channel, actor=ADMIN, now=now)
    session.delete(policy)
    channels.delete(session, channel, actor=ADMIN, now=now)
    assert session.scalars(select(Channel)).all() == []


@pytest.mark.parametrize(
    ("data", "anew"),
    [
        ({"config": {"url": OTHER, "secret": "n3w"}}, True),
        ({"enabled": False}, True),
        ({"messages_per_minute": 60}, True),
        ({"name": "Talk"}, False),
        (None, True),
    ],
    ids=str,
)
def test_what_is_remembered_of_a_channel_ends_with_its_configuration(
    desk: Desk, session: Session, now: datetime, data: dict[str, Any] | None, anew: bool
) -> None:
    """A circuit that the old URL opened must not hold up pages to the new one."""
    channel = desk.create(factories.team(session, factories.group(session)), HOOK)
    name = providers.provider_of(channel.id)
    session.add(Provider(name=name, failures=9, since=now, open_until=now + timedelta(minutes=1)))
    session.add(RecipientRate(target=name, busy_until=now + timedelta(minutes=1)))
    session.flush()
    if data is None:
        channels.delete(session, channel, actor=ADMIN, now=now)
    else:
        channels.update(session, channel, data, **desk.rest)
    kept = [*session.scalars(select(Provider.name)), *session.scalars(select(RecipientRate.target))]
    assert kept == ([] if anew else [name, name])
