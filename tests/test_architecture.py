"""The floors: their imports, and the size of modules and functions."""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "incidentrelay"
MODULES = sorted((ROOT / PACKAGE).rglob("*.py"))

# Floor → the parts of the package that it may import, besides itself.
ALLOWED = {
    "domain": frozenset[str](),
    "models": frozenset({"domain"}),
    "transport": frozenset[str](),
    "ical": frozenset({"domain"}),
    "channels": frozenset({"domain", "transport"}),
    "integrations": frozenset({"domain", "json_text"}),
    "voice": frozenset({"domain", "transport"}),
    # The wiring's table of settings is data; the engines are made from it.
    "db": frozenset(
        {"settings", "models", "domain", "postgresql", "sqlite_locks", "facts_stamp", "rows"}
    ),
    "facts_stamp": frozenset({"models"}),
    "rows": frozenset[str](),
    "postgresql": frozenset({"json_text"}),
    "sqlite_locks": frozenset({"json_text"}),
    "json_text": frozenset[str](),
    "group_commit": frozenset[str](),
    "services": frozenset(
        {
            "domain",
            "models",
            "db",
            "facts_stamp",
            "transport",
            "channels",
            "ical",
            "integrations",
            "voice",
        }
    ),
    "web": frozenset(
        {
            "domain",
            "models",
            "db",
            "services",
            "channels",
            "ical",
            "integrations",
            "settings",
            "json_text",
            "group_commit",
        }
    ),
    "tasks": frozenset(
        {"domain", "models", "postgresql", "db", "services", "channels", "settings", "runtime"}
    ),
    "settings": frozenset[str](),
}
# The rooms of each floor, lowest first: a room imports those before it and no other.
ROOMS = {
    "domain": (
        "text enums errors actors permissions severity fingerprint messages"
        " matcher_syntax matchers local_time oncall"
        " calendar_grid silences alerts escalation intake delivery reports"
    ),
    "models": (
        "meta mixins audit heartbeat facts_stamp people tenancy oncall channels escalation intake"
        " alerts silences delivery"
    ),
    "services": (
        "common access channels oncall calendars reports recipients outbox people"
        " escalation alerts delivery tenancy intake silences simulation operations"
    ),
    "web": (
        "errors transactions without_transaction csv_export on_call_hours_table schemas"
        " resources security links feeds api console health metrics tweens"
    ),
    "web.schemas": (
        "base query audit channel silence simulate tenancy oncall alerts intake people policy"
    ),
    "web.resources": (
        "base collections grants contents oncall people alerts channels intake policies silences"
        " simulate tenancy first_steps place root"
    ),
    # The API and the console never import each other; see the test below.
    "web.api": "toolkit simulate people oncall channels silences policies intake alerts",
    "web.console": (
        "toolkit docs forms components alerts silences calendar rotations policies routes channels"
        " tenancy first_steps profile reports"
    ),
}
# Facts about the package as a whole, for every floor.
FACTS = {f"{PACKAGE}.__version__"}
FORBIDDEN_LIBRARIES = {
    "services": {"pyramid", "huey", "waitress", "webob", "transaction", "zope"},
    "models": {"pyramid", "huey", "waitress"},
    "channels": {"pyramid", "huey", "sqlalchemy"},
    "ical": {"pyramid", "huey", "sqlalchemy"},
    "integrations": {"pyramid", "huey", "sqlalchemy"},
    "transport": {"pyramid", "huey", "sqlalchemy"},
    "tasks": {"pyramid"},
    "web": {"huey"},
}
DOMAIN_LIBRARIES = sys.stdlib_module_names | {"re2"}
# In the domain, the time is always given, and chance too.
IMPURE = {"random", "secrets", "logging", "os", "pathlib", "socket", "subprocess", "time"}
CLOCKS = {"now", "utcnow", "today"}
MOST_LINES_OF_MODULE = 250
MOST_LINES_OF_FUNCTION = 40
MOST_LINES_OF_VIEW = 15
MOST_POSITIONAL = 6
MOST_MODULES = 12
BAD_NAMES = {"utils", "helpers", "common", "misc", "manager"}


