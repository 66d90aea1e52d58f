"""Applies search filters to statements over alerts."""

import re
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select

from incidentrelay.domain.errors import BadMatchers
from incidentrelay.domain.matchers import Matcher, Op, parse
from incidentrelay.models import Alert, Group, Route, Team, User

# Names that need no quotes in a JSON path on either database.
_PLAIN = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


def apply_filter(statement: Select[Any], wanted: Mapping[str, Any]) -> Select[Any]:
    """Add the filters in ``wanted`` to ``statement``, which selects alerts.

    ``status``, ``severity``, ``group``, ``team`` and ``route`` (slugs), ``assignee``
    (a username), ``matchers`` (see :func:`parse_query`) and ``title`` (part of it).
    Only matchers that the database can evaluate are applied, so the caller must still
    match each row.
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
