"""A preview of a schedule as the editor shows it: both versions side by side, in names."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from incidentrelay.domain.oncall.diff import changed_intervals
from incidentrelay.models import User
from incidentrelay.services.oncall import rotation_queries
from incidentrelay.services.oncall.previews import SchedulePreview

MOST_SIDES = 60


@dataclass(frozen=True, slots=True)
class PreviewSide:
    """An interval before and after the edit; None is nobody."""

    start: datetime
    end: datetime
    before: str | None
    after: str | None
    changed: bool


@dataclass(frozen=True, slots=True)
class PreviewView:
    """``changes`` counts the intervals with another person on call.

    ``cut``: there are more intervals than ``sides``.
    """

    sides: Sequence[PreviewSide]
    cut: bool
    changes: int
    problems: Sequence[str]


def view_preview(request: Any, found: SchedulePreview) -> PreviewView:
    sides = changed_intervals(found.before, found.after)
    both = (user_id for side in sides for user_id in (side.before, side.after))
    ids = {user_id for user_id in both if user_id is not None}
    people = rotation_queries.list_people(request.db, ids)
    return PreviewView(
        sides=[
            PreviewSide(
                side.start,
                side.end,
                _name(people, side.before),
                _name(people, side.after),
                side.before != side.after,
            )
            for side in sides[:MOST_SIDES]
        ],
        cut=len(sides) > MOST_SIDES,
        changes=len(found.changes),
        problems=[problem.sentence for problem in found.quality.problems],
    )


def _name(people: Mapping[int, User], user_id: int | None) -> str | None:
    user = people.get(user_id) if user_id is not None else None
    return user.display_name if user else None
