"""Searches alerts: filters and label matchers from query parameters to conditions.

Matchers ask the signals: an alert is found if all of them match one of its firing
signals, or one of its last signals if it is resolved.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.errors import BadMatchers
from incidentrelay.domain.matchers import Matcher, Op, matches, parse
from incidentrelay.models import Alert, AlertLabel, Group, Route, Signal, Team, User
from incidentrelay.models.alerts.label import LABEL_LENGTH
from incidentrelay.services.escalation.alert_details import IS_SHOWN
from incidentrelay.services.escalation.signal_labels import load_signal_labels

# Labels of more alerts than this are equally unfit to search by.
_RARE, _MOST_COMPARED = 2000, 8
# Names that need no quotes in a JSON path on either database.
_PLAIN = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class AlertSearch:
    """Alerts of ``teams`` (ids; None: all) in ``statuses`` that fulfil all ``conditions``.

    ``label``: they have this label, as AlertLabel stores it. ``sifted``: matchers to evaluate
    in Python.
    """

    teams: Select[Any] | None
    statuses: Sequence[AlertStatus]
    conditions: Sequence[ColumnElement[bool]] = ()
    label: str | None = None
    sifted: Sequence[Matcher] = ()


def build_search(
    session: Session, teams: Select[Any] | None, wanted: Mapping[str, Any]
) -> AlertSearch:
    """The search for the alerts of ``teams`` (ids; None: all) with the filters ``wanted``.

    ``status``, ``severity``, ``group``, ``team`` and ``route`` (slugs), ``assignee``
    (a username), ``matchers`` (see :func:`parse_query`) and ``title`` (part of it).
    """
    matchers = wanted.get("matchers", ())
    return AlertSearch(
        teams=_narrow(teams, wanted),
        statuses=(wanted["status"],) if "status" in wanted else tuple(AlertStatus),
        conditions=(*_row_conditions(wanted), *signal_conditions(matchers)),
        label=_choose_label(session, matchers),
        sifted=matchers if needs_sifting(matchers) else (),
    )


def _narrow(teams: Select[Any] | None, wanted: Mapping[str, Any]) -> Select[Any] | None:
    clauses: list[ColumnElement[bool]] = []
    if "team" in wanted:
        clauses.append(Team.slug == wanted["team"])
    if "group" in wanted:
        clauses.append(Team.group.has(Group.slug == wanted["group"]))
    if not clauses:
        return teams
    return (select(Team.id) if teams is None else teams).where(*clauses)


def _row_conditions(wanted: Mapping[str, Any]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if "severity" in wanted:
        conditions.append(Alert.severity == wanted["severity"])
    if "route" in wanted:
        routes = select(Route.id).where(Route.slug == wanted["route"])
        conditions.append(Alert.route_id.in_(routes))
    if "assignee" in wanted:
        people = select(User.id).where(User.username == wanted["assignee"])
        conditions.append(Alert.assignee_id.in_(people))
    if "title" in wanted:
        conditions.append(Alert.title.icontains(wanted["title"], autoescape=True))
    return conditions


def _choose_label(session: Session, matchers: Sequence[Matcher]) -> str | None:
    """The rarest of the labels that the matchers ask for, as AlertLabel stores it."""
    labels = [
        f"{matcher.name}={matcher.value}"[:LABEL_LENGTH]
        for matcher in matchers
        # An empty value is that of a missing label.
        if matcher.op is Op.EQUAL and matcher.value
    ]
    if len(labels) < 2:
        return labels[0] if labels else None
    counts = [
        select(func.count()).select_from(
            select(AlertLabel.alert_id).where(AlertLabel.label == label).limit(_RARE).subquery()
        )
        for label in labels[:_MOST_COMPARED]
    ]
    found = session.execute(select(*(count.scalar_subquery() for count in counts))).one()
    return min(zip(found, labels, strict=False))[1]


def needs_sifting(matchers: Sequence[Matcher]) -> bool:
    """Whether :func:`signal_conditions` let alerts through that :func:`sift_alerts` drops."""
    return not all(map(_is_known, matchers))


def sift_alerts(
    session: Session, alert_ids: Collection[int], matchers: Sequence[Matcher]
) -> set[int]:
    """Those of the alerts of which one signal matches; a single statement."""
    if not all(_PLAIN.fullmatch(matcher.name) for matcher in matchers):
        found = load_signal_labels(session, alert_ids)
        return {
            row_id for row_id, many in found.items() if any(matches(matchers, one) for one in many)
        }
    # Only the labels that matter: decoding them all takes most of the time.
    names = list(dict.fromkeys(matcher.name for matcher in matchers))
    query = (
        select(Signal.alert_id, *(_text(Signal.labels, name) for name in names))
        .join(Alert, Alert.id == Signal.alert_id)
        .where(Signal.alert_id.in_(alert_ids), IS_SHOWN)
    )
    answers: dict[tuple[str, ...], bool] = {}
    kept = set()
    for alert_id, *values in session.execute(query) if alert_ids else ():
        key = tuple(values)
        if key not in answers:
            labels = {name: value or "" for name, value in zip(names, values, strict=True)}
            answers[key] = matches(matchers, labels)
        if answers[key]:
            kept.add(alert_id)
    return kept


def parse_filter(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Replace ``q`` with matchers or a title, for :func:`build_search`."""
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


def signal_conditions(matchers: Sequence[Matcher]) -> list[ColumnElement[bool]]:
    """The same signal must match all matchers that the database can evaluate.

    The alert's row holds the labels that all its signals share, which decides most alerts
    without reading their signals.
    """
    known = [matcher for matcher in matchers if _is_known(matcher)]
    if not known:
        return []
    shared = [_text(Alert.labels, matcher.name) for matcher in known]
    own = [func.coalesce(_text(Signal.labels, matcher.name), "") for matcher in known]
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


def _text(labels: Any, name: str) -> ColumnElement[str]:
    value: ColumnElement[str] = labels[name].as_string()
    return value
