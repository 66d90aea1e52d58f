"""Routes in the console: list with health, page, editor, token, test alert, deletion."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from incidentrelay.domain.enums import TeamRole
from incidentrelay.models import IntakeRequest, Route, Team, User
from tests.support import factories
from tests.support.client import Client
from tests.support.pager import MINUTE, NOW, a_signal
from tests.web.console.rotations.test_rotations import text

ROUTES = "/groups/ops/teams/core/routes"
NEW = f"{ROUTES}/new"
PAYLOAD = {
    "alerts": [
        {"labels": {"alertname": "DiskFull", "team": "infra"}, "annotations": {"summary": "Full"}},
        {"labels": {"alertname": "Slow", "team": "web"}},
    ]
}


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
    """The page of the pager's route."""
    with pager.database.read() as session:
        return f"{ROUTES}/{session.get_one(Route, pager.route_id).slug}"


def form_of(page: Any) -> Any:
    """The form of the page, after that to sign out."""
    return page.forms[1]


def create(manager: Any, **values: Any) -> Any:
    form = form_of(manager.get(NEW))
    form["name"] = values.pop("name", "Prometheus")
    for name, value in values.items():
        form[name] = value
    return form.submit("do", value="save")


def token_of(page: Any) -> str:
    found = re.search(r'<code id="new-token">(ir_r_\S+)</code>', page.text)
    assert found is not None
    return found[1]


def send(app: Any, token: str, payload: Any = PAYLOAD, **options: Any) -> Any:
    return Client(app, token=token).post_json("/api/integrations/alertmanager", payload, **options)


def stored(pager: Any, slug: str = "prometheus") -> Route:
    with pager.database.read() as session:
        return session.query(Route).filter_by(slug=slug).one()


@pytest.mark.both_databases
def test_from_a_new_route_to_a_page(app: Any, manager: Any, pager: Any) -> None:
    """A manager creates a route, copies its token, and an alert that is sent pages Ann."""
    with pager.database.read() as session:
        rotation = session.get_one(Route, pager.route_id).rotation_id
    page = manager.get(NEW)
    name = re.search(r'value="(rotation:[^"]+)"', page.text)
    assert name is not None
    page = create(manager, pages=name[1], matchers='alertname=~".+"', group_by="alertname, team")
    token = token_of(page)
    assert f"credentials: {token}" in page.text
    assert "http://localhost/api/integrations/alertmanager" in page.text
    route = stored(pager)
    assert (route.rotation_id, route.group_by) == (rotation, ["alertname", "team"])
    assert "Nothing has arrived yet" in text(manager.get("/routes"))

    (first, second) = send(app, token).json
    assert (first["outcome"], first["assignee"]) == ("created", "Ann")
    said = text(manager.get(f"{ROUTES}/prometheus"))
    assert "Alerts arrive" in said
    assert "2 created" in said
    assert f"Alert #{second['id']}" in said
    assert token not in said
    assert "PASTE-THE-TOKEN-HERE" in said


@pytest.mark.both_databases
def test_the_list_tells_healthy_routes_from_sick_ones(browse: Any, pager: Any, url: str) -> None:
    client = browse("cy")
    assert "Nothing has arrived yet" in text(client.get("/routes"))
    pager.take(a_signal("a"), at=NOW - timedelta(hours=3))
    said = text(client.get("/routes"))
    assert "Alerts arrive" in said
    assert "0 requests in the last hour" in said
    pager.take(a_signal("a"), a_signal("b"), at=NOW - MINUTE)
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).matchers = ["alertname=a"]
    pager.take(a_signal("a"), a_signal("b"), a_signal("c"), at=NOW)
    said = text(client.get("/routes"))
    assert "Some alerts are rejected" in said
    assert "2 requests in the last hour, 2 rejected" in said
    pager.take(a_signal("b"), at=NOW)
    assert "The last payload was rejected" in text(client.get(url))
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).enabled = False
    assert "Switched off" in text(client.get("/routes"))


