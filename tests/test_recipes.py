"""The recipes of CONTRIBUTING.md: a forgotten file fails with "add it to ...".

Every expectation comes from a registry, an enum or a table of the code.
"""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import incidentrelay
from incidentrelay.channels.registry import default_registry as default_channels
from incidentrelay.domain.enums import GroupRole, ShiftEdge, TeamRole
from incidentrelay.domain.oncall.layers import Layer
from incidentrelay.domain.permissions import GROUP_GRANTS, TEAM_GRANTS
from incidentrelay.integrations import default_registry as default_integrations
from incidentrelay.models import Rotation, RotationLayer, User
from incidentrelay.services.operations import demo
from incidentrelay.web.console.rotations.layer_form import LayerDraft
from incidentrelay.web.console.toolkit.nav import find_section
from incidentrelay.web.resources.base import Node
from incidentrelay.web.resources.root import Root
from incidentrelay.web.schemas.oncall.rotation import LayerSchema, RotationSchema
from incidentrelay.web.schemas.people.me import MeSchema

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path(incidentrelay.__file__).parent
CHANNELS = default_channels(None, None, plugins=()).infos()  # type: ignore[arg-type]
INTEGRATIONS = [default_integrations().get(name).info for name in default_integrations().names()]
# The system sets these; nobody edits them.
LAYER_INTERNALS = {"id", "revision_id", "position", "turn_offset"}
ROTATION_INTERNALS = {
    "id", "team_id", "version", "created_at", "updated_at", "schedule_changes",
    "schedule_changed_at", "covered", "next_boundary_at",
}  # fmt: skip
LAYER_FIELDS = sorted(set(RotationLayer.__table__.columns.keys()) - LAYER_INTERNALS)
ROTATION_FIELDS = sorted(set(Rotation.__table__.columns.keys()) - ROTATION_INTERNALS)


def has(path: str, text: str) -> None:
    """Fails with the name of the file to which ``text`` must be added."""
    file = ROOT / path
    assert file.is_file(), f"add {path}"
    assert text in file.read_text(encoding="utf-8"), f"add {text!r} to {path}"


@pytest.mark.parametrize("info", CHANNELS, ids=lambda info: info.name)
def test_a_channel_kind_is_complete(info: Any) -> None:
    name, docs = info.name, info.docs
    has(f"incidentrelay/channels/{name}/channel.py", "ChannelInfo")
    has(f"docs/{docs}.md", "# ")
    has("docs/concepts/channels.md", f"| [`{name}`](../{docs}.md) |")
    has("mkdocs.yml", f": {docs}.md")
    has("docs/index.md", f"({docs}.md)")
    assert info.word, f"add word to ChannelInfo in incidentrelay/channels/{name}/channel.py"
    if not info.internal:
        has(f"tests/unit/channels/{name}/fake.py", "def fake(")
        has(f"tests/unit/channels/{name}/test_channel.py", "def test_")


@pytest.mark.parametrize("info", INTEGRATIONS, ids=lambda info: info.name)
def test_an_integration_is_complete(info: Any) -> None:
    name, docs = info.name, info.docs
    samples = PACKAGE / "integrations" / "samples" / name
    assert list(samples.glob("*.expected.json")), f"add a sample to {samples}"
    has(f"docs/integrations/{docs}.md", f"the source `{name}`")
    has("mkdocs.yml", f": integrations/{docs}.md")
    has("docs/index.md", f"(integrations/{docs}.md)")
    assert name in demo._SOURCES, f"add {name!r} to _SOURCES in services/operations/demo.py"


@pytest.mark.parametrize("name", LAYER_FIELDS)
def test_a_field_of_a_layer_is_complete(name: str) -> None:
    values = {field.name for field in fields(Layer)} | {"key"}
    assert name in values, f"add {name!r} to Layer in domain/oncall/layers.py"
    schema = LayerSchema().fields
    assert name in schema, f"add {name!r} to LayerSchema in web/schemas/oncall/rotation.py"
    form = {field.name for field in fields(LayerDraft)} | {"windows"}  # The form calls them hours.
    assert name in form, f"add {name!r} to LayerDraft in web/console/rotations/layer_form.py"
    has("docs/concepts/on-call.md", f"| `{name}` |")


@pytest.mark.parametrize("name", ROTATION_FIELDS)
def test_a_field_of_a_rotation_is_complete(name: str) -> None:
    schema = RotationSchema().fields
    assert name in schema, f"add {name!r} to RotationSchema in web/schemas/oncall/rotation.py"
    has("docs/concepts/teams-rotations-routes.md", f"`{name}`")


@pytest.mark.parametrize("role", [*GroupRole, *TeamRole])
def test_a_role_is_complete(role: GroupRole | TeamRole) -> None:
    grants = GROUP_GRANTS if isinstance(role, GroupRole) else TEAM_GRANTS
    assert role in grants, f"add {role!r} to {type(role).__name__} grants in domain/permissions.py"
    has("docs/concepts/groups-and-rbac.md", f"\n| {role} |")


@pytest.mark.parametrize("edge", ShiftEdge)
def test_a_shift_reminder_is_complete(edge: ShiftEdge) -> None:
    name = f"shift_{edge}_reminder"
    assert hasattr(User, name), f"add {name!r} to models/people/user.py"
    assert name in MeSchema().fields, f"add {name!r} to web/schemas/people/me.py"
    has("incidentrelay/services/tenancy/users.py", f'"{name}"')
    has("incidentrelay/web/console/profile/me_page.py", f'"{name}"')
    has("incidentrelay/templates/profile/me.jinja2", f'forms.tick(profile, "{name}"')
    has("docs/usage/shift-reminders.md", f"`{name}`")


def test_every_page_with_an_address_of_its_own_can_be_reached(app: Any) -> None:
    menu = (PACKAGE / "web/console/toolkit/nav.py").read_text(encoding="utf-8")
    layout = (PACKAGE / "templates/layout.jinja2").read_text(encoding="utf-8")
    entries = set(re.findall(r'^    \("[^"]+", "(\w+)"', menu, re.MULTILINE))
    views = (e["introspectable"] for e in app.registry.introspector.get_category("views"))
    pages = [view["context"] for view in views if view.get("browser") and not view["name"]]
    nodes = tuple(node for node in pages if isinstance(node, type) and issubclass(node, Node))
    found = {name for name, node in Root.children.items() if issubclass(node, nodes)}
    assert found >= entries - {"inbox"}
    missing = {n for n in found if find_section(f"/{n}") not in entries and f'/{n}"' not in layout}
    assert missing == set(), "add it to _ENTRIES or _BELONGS in web/console/toolkit/nav.py"
