"""The console's pages, rendered without the application, with kind and with hostile values."""

import json
import re
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace as Thing
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from incidentrelay.domain.calendar_grid import HUES
from tests.pages import (
    NOW,
    act_page,
    alert,
    alert_page,
    calendar_page,
    frame,
    list_page,
    oncall_rows,
    pages,
)

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "incidentrelay" / "templates"
FRONTEND = ROOT / "frontend"
EVIL = "\"><script>alert(1)</script><img src=x onerror=alert(1)>' {{ 7 * 7 }}"
EVIL_URL = "javascript:alert(1)"
VOID = {"input", "meta", "link", "img", "br", "path"}


def ago(value: datetime) -> str:
    return f"{int((NOW - value).total_seconds() // 60)} min ago"


def environment() -> Environment:
    env = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined
    )
    env.filters |= {
        "ago": ago,
        "browser": lambda text: text or "Unknown browser",
        "clock": lambda value: value.strftime("%Y-%m-%d %H:%M UTC"),
        "span": lambda start, end: f"{start:%Y-%m-%d %H:%M} – {end:%Y-%m-%d %H:%M} UTC",
        "safe_url": lambda url: url if url.startswith(("http://", "https://")) else None,
    }
    return env


ENV = environment()


def render(name: str, context: dict[str, Any], say: Any = str) -> str:
    return ENV.get_template(name).render(frame(say) | context)