@pytest.mark.both_databases
def test_one_sees_and_creates_what_one_may(login_as: Any) -> None:
    link = re.compile(r'class="ir-row-title"><a href="(/groups\S+routes/\w+)"')
    found = {p: link.findall(login_as(p).get("/routes").text) for p in ("vera", "otto")}
    assert all(one.startswith("/groups/sre/") for one in found["vera"])
    assert all(one.startswith("/groups/apps/") for one in found["otto"])
    assert set(found["vera"])
    assert set(found["otto"])
    assert "/routes/new" in login_as("mona").get("/routes").text
    assert "/routes/new" not in login_as("rex").get("/routes").text
    page = login_as("vera").get(found["vera"][0])
    assert not re.search(r'href="[^"]+/(edit|delete|test|token)"', page.text)
    for name in ("edit", "delete", "test", "token", "matching"):
        login_as("vera").get(f"{found['vera'][0]}/{name}", status=403)
        login_as("otto").get(f"{found['vera'][0]}/{name}", status=404)


def test_a_team_has_a_list_of_its_own(manager: Any, pager: Any) -> None:
    said = text(manager.get(ROUTES))
    assert "Routes of Core" in said
    assert "New route" in said
    with pager.database.write() as session:
        session.query(IntakeRequest).delete()
        session.delete(session.get_one(Route, pager.route_id))
    assert "No routes" in text(manager.get(ROUTES))


@pytest.mark.parametrize("path", ["/routes", "page", "edit"])
def test_the_statements_do_not_grow(
    manager: Any, pager: Any, url: str, query_count: Any, path: str
) -> None:
    address = {"page": url, "edit": f"{url}/edit"}.get(path, path)
    pager.take(a_signal("a"))
    manager.get(address)
    with query_count() as few:
        manager.get(address)
    for number in range(30):
        pager.take(a_signal(str(number)), a_signal("b"))
    with pager.database.write() as session:
        team = session.get_one(Team, pager.team_id)
        for _ in range(4):
            factories.route(session, team, rotation_id=factories.rotation(session, team).id)
            factories.channel(session, team)
    with query_count() as many:
        manager.get(address)
    assert len(many) == len(few), many


def test_the_last_payloads_continue_on_older_pages(browse: Any, pager: Any, url: str) -> None:
    for number in range(25):
        pager.take(a_signal(f"disk-{number}"))
    page = browse("cy").get(url)
    assert page.text.count('aria-label="Body') == 20
    assert page.click("Older").text.count('aria-label="Body') == 5


def test_an_edit_keeps_what_the_form_does_not_show(manager: Any, pager: Any, url: str) -> None:
    with pager.database.write() as session:
        route = session.get_one(Route, pager.route_id)
        route.reopen_window, route.matchers = 310, ["a=b", "c=d"]
        slug = route.slug
    form = form_of(manager.get(f"{url}/edit"))
    assert form["matchers"].value == "a=b\nc=d"
    assert form["pages"].value.startswith("rotation:")
    form["name"], form["auto_resolve_after"] = "Renamed", "60"
    page = form.submit("do", value="save").follow()
    assert "Route Renamed saved." in text(page)
    route = stored(pager, slug)
    assert (route.reopen_window, route.auto_resolve_after) == (310, 3600)
    assert (route.matchers, route.rotation_id) == (["a=b", "c=d"], pager.rotation_id)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("name", "", "field-name"),
        ("matchers", "a=b\n=c", "Line 2: "),
        ("auto_resolve_after", "1", "Write minutes, from 5 to 43200."),
        ("auto_resolve_after", "soon", "Write minutes, from 5 to 43200."),
        ("reopen_window", "-1", "Write minutes, from 0 to 10080."),
        ("position", "first", "Write a number from 0 to 1000000."),
        ("group_by", "a" * 300, "field-group_by"),
    ],
)
def test_mistakes_are_named_where_they_are(
    manager: Any, pager: Any, field: str, value: str, said: str
) -> None:
    page = manager.get(NEW)
    form_of(page)[field] = value
    if field != "name":
        form_of(page)["name"] = "Prometheus"
    answer = form_of(page).submit("do", value="save", status=422)
    assert said in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert form_of(answer)["name"].value == form_of(page)["name"].value


