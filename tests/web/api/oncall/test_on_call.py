"""Who is on call, through the API."""

from itertools import pairwise
from typing import Any

import pytest

from tests.support import factories


def test_everybody_sees_their_own_rotations(login_as: Any, core: str) -> None:
    rows = login_as("vera").get("/api/oncall").json["items"]
    assert [(row["team"], row["rotation"], row["user"]) for row in rows] == [
        ("core", "primary", "rex"),
        ("edge", "primary", "rex"),
    ]
    (only,) = login_as("otto").get("/api/oncall").json["items"]
    assert (only["group"], only["user"], only["override"]) == ("apps", "otto", True)
    assert login_as("vera").get("/api/oncall?team=edge&group=sre").json["items"] == [rows[1]]
    assert login_as("vera").get(f"{core}/rotations/primary/oncall").json == rows[0]


def test_only_one_rotation_or_person(login_as: Any, core: str, database: Any, cast: Any) -> None:
    with database.write() as session:
        factories.rotation(session, cast.teams["core"].team, "pair", (cast.users["tara"],))
    vera = login_as("vera")

    def asked(query: str) -> list[tuple[str, str]]:
        rows = vera.get(f"/api/oncall?{query}").json["items"]
        return [(row["rotation"], row["user"]) for row in rows]

    assert asked("rotation=pair") == asked("user=tara") == [("pair", "tara")]
    assert asked("user=rex&team=core") == [("primary", "rex")]
    assert asked("user=nobody-of-that-name") == []


def test_another_time(login_as: Any, core: str, database: Any, cast: Any) -> None:
    with database.write() as session:
        people = (cast.users["rex"], cast.users["tara"])
        factories.rotation(session, cast.teams["core"].team, "pair", people)
    url = f"{core}/rotations/pair/oncall"
    rex = login_as("rex")
    first = rex.get(f"{url}?at=2026-01-06T00:00:00Z").json
    assert (first["user"], first["until"]) == ("rex", "2026-01-12T09:00:00Z")
    assert (first["next_user"], first["next_at"]) == ("tara", first["until"])
    assert rex.get(f"{url}?at=2026-01-13T00:00:00%2B02:00").json["user"] == "tara"
    shifts = rex.get(f"{core}/rotations/pair/shifts?start=2026-01-05T09:00:00Z").json
    assert [shift["user"] for shift in shifts] == ["rex", "tara", "rex", "tara", "rex"]
    assert all(a["end"] == b["start"] for a, b in pairwise(shifts))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("at=2026-01-06T00:00:00", "at"),
        ("at=9999-12-31T23:59:59Z", "at"),
        ("at=0001-01-01T00:00:00Z", "at"),
        ("at=now", "at"),
    ],
)
def test_impossible_times_are_refused(login_as: Any, core: str, query: str, field: str) -> None:
    for path in ("/api/oncall", f"{core}/rotations/primary/oncall"):
        answer = login_as("rex").get(f"{path}?{query}", status=422)
        assert list(answer.json["errors"]) == [field]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("start=2026-01-06T00:00:00Z&end=2026-01-06T00:00:00Z", "end"),
        ("start=2026-01-06T00:00:00Z&end=2036-01-06T00:00:00Z", "end"),
        ("start=1900-01-06T00:00:00Z", "start"),
        ("end=9999-12-31T00:00:00Z", "end"),
        ("begin=2026-01-06T00:00:00Z", "begin"),
    ],
)
def test_impossible_windows_are_refused(login_as: Any, core: str, query: str, field: str) -> None:
    url = f"{core}/rotations/primary/shifts?{query}"
    answer = login_as("rex").get(url, status=422)
    assert list(answer.json["errors"]) == [field]


def test_nobody_on_call_is_null(login_as: Any, core: str, database: Any, cast: Any) -> None:
    with database.write() as session:
        factories.rotation(session, cast.teams["core"].team, "empty")
    row = login_as("rex").get(f"{core}/rotations/empty/oncall").json
    assert (row["user"], row["since"], row["next_user"]) == (None, None, None)


@pytest.mark.parametrize("path", ["/api/oncall", "{core}/rotations/primary/oncall"])
def test_the_last_times_that_can_be_asked_about(login_as: Any, core: str, path: str) -> None:
    rex = login_as("rex")
    address = path.format(core=core)
    for at in ("1970-01-01T00:00:00Z", "2199-12-31T23:59:59Z"):
        rex.get(f"{address}?at={at}", status=200)
    for at in ("1969-12-31T23:59:59Z", "2200-01-01T00:00:00Z"):
        assert list(rex.get(f"{address}?at={at}", status=422).json["errors"]) == ["at"]