def floor_of(path: Path) -> str:
    """The first part of a module's name below the package."""
    return path.relative_to(ROOT / PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, wherever in it.

    Imports for type checkers never run, so they do not count.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    skipped = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for part in node.body
        for child in ast.walk(part)
    }
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} imports relatively"
            for alias in node.names:
                yield node.lineno, f"{node.module}.{alias.name}"


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


@pytest.mark.parametrize("floor", ALLOWED)
def test_floors_import_only_allowed_floors(floor: str) -> None:
    allowed = ALLOWED[floor] | {floor}
    wrong = [
        f"{place(path, line)} imports {name}"
        for path in MODULES
        if floor_of(path) == floor
        for line, name in imports(path)
        if name.split(".")[0] == PACKAGE and name.split(".")[1] not in allowed and name not in FACTS
    ]
    assert wrong == []


def rooms_above(floor: str) -> Iterator[str]:
    """Imports of a floor that lead from one of its rooms to a higher one, or to none listed."""
    order = ROOMS[floor].split()
    folder = ROOT / PACKAGE / floor.replace(".", "/")
    for path in sorted(folder.rglob("*.py")):
        room = path.relative_to(folder).parts[0].removesuffix(".py")
        if room == "__init__":
            continue
        for line, name in imports(path):
            other = name.removeprefix(f"{PACKAGE}.{floor}.").partition(".")[0]
            inside = name.startswith(f"{PACKAGE}.{floor}.") and other != room
            if inside and (other not in order or order.index(other) > order.index(room)):
                yield f"{place(path, line)} imports {name}"


@pytest.mark.parametrize("floor", ROOMS)
def test_rooms_import_only_rooms_below(floor: str) -> None:
    assert list(rooms_above(floor)) == []


@pytest.mark.parametrize("floor", ROOMS)
def test_every_room_is_listed_and_small(floor: str) -> None:
    folder = ROOT / PACKAGE / floor.replace(".", "/")
    found = {path.stem for path in folder.iterdir() if path.suffix == ".py"} | {
        path.name for path in folder.iterdir() if (path / "__init__.py").exists()
    }
    assert found - {"__init__"} == set(ROOMS[floor].split())


@pytest.mark.parametrize(("face", "other"), [("api", "console"), ("console", "api")])
def test_api_and_console_do_not_import_each_other(face: str, other: str) -> None:
    wrong = [
        f"{place(path, line)} imports {name}"
        for path in MODULES
        if path.is_relative_to(ROOT / PACKAGE / "web" / face)
        for line, name in imports(path)
        if name.startswith(f"{PACKAGE}.web.{other}.")
    ]
    assert wrong == []


def test_no_package_has_more_modules_than_fit_on_a_screen() -> None:
    sizes = Counter(path.parent for path in MODULES if path.name != "__init__.py")
    assert {str(k.relative_to(ROOT)): n for k, n in sizes.items() if n > MOST_MODULES} == {}


@pytest.mark.parametrize("floor", FORBIDDEN_LIBRARIES)
def test_no_floor_uses_the_libraries_of_another(floor: str) -> None:
    wrong = [
        f"{place(path, line)} imports {name}"
        for path in MODULES
        if floor_of(path) == floor
        for line, name in imports(path)
        if name.split(".")[0] in FORBIDDEN_LIBRARIES[floor]
    ]
    assert wrong == []


# Web code outside of the tree composes no SQL. Pagination orders and limits a statement that
# a node or a service made; the errors of the database become responses.
_SQL_IN_WEB = {"web/api/toolkit/pagination.py": {"Select", "and_", "or_", "InstrumentedAttribute"}}
_SQL_IN_NODES = {"Select", "select", "false", "joinedload", "selectinload", "InstrumentedAttribute"}
_EXCEPTIONS = {"sqlalchemy.exc", "sqlalchemy.orm.exc"}