@pytest.mark.parametrize("pages", ["rotation:nothing", "policy:nothing", "user:ann", "x"])
def test_whom_nobody_offered_is_rejected(manager: Any, pages: str) -> None:
    form = form_of(manager.get(NEW))
    form["name"] = "Prometheus"
    form["pages"].force_value(pages)
    assert 'href="#field-pages"' in form.submit("do", value="save", status=422).text


def test_a_source_that_is_none_and_a_name_that_is_taken(manager: Any, url: str) -> None:
    form = form_of(manager.get(NEW))
    form["name"] = "Prometheus"
    form["source"].force_value("nagios")
    assert 'href="#field-source"' in form.submit("do", value="save", status=422).text
    form["source"] = "zabbix"
    form["slug"] = url.rpartition("/")[2]
    assert "There is a route" in text(form.submit("do", value="save", status=409))


def test_whoever_is_slower_is_told(manager: Any, pager: Any, url: str) -> None:
    form = form_of(manager.get(f"{url}/edit"))
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).name = "Other"
    form["name"] = "Mine"
    page = form.submit("do", value="save", status=412)
    assert "Somebody else changed this" in text(page)
    assert "Route Mine saved." in text(form_of(page).submit("do", value="save").follow())


def test_matchers_are_tried_on_recent_alerts(app: Any, manager: Any, pager: Any) -> None:
    token = token_of(create(manager))
    send(app, token)
    send(app, token, {"alerts": [{"labels": {"alertname": "Slow", "team": "web"}}]})
    page = manager.get(f"{ROUTES}/prometheus/edit")
    assert "2 of 2 recent alerts" in text(page)
    form_of(page)["matchers"] = "team=infra"
    checked = form_of(page).submit("do", value="preview")
    assert "1 of 2 recent alerts" in text(checked)
    assert "Does not match team=infra" in text(checked)
    assert stored(pager).matchers == []
    # A script asks for the same while the matchers are typed.
    live = manager.get(f"{ROUTES}/prometheus/matching", {"matchers": "team=~infra|web"})
    assert "2 of 2 recent alerts" in text(live)
    assert "<html" not in live.text
    assert "Line 1: At character" in text(
        manager.get(f"{ROUTES}/prometheus/matching", {"matchers": "team=~("})
    )
    # A new route has received nothing; it is compared with what others of its source got.
    new = manager.get(f"{ROUTES}/matching", {"matchers": "team=web", "source": "alertmanager"})
    assert "1 of 2 recent alerts" in text(new)
    for source in ("zabbix", "nagios", ""):
        new = manager.get(f"{ROUTES}/matching", {"source": source})
        assert "nothing to compare with" in text(new)


def test_a_body_that_no_source_sends_is_left_out(manager: Any, pager: Any, url: str) -> None:
    for body in (b"{}", b"[" * 5000, b"\xff", b'{"alerts": [7, {}]}', b'"\\ud800"'):
        with pager.database.write() as session:
            row = IntakeRequest(route_id=pager.route_id, received_at=NOW, body=body, outcomes=[])
            session.add(row)
    assert "nothing to compare with" in text(manager.get(f"{url}/edit"))
    manager.get(url)


@pytest.mark.both_databases
def test_a_replaced_token_works_for_as_long_as_was_chosen(
    app: Any, manager: Any, pager: Any
) -> None:
    old = token_of(create(manager))
    page = manager.get(f"{ROUTES}/prometheus/token")
    assert "is shown once" in text(page)
    new = token_of(form_of(page).submit())
    assert new != old
    assert "The token before it works until" in text(manager.get(f"{ROUTES}/prometheus"))
    send(app, old)
    send(app, new)
    app.registry["clock"] = lambda: NOW + timedelta(hours=24)
    send(app, old, status=401)
    send(app, new)
    # One that has leaked stops at once, and so does the one before it.
    form = form_of(manager.get(f"{ROUTES}/prometheus/token"))
    form["keep_old"] = "0"
    newest = token_of(form.submit())
    for token in (old, new):
        send(app, token, status=401)
    send(app, newest)


