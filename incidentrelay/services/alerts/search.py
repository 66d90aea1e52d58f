"""Searches alerts: filters and label matchers from query parameters to conditions.

Matchers ask the signals: an alert is found if all of them match one of its firing
signals, or one of its last signals if it is resolved.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain.errors import BadMatchers
from incidentrelay.domain.matchers import Matcher, Op, matches, parse
from incidentrelay.models import Alert, Group, Route, Signal, Team, User
from incidentrelay.services.escalation.alert_details import IS_SHOWN
from incidentrelay.services.escalation.signal_labels import load_signal_labels

# Names that need no quotes in a JSON path on either database.
_PLAIN = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


def apply_filter(statement: Select[Any], wanted: Mapping[str, Any]) -> Select[Any]:
    """Add the filters in ``wanted`` to ``statement``, which selects alerts.

    ``status``, ``severity``, ``group``, ``team`` and ``route`` (slugs), ``assignee``
    (a username), ``matchers`` (see :func:`parse_query`) and ``title`` (part of it).
    The database may not be able to evaluate all matchers: see :func:`needs_sifting`.
    """
    for name, column in (("status", Alert.status), ("severity", Alert.severity)):
        if name in wanted:
            statement = statement.where(column == wanted[name])
    if "team" in wanted:
        statement = statement.where(Alert.team.has(Team.slug == wanted["team"]))
    if "group" in wanted:
        statement = statement.where(Alert.team.has(Team.group.has(Group.slug == wanted["group"])))
    if "route" in wanted:
        statement = statement.where(Alert.route.has(Route.slug == wanted["route"]))
    if "assignee" in wanted:
        statement = statement.where(Alert.assignee.has(User.username == wanted["assignee"]))
    if "title" in wanted:
        statement = statement.where(Alert.title.icontains(wanted["title"], autoescape=True))
    return statement.where(*_signal_conditions(wanted.get("matchers", ())))


def needs_sifting(matchers: Sequence[Matcher]) -> bool:
    """Whether :func:`apply_filter` lets alerts through that :func:`sift_alerts` drops."""
    return not all(map(_is_known, matchers))


def sift_alerts(
    session: Session, alert_ids: Collection[int], matchers: Sequence[Matcher]
) -> set[int]:
    """Those of the alerts of which one signal matches; a single statement."""
    found = load_signal_labels(session, alert_ids)
    return {
        alert_id
        for alert_id, signals in found.items()
        if any(matches(matchers, labels) for labels in signals)
    }


def parse_filter(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Replace ``q`` with matchers or a title, for :func:`apply_filter`."""
    wanted = dict(filters)
    if "q" in wanted:
        wanted["matchers"], title = parse_query(wanted.pop("q"))
        wanted |= {"title": title} if title else {}
    return wanted


def parse_query(text: str) -> tuple[tuple[Matcher, ...], str]:
    """Parse a search into (matchers, part of a title); one of them is empty.

    Raises BadMatchers for the field ``q`` if the text looks like invalid matchers.
    """
    try:
        return parse(text), ""
    except BadMatchers as error:
        if "=" in text or "{" in text or "!~" in text:
            raise BadMatchers(error.reason, error.position, "q") from None
        return (), text


def _signal_conditions(matchers: Sequence[Matcher]) -> list[ColumnElement[bool]]:
    """The same signal must match all matchers that the database can evaluate.

    The alert's row holds the labels that all its signals share, which decides most alerts
    without reading their signals.
    """
    known = [matcher for matcher in matchers if _is_known(matcher)]
    if not known:
        return []
    shared = [_text(Alert.labels, matcher) for matcher in known]
    own = [func.coalesce(_text(Signal.labels, matcher), "") for matcher in known]
    conditions = map(_compare, own, known)
    signals = select(Signal.id).where(Signal.alert_id == Alert.id, IS_SHOWN, *conditions)
    decided = and_(*(value.is_not(None) for value in shared))
    possible = [
        or_(value.is_(None), _compare(value, matcher))
        for value, matcher in zip(shared, known, strict=True)
    ]
    return [*possible, or_(decided, signals.correlate(Alert).exists())]


def _is_known(matcher: Matcher) -> bool:
    """Whether the database can evaluate the matcher."""
    return matcher.op in (Op.EQUAL, Op.NOT_EQUAL) and _PLAIN.fullmatch(matcher.name) is not None


def _compare(value: ColumnElement[str], matcher: Matcher) -> ColumnElement[bool]:
    return value == matcher.value if matcher.op is Op.EQUAL else value != matcher.value


def _text(labels: Any, matcher: Matcher) -> ColumnElement[str]:
    value: ColumnElement[str] = labels[matcher.name].as_string()
    return value
