"""Lists of alerts, narrowed by what people ask for."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select

from incidentrelay.domain.errors import BadMatchers
from incidentrelay.domain.matchers import Matcher, Op, parse
from incidentrelay.models import Alert, Group, Route, Team, User

# Names that need no quotes in a path of JSON, on either database.
_PLAIN = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


def apply_filter(statement: Select[Any], wanted: Mapping[str, Any]) -> Select[Any]:
    """``statement`` over Alert with the given filters; absent ones do not count.

    ``status``, ``severity``, ``group``, ``team`` and ``route`` (slugs), ``assignee``
    (a username), ``matchers`` (see :func:`read_query`) and ``title`` (a part of it).
    Of the matchers only those are applied that the database understands: the
    caller still matches each row.
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
    for matcher in wanted.get("matchers", ()):
        if matcher.op == Op.EQUAL and matcher.value and _PLAIN.fullmatch(matcher.name):
            statement = statement.where(Alert.labels[matcher.name].as_string() == matcher.value)
    return statement


def parse_filter(given: Mapping[str, Any]) -> dict[str, Any]:
    """``given`` with matchers or a title in place of ``q``, for :func:`narrowed`."""
    wanted = dict(given)
    if "q" in wanted:
        wanted["matchers"], title = parse_query(wanted.pop("q"))
        wanted |= {"title": title} if title else {}
    return wanted


def parse_query(text: str) -> tuple[tuple[Matcher, ...], str]:
    """(matchers, part of a title) of what somebody typed; one of them is empty.

    Raises BadMatchers for the field ``q`` where it was meant as matchers.
    """
    try:
        return parse(text), ""
    except BadMatchers as error:
        if "=" in text or "{" in text or "!~" in text:
            raise BadMatchers(error.reason, error.position, "q") from None
        return (), text
