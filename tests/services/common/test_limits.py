"""Limits are stated once, and the API accepts what the services accept."""

import ast
from pathlib import Path
from typing import Any

import incidentrelay
from incidentrelay.services.common import limits

PACKAGE = Path(incidentrelay.__file__).parent
CORE = "/api/groups/sre/teams/core"


_CHECKS = {
    f"{module}.{name}"
    for module, names in (
        ("validation", ("number", "line", "prose", "listing")),
        ("validate", ("Length", "Range")),
    )
    for name in names
} | {"number"}


def _bounds(call: ast.Call) -> list[ast.expr]:
    return [each.value for each in call.keywords if each.arg in {"min", "max"}]


def test_no_limit_is_written_beside_a_field() -> None:
    """A schema once had ``number(0, 86400)``, and its service ``number(0, 604800)``."""
    wrong = []
    for path in [*(PACKAGE / "web/schemas").rglob("*.py"), *(PACKAGE / "services").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) not in _CHECKS:
                continue
            if any(
                isinstance(each, ast.BinOp)
                or (isinstance(each, ast.Constant) and each.value not in (0, 1))
                for each in [*node.args, *_bounds(node)]
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
