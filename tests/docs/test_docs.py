"""The documentation: complete, up to date, and without dead links."""

import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from incidentrelay.channels.registry import default_registry as default_channels
from incidentrelay.cli.main import COMMANDS
from incidentrelay.domain.enums import AlertStatus, DeliveryState, GroupRole, Outcome, TeamRole
from incidentrelay.domain.permissions import Permission, Scope
from incidentrelay.integrations import default_registry as default_integrations
from incidentrelay.settings.declaration import KEYS
from incidentrelay.settings.key import PREFIX

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
FRONT = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]

_FENCE = re.compile(r"^(`{3,})(\w*)[^\n]*\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return _FENCE.sub("", text)


def anchors(path: Path) -> set[str]:
    """The names of a page's headings, as sites make them."""
    headings = re.findall(r"^#+ (.+)$", prose(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {
        re.sub(r"[\s]+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
        for heading in headings
    }


def links() -> Iterator[tuple[Path, str]]:
    for path in [*PAGES, *FRONT]:
        for target in _LINK.findall(prose(path.read_text(encoding="utf-8"))):
            if not re.match(r"[a-z]+:", target):
                yield path, target


def is_dead(path: Path, target: str) -> bool:
    name, _, anchor = target.partition("#")
    found = (path.parent / name).resolve() if name else path
    if not found.exists():
        return True
    return bool(anchor) and anchor not in anchors(found)


def test_every_link_has_a_target() -> None:
    dead = [
        f"{path.relative_to(ROOT)} → {target}" for path, target in links() if is_dead(path, target)
    ]
    assert dead == []


def test_pages_do_not_link_out_of_the_documentation() -> None:
    out = [
        f"{path.relative_to(ROOT)} → {target}"
        for path, target in links()
        if path not in FRONT and not (path.parent / target).resolve().is_relative_to(DOCS)
    ]
    assert out == []


def test_generated_parts_are_up_to_date() -> None:
    generated: Any = runpy.run_path(str(DOCS / "generate.py"))["generated"]
    stale = [
        str(path.relative_to(ROOT))
        for path in PAGES
        if generated(text := path.read_text(encoding="utf-8")) != text
    ]
    assert stale == [], "run: make docs"


def test_pictures_are_up_to_date() -> None:
    pictures: Any = runpy.run_path(str(DOCS / "generate.py"))["PICTURES"]
    assert pictures
    stale = [name for name, make in pictures.items() if page(name) != make()]
    assert stale == [], "run: make docs"


def test_the_openapi_document_is_up_to_date() -> None:
    openapi: Any = runpy.run_path(str(DOCS / "generate.py"))["openapi"]
    assert (DOCS / "openapi.json").read_text(encoding="utf-8") == openapi(), "run: make docs"


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_every_setting_is_documented(key: Any) -> None:
    text = page("configuration.md")
    assert f"`{PREFIX}{key.name}`" in text
    assert f"`{key.env}`" in text
    assert key.doc in text


def test_settings_that_pages_name_exist() -> None:
    known = {key.name for key in KEYS} | {f"{key.name}_file" for key in KEYS if key.secret}
    # These are names of modules and of entry point groups.
    known |= {"channels", "integrations", "tasks.runner", "log_setup.JSONFormatter"}
    named = {
        (path.name, name)
        for path in PAGES
        if path.parent.name != "adr"
        for name in re.findall(rf"`{re.escape(PREFIX)}([\w.]+)", path.read_text(encoding="utf-8"))
    }
    assert {(where, name) for where, name in named if name not in known} == set()


@pytest.mark.parametrize("permission", Permission)
def test_every_permission_is_documented(permission: Permission) -> None:
    assert page("concepts/groups-and-rbac.md").count(f"| `{permission}` |") == 2


@pytest.mark.parametrize("word", [*GroupRole, *TeamRole, *Scope])
def test_every_role_and_scope_is_documented(word: str) -> None:
    assert word in page("concepts/groups-and-rbac.md")


@pytest.mark.parametrize(
    ("words", "where"),
    [
        (Outcome, "concepts/route-intake-tokens.md"),
        (DeliveryState, "concepts/delivery.md"),
    ],
)
def test_every_word_of_a_vocabulary_is_documented(words: Any, where: str) -> None:
    text = page(where)
    assert [word for word in words if f"| `{word}` |" not in text] == []


def test_every_status_of_an_alert_is_documented() -> None:
    text = page("usage/alerts.md")
    assert [status for status in AlertStatus if f"**{status}**" not in text] == []


def test_every_channel_has_its_page_and_its_row() -> None:
    overview = page("concepts/channels.md")
    for info in default_channels(None, None, plugins=()).infos():  # type: ignore[arg-type]
        assert (DOCS / f"{info.docs}.md").is_file(), info.name
        assert f"[`{info.name}`](../{info.docs}.md)" in overview


def test_every_integration_has_its_page() -> None:
    registry = default_integrations()
    for name in registry.names():
        text = page(f"integrations/{registry.get(name).info.docs}.md")
        assert f"the source `{name}`" in text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    assert f"\n## {command}\n" in page("administration/commands.md")
    assert f"\nincidentrelay {command}" in page("administration/commands.md")


def test_commands_that_pages_name_exist() -> None:
    named = {
        name
        for path in [*PAGES, *FRONT]
        for name in re.findall(
            r"(?:^|[`/(])incidentrelay ([a-z][a-z-]+)", path.read_text(encoding="utf-8"), re.M
        )
    }
    assert named - set(COMMANDS) == set()


def test_every_page_is_in_the_index_of_the_site() -> None:
    listed = set(re.findall(r"([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text("utf-8"), re.M))
    assert listed == {path.relative_to(DOCS).as_posix() for path in PAGES}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(DOCS).as_posix())
def test_blocks_of_json_are_json(path: Path) -> None:
    for _, language, body in _FENCE.findall(path.read_text(encoding="utf-8")):
        if language == "json":
            json.loads(body)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(DOCS).as_posix())
def test_each_page_starts_with_its_only_title(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert len(re.findall(r"^# ", prose(text), re.MULTILINE)) == 1
