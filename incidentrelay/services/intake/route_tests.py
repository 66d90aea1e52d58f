"""Sends a test alert through a route, from the matchers to the pages."""

import json
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from incidentrelay.domain import matchers as matching
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import Severity, SignalStatus
from incidentrelay.domain.errors import Conflict, NotAllowed
from incidentrelay.domain.intake.signals import IncomingSignal
from incidentrelay.domain.matchers import Op
from incidentrelay.models import Route
from incidentrelay.services.common import audit
from incidentrelay.services.intake import receive as intake_receive
from incidentrelay.services.intake.provenance import IntakeCredential, IntakeSender
from incidentrelay.services.intake.receive import IntakeRequestBody, ItemVerdict

_POSITIVE = (Op.EQUAL, Op.REGEX)


def fitting_labels(route: Route) -> dict[str, str]:
    """Labels that the route's matchers accept, as far as they can be guessed."""
    labels: dict[str, str] = {}
    for matcher in matching.parse_list(route.matchers):
        if matcher.op not in _POSITIVE or matcher.matches({}):
            continue
        # Of alternatives, as in "prod|staging", the first will do.
        value = matcher.value if matcher.op is Op.EQUAL else matcher.value.split("|")[0].strip("()")
        if matcher.matches({matcher.name: value}):
            labels.setdefault(matcher.name, value)
    return labels


def send_route_test(
    session: Session,
    route: Route,
    labels: Mapping[str, str],
    *,
    actor: Actor,
    now: datetime,
) -> ItemVerdict:
    """Create a test alert with ``labels``; it really pages the person on call.

    Raises Conflict if the route, its team or its group is disabled. The verdict says
    whether the route's matchers accepted it.
    """
    try:
        facts = intake_receive.lock_route(session, route.id, now)
    except NotAllowed as error:
        raise Conflict(error.message) from None
    signal = IncomingSignal(
        dedup_key=f"test:{now.isoformat()}",
        status=SignalStatus.FIRING,
        severity=Severity.INFO,
        title=f"Test of the route {facts.route.name}",
        description=f"{actor.name} sent this to see whom it reaches. Resolve it when you have it.",
        labels={"alertname": "RouteTest", **labels},
        starts_at=now,
    )
    body = json.dumps({"test": True, "labels": dict(signal.labels)}).encode()
    raw = IntakeRequestBody(
        body=body,
        truncated=False,
        address="",
        sender=IntakeSender(IntakeCredential.TEST, actor.name),
    )
    audit.record_change(session, actor, "test", route, now=now, group_id=facts.route.team.group_id)
    return intake_receive.receive_request(session, facts, [signal], raw, now)[0]
