"""Creating, reading, editing and deleting, for every noun by the same views."""

from typing import Any

import pytest

from incidentrelay.models import Team, User
from tests.web.conftest import CORE

GROUPS = "/api/groups"
WINDOW_LATER = {"starts_at": "2026-03-10T13:00:00Z", "ends_at": "2026-03-10T15:00:00Z"}

NOUNS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (GROUPS, {"name": "New Group"}, {"description": "Ours"}),
    (f"{GROUPS}/sre/members", {"username": "otto", "role": "viewer"}, {"role": "responder"}),
    (f"{GROUPS}/sre/teams", {"name": "Night Shift"}, {"fallback_user": "rex", "ack_timeout": 3600}),
    (f"{CORE}/members", {"username": "vera", "role": "responder"}, {"role": "manager"}),
    (
        f"{CORE}/rotations",
        {"name": "Second", "kind": "daily", "members": ["rex", "tara"], "zone": "Europe/Paris"},
        {"reminder_interval": 600},
    ),
    (f"{CORE}/rotations/primary/overrides", {"user": "tara", **WINDOW_LATER}, {"reason": "Ill"}),
    (
        f"{CORE}/policies",
        {
            "name": "Nights",
            "steps": [{"delay": 60, "targets": [{"kind": "rotation", "name": "primary"}]}],
        },
        {"repeat": 2},
    ),
    (f"{CORE}/channels", {"name": "Box", "kind": "inbox"}, {"enabled": False}),
    (
        f"{CORE}/routes",
        {
            "name": "Web",
            "source": "webhook",
            "matchers": ['team="db"'],
            "rotation": "primary",
            "channels": ["inbox"],
        },
        {"group_by": ["host"], "policy": "standard"},
    ),
    (f"{CORE}/silences", {"matchers": ["a=b"], **WINDOW_LATER}, {"reason": "Work"}),
    ("/api/users", {"username": "nora"}, {"display_name": "Nora N.", "zone": "Europe/Oslo"}),
]


@pytest.mark.parametrize(("where", "body", "change"), NOUNS, ids=lambda value: str(value)[-20:])
def test_a_noun_is_created_read_edited_replaced_and_deleted(
    login_as: Any, where: str, body: dict[str, Any], change: dict[str, Any]
) -> None:
    root = login_as("root")
    made = root.post_json(where, body, status=201)
    assert made.headers["Location"] == f"http://localhost{made.json['url']}"
    url = made.json["url"]
    read = root.get(url)
    assert read.json == {k: v for k, v in made.json.items() if k != "token"}
    assert read.headers["ETag"] == f'"{read.json["version"]}"'
    assert {"view", "edit", "delete"} <= set(read.json["permissions"])
    assert any(item["url"] == url for item in root.get(where).json["items"])

    edited = root.patch_json(url, change, headers={"If-Match": read.headers["ETag"]})
    assert edited.json.items() >= change.items()
    assert edited.json["version"] > read.json["version"]
    assert root.get(url).json == edited.json

    root.delete(url, headers={"If-Match": read.headers["ETag"]}, status=412)
    root.delete(url, headers={"If-Match": edited.headers["ETag"]}, status=204)
    root.get(url, status=404)


def test_put_replaces_and_patch_merges(login_as: Any) -> None:
    gail = login_as("gail")
    gail.patch_json(CORE, {"description": "Ours", "ack_timeout": 600, "ack_covers": 0})
    merged = gail.patch_json(CORE, {"name": "Core 2"}).json
    assert (merged["description"], merged["ack_timeout"]) == ("Ours", 600)
    assert merged["ack_covers"] == 0
    replaced = gail.put_json(CORE, {"name": "Core 3", "slug": "core"}).json
    assert (replaced["name"], replaced["description"]) == ("Core 3", "")
    assert (replaced["ack_timeout"], replaced["ack_covers"]) == (None, 3600)
    answer = gail.put_json(CORE, {"description": "No name"}, status=422)
    assert "name" in answer.json["errors"]


