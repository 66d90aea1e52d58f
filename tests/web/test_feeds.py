"""Calendar feeds over HTTP: the user's list, and what calendar programs read."""

import io
import logging
from typing import Any

import pytest
import vobject
from icalendar import Calendar

from incidentrelay.log_setup import formatter
from incidentrelay.models import User

HOST = "http://localhost"


def make(client: Any, **body: Any) -> Any:
    return client.post_json("/api/me/feeds", {"scope": "user", **body}, status=201).json


def read(testapp: Any, address: str, **options: Any) -> Any:
    return testapp.get(address.removeprefix(HOST), **options)


def test_a_life(login_as: Any, testapp: Any, cast: Any) -> None:
    rex = login_as("rex")
    rotation = cast.teams["core"].rotation
    made = make(rex, scope="rotation", rotation_id=rotation.id)
    address = made["address"]
    assert address.startswith(f"{HOST}/feeds/ir_f_")
    assert address.endswith(".ics")
    assert (made["scope"], made["name"]) == ("rotation", "Core, Primary")
    answer = read(testapp, address)
    assert answer.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Set-Cookie" not in answer.headers
    calendar = vobject.readOne(answer.text)
    assert {event.summary.value for event in calendar.vevent_list} == {"On call: Primary (Rex)"}
    (listed,) = rex.get("/api/me/feeds").json["items"]
    assert "address" not in listed
    assert address not in str(listed)
    assert listed["permissions"] == ["view", "edit", "delete"]
    assert listed == {**rex.get(listed["url"]).json}
    again = rex.post_json(f"{listed['url']}/regenerate", status=200).json
    assert again["hint"] == listed["hint"][:5] + again["hint"][5:]
    read(testapp, address, status=404)
    read(testapp, again["address"], status=200)
    rex.delete(listed["url"], status=204)
    read(testapp, again["address"], status=404)
    assert rex.get("/api/me/feeds").json["items"] == []


def test_a_current_copy_gets_304(login_as: Any, testapp: Any, database: Any) -> None:
    address = make(login_as("rex"))["address"]
    first = read(testapp, address)
    head = testapp.head(address.removeprefix(HOST))
    assert head.headers["ETag"] == first.headers["ETag"]
    assert head.body == b""
    same = read(testapp, address, headers={"If-None-Match": first.headers["ETag"]}, status=304)
    assert same.body == b""
    assert same.headers["ETag"] == first.headers["ETag"]
    with database.write() as session:
        session.query(User).filter_by(username="rex").update({"display_name": "Rexford"})
    changed = read(testapp, address, headers={"If-None-Match": first.headers["ETag"]}, status=200)
    assert "Rexford" in changed.text
    assert changed.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize(
    "name", ["x", "ir_f_", "ir_f_" + "A" * 43 + "00000000", "%E2%80%A8", "a" * 5000]
)
def test_an_unknown_feed_is_not_found(testapp: Any, name: str) -> None:
    answer = testapp.get(f"/feeds/{name}.ics", status=404)
    assert answer.content_type == "text/plain"
    assert "There is no such calendar feed." in answer.text


def test_other_credentials_are_no_feeds_and_feeds_are_no_credentials(
    login_as: Any, testapp: Any, with_token: Any, cast: Any
) -> None:
    for token in (cast.cookies["gail"], *cast.tokens.values(), cast.teams["core"].token):
        testapp.get(f"/feeds/{token}.ics", status=404)
    token = make(login_as("gail"))["address"].split("/")[-1].removesuffix(".ics")
    with_token(token).get("/api/me", status=401)
    with_token(token).get("/api/rotations", status=401)
    testapp.set_cookie("incidentrelay", token)
    testapp.get("/api/me", status=401)


def test_feeds_are_ones_own(login_as: Any, cast: Any) -> None:
    made = make(login_as("rex"))
    vera = login_as("vera")
    assert vera.get("/api/me/feeds").json["items"] == []
    vera.post_json(f"{made['url']}/regenerate", status=404)
    vera.delete(made["url"], status=404)
    foreign = {"scope": "team", "team_id": cast.teams["web"].team.id}
    errors = vera.post_json("/api/me/feeds", foreign, status=422).json["errors"]
    assert list(errors) == ["team_id"]
    make(vera, scope="team", team_id=cast.teams["core"].team.id)


def test_a_token_needs_to_read_schedules_itself(with_token: Any) -> None:
    answer = with_token("profile:write").post_json("/api/me/feeds", {"scope": "user"}, status=403)
    assert "resources:read" in answer.json["detail"]


def test_a_deactivated_user_has_no_feed(login_as: Any, testapp: Any, cast: Any) -> None:
    address = make(login_as("vera"), scope="team", team_id=cast.teams["core"].team.id)["address"]
    assert Calendar.from_ical(read(testapp, address).body).walk("VEVENT")
    login_as("root").patch_json("/api/users/vera", {"active": False})
    read(testapp, address, status=404)


@pytest.mark.parametrize("form", ["json", "text"])
def test_no_log_shows_the_token(login_as: Any, form: str) -> None:
    address = make(login_as("rex"))["address"]
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter(form))
    record = logging.makeLogRecord({"msg": "GET %s", "args": (address,), "path": address})
    handler.handle(record)
    assert "/feeds/ir_f_[redacted]" in stream.getvalue()
    assert address.split("ir_f_")[1][:20] not in stream.getvalue()