def test_the_web_composes_no_sql() -> None:
    """A node may declare the ``select`` of its rows; everything else is a service."""
    wrong = []
    for path in MODULES:
        relative = path.relative_to(ROOT / PACKAGE).as_posix()
        if not relative.startswith("web/"):
            continue
        nodes = _SQL_IN_NODES if relative.startswith("web/resources/") else set()
        allowed = nodes | _SQL_IN_WEB.get(relative, set()) | {"Session"}
        wrong += [
            f"{place(path, line)} imports {name}"
            for line, name in imports(path)
            if name.split(".")[0] == "sqlalchemy"
            and name.rpartition(".")[0] not in _EXCEPTIONS
            and name.rpartition(".")[2] not in allowed
        ]
    assert wrong == []


def test_the_domain_is_pure_and_uses_the_standard_library() -> None:
    wrong = [
        f"{place(path, line)} imports {name}"
        for path in MODULES
        if floor_of(path) == "domain"
        for line, name in imports(path)
        if (root := name.split(".")[0]) != PACKAGE
        and (root not in DOMAIN_LIBRARIES or root in IMPURE)
    ]
    assert wrong == []


@pytest.mark.parametrize("floor", ["domain", "services"])
def test_nothing_below_the_edges_reads_the_clock(floor: str) -> None:
    wrong = [
        f"{place(path, node.lineno)}: {ast.unparse(node)}"
        for path in MODULES
        if floor_of(path) == floor
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in CLOCKS
        and ast.unparse(node.func.value) in {"datetime", "date", "datetime.datetime"}
    ]
    assert wrong == []


def test_services_never_end_a_transaction() -> None:
    wrong = [
        f"{place(path, node.lineno)}: {ast.unparse(node)}"
        for path in MODULES
        if floor_of(path) == "services"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in {"commit", "rollback"}
    ]
    assert wrong == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_named_after_nouns_and_have_a_limited_size(path: Path) -> None:
    assert path.stem not in BAD_NAMES
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES_OF_MODULE


def test_every_part_of_the_package_is_on_a_floor() -> None:
    wiring = {"__init__", "cli", "log_setup", "migrations", "runtime"}
    assert {floor_of(path) for path in MODULES} <= set(ALLOWED) | wiring


def functions() -> Iterator[tuple[Path, ast.FunctionDef]]:
    """Every function and method of the package."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef):
                yield path, node


def size(function: ast.FunctionDef) -> int:
    """Its lines from ``def`` to the end: arguments and docstring count, decorators do not."""
    return (function.end_lineno or 0) - function.lineno + 1


def test_a_function_fits_on_a_screen() -> None:
    long = [
        f"{place(path, function.lineno)}: {function.name} has {size(function)} lines"
        for path, function in functions()
        if size(function) > MOST_LINES_OF_FUNCTION
    ]
    assert long == []


def test_a_call_can_be_read_without_counting_arguments() -> None:
    """Further arguments are passed by name, or as one value."""
    wide = [
        f"{place(path, function.lineno)}: {function.name}"
        for path, function in functions()
        if len(
            [
                argument
                for argument in (*function.args.posonlyargs, *function.args.args)
                if argument.arg not in {"self", "cls"}
            ]
        )
        > MOST_POSITIONAL
    ]
    assert wide == []


def test_the_name_of_a_class_says_which_one_it_is() -> None:
    """Top-level classes have unique names."""
    found: dict[str, list[str]] = {}
    for path in MODULES:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef):
                found.setdefault(node.name, []).append(place(path, node.lineno))
    assert {name: places for name, places in found.items() if len(places) > 1} == {}


# What makes a function of each face a view.
_VIEWS = {
    "api": ("api_view", "shift_change"),
    "console": ("console_view", "action_view", "confirm_delete", "own_form", "responding"),
}


@pytest.mark.parametrize("face", _VIEWS)
def test_a_view_fits_into_15_lines(face: str) -> None:
    """A view reads the request and calls one service."""
    long = [
        f"{place(path, function.lineno)}: {function.name} has {size(function)} lines"
        for path, function in functions()
        if path.is_relative_to(ROOT / PACKAGE / "web" / face)
        and any(ast.unparse(each).startswith(_VIEWS[face]) for each in function.decorator_list)
        and size(function) > MOST_LINES_OF_VIEW
    ]
    assert long == []
