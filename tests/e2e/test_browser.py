"""The console in a real browser: what people do at night, on a phone and on a desk."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from incidentrelay.db import Database
from incidentrelay.settings.loading import load
from tests.e2e import site as sites
from tests.e2e.site import PASSWORD, ROTATIONS, USERNAME, Site, visits
from tests.support.calendars import calendar, event

pytestmark = [pytest.mark.e2e, pytest.mark.browser]

CHROMIUM = "/usr/bin/chromium"
# A walk over all pages is too long for one test on a slow machine.
PARTS = 3
PHONE, DESK = (390, 844), (1440, 900)
SCREENS = [
    pytest.param(size, scheme, id=f"{size[0]}-{scheme}")
    for size in (PHONE, DESK)
    for scheme in ("light", "dark")
]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        reason = f"No {CHROMIUM}; install the package chromium."
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def site(tmp_path: Path, empty_sqlite: Path) -> Iterator[Site]:
    path = tmp_path / "site.sqlite"
    shutil.copyfile(empty_sqlite, path)
    database = Database(f"sqlite:///{path}", synchronous="OFF")
    ini = {
        "incidentrelay.public_url": "http://127.0.0.1",
        "incidentrelay.secret_key": "0123456789abcdefghijklmnopqrstuvwxyz-tests-only",
        "incidentrelay.sqlalchemy.url": f"sqlite:///{path}",
        "incidentrelay.huey.url": "memory:",
    }
    with sites.running(load(ini, {}), database) as running:
        yield running


class Watch:
    """Everything that a page must not do: complain, break the policy, call elsewhere."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.complaints: list[str] = []

    def over(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"{message.type}: {message.text}")

    def _request(self, request: Any) -> None:
        if not request.url.startswith((f"{self.site.url}/", "data:")):
            self.complaints.append(f"request to {request.url}")


@pytest.fixture
def watch(site: Site) -> Iterator[Watch]:
    watch = Watch(site)
    yield watch
    assert watch.complaints == []


@pytest.fixture
def open_page(chromium: Browser, site: Site, watch: Watch) -> Iterator[Callable[..., Page]]:
    """A page of a new browser: ``open_page(PHONE, "dark", script=False)``."""
    contexts: list[BrowserContext] = []

    def new(size: tuple[int, int] = PHONE, scheme: Any = "light", *, script: bool = True) -> Page:
        context = chromium.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme=scheme,
            base_url=site.url,
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        watch.over(page)
        return page

    yield new
    for context in contexts:
        context.close()


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Username").fill(USERNAME)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Alerts")).to_be_visible()


def press(page: Page, name: str) -> None:
    page.get_by_role("group", name="Actions").get_by_role("button", name=name).click()


def more(page: Page) -> None:
    page.get_by_role("group", name="Actions").locator("summary").click()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_night_on_call(
    site: Site, open_page: Callable[..., Page], size: tuple[int, int], script: bool
) -> None:
    page = open_page(size, script=script)
    sign_in(page)
    page.get_by_role("link", name=re.compile("Disk is 95 %")).click()
    expect(page.locator("h1")).to_contain_text("Disk is 95 %")
    expect(page.get_by_role("region", name="What happens next")).to_contain_text("remind")

    press(page, "Acknowledge")
    expect(page.get_by_role("status").filter(has_text="Nobody else is paged.")).to_be_visible()
    expect(page.locator(".ir-alert-top")).to_contain_text("Acknowledged by Alex Admin")

    more(page)
    page.get_by_label("Comment").fill("The archive was full.")
    press(page, "Comment")
    timeline = page.get_by_role("region", name="Timeline")
    expect(timeline).to_contain_text("The archive was full. by Alex Admin")

    more(page)
    page.get_by_label("For how long").select_option("1 hour")
    press(page, "Snooze")
    expect(page.locator(".ir-alert-top")).to_contain_text("Quiet until")

    press(page, "Resolve")
    expect(page.locator(".ir-alert-top")).to_contain_text("Resolved")
    expect(timeline).to_contain_text("Resolved by admin")


def test_the_list_acknowledges_at_once(open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page)
    page.get_by_role("button", name=re.compile("^Acknowledge Disk")).click()
    expect(page.get_by_role("status").filter(has_text="Nobody else is paged.")).to_be_visible()
    row = page.get_by_role("listitem").filter(has_text="Disk is 95 %")
    expect(row).to_contain_text("Acknowledged")


def test_the_list_follows_what_happens_elsewhere(
    open_page: Callable[..., Page], site: Site
) -> None:
    page = open_page(DESK)
    sign_in(page)
    other = open_page(script=False)
    other.goto(site.act_paths[site.disk_id])
    other.get_by_role("button", name="Acknowledge").click()
    page.locator("#alert-list").dispatch_event("ir-refresh")
    row = page.get_by_role("listitem").filter(has_text="Disk is 95 %")
    expect(row).to_contain_text("Acknowledged")


def test_ticks_of_a_restored_form_survive_a_refresh(
    open_page: Callable[..., Page], site: Site
) -> None:
    page = open_page(DESK)
    sign_in(page)
    tick = page.locator(f"#tick-{site.disk_id}")
    # A browser that restores a form ticks its boxes without an event.
    tick.evaluate("box => { box.checked = true }")
    other = open_page(script=False)
    other.goto(site.act_paths[site.disk_id])
    other.get_by_role("button", name="Acknowledge").click()
    page.locator("#alert-list").dispatch_event("ir-refresh")
    row = page.get_by_role("listitem").filter(has_text="Disk is 95 %")
    expect(row).to_contain_text("Acknowledged")
    expect(tick).to_be_checked()

    tick.uncheck()
    other.get_by_role("button", name="Resolve").click()
    page.locator("#alert-list").dispatch_event("ir-refresh")
    expect(row).to_have_count(0)


