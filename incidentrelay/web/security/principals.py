"""The principals of an identity: the names that ACLs grant permissions to."""

from pyramid.authorization import Authenticated, Everyone

from incidentrelay.domain.permissions import INGEST_PRINCIPAL, Scope
from incidentrelay.services.access.identity import Identity


def list_principals(identity: Identity | None) -> frozenset[str]:
    if identity is None:
        return frozenset({Everyone})
    if identity.kind == "route":
        return frozenset({Everyone, f"route:{identity.route_id}", INGEST_PRINCIPAL})
    names = {Everyone, Authenticated, f"user:{identity.user_id}"}
    names |= {"role:admin"} if identity.is_admin else set()
    names |= {f"group:{group}:{role}" for group, role in identity.groups.items()}
    names |= {f"team:{team}:{role}" for team, role in identity.teams.items()}
    if identity.kind == "token":
        names.add(f"token:{identity.token_id}")
        names |= {INGEST_PRINCIPAL} if Scope.ALERTS_WRITE in identity.scopes else set()
    return frozenset(names)
