"""Work with a schedule through the API: preview, quality, gaps, and shifts that change hands."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from incidentrelay.db import Database
from incidentrelay.models import AuditEntry, Rotation, RotationOverride
from tests.support import factories

NOW = factories.NOW
NIGHTS_OFF = [{"weekday": weekday, "opens": "06:00", "closes": "22:00"} for weekday in range(7)]


@pytest.fixture
def pair(database: Any, cast: Any, core: str) -> str:
    """The address of a rotation that rex and tara share by weeks; rex has the present one."""
    with database.write() as session:
        people = (cast.users["tara"], cast.users["rex"])
        factories.rotation(session, cast.teams["core"].team, "pair", people)
    return f"{core}/rotations/pair"


def spans(rows: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(row["user"], row["starts_at"], row["ends_at"]) for row in rows]


def test_a_preview_shows_what_saving_does(login_as: Any, pair: str) -> None:
    gail = login_as("gail")
    layers = [{"key": 1, "members": ["tara"], "windows": NIGHTS_OFF}]
    shifts = f"{pair}/shifts?start=2026-03-10T12:00:00Z&end=2026-04-07T12:00:00Z"
    before = gail.get(shifts).json
    found = login_as("vera").post_json(f"{pair}/preview", {"layers": layers}).json
    assert found["before"] == before == gail.get(shifts).json
    assert found["changes"][:2] == [
        {
            "start": "2026-03-10T12:00:00Z",
            "end": "2026-03-10T22:00:00Z",
            "before": "rex",
            "after": "tara",
        },
        {
            "start": "2026-03-10T22:00:00Z",
            "end": "2026-03-11T06:00:00Z",
            "before": "rex",
            "after": None,
        },
    ]
    assert found["gaps"][0] == {"start": "2026-03-10T22:00:00Z", "end": "2026-03-11T06:00:00Z"}
    quality = found["quality"]
    assert (quality["gap_hours"], quality["single_member"], quality["zone"]) == (224, True, "UTC")
    assert quality["gaps"] == found["gaps"]
    assert quality["problems"][0] == {
        "kind": "gap",
        "sentence": "Nobody is on call from Tuesday, 10 March, 22:00"
        " to Wednesday, 11 March, 06:00 (8 h).",
        "user": None,
    }
    gail.patch_json(pair, {"layers": layers})
    assert found["after"] == gail.get(shifts).json


def test_a_preview_of_an_override(login_as: Any, pair: str) -> None:
    override = {"user": "mona", "ends_at": "2026-03-10T20:00:00Z"}
    body = {
        "overrides": [override],
        "from": "2026-03-10T12:00:00Z",
        "to": "2026-03-11T12:00:00Z",
    }
    found = login_as("vera").post_json(f"{pair}/preview", body).json
    assert found["after"][0] == {
        "user": "mona",
        "start": "2026-03-10T12:00:00Z",
        "end": "2026-03-10T20:00:00Z",
        "layer": None,
        "override_id": None,
    }
    people = {load["user"]: load for load in found["quality"]["people"]}
    assert (people["mona"]["member"], people["mona"]["hours"]) == (False, 8)
    assert login_as("vera").get(f"{pair}/overrides").json["items"] == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "2026-03-10T12:00:00"}, "from"),
        ({"to": "2026-03-10T12:00:00Z"}, "to"),
        ({"to": "2026-12-10T12:00:00Z"}, "to"),
        ({"from": "9999-12-31T12:00:00Z"}, "from"),
        ({"to": "9999-12-31T12:00:00Z"}, "to"),
        ({"name": "Other"}, "name"),
        ({"members": ["otto"]}, "members"),
        ({"overrides": [{"user": "rex"}]}, "overrides.0.ends_at"),
        (
            {"overrides": [{"user": "otto", "ends_at": "2026-03-11T12:00:00Z"}]},
            "overrides.0.user",
        ),
        ({"layers": [{"members": ["rex"], "windows": [{}]}]}, "layers.0.windows.0.weekday"),
    ],
)
def test_bad_previews(login_as: Any, pair: str, body: dict[str, Any], field: str) -> None:
    answer = login_as("vera").post_json(f"{pair}/preview", body, status=422)
    assert field in answer.json["errors"]


def test_quality(login_as: Any, pair: str) -> None:
    found = login_as("vera").get(f"{pair}/quality").json
    assert (found["start"], found["end"]) == ("2026-03-10T12:00:00Z", "2026-04-07T12:00:00Z")
    assert (found["balance"], found["gaps"], found["problems"]) == (1, [], [])
    assert found["people"][0] == {
        "user": "tara",
        "display_name": "Tara",
        "member": True,
        "active": True,
        "reachable": True,
        "hours": 336,
        "night_hours": 112,
        "weekend_hours": 96,
    }
    week = f"{pair}/quality?from=2026-03-09T09:00:00Z&to=2026-03-16T09:00:00Z"
    assert login_as("vera").get(week).json["balance"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("from=2026-03-10T12:00:00Z&to=2026-03-10T12:00:00Z", "to"),
        ("from=2026-03-10T12:00:00Z&to=2026-07-10T12:00:00Z", "to"),
        ("from=1900-03-10T12:00:00Z", "from"),
        ("start=2026-03-10T12:00:00Z", "start"),
    ],
)
def test_bad_spans(login_as: Any, pair: str, query: str, field: str) -> None:
    answer = login_as("vera").get(f"{pair}/quality?{query}", status=422)
    assert list(answer.json["errors"]) == [field]


def test_gaps_warn_on_one_rotation_and_not_in_lists(
    login_as: Any, pair: str, core: str, query_count: Any
) -> None:
    gail = login_as("gail")
    assert gail.get(pair).json["gaps"] == {"count": 0, "first": None}
    layers = [{"key": 1, "windows": NIGHTS_OFF}]
    changed = gail.patch_json(pair, {"layers": layers}).json
    first = {"start": "2026-03-10T22:00:00Z", "end": "2026-03-11T06:00:00Z"}
    assert changed["gaps"] == {"count": 14, "first": first}
    assert gail.get(pair).json == changed
    rows = gail.get(f"{core}/rotations").json["items"]
    assert all("gaps" not in row for row in rows)
    with query_count() as queries:
        gail.get(pair)
    assert len(queries) <= 13, queries


def test_taking_a_shift(login_as: Any, pair: str, database: Any) -> None:
    tara = login_as("tara")
    (made,) = tara.post_json(f"{pair}/take", {}, status=201).json
    assert spans([made]) == [("tara", "2026-03-10T12:00:00Z", "2026-03-16T09:00:00Z")]
    assert (made["reason"], made["version"]) == ("Taken over from Rex.", 1)
    assert tara.get(made["url"]).json == made
    assert tara.get(f"{pair}/oncall").json["user"] == "tara"
    with database.read() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.actor, entry.subject) == ("tara", f"core/pair/{made['id']}")
    answer = tara.post_json(f"{pair}/take", {}, status=409)
    assert "already" in answer.json["detail"]
    (later,) = (
        login_as("mona")
        .post_json(
            f"{pair}/take",
            {"at": "2026-03-25T00:00:00+01:00", "until": "2026-03-25T08:00:00Z"},
            status=201,
        )
        .json
    )
    assert spans([later]) == [("mona", "2026-03-23T09:00:00Z", "2026-03-25T08:00:00Z")]


def test_covering(login_as: Any, pair: str) -> None:
    rex = login_as("rex")
    span = {"from": "2026-03-10T00:00:00Z", "to": "2026-03-24T09:00:00Z"}
    made = rex.post_json(f"{pair}/cover", {"user": "tara", **span}, status=201).json
    assert spans(made) == [
        ("tara", "2026-03-10T12:00:00Z", "2026-03-16T09:00:00Z"),
        ("tara", "2026-03-23T09:00:00Z", "2026-03-24T09:00:00Z"),
    ]
    body = {"user": "mona", "for": "tara", **span}
    (other,) = rex.post_json(f"{pair}/cover", body, status=201).json
    assert spans([other]) == [("mona", "2026-03-10T12:00:00Z", "2026-03-24T09:00:00Z")]


def test_swapping(login_as: Any, pair: str) -> None:
    body = {"mine": "2026-03-12T00:00:00Z", "theirs": "2026-03-18T00:00:00Z"}
    made = login_as("rex").post_json(f"{pair}/swap", body, status=201).json
    assert spans(made) == [
        ("rex", "2026-03-16T09:00:00Z", "2026-03-23T09:00:00Z"),
        ("tara", "2026-03-10T12:00:00Z", "2026-03-16T09:00:00Z"),
    ]


def test_a_swap_is_atomic(login_as: Any, pair: str, database: Any, cast: Any) -> None:
    """The second of its overrides would be longer than one may be."""
    rex = login_as("rex")
    with database.write() as session:
        rotation = session.get_one(Rotation, rex.get(pair).json["id"])
        factories.override(session, rotation, cast.users["rex"], ends_at=NOW + timedelta(days=400))
    body = {"mine": "2026-03-12T00:00:00Z", "theirs": "2027-04-27T00:00:00Z"}
    answer = rex.post_json(f"{pair}/swap", body, status=409)
    assert "longer than 366 days" in answer.json["detail"]
    with database.read() as session:
        query = select(RotationOverride).where(RotationOverride.rotation_id == rotation.id)
        assert [each.user_id for each in session.scalars(query)] == [cast.users["rex"].id]
        assert session.scalars(select(AuditEntry)).all() == []


@pytest.mark.parametrize(
    ("name", "body", "field"),
    [
        ("take", {"at": "now"}, "at"),
        ("take", {"until": "2026-03-10T11:00:00Z"}, "until"),
        ("take", {"at": "2026-03-03T11:00:00Z"}, "at"),
        ("cover", {}, "user"),
        (
            "cover",
            {
                "user": "otto",
                "from": "2026-03-10T11:00:00Z",
                "to": "2026-03-12T11:00:00Z",
            },
            "user",
        ),
        ("swap", {"mine": "2026-03-10T12:00:00Z"}, "theirs"),
        (
            "swap",
            {"mine": "2026-03-10T12:00:00Z", "theirs": "1066-03-18T00:00:00Z"},
            "theirs",
        ),
    ],
)
def test_bad_changes(login_as: Any, pair: str, name: str, body: dict[str, Any], field: str) -> None:
    answer = login_as("mona").post_json(f"{pair}/{name}", body, status=422)
    assert field in answer.json["errors"]


@pytest.mark.parametrize("name", ["take", "cover", "swap"])
def test_changes_need_the_permission(
    login_as: Any, with_token: Any, testapp: Any, pair: str, name: str
) -> None:
    login_as("vera").post_json(f"{pair}/{name}", {}, status=403)
    login_as("otto").post_json(f"{pair}/{name}", {}, status=404)
    testapp.post_json(f"{pair}/{name}", {}, status=401)
    with_token("resources:read").post_json(f"{pair}/{name}", {}, status=403)


def test_a_preview_waits_for_no_writer(login_as: Any, pair: str, database: Database) -> None:
    """It may be slow to compute; neither it nor intake may wait for the other."""
    with database.write() as session:
        session.scalar(select(Rotation.id))  # a transaction begins with its first statement
        login_as("vera").post_json(f"{pair}/preview", {}, status=200)


def test_a_token_that_reads_may_preview(with_token: Any, pair: str) -> None:
    with_token("resources:read").post_json(f"{pair}/preview", {})
    with_token("alerts:write").post_json(f"{pair}/preview", {}, status=404)


def test_only_members_of_the_group_can_take_shifts(login_as: Any, pair: str) -> None:
    answer = login_as("root").post_json(f"{pair}/take", {}, status=409)
    assert "Only members of the group" in answer.json["detail"]