def test_how_long_the_old_token_works_is_a_choice(manager: Any, url: str) -> None:
    form = form_of(manager.get(f"{url}/token"))
    form["keep_old"].force_value("1000000")
    assert "Choose how long the old token works." in text(form.submit(status=422))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("alertmanager", ["send_resolved: true", "curl -fsS"]),
        ("zabbix", ["{$INCIDENTRELAY.URL} = http://localhost", "curl -fsS", "/download/media_"]),
        ("webhook", ["curl -fsS", "/api/integrations/webhook"]),
    ],
)
def test_each_source_has_snippets(manager: Any, source: str, expected: list[str]) -> None:
    page = create(manager, source=source)
    token = token_of(page)
    assert page.text.count(token) >= 2
    assert [one for one in expected if one not in page.text] == []


def test_the_curl_of_each_source_is_a_payload(app: Any, manager: Any) -> None:
    for source in ("alertmanager", "zabbix", "webhook"):
        page = create(manager, name=source, source=source)
        snippet = page.html.find("pre", string=re.compile("^curl")).string
        body = re.search(r"-d '(.*)'", snippet, re.DOTALL)
        assert body is not None
        client = Client(app, token=token_of(page))
        (item,) = client.post_json(f"/api/integrations/{source}", json.loads(body[1])).json
        assert item["outcome"] == "created"


def test_the_media_type_is_downloaded(manager: Any) -> None:
    page = create(manager, name="Zabbix", source="zabbix")
    answer = manager.get(re.findall(r'href="([^"]+/download/[^"]+)"', page.text)[0])
    assert answer.text.startswith("zabbix_export:")
    assert "attachment" in answer.headers["Content-Disposition"]
    for name in ("", "../problem.json", "nothing.yaml", "a/b"):
        manager.get(f"{ROUTES}/zabbix/download/{name}", status=404)


@pytest.mark.both_databases
def test_a_test_alert_fits_the_matchers_and_pages(manager: Any, pager: Any, url: str) -> None:
    with pager.database.write() as session:
        route = session.get_one(Route, pager.route_id)
        route.matchers = ["team=infra", 'env=~"prod|stage"', "silent!=yes", 'zone=~".*"']
    page = manager.get(f"{url}/test")
    assert form_of(page)["labels"].value == "team=infra\nenv=prod"
    assert "This really pages the person on call in" in text(page)
    alert = form_of(page).submit().follow()
    assert "Test alert sent." in text(alert)
    assert ("page", "ann", "pending") in pager.outbox()
    assert "Test from the console" in text(manager.get(url))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        ("team=web", "team=infra"),
        ("team", "Line 1: write a label like team=infra."),
        ("=x", "Line 1: write a label like team=infra."),
    ],
)
def test_a_test_alert_that_does_not_fit(
    manager: Any, pager: Any, url: str, labels: str, said: str
) -> None:
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).matchers = ["team=infra"]
    form = form_of(manager.get(f"{url}/test"))
    form["labels"] = labels
    answer = form.submit(status=422)
    assert said in text(answer)
    assert form_of(answer)["labels"].value == labels
    assert pager.outbox() == []


def test_a_route_that_is_off_sends_no_test(manager: Any, pager: Any, url: str) -> None:
    with pager.database.write() as session:
        session.get_one(Route, pager.route_id).enabled = False
    assert "disabled" in text(form_of(manager.get(f"{url}/test")).submit(status=409))


@pytest.mark.both_databases
def test_deleting_asks_about_open_alerts(manager: Any, pager: Any, url: str) -> None:
    assert "Delete the route" in text(manager.get(f"{url}/delete"))
    page = manager.get(f"{url}/delete")
    pager.take(a_signal("a"))
    # An alert that came meanwhile is not resolved unseen.
    assert "One alert of this route is open" in text(form_of(page).submit().follow())
    page = manager.get(f"{url}/delete")
    assert "Delete it and resolve its open alert" in text(page)
    assert "deleted." in text(form_of(page).submit().follow())
    manager.get(url, status=404)
    with pager.database.read() as session:
        assert pager.alert(session).status == "resolved"
