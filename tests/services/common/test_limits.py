"""Limits are stated once, and the API lets through what the services take."""

import ast
from pathlib import Path
from typing import Any

import incidentrelay
from incidentrelay.services.common import limits

PACKAGE = Path(incidentrelay.__file__).parent
CORE = "/api/groups/sre/teams/core"


def test_no_range_of_numbers_is_written_beside_a_field() -> None:
    """``number(0, 86400)`` in a schema and ``number(0, 604800)`` in a service once met."""
    wrong = []
    for path in [*(PACKAGE / "web/schemas").rglob("*.py"), *(PACKAGE / "services").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = ast.unparse(node.func)
            if name in {"number", "validation.number"} and any(
                isinstance(each, ast.BinOp)
                or (isinstance(each, ast.Constant) and each.value not in (0, 1))
                for each in node.args
            ):
                wrong.append(f"{path.relative_to(PACKAGE)}:{node.lineno} {ast.unparse(node)}")
    assert wrong == [], "state it in services/common/limits.py"


def test_the_api_takes_the_whole_range(login_as: Any) -> None:
    gail = login_as("gail")
    route = {"name": "Wide", "source": "webhook"}
    route |= {
        "position": limits.ROUTE_POSITION.high,
        "reopen_window": limits.REOPEN_WINDOW.high,
        "auto_resolve_after": limits.AUTO_RESOLVE_AFTER.high,
    }
    made = gail.post_json(f"{CORE}/routes", route, status=201).json
    assert {name: made[name] for name in route} == route
    for name in ("position", "reopen_window", "auto_resolve_after"):
        answer = gail.post_json(
            f"{CORE}/routes", route | {"name": name, name: route[name] + 1}, status=422
        )
        assert list(answer.json["errors"]) == [name]