def test_slugs_never_change(login_as: Any) -> None:
    gail = login_as("gail")
    answer = gail.patch_json(CORE, {"slug": "other"}, status=422)
    assert answer.json["errors"] == {"slug": ["This never changes."]}
    gail.patch_json(f"{CORE}/routes/incoming", {"source": "zabbix"}, status=422)
    gail.patch_json(f"{CORE}/members/tara", {"username": "vera"}, status=422)
    gail.patch_json(f"{CORE}/members/tara", {"username": "tara", "role": "manager"}, status=200)


@pytest.mark.parametrize(
    ("header", "version", "status"),
    [
        (None, None, 200),
        ('"1"', None, 200),
        ("*", None, 200),
        ('"0", "1"', None, 200),
        ('"2"', None, 412),
        ('W/"1"', None, 412),
        (None, 1, 200),
        (None, 2, 412),
        ('"1"', 2, 412),
    ],
)
def test_only_the_current_version_can_be_edited(
    login_as: Any, header: str | None, version: int | None, status: int
) -> None:
    body = {"description": "New"} | ({"version": version} if version else {})
    headers = {"If-Match": header} if header else {}
    login_as("gail").patch_json(CORE, body, headers=headers, status=status)


def test_unknown_and_readonly_fields_are_errors(login_as: Any) -> None:
    answer = login_as("gail").patch_json(
        CORE, {"nmae": "x", "id": 7, "permissions": ["edit"], "group": "apps"}, status=422
    )
    assert set(answer.json["errors"]) == {"nmae", "id", "permissions", "group"}


@pytest.mark.parametrize(
    "field", ["is_admin", "active", "id", "groups", "role", "password_hash", "password"]
)
def test_nobody_can_raise_their_own_role(
    login_as: Any, database: Any, cast: Any, field: str
) -> None:
    login_as("vera").patch_json("/api/me", {field: True}, status=422)
    with database.read() as session:
        assert session.get_one(User, cast.users["vera"].id).is_admin is False


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": 7}, "name"),
        ({"name": "x" * 121}, "name"),
        ({"active": 1.5}, "active"),
        ({"active": "true"}, "active"),
        ({"ack_timeout": 59}, "ack_timeout"),
        ({"ack_timeout": "600"}, "ack_timeout"),
        ({"ack_timeout": 10**30}, "ack_timeout"),
        ({"fallback_user": "otto"}, "fallback_user"),
        ({"fallback_user": "nobody"}, "fallback_user"),
        ({"version": 2**70}, "version"),
    ],
)
def test_a_wrong_value_is_named(login_as: Any, body: dict[str, Any], field: str) -> None:
    answer = login_as("gail").patch_json(CORE, body, status=422)
    assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize(
    "body",
    [
        {"starts_at": "2026-03-10T13:00:00", "ends_at": "2026-03-10T14:00:00Z"},
        {"starts_at": "0001-01-01T00:00:00+14:00", "ends_at": "2026-03-10T14:00:00Z"},
        {"starts_at": "yesterday", "ends_at": "2026-03-10T14:00:00Z"},
        {"starts_at": 1, "ends_at": "2026-03-10T14:00:00Z"},
        {"starts_at": "2026-03-10T13:00:00Z", "ends_at": None},
    ],
)
def test_times_are_aware_and_in_range(login_as: Any, body: dict[str, Any]) -> None:
    body = {"matchers": ["a=b"], **body}
    login_as("rex").post_json(f"{CORE}/silences", body, status=422)


def test_a_taken_slug_is_a_conflict(login_as: Any) -> None:
    gail = login_as("gail")
    gail.post_json(f"{GROUPS}/sre/teams", {"name": "Core"}, status=409)
    gail.post_json(f"{GROUPS}/sre/teams", {"name": "x", "slug": "new"}, status=422)


def test_nested_errors_have_dotted_names(login_as: Any) -> None:
    body = {"name": "x", "steps": [{"delay": -1, "targets": [{"kind": "cat", "name": "x"}]}]}
    answer = login_as("gail").post_json(f"{CORE}/policies", body, status=422)
    assert set(answer.json["errors"]) == {"steps.0.delay", "steps.0.targets.0.kind"}