class Page(HTMLParser):
    """What a browser would make of a page, as far as these tests ask."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts: list[str] = []
        self.open: list[str] = []
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1:] == [tag], f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        (self.scripts if self.open[-1:] == ["script"] else self.text).append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name == tag]


CASES = [
    pytest.param(*page, say, id=f"{name}, {mood}")
    for mood, say in {"kind": str, "hostile": lambda text: f"{text}{EVIL}"}.items()
    for name, page in pages(say).items()
]
every_page = pytest.mark.parametrize(("name", "context", "say"), CASES)


@every_page
def test_nothing_on_a_page_needs_more_than_the_content_security_policy(
    name: str, context: dict[str, Any], say: Any
) -> None:
    page = Page(render(name, context, say))
    assert page.open == []
    assert page.all("style") == []
    assert page.scripts == []
    for _, attrs in page.elements:
        assert "style" not in attrs
        assert [key for key in attrs if key.startswith("on")] == []
    addresses = [
        attrs[key]
        for _, attrs in page.elements
        for key in ("href", "src", "action", "hx-get")
        if attrs.get(key)
    ]
    assert [one for one in addresses if not re.match(r"[/#]|https?:|mailto:|tel:", one or "")] == []


@every_page
def test_hostile_text_stays_text(name: str, context: dict[str, Any], say: Any) -> None:
    page = Page(render(name, context, say))
    assert all("onerror" not in attrs for attrs in page.all("img"))
    assert all((attrs["src"] or "").startswith("/static/") for attrs in page.all("img"))
    assert "49" not in "".join(page.text).replace("+49", "")


@every_page
def test_a_page_can_be_used_with_a_screen_reader(
    name: str, context: dict[str, Any], say: Any
) -> None:
    page = Page(render(name, context, say))
    assert len(page.all("h1")) == 1
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("main")) == 1
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    labelled = {attrs["for"] for attrs in page.all("label")}
    fields = [*page.all("input"), *page.all("select"), *page.all("textarea")]
    shown = {attrs.get("id") for attrs in fields if attrs.get("type") != "hidden"}
    assert shown == labelled
    assert all("alt" in attrs for attrs in page.all("img"))
    assert all(attrs.get("aria-hidden") == "true" for attrs in page.all("svg"))
    for key in ("aria-labelledby", "aria-describedby"):
        named = [(attrs[key] or "").split() for _, attrs in page.elements if key in attrs]
        assert {one for several in named for one in several} <= set(ids)


@every_page
def test_every_post_of_the_console_carries_the_token(
    name: str, context: dict[str, Any], say: Any
) -> None:
    page = Page(render(name, context, say))
    posts = [attrs for attrs in page.all("form") if attrs["method"] == "post"]
    tokens = [attrs for attrs in page.all("input") if attrs["name"] == "csrf_token"]
    assert len(tokens) == (0 if name == "alerts/action_link.jinja2" else len(posts))
    assert all(attrs["value"] == say("c5rf") for attrs in tokens)


@every_page
def test_every_icon_is_in_the_sprite(name: str, context: dict[str, Any], say: Any) -> None:
    known = set(json.loads((FRONTEND / "icons.json").read_text()))
    used = {
        (attrs["href"] or "").split("#")[1] for attrs in Page(render(name, context, say)).all("use")
    }
    assert used <= known


@every_page
def test_every_class_of_ours_has_a_rule(name: str, context: dict[str, Any], say: Any) -> None:
    sheets = "".join(path.read_text() for path in FRONTEND.glob("*.css"))
    ruled = set(re.findall(r"\.(ir-[\w-]+)", sheets))
    used = {
        word
        for _, attrs in Page(render(name, context, say)).elements
        for word in (attrs.get("class") or "").split()
        if word.startswith("ir-")
    }
    # These change nothing as such: the neutral variant of something that has a rule.
    assert used - ruled <= {"ir-note-info", "ir-dot-muted", "ir-state-pending", "ir-row-done"}


@given(st.text(min_size=1))
def test_any_title_is_shown_as_it_is(title: str) -> None:
    page = Page(render("alerts/alert.jinja2", alert_page(alert=alert(title=title))))
    assert title in page.text or title in "".join(page.text)
    assert len(page.all("h1")) == 1


@pytest.mark.parametrize(
    ("link", "shown"),
    [
        ("https://wiki.example.net/a?b=1&c=2", True),
        (EVIL_URL, False),
        ("data:text/html,x", False),
        ("", False),
        (None, False),
    ],
)
def test_a_link_of_a_payload_is_one_only_if_it_is_a_web_address(
    link: str | None, shown: bool
) -> None:
    page = Page(render("alerts/alert.jinja2", alert_page(alert=alert(runbook_link=link))))
    assert (link in [attrs.get("href") for attrs in page.all("a")]) is shown


@pytest.mark.parametrize(
    ("href", "shown"), [("tel:+4930", True), ("mailto:a@b.example", True), (EVIL_URL, False)]
)
def test_a_contact_is_a_link_only_where_a_program_opens_it(href: str, shown: bool) -> None:
    row = Thing(**vars(oncall_rows()[0]) | {"contacts": [Thing(label="Call", href=href)]})
    page = Page(render("rotations/on_call.jinja2", {"rows": [row]}))
    assert (href in [attrs.get("href") for attrs in page.all("a")]) is shown


def test_the_tabs_keep_the_search() -> None:
    page = Page(render("alerts/index.jinja2", list_page(query="a&b=c", status="firing")))
    links = [attrs for attrs in page.all("a") if "query=a%26b%3Dc" in (attrs.get("href") or "")]
    assert [link["href"] for link in links][1] == "/alerts?status=firing&query=a%26b%3Dc&team=infra"
    assert [link.get("aria-current") for link in links] == [None, "true", None, None]


def test_the_first_button_of_an_alert_is_its_primary_action() -> None:
    source = render("alerts/_actions.jinja2", alert_page())
    assert re.findall(r'action="([^"]+)"', source)[0] == "/alerts/17/ack"
    assert source.count("btn-primary") == 1


def test_the_one_tap_page_has_no_script() -> None:
    assert Page(render("alerts/action_link.jinja2", act_page())).all("script") == []


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def palettes() -> dict[str, dict[str, str]]:
    light, dark = (FRONTEND / "palette.css").read_text().split("@media", 1)
    first, second = (dict(re.findall(r"--ir-([\w-]+): (#\w{6})", part)) for part in (light, dark))
    return {"light": first, "dark": first | second}


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_text_can_be_read_on_its_ground(theme: str) -> None:
    colours = palettes()[theme]
    severities = ("critical", "high", "medium", "warning", "low", "info")
    pairs = [(f"{name}-ink", f"{name}-bg") for name in severities]
    pairs += [
        ("accent-ink", "accent"),
        ("accent-ink", "accent-strong"),
        ("resolved", "resolved-bg"),
    ]
    pairs += [(f"who-{hue}-ink", f"who-{hue}-bg") for hue in range(HUES)]
    pairs += [("medium-ink", ground) for ground in ("page", "surface", "raised")]
    texts = ("ink", "dim", "link", "firing", "acknowledged", "resolved")
    pairs += [(text, ground) for text in texts for ground in ("page", "surface", "raised")]
    for text, ground in pairs:
        low, high = sorted((luminance(colours[text]), luminance(colours[ground])))
        assert (high + 0.05) / (low + 0.05) >= 4.5, f"{text} on {ground}"


def test_everybody_has_a_colour() -> None:
    sheet = (FRONTEND / "people.css").read_text()
    assert re.findall(r"^\.ir-who-(\d+) {", sheet, re.M) == [str(hue) for hue in range(HUES)]
    for theme in ("light", "dark"):
        assert len({palettes()[theme][f"who-{hue}-bg"] for hue in range(HUES)}) == HUES


def test_nobody_is_said_in_words_in_all_three_forms_of_the_calendar() -> None:
    for form in ("picture", "agenda", "table"):
        source = render(f"calendar/_{form}.jinja2", calendar_page())
        assert "Nobody" in "".join(Page(source).text)
        assert "Override" in "".join(Page(source).text)


def test_the_picture_is_for_eyes_only_and_the_table_for_everybody() -> None:
    page = Page(render("calendar/index.jinja2", calendar_page()))
    picture = [attrs for attrs in page.all("div") if attrs.get("class") == "ir-cal"]
    assert [attrs.get("aria-hidden") for attrs in picture] == ["true"]
    assert [attrs["scope"] for attrs in page.all("th")] == ["col"] * 5
    assert len(page.all("caption")) == 1
