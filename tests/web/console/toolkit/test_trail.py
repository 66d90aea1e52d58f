"""Breadcrumbs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyramid.request import Request
from pyramid.scripting import prepare

from incidentrelay.web.console.toolkit import nav
from incidentrelay.web.security.sessions import cookie_name

ALERT = ("groups", "sre", "teams", "core", "alerts")


@contextmanager
def placed(app: Any, cast: Any, person: str, path: tuple[str, ...]) -> Iterator[tuple[Any, Any]]:
    cookie = f"{cookie_name(app.registry['settings'])}={cast.cookies[person]}"
    request = Request.blank("/", headers={"Cookie": cookie})
    env = prepare(request, app.registry)
    try:
        with request.tm:
            node = env["root"]
            for step in path:
                node = node[step]
            yield request, node
    finally:
        env["closer"]()


def test_it_leads_from_the_group_down_and_links_what_has_a_page(app: Any, cast: Any) -> None:
    path = (*ALERT, str(cast.teams["core"].alert.id))
    with placed(app, cast, "vera", path) as (request, node):
        crumbs = [(crumb.label, crumb.url) for crumb in nav.list_breadcrumbs(request, node)]
    alert = f"/alerts/{cast.teams['core'].alert.id}"
    labels = [label for label, _ in crumbs]
    assert labels == ["Sre", "Core", "Alerts", path[-1]]
    assert crumbs[2:] == [("Alerts", "/alerts"), (path[-1], alert)]


def test_the_page_of_a_node_names_only_what_is_above(app: Any, cast: Any) -> None:
    path = (*ALERT, str(cast.teams["core"].alert.id))
    with placed(app, cast, "vera", path) as (request, node):
        assert [crumb.label for crumb in nav.list_breadcrumbs_above(request, node)] == [
            "Sre",
            "Core",
            "Alerts",
        ]


def test_a_node_of_ones_own_is_linked(app: Any, cast: Any) -> None:
    with placed(app, cast, "vera", ("me",)) as (request, node):
        assert [crumb.url for crumb in nav.list_breadcrumbs(request, node)] == ["/me"]


def test_what_the_reader_may_not_see_is_not_linked(app: Any, cast: Any) -> None:
    path = (*ALERT, str(cast.teams["core"].alert.id))
    with placed(app, cast, "otto", path) as (request, node):
        assert nav.list_breadcrumbs(request, node)[-1].url is None
