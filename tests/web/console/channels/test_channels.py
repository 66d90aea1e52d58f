"""Channels in the console: list with health, page, editor by kind, test, re-sending."""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from incidentrelay.domain.enums import DeliveryState, TeamRole
from incidentrelay.models import Channel, Notification, Team, User
from incidentrelay.services.channels import channels, providers
from incidentrelay.services.outbox.records import DeliveryResult
from tests.support import factories
from tests.support import pager as pagers
from tests.support.pager import MINUTE, NOW, a_signal
from tests.web.console.rotations.test_rotations import text

CHANNELS = "/groups/ops/teams/core/channels"
NEW = f"{CHANNELS}/new"
HOOK = "https://hooks.example/in"


@pytest.fixture
def manager(browse: Any, pager: Any) -> Any:
    """Ann's browser; she is manager of the team."""
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        ann = session.get_one(User, pager.people["ann"])
        factories.team_member(session, team, ann, TeamRole.MANAGER)
    return browse("ann")


@pytest.fixture
def url(pager: Any) -> str:
    """The page of the pager's channel, which is the only one."""
    with pager.database.read() as session:
        return f"{CHANNELS}/{session.query(Channel).one().slug}"


def form_of(page: Any, place: int = 1) -> Any:
    """A form of the page; the first is to sign out."""
    return page.forms[place]


def create(manager: Any, kind: str, values: Mapping[str, Any], **options: Any) -> Any:
    form = form_of(manager.get(f"{NEW}?kind={kind}"))
    for name, value in values.items():
        form[name] = value
    return form.submit("do", value="save", **options)


def config_of(app: Any, pager: Any, slug: str) -> dict[str, Any]:
    with pager.database.read() as session:
        row = session.query(Channel).filter_by(slug=slug).one()
        return channels.full_config(row, app.registry["vault"])


def deliver(pager: Any, result: DeliveryResult) -> None:
    """Deliver what is due of channels."""
    with pager.database.read() as session:
        rows = session.query(Notification).filter(Notification.channel_id.is_not(None))
        ids = [row.id for row in rows]
    for one in ids:
        taken = pager.claim(one)
        if taken is not None:
            pager.record(taken, result)


FAILED = DeliveryResult(DeliveryState.FAILED, "The room is gone.")
SENT = DeliveryResult(DeliveryState.SENT, "Answered 204.")


