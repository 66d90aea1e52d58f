"""All pages of the console, with hostile texts in the database and in forms.

``Client`` checks the markup of each page; see tests/support/markup.py.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import jinja2
import pytest
from sqlalchemy import JSON, Connection, Table, select, update
from sqlalchemy.types import String
from webtest.forms import Hidden, Text

import incidentrelay
from incidentrelay import runtime
from incidentrelay.db import Database
from incidentrelay.models import Base, Group, Rotation, Team, User
from incidentrelay.services.access.secrets import TokenKind, new_token
from incidentrelay.settings.declaration import Settings
from tests.e2e import site as sites
from tests.e2e.site import ROTATIONS, TEAM, USERNAME, Site, visits
from tests.support import factories
from tests.support.client import Client
from tests.support.markup import Page

TEMPLATES = Path(incidentrelay.__file__).parent / "templates"
EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)>' {{ 7177 * 7 }}"
# Keys, parts of addresses and words of the program: nobody writes what he likes there.
WORDS = set(
    "action bundle code_hash dedup_key group_key import_key kind method outcome password_hash"
    " provider request_id slug source subject_kind target uid username via zone".split()
)
# What people and senders write into columns of JSON: all of the first, these keys of others.
FREE = {"labels", "annotations"}
KEYS = {"channels", "description", "headline", "hint", "layer", "name", "reason", "team", "title"}
MORE = {
    "policies": "/policies",
    "policy": f"{TEAM}/policies/twice",
    "policy editor": f"{TEAM}/policies/twice/edit",
    "new policy": f"{TEAM}/policies/new",
    "delete policy": f"{TEAM}/policies/twice/delete",
    "for which team": "/rotations/new",
    "calendar agenda": "/calendar?view=agenda",
    "override": f"{ROTATIONS}/primary/overrides/1",
    "nothing there": "/nothing",
    "no such alert": "/alerts/999999",
    "act, too late": "/act/nothing",
    "search that is wrong": "/alerts?query=a%3D",
    "search": "/alerts?status=firing&query=Disk",
    "docs": "/docs",
    "login": "/login",
}


@pytest.fixture
def site(settings: Settings, database: Database, now: datetime) -> Iterator[Site]:
    """A small company's night, in which every text ends with an attack."""
    parts = runtime.build(settings, database=database, clock=lambda: now)
    site = sites.furnish(parts)
    with database.write() as session:
        team = session.scalars(select(Team).filter_by(slug="infrastructure")).one()
        person = session.scalars(select(User).filter_by(username=USERNAME)).one()
        factories.team(session, session.get_one(Group, team.group_id), "second")
        factories.policy(session, team, "twice", steps=_steps(person.id), repeat=1)
        factories.override(session, session.get_one(Rotation, 1), person)
    with database.writing.begin() as connection:
        for table in Base.metadata.sorted_tables:
            if table.name not in {"providers", "heartbeats"}:
                _poison(connection, table)
    yield site
    parts.close()


def _steps(user_id: int) -> list[dict[str, Any]]:
    step: dict[str, Any] = {"notify_assignee_again": False, "conditions": {}}
    step["targets"] = [{"kind": "user", "id": user_id}]
    return [{"delay": 0, **step}, {"delay": 300, **step}]


def _poison(connection: Connection, table: Table) -> None:
    texts = [one for one in table.columns if isinstance(one.type, String)]
    for column in texts:
        if column.name not in WORDS:
            connection.execute(
                update(table).where(column != "").values({column: column.concat(EVIL)})
            )
    values = [one for one in table.columns if isinstance(one.type, JSON)]
    for row in connection.execute(select(table)).mappings() if values else ():
        changes = {one: _poisoned(row[one], one.name, one.name in FREE) for one in values}
        keys = [one == row[one] for one in table.primary_key]
        connection.execute(update(table).where(*keys).values(changes))


def _poisoned(value: Any, key: str, free: bool = False) -> Any:
    if isinstance(value, dict):
        return {
            f"{name}{EVIL}" if free else name: _poisoned(each, name, free)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_poisoned(each, key, free) for each in value]
    if not isinstance(value, str):
        return value
    if key == "matchers":
        return f"{value}, alertname!={json.dumps(EVIL)}"
    return f"{value}{EVIL}" if free or key in KEYS else value


@pytest.fixture
def admin(app: Any, site: Site) -> Client:
    cookie = new_token(TokenKind.SESSION)
    with site.database.write() as session:
        user = session.scalars(select(User).filter_by(username=USERNAME)).one()
        factories.web_session(session, user, cookie)
    return Client(app, cookie=cookie)


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The names of the templates that are rendered while the test runs."""
    names: set[str] = set()
    make = jinja2.Template.new_context

    def note(template: jinja2.Template, *given: Any, **more: Any) -> Any:
        names.add(str(template.name))
        return make(template, *given, **more)

    monkeypatch.setattr(jinja2.Template, "new_context", note)
    return names


def look(client: Client, path: str) -> Page | None:
    """The HTML page at ``path``; None if there is none."""
    answer = client.get(path, status="*")
    return seen(answer) if answer.content_type == "text/html" else None


def seen(answer: Any) -> Page:
    page = Page(answer.text)
    assert str(7177 * 7) not in page.text, answer.request.url
    return page


def test_hostile_texts_stay_texts_on_every_page(
    admin: Client, testapp: Client, site: Site, used: set[str]
) -> None:
    addresses = {**visits(site), **MORE}
    pages = {name: look(admin, path) for name, path in addresses.items()}
    attacked = {name for name, page in pages.items() if page and EVIL in page.text}
    assert set(addresses) - attacked == {"login", "act, too late"}
    for path in addresses.values():
        look(testapp, path)
    (editor,) = _forms(admin, f"{ROTATIONS}/primary/edit")
    assert EVIL in seen(editor.submit("do", value="preview")).text
    seen(admin.post(f"{TEAM}/routes/alertmanager/token", {"keep_old": "24"}))
    hook = {"name": f"Hook{EVIL}", "config.url": "https://hooks.example/", "do": "save"}
    hook |= {"enabled": "yes", "messages_per_minute": "10"}
    assert EVIL in seen(admin.post(f"{TEAM}/channels/new?kind=webhook", hook)).text
    everything = {path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.jinja2")}
    # An imported or included template is named by itself and those that asked for it.
    shown = {name.split("@@")[0].removeprefix("incidentrelay:templates/") for name in used}
    assert everything - shown == {"layout.jinja2", "form_page.jinja2"}, (
        "These are extended, which is not noted."
    )


def test_hostile_words_that_somebody_types_stay_words(admin: Client, site: Site) -> None:
    tried = set()
    for name, path in {**visits(site), **MORE}.items():
        for form in _forms(admin, path):
            for field in filter(_is_open, form.fields.values()):
                field[0].force_value(f"x{EVIL}")
                tried.add(f"{name}: {field[0].name}")
            answer = form.submit(status="*")
            seen(answer.follow(status="*") if "Location" in answer.headers else answer)
    assert len(tried) > 50, sorted(tried)


def _forms(client: Client, path: str) -> list[Any]:
    """The forms of a page into which something can be written."""
    answer = client.get(path, status="*")
    if answer.content_type != "text/html":
        return []
    forms = [form for key, form in answer.forms.items() if isinstance(key, int)]
    return [form for form in forms if any(map(_is_open, form.fields.values()))]


def _is_open(field: list[Any]) -> bool:
    return isinstance(field[0], Text) and not isinstance(field[0], Hidden)
