"""Fills an installation: many routes, each with a webhook channel of its own."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.tenants import create_tenants
from incidentrelay import migrations
from incidentrelay.domain.actors import SYSTEM
from incidentrelay.domain.permissions import Scope
from incidentrelay.models import Team, User
from incidentrelay.runtime import Runtime, build
from incidentrelay.services.access import tokens as api_tokens
from incidentrelay.services.channels import channels
from incidentrelay.services.intake import routes
from incidentrelay.services.operations.demo import create_demo
from incidentrelay.settings.declaration import Settings


@dataclass(frozen=True, slots=True)
class Dataset:
    """``tokens`` of the routes; an admin's and a responder's tokens of the API.

    ``password`` is the admin's.
    """

    tokens: list[str]
    api_token: str
    member_token: str
    password: str


def create_dataset(
    settings: Settings, *, route_count: int, sink_port: int, tenants: bool = False
) -> Dataset:
    """Migrate an empty database and fill it; with ``tenants`` as of a large organisation."""
    runtime = build(settings)
    now = runtime.clock()
    try:
        migrations.upgrade(runtime.database)
        with runtime.database.write() as session:
            demo = create_demo(
                session,
                now=now,
                registry=runtime.channels,
                vault=runtime.vault,
                integrations=runtime.integrations,
            )
            if demo is None:
                raise SystemExit("The database is not empty.")
            team = session.scalars(select(Team)).one()
            tokens = create_tenants(runtime, session, now) if tenants else []
            tokens += [
                _add_route(runtime, session, team, f"bench-{number}", sink_port, now)
                for number in range(route_count)
            ]
            member = session.scalars(select(User).where(User.username == "anna")).one()
            token = {"name": "Benchmark", "scopes": [Scope.ALERTS_READ, Scope.RESOURCES_READ]}
            _, member_token = api_tokens.create(session, member, token, actor=SYSTEM, now=now)
        return Dataset(tokens, demo.api_token, member_token, demo.password)
    finally:
        runtime.close()


def _add_route(
    runtime: Runtime, session: Session, team: Team, name: str, sink_port: int, now: datetime
) -> str:
    """Add a route with a channel of its own; returns the route's token."""
    channel = {
        "name": name,
        "kind": "webhook",
        "config": {"url": f"http://127.0.0.1:{sink_port}/{name}"},
    }
    channels.create(
        session,
        team,
        channel,
        actor=SYSTEM,
        now=now,
        registry=runtime.channels,
        vault=runtime.vault,
    )
    route = {"name": name, "source": "alertmanager", "rotation": "primary", "channels": [name]}
    _, token = routes.create(
        session, team, route, actor=SYSTEM, now=now, integrations=runtime.integrations
    )
    return token
