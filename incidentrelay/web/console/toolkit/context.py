"""What every page has: filters, menu, banners, the CSRF token.

Values that cost a statement are loaded when a template uses them, so the live parts of
pages, which have no frame, do not pay for them.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context
from pyramid.csrf import get_csrf_token
from pyramid.events import BeforeRender

from incidentrelay.services.operations import banners as system_banners
from incidentrelay.services.operations.banners import SystemBanners
from incidentrelay.services.operations.unreachable import ReferenceKind
from incidentrelay.web.console.toolkit import assets, filters
from incidentrelay.web.console.toolkit.nav import build_menu, reading


@pass_context
def _ago(context: Context, value: datetime) -> str:
    return filters.ago(value, context["now"])


@pass_context
def _clock(context: Context, value: datetime) -> str:
    return filters.clock(value, context["zone"], context["now"])


@pass_context
def _span(context: Context, start: datetime, end: datetime) -> str:
    return filters.span(start, end, context["zone"], context["now"])


FILTERS: Mapping[str, Callable[..., Any]] = {
    "ago": _ago,
    "browser": filters.browser,
    "clock": _clock,
    "duration": filters.duration,
    "safe_url": filters.safe_url,
    "span": _span,
}


class Lazily:
    """A value that is computed when it is used."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __iter__(self) -> Iterator[Any]:
        return iter(self._make())

    def __str__(self) -> str:
        return str(self._make())


@dataclass(frozen=True, slots=True)
class Banner:
    level: str
    text: str
    url: str | None = None


def banners(request: Any) -> Iterable[Banner]:
    with reading(request) as session:
        found = system_banners.load_banners(
            session, request.identity, request.registry["channels"], request.now
        )
    prefix = request.script_name
    return [
        *_worker(found, request.now),
        *_clocks(found),
        *_ways(found, prefix, request.now),
        *_failed(found, prefix),
        *_people(found, prefix),
        *_unreachable(found, prefix),
        *_double_duty(found, prefix, request),
    ]


def _worker(found: SystemBanners, now: datetime) -> Iterator[Banner]:
    if not found.worker_missing:
        return
    if found.worker_seen_at is None:
        yield Banner("danger", "No worker has been seen yet: nobody is notified.")
    else:
        silent = filters.duration(now - found.worker_seen_at)
        yield Banner("danger", f"No worker has been seen for {silent}: nobody is notified.")


def _clocks(found: SystemBanners) -> Iterator[Banner]:
    for clock in found.clocks[:3]:
        by = filters.duration(timedelta(seconds=abs(clock.seconds)))
        side = "ahead" if clock.seconds > 0 else "behind"
        text = f"The clock of {clock.machine} is {by} {side}: pages may be early or late."
        yield Banner("danger", text)


def _ways(found: SystemBanners, prefix: str, now: datetime) -> Iterator[Banner]:
    for way in found.broken[:3]:
        since = filters.duration(now - way.since)
        text = f"{way.name} has been down for {since}: {way.reason}"
        yield Banner("danger", text, f"{prefix}/notifications")


def _failed(found: SystemBanners, prefix: str) -> Iterator[Banner]:
    if found.failed:
        what = "1 notification" if found.failed == 1 else f"{found.failed} notifications"
        yield Banner("danger", f"{what} could not be delivered.", f"{prefix}/notifications")


def _people(found: SystemBanners, prefix: str) -> Iterator[Banner]:
    if found.exhausted:
        what = "1 alert has" if found.exhausted == 1 else f"{found.exhausted} alerts have"
        text = f"{what} reached the end of the escalation plan without a reaction."
        yield Banner("danger", text, f"{prefix}/alerts?status=firing")
    for rotation in found.uncovered[:3]:
        text = f"Nobody is on call for {rotation.name} ({rotation.team.name}) right now."
        yield Banner("warning", text, f"{prefix}/oncall")
    more = len(found.uncovered) - 3
    if more > 0:
        text = f"Nobody is on call for {more} more rotations."
        yield Banner("warning", text, f"{prefix}/oncall")


def _unreachable(found: SystemBanners, prefix: str) -> Iterator[Banner]:
    for each in found.unreachable[:3]:
        text = _UNREACHABLE[each.kind].format(each=each)
        page = "policies" if each.kind is ReferenceKind.POLICY else "rotations"
        yield Banner("warning", text, f"{prefix}/{page}")
    more = len(found.unreachable) - 3
    if more > 0:
        yield Banner("warning", f"{more} more entries name people who cannot be reached.")


_UNREACHABLE = {
    ReferenceKind.FALLBACK: (
        "{each.person}, the fallback contact of {each.team}, cannot be reached."
    ),
    ReferenceKind.POLICY: (
        "The policy {each.place} ({each.team}) notifies {each.person}, who cannot be reached."
    ),
    ReferenceKind.OVERRIDE: (
        "An override of {each.place} ({each.team}) names {each.person}, who cannot be reached."
    ),
    ReferenceKind.ROTATION: (
        "{each.person} takes turns in {each.place} ({each.team}) and cannot be reached."
    ),
}


def _double_duty(found: SystemBanners, prefix: str, request: Any) -> Iterator[Banner]:
    for each in found.double_duty[:3]:
        when = filters.span(each.start, each.end, request.identity.zone, request.now)
        others = f", and {each.more} more" if each.more else ""
        text = (
            f"{each.user} is on call in both {each.first} and {each.second} of the policy"
            f" {each.policy} ({each.team}): {when}{others}."
        )
        path = f"groups/{each.group_slug}/teams/{each.team_slug}/policies/{each.policy_slug}"
        yield Banner("warning", text, f"{prefix}/{path}")
    more = len(found.double_duty) - 3
    if more > 0:
        what = "1 more policy pages" if more == 1 else f"{more} more policies page"
        yield Banner("warning", f"{what} one person twice.", f"{prefix}/policies")


def add_values(event: Any) -> None:
    """Add the values that layout.jinja2 needs; values of the view win."""
    if not str(event.get("renderer_name", "")).endswith(".jinja2"):
        return
    request, given = event["request"], event.rendering_val
    # Loaded only if a view does not set it: loading needs the database.
    identity = given["identity"] if "identity" in given else request.identity  # noqa: SIM401
    event.update(
        identity=identity,
        now=request.now,
        zone=identity.zone if identity else "UTC",
        asset=assets.finder(request),
        csrf_token=Lazily(lambda: get_csrf_token(request)),
        flashes=Lazily(lambda: request.registry["flashes"].take(request)),
        nav=Lazily(lambda: build_menu(request) if identity else ()),
        banners=Lazily(lambda: banners(request) if identity else ()),
    )


def includeme(config: Any) -> None:
    config.add_subscriber(add_values, BeforeRender)
