"""Silences as their pages show them, and the link to silence an alert."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidentrelay.domain.enums import AlertStatus
from incidentrelay.domain.local_time import LATEST
from incidentrelay.domain.permissions import Permission
from incidentrelay.models import Silence
from incidentrelay.services.silences import silence_queries
from incidentrelay.services.silences.silence_queries import SilenceState
from incidentrelay.web.console.components.silence_wording import repeats
from incidentrelay.web.links import console_url
from incidentrelay.web.resources.alerts.alerts import AlertNode
from incidentrelay.web.resources.base import Node

OVER = "over"


@dataclass(frozen=True, slots=True)
class SilenceRow:
    """One silence; ``state`` ∈ active, coming, unreadable, over. ``ends_at`` None: never ends.

    ``at`` is when the state changes, or changed. Links are None if the reader may not
    follow them.
    """

    url: str
    matchers: Sequence[str]
    reason: str
    by: str | None
    group_name: str
    team_name: str
    state: str
    at: datetime | None
    repeats: str | None
    starts_at: datetime
    ends_at: datetime | None
    end_url: str | None
    edit_url: str | None
    delete_url: str | None


def view_silence(context: Node, request: Any, silence: Silence) -> SilenceRow:
    """The silence; its team, group and creator are loaded."""
    node = context.root.place(silence)
    url = console_url(request, node)
    state = silence_queries.silence_state(silence, request.now)
    over = silence.ends_at <= request.now
    may = not over and request.has_permission(Permission.EDIT, node)
    has_begun = silence.starts_at <= request.now
    may_delete = request.has_permission(Permission.DELETE, node)
    return SilenceRow(
        url=url,
        matchers=silence.matchers,
        reason=silence.reason,
        by=silence.created_by.display_name if silence.created_by else None,
        group_name=silence.team.group.name,
        team_name=silence.team.name,
        state=OVER if over else _state_word(state),
        at=silence.ends_at if over else state.until or state.next,
        repeats=repeats(silence.recurrence) if silence.recurrence else None,
        starts_at=silence.starts_at,
        ends_at=None if silence.ends_at == LATEST else silence.ends_at,
        end_url=f"{url}/end" if may and has_begun else None,
        edit_url=f"{url}/edit" if may else None,
        delete_url=f"{url}/delete" if may_delete else None,
    )


def _state_word(state: SilenceState) -> str:
    if state.unreadable:
        return "unreadable"
    return "active" if state.active else "coming"


def find_silence_url(context: AlertNode, request: Any) -> str | None:
    """The form for a silence of the alert; None if the reader may not create one."""
    folder = context.root.place(context.obj.team)["silences"]
    over = context.obj.status is AlertStatus.RESOLVED
    if over or not request.has_permission(Permission.CREATE, folder):
        return None
    return f"{console_url(request, folder)}/new?alert={context.obj.id}"
