"""The rules that the markup of every page follows.

``Client`` asks it of each page that a test gets, so that a page is checked in all the
states in which tests bring it.
"""

import json
import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
VOID = {"input", "meta", "link", "img", "br", "path"}
# These change nothing as such: the neutral variant of something that has a rule.
UNRULED = {"ir-note-info", "ir-dot-muted", "ir-state-pending"}


class Page(HTMLParser):
    """A parsed page, as far as these checks need it."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
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
        (self.scripts if self.open[-1:] == ["script"] else self.texts).append(data)

    def all(self, *tags: str) -> list[dict[str, str | None]]:
        return [attrs for name, attrs in self.elements if name in tags]

    @property
    def text(self) -> str:
        return "".join(self.texts)


def check(source: str, token: str | None) -> None:
    """Fail where a page, or the part of one that a script asks for, breaks a rule.

    ``token`` is what its forms must send against forged requests; None where nothing of
    a session is at stake.
    """
    page = Page(source)
    assert page.open == []
    _needs_no_more_than_the_content_security_policy(page)
    _keeps_text_text(page)
    _can_be_used_with_a_screen_reader(page)
    _carries_the_token(page, token)
    _is_drawn(page)


def _needs_no_more_than_the_content_security_policy(page: Page) -> None:
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
    assert [
        one for one in addresses if not re.match(r"[/#?]|https?:|mailto:|tel:", one or "")
    ] == []


def _keeps_text_text(page: Page) -> None:
    assert all((attrs["src"] or "").startswith("/static/") for attrs in page.all("img"))


def _can_be_used_with_a_screen_reader(page: Page) -> None:
    if page.all("html"):
        assert len(page.all("h1")) == 1
        assert page.all("html")[0]["lang"] == "en"
        assert len(page.all("main")) == 1
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    labelled = {attrs["for"] for attrs in page.all("label")}
    fields = page.all("input", "select", "textarea")
    shown = {attrs.get("id") for attrs in fields if attrs.get("type") != "hidden"}
    assert shown == labelled
    assert all("alt" in attrs for attrs in page.all("img"))
    assert all(attrs.get("aria-hidden") == "true" for attrs in page.all("svg"))
    for key in ("aria-labelledby", "aria-describedby"):
        named = [(attrs[key] or "").split() for _, attrs in page.elements if key in attrs]
        assert {one for several in named for one in several} <= set(ids)


def _carries_the_token(page: Page, token: str | None) -> None:
    posts = [attrs for attrs in page.all("form") if attrs["method"] == "post"]
    tokens = [attrs["value"] for attrs in page.all("input") if attrs["name"] == "csrf_token"]
    assert tokens == [token] * (len(posts) if token is not None else 0)


def _is_drawn(page: Page) -> None:
    icons = {(attrs["href"] or "").split("#")[1] for attrs in page.all("use")}
    assert icons <= _icons()
    words = {word for _, attrs in page.elements for word in (attrs.get("class") or "").split()}
    assert {word for word in words if word.startswith("ir-")} - _ruled() <= UNRULED


@cache
def _icons() -> set[str]:
    return set(json.loads((FRONTEND / "icons.json").read_text()))


@cache
def _ruled() -> set[str]:
    """The classes that a stylesheet of ours has a rule for."""
    sheets = "".join(path.read_text() for path in FRONTEND.glob("*.css"))
    return set(re.findall(r"\.(ir-[\w-]+)", sheets))
