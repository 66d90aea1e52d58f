"""The on-call report through the API: JSON, CSV, and errors."""

import csv
import io
from typing import Any

import pytest

from incidentrelay.db import Database
from incidentrelay.models import User
from incidentrelay.web import csv_export

WHERE = "/api/reports/on-call"
WEEK = "from=2026-03-09&to=2026-03-15"


def test_the_report(login_as: Any) -> None:
    answer = login_as("vera").get(f"{WHERE}?{WEEK}&team=core").json
    assert {name: answer[name] for name in ("from", "to", "zone", "start", "end")} == {
        "from": "2026-03-09",
        "to": "2026-03-15",
        "zone": "UTC",
        "start": "2026-03-09T00:00:00Z",
        "end": "2026-03-16T00:00:00Z",
    }
    hours = {"weekday": 80.0, "night": 40.0, "weekend": 48.0, "holiday": 0.0, "total": 168.0}
    line = {"user": "rex", "name": "Rex", "hours": hours, "pages": 0, "night_pages": 0}
    place = {"group": "sre", "team": "core", "rotation": "primary"}
    assert answer["lines"] == [line | place]
    assert answer["people"] == [line]
    assert answer["total"]["hours"] == hours


def test_everybody_sees_their_own_teams(login_as: Any) -> None:
    def teams(name: str) -> list[str]:
        return [line["team"] for line in login_as(name).get(f"{WHERE}?{WEEK}").json["lines"]]

    assert teams("vera") == ["core", "edge"]
    assert teams("otto") == ["web"]
    assert login_as("otto").get(f"{WHERE}?{WEEK}&team=core").json["lines"] == []


def test_own_nights_and_weekends(login_as: Any) -> None:
    query = f"{WHERE}?{WEEK}&team=core&night_from=00:00&night_to=01:00"
    total = login_as("vera").get(f"{query}&weekend=4,5").json["total"]["hours"]
    assert (total["night"], total["weekend"]) == (5.0, 48.0)
    assert login_as("vera").get(f"{query}&weekend=none").json["total"]["hours"]["night"] == 7.0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("to=2026-03-15", "from"),
        ("from=x&to=2026-03-15", "from"),
        ("from=2026-03-09&to=2026-03-01", "to"),
        ("from=2026-03-09&to=2027-12-31", "to"),
        ("from=0001-01-01&to=0001-01-02", "from"),
        (f"{WEEK}&zone=Mars", "zone"),
        (f"{WEEK}&country=XX", "country"),
        (f"{WEEK}&country=DE&subdivision=XX", "subdivision"),
        (f"{WEEK}&night_from=25:00", "night_from"),
        (f"{WEEK}&weekend=7", "weekend"),
        (f"{WEEK}&what=1", "what"),
    ],
)
@pytest.mark.parametrize("where", [WHERE, f"{WHERE}.csv"])
def test_invalid_parameters_are_rejected(login_as: Any, where: str, query: str, field: str) -> None:
    answer = login_as("vera").get(f"{where}?{query}", status=422)
    assert field in answer.json["errors"]


def test_the_table(login_as: Any, database: Database, cast: Any) -> None:
    with database.write() as session:
        session.get_one(User, cast.users["rex"].id).display_name = '=HYPERLINK("x","Réx, y")'
    answer = login_as("vera").get(f"{WHERE}.csv?{WEEK}&team=core")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    name = 'attachment; filename="on-call-2026-03-09-2026-03-15.csv"'
    assert answer.headers["Content-Disposition"] == name
    head, row = csv.reader(io.StringIO(answer.body.decode(), newline=""))
    named = dict(zip(head, row, strict=True))
    assert named["name"] == '\'=HYPERLINK("x","Réx, y")'
    assert (named["username"], named["rotation"]) == ("rex", "primary")
    assert (named["weekday_hours"], named["total_hours"]) == ("80.00", "168.00")
    assert answer.body.endswith(b"168.00,0,0\r\n")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\t=1", "  =1", "＝1"])
def test_no_text_becomes_a_formula(text: str) -> None:
    (row,) = list(csv.reader(io.StringIO(csv_export.table([text], []), newline=""))) or [[]]
    assert row == [text]
    _, row = csv.reader(io.StringIO(csv_export.table(["head"], [[text]]), newline=""))
    assert row == [f"'{text}"]


def test_a_token_of_the_right_scope_may_read_it(testapp: Any, cast: Any) -> None:
    for scope, status in (("resources:read", 200), ("alerts:read", 404)):
        headers = {"Authorization": f"Bearer {cast.tokens[scope]}"}
        testapp.get(f"{WHERE}.csv?{WEEK}", headers=headers, status=status)