def test_a_search_is_part_of_the_address(open_page: Callable[..., Page]) -> None:
    page = open_page(DESK)
    sign_in(page)
    page.keyboard.press("/")
    page.keyboard.type("service=checkout")
    page.keyboard.press("Enter")
    expect(page.get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("listitem")).to_contain_text("p99 latency of checkout")
    assert "query=service%3Dcheckout" in page.url


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_link_in_a_message_acts_without_signing_in(
    site: Site, open_page: Callable[..., Page], script: bool
) -> None:
    page = open_page(script=script)
    page.goto(site.act_paths[site.disk_id])
    expect(page.locator("h1")).to_contain_text("Disk is 95 %")
    page.get_by_role("button", name="Acknowledge").click()
    expect(page.get_by_role("status")).to_contain_text("Acknowledged by Alex Admin")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.goto("/alerts")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_new_token_is_shown_once(open_page: Callable[..., Page]) -> None:
    page = open_page()
    sign_in(page)
    page.goto("/me")
    page.get_by_text("New token").click()
    page.get_by_label("What it is for").fill("Deploy script")
    page.get_by_label("alerts:read").check()
    page.get_by_role("button", name="Create token").click()
    token = page.locator(".ir-new-token code")
    expect(token).to_have_text(re.compile(r"^ir_u_"))
    page.goto("/me")
    expect(page.locator(".ir-new-token")).to_have_count(0)
    expect(page.get_by_role("region", name="Personal tokens")).to_contain_text("Deploy script")


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_order_of_turns_is_changed_after_a_preview(
    open_page: Callable[..., Page], script: bool
) -> None:
    page = open_page(PHONE, script=script)
    sign_in(page)
    page.get_by_role("navigation", name="Main").locator("summary").click()
    page.get_by_role("link", name="Rotations").click()
    page.get_by_role("link", name="Infrastructure · Primary").click()
    page.get_by_role("link", name="Edit", exact=True).click()
    page.get_by_role("button", name="Move Carla Rossi up").click()
    page.get_by_label("Name", exact=True).press("Enter")
    expect(page.get_by_role("status").filter(has_text="nothing is saved yet")).to_be_visible()
    expect(page.locator(".ir-changed").first).to_contain_text("Changes")
    page.get_by_role("button", name="Save these changes").click()
    expect(page.get_by_text("Rotation Primary saved.")).to_be_visible()
    expect(page.get_by_text("Alex Admin, Anna Larsen, Carla Rossi, Ben Okafor")).to_be_visible()


def test_the_api_reference_shows_its_operations(open_page: Callable[..., Page]) -> None:
    page = open_page(DESK)
    page.goto("/docs")
    expect(page.locator(".opblock").first).to_be_visible()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_the_rest_of_the_menu_is_one_press_away(
    open_page: Callable[..., Page], script: bool
) -> None:
    page = open_page(script=script)
    sign_in(page)
    menu = page.get_by_role("navigation", name="Main")
    expect(menu.get_by_role("link", name="On call")).to_be_in_viewport()
    expect(menu.get_by_role("link", name="Silences")).to_have_count(0)
    menu.locator("summary").click()
    menu.get_by_role("link", name="Silences").click()
    expect(page.get_by_role("heading", name="Silences")).to_be_visible()
    menu.locator("summary").click()
    expect(menu.get_by_role("link", name="Silences")).to_have_attribute("aria-current", "page")


def test_a_calendar_is_looked_at_and_then_imported(
    open_page: Callable[..., Page], tmp_path: Path
) -> None:
    day = datetime.now(UTC) + timedelta(days=20)
    file = tmp_path / "shifts.ics"
    file.write_text(calendar(event(f"DTSTART;VALUE=DATE:{day:%Y%m%d}", "SUMMARY:Ben Okafor")))
    page = open_page()
    sign_in(page)
    page.goto(f"{ROTATIONS}/primary")
    page.get_by_role("link", name="Import a calendar").click()
    page.get_by_label("Or a file").set_input_files(file)
    page.get_by_role("button", name="Preview").click()
    report = page.get_by_role("status", name="Nothing is saved yet")
    expect(report).to_contain_text("Ben Okafor")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Calendar imported: 1 new.")).to_be_visible()
    expect(page.get_by_role("region", name="Overrides")).to_contain_text("Imported: Ben Okafor")


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(("size", "scheme"), SCREENS)
def test_every_page_fits_and_can_be_used_by_everybody(
    site: Site, open_page: Callable[..., Page], size: tuple[int, int], scheme: str, part: int
) -> None:
    page, axe, faults = open_page(size, scheme), Axe(), {}
    page.goto("/login")
    faults["login"] = axe.run(page).response["violations"]
    sign_in(page)
    for name, path in list(visits(site).items())[part::PARTS]:
        page.goto(path)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0], f"{name} is {width} wide"
        if name == "alert":
            more(page)
        faults[name] = axe.run(page).response["violations"]
    named = {
        name: [(fault["id"], [node["html"] for node in fault["nodes"]]) for fault in found]
        for name, found in faults.items()
        if found
    }
    assert named == {}