def test_bad_matchers_say_where(login_as: Any) -> None:
    body = {"matchers": ['a="b'], **WINDOW_LATER}
    answer = login_as("rex").post_json(f"{CORE}/silences", body, status=422)
    assert "At character" in answer.json["errors"]["matchers.0"][0]


def test_a_routes_token_is_shown_once(login_as: Any, database: Any, with_token: Any) -> None:
    mona = login_as("mona")
    made = mona.post_json(f"{CORE}/routes", {"name": "Z", "source": "webhook"}, status=201).json
    assert made["token"].startswith(made["token_hint"])
    assert made["intake_url"] == "http://localhost/api/integrations/webhook"
    assert "token" not in mona.get(made["url"]).json
    alert = {"title": "Disk", "labels": {"a": "b"}}
    with_token(made["token"]).post_json("/api/integrations/webhook", alert, status=200)
    second = mona.post(f"{made['url']}/token").json["token"]
    with_token(made["token"]).post_json("/api/integrations/webhook", alert, status=401)
    with_token(second).post_json("/api/integrations/webhook", alert, status=200)
    login_as("vera").post(f"{made['url']}/token", status=403)
    login_as("otto").post(f"{made['url']}/token", status=404)


def test_secrets_of_channels_are_write_only(login_as: Any) -> None:
    mona = login_as("mona")
    body = {
        "name": "Hook",
        "kind": "webhook",
        "config": {
            "url": "https://hooks.example/x",
            "secret": "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0",
        },
    }
    made = mona.post_json(f"{CORE}/channels", body, status=201)
    assert made.json["config"]["secret"] == "***"
    assert "c2Vj" not in made.text + mona.get(made.json["url"]).text
    kept = mona.patch_json(made.json["url"], {"config": {"secret": "***", "headers": {"A": "b"}}})
    assert kept.json["config"]["secret"] == "***"
    audit = login_as("gail").get(f"{GROUPS}/sre/audit").text
    assert "c2Vj" not in audit


def test_who_may_see_but_not_do_gets_403_and_a_stranger_404(login_as: Any) -> None:
    for who, status in (("vera", 403), ("tara", 403), ("rex", 403), ("otto", 404)):
        login_as(who).patch_json(CORE, {"name": "x"}, status=status)
        login_as(who).delete(CORE, status=status)
    assert login_as("vera").get(CORE).json["permissions"] == ["view"]
    assert login_as("tara").get(CORE).json["permissions"] == [
        "view",
        "respond",
        "silence",
        "override",
    ]


def test_failed_requests_write_nothing(login_as: Any, database: Any, cast: Any) -> None:
    gail = login_as("gail")
    gail.patch_json(CORE, {"name": "Renamed", "fallback_user": "otto"}, status=422)
    with database.read() as session:
        assert session.get_one(Team, cast.teams["core"].team.id).name == "Core"


@pytest.mark.parametrize(
    "path",
    [
        "/api/alerts/0",
        "/api/alerts/01",
        "/api/alerts/-1",
        "/api/alerts/99999999999999999999",
        "/api/alerts/9223372036854775807",
        "/api/alerts/١",
        "/api/alerts/x",
        "/api/groups/sre/teams/core/extra/segments",
        "/api/nothing",
        "/apifoo",
        "/api/login",
    ],
)
def test_missing_objects_answer_404(login_as: Any, path: str) -> None:
    from urllib.parse import quote

    login_as("root").get(quote(path), status=404)


def test_a_view_takes_no_further_segments(login_as: Any, cast: Any) -> None:
    url = f"/api/alerts/{cast.teams['core'].alert.id}"
    login_as("rex").post(f"{url}/ack/more", status=404)
    login_as("rex").post(f"{url}/ack/", status=200)


def test_reserved_names_cannot_be_slugs(app: Any) -> None:
    from incidentrelay.services.common.slugs import RESERVED
    from incidentrelay.web.resources.root import reserved_names

    assert {"ack", "oncall", "shifts", "token"} <= reserved_names(app.registry)
    assert {name for name in reserved_names(app.registry) if name.isalnum()} <= RESERVED