@pytest.mark.both_databases
def test_from_a_new_webhook_to_the_vendors_answer(
    app: Any, manager: Any, pager: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A manager picks a kind, fills in its form, copies the secret, and sends a test."""
    page = manager.get(NEW)
    assert {"E-mail", "Inbox", "Webhook"} <= set(re.findall(r"kind=\w+\">([\w-]+)<", page.text))
    page = create(manager, "webhook", {"name": "Hook", "config.url": HOOK})
    secret = re.search(r'<code id="secret-1">(whsec_\S+)</code>', page.text)
    assert secret is not None
    assert config_of(app, pager, "hook") == {"url": HOOK, "secret": secret[1]}

    page = manager.get(f"{CHANNELS}/hook")
    said = text(page)
    assert "Never used" in said
    assert HOOK not in said
    assert secret[1] not in page.text
    page = form_of(page, 1).submit().follow()
    assert "The test is on its way." in text(page)
    assert "Waiting Test" in text(page)
    monkeypatch.setattr(pagers, "VAULT", app.registry["vault"])
    deliver(pager, SENT)
    live = manager.get(f"{CHANNELS}/hook", headers={"HX-Request": "true"})
    assert "<html" not in live.text
    assert "Messages arrive" in text(live)
    assert "Answered 204." in text(live)


def test_a_list_of_addresses_is_lines(app: Any, manager: Any, pager: Any) -> None:
    values = {"name": "Mail", "config.to": "a@x.test\n\n b@x.test "}
    create(manager, "email", values).follow()
    assert config_of(app, pager, "mail") == {"to": ["a@x.test", "b@x.test"]}
    form = form_of(manager.get(f"{CHANNELS}/mail/edit"))
    assert form["config.to"].value == "a@x.test\nb@x.test"
    form["config.to"] = "a@x.test\nnobody"
    answer = form.submit("do", value="save", status=422)
    assert "Line 2: Not a valid email address." in text(answer)
    assert 'href="#field-config.to"' in answer.text
    assert form_of(answer)["config.to"].value == "a@x.test\nnobody"


def test_a_kind_without_settings_and_one_that_is_none(manager: Any, pager: Any) -> None:
    create(manager, "inbox", {"name": "Team"}).follow()
    assert "of which kind?" in text(manager.get(f"{NEW}?kind=pigeon"))
    assert "of which kind?" in text(manager.post(f"{NEW}?kind=pigeon", {"do": "save"}))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"config.url": ""}, "config.url"),
        ({"config.url": "ftp://x"}, "config.url"),
        ({"config.secret": "short"}, "config.secret"),
        ({"config.headers": "Host: x"}, "config.headers"),
        ({"config.headers": "nothing"}, "config.headers"),
        ({"messages_per_minute": "0"}, "messages_per_minute"),
    ],
)
def test_mistakes_are_named_where_they_are(
    manager: Any, values: Mapping[str, str], field: str
) -> None:
    answer = create(manager, "webhook", {"name": "Hook", "config.url": HOOK, **values}, status=422)
    assert f'href="#field-{field}"' in answer.text
    assert 'aria-invalid="true"' in answer.text


@pytest.mark.both_databases
def test_secrets_are_written_and_never_read(app: Any, manager: Any, pager: Any) -> None:
    headers = "Authorization: Bearer abc:def\nX-Team: core"
    create(manager, "webhook", {"name": "Hook", "config.url": HOOK, "config.headers": headers})
    before = config_of(app, pager, "hook")
    assert before["headers"] == {"Authorization": "Bearer abc:def", "X-Team": "core"}
    page = manager.get(f"{CHANNELS}/hook/edit")
    assert "abc:def" not in page.text
    assert before["secret"] not in page.text
    form = form_of(page)
    form["name"] = "Renamed"
    form.submit("do", value="save").follow()
    assert config_of(app, pager, "hook") == before

    # A secret does not go to another destination unless it is entered again.
    form = form_of(manager.get(f"{CHANNELS}/hook/edit"))
    form["config.url"] = "https://other.example/in"
    answer = form.submit("do", value="save", status=422)
    assert "the destination has changed" in text(answer)
    form = form_of(answer)
    form["config.secret.remove"] = True
    form["config.headers.remove"] = True
    page = form.submit("do", value="save")
    after = config_of(app, pager, "hook")
    assert after.keys() == {"url", "secret"}
    assert after["secret"] != before["secret"]
    assert after["secret"] in page.text


@pytest.mark.both_databases
def test_the_list_tells_healthy_channels_from_sick_ones(browse: Any, pager: Any, url: str) -> None:
    client = browse("cy")
    assert "Never used" in text(client.get("/channels"))
    pager.take(a_signal("a"))
    deliver(pager, SENT)
    assert "Messages arrive" in text(client.get("/channels"))
    pager.take(a_signal("b"))
    deliver(pager, FAILED)
    for page in (client.get("/channels"), client.get(url)):
        assert "Messages fail" in text(page)
        assert "The room is gone." in text(page)
    with pager.database.write() as session:
        (channel,) = session.query(Channel)
        row = providers.lock_providers(session, providers.provider_of(channel.id))
        row.failures, row.since, row.reason = 9, NOW - 20 * MINUTE, "No answer"
    said = text(client.get(url))
    assert "Down" in said
    assert "No answer" in said
    with pager.database.write() as session:
        session.query(Channel).one().enabled = False
    assert "Switched off" in text(client.get("/channels"))


@pytest.mark.both_databases
def test_failed_messages_are_sent_again_one_or_all(browse: Any, pager: Any, url: str) -> None:
    pager.take(a_signal("a"), a_signal("b"), a_signal("c"))
    deliver(pager, FAILED)
    client = browse("cy")
    page = client.get(url)
    assert "Send all 3 failed messages again" in text(page)
    one = next(form for form in page.forms.values() if "/notifications/" in form.action)
    page = one.submit().follow()
    assert "again. If that fails too" in text(page)
    assert "Send all 2 failed messages again" in text(page)
    both = next(form for form in page.forms.values() if form.action.endswith("/resend"))
    page = client.post(f"{url}/resend").follow()
    assert both.action.startswith(CHANNELS)
    assert "2 messages are sent again." in text(page)
    assert "failed message" not in text(page)
    assert "Nothing is left" in text(client.post(f"{url}/resend").follow())
    with pager.database.read() as session:
        rows = session.query(Notification).filter(Notification.channel_id.is_not(None))
        assert {row.state for row in rows} == {DeliveryState.PENDING}


@pytest.mark.both_databases
def test_one_sees_and_changes_what_one_may(login_as: Any) -> None:
    link = re.compile(r'class="ir-row-title"><a href="(/groups\S+channels/\w+)"')
    found = {p: link.findall(login_as(p).get("/channels").text) for p in ("vera", "otto")}
    assert all(one.startswith("/groups/sre/") for one in found["vera"])
    assert all(one.startswith("/groups/apps/") for one in found["otto"])
    assert set(found["vera"])
    assert set(found["otto"])
    assert "/channels/new" in login_as("mona").get("/channels").text
    assert "/channels/new" not in login_as("rex").get("/channels").text
    url = found["vera"][0]
    page = login_as("vera").get(url)
    assert not re.search(r'(href|action)="[^"]+/(edit|delete|test|resend)"', page.text)
    for name in ("edit", "delete"):
        login_as("vera").get(f"{url}/{name}", status=403)
        login_as("otto").get(f"{url}/{name}", status=404)
    for name in ("test", "resend"):
        login_as("vera").post(f"{url}/{name}", status=403)


def test_a_team_has_a_list_of_its_own(manager: Any, pager: Any, url: str) -> None:
    said = text(manager.get(CHANNELS))
    assert "Channels of Core" in said
    assert "New channel" in said
    answer = manager.get(f"{url}/delete")
    assert "Routes use this channel" in text(form_of(answer).submit().follow())
    form = form_of(create(manager, "inbox", {"name": "Spare"}).follow().click("Delete"))
    assert "Channel Spare deleted." in text(form.submit().follow())


def test_without_channels_the_list_says_what_they_are(login_as: Any, database: Any) -> None:
    with database.write() as session:
        session.query(Team).update({"active": False})
    assert "No channels" in text(login_as("vera").get("/channels"))


@pytest.mark.parametrize("path", ["/channels", "page", "edit"])
def test_the_statements_do_not_grow(
    manager: Any, pager: Any, url: str, query_count: Any, path: str
) -> None:
    address = {"page": url, "edit": f"{url}/edit"}.get(path, path)
    pager.take(a_signal("a"))
    deliver(pager, FAILED)
    manager.get(address)
    with query_count() as few:
        manager.get(address)
    for number in range(8):
        pager.take(a_signal(str(number)), a_signal("b"))
        deliver(pager, FAILED)
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        for _ in range(4):
            factories.channel(session, team)
            factories.policy(session, team)
    with query_count() as many:
        manager.get(address)
    assert len(many) == len(few), many


def test_what_leads_to_a_channel(manager: Any, pager: Any, url: str) -> None:
    assert "Route Route" in text(manager.get(url))
    create(manager, "inbox", {"name": "Spare"})
    assert "no alert leads here" in text(manager.get(f"{CHANNELS}/spare"))
    with pager.database.write() as session:
        spare = session.query(Channel).filter_by(slug="spare").one()
        session.get_one(Team, pager.team_id).fallback_channel_id = spare.id
        target = {"kind": "channel", "id": spare.id}
        step = {"delay": 0, "targets": [target], "notify_assignee_again": False, "conditions": {}}
        factories.policy(session, session.get_one(Team, pager.team_id), "plan", steps=[step])
    said = text(manager.get(f"{CHANNELS}/spare"))
    assert "Policy Plan" in said
    assert "fallback" in said


def test_a_channel_that_is_off_is_not_tested(manager: Any, pager: Any, url: str) -> None:
    with pager.database.write() as session:
        session.query(Channel).one().enabled = False
    assert "Send a test" not in text(manager.get(url))
    assert "switched off" in text(manager.post(f"{url}/test").follow())


def test_a_kind_that_is_no_longer_installed(manager: Any, pager: Any, url: str) -> None:
    with pager.database.write() as session:
        session.query(Channel).one().kind = "pigeon"
    assert "pigeon" in text(manager.get("/channels"))
    assert "pigeon" in text(manager.get(url))
    form = form_of(manager.get(f"{url}/edit"))
    form["name"] = "Renamed"
    assert "Channel Renamed saved." in text(form.submit("do", value="save").follow())


def test_older_deliveries_are_on_the_next_page(manager: Any, pager: Any, url: str) -> None:
    for number in range(25):
        pager.take(a_signal(f"d{number}"), at=NOW + timedelta(seconds=number))
    page = manager.get(url)
    assert page.text.count("ir-delivery-head") == 20
    assert page.click("Older").text.count("ir-delivery-head") == 5
