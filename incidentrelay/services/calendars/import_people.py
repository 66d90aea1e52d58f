"""Finds the member of the rotation's group that a calendar event names."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.ical.occurrences import Occurrence
from incidentrelay.models import GroupMember, User

_IN_PARENTHESES = re.compile(r"\(([^()]*)\)")
_BETWEEN_WORDS = re.compile(r"[\s,;:/|()\[\]<>\"“”]+")


class People:
    """The active members of a group, found by the names calendars use."""

    def __init__(self, users: Iterable[User]) -> None:
        self._words: dict[str, set[User]] = defaultdict(set)
        self._names: dict[str, set[User]] = defaultdict(set)
        for user in users:
            for word in filter(None, (user.username, user.email)):
                self._words[word.casefold()].add(user)
            self._names[user.display_name.casefold()].add(user)

    @classmethod
    def of(cls, session: Session, group_id: int) -> "People":
        query = select(User).join(GroupMember, GroupMember.user_id == User.id)
        return cls(session.scalars(query.where(GroupMember.group_id == group_id, User.active)))

    def find(self, occurrence: Occurrence) -> User | str:
        """The one person that it names, or a sentence that explains why that is unclear.

        The first match counts, in this order: the attendees, the whole title, its parts in
        parentheses, its words, the organizer.
        """
        for names in self._sources(occurrence):
            if len(names) == 1:
                return next(iter(names))
            if names:
                listed = ", ".join(sorted(user.username for user in names))
                return f"It names more than one person: {listed}."
        return "It names no active member of the group."

    def _sources(self, occurrence: Occurrence) -> Iterator[set[User]]:
        title = occurrence.summary.casefold()
        yield self._all(occurrence.attendees)
        yield self._all([title]) | self._names.get(title, set())
        inner = [part.strip() for part in _IN_PARENTHESES.findall(title)]
        yield self._all(inner).union(*(self._names.get(part, set()) for part in inner))
        yield self._all(_BETWEEN_WORDS.split(title))
        yield self._all([occurrence.organizer or ""])

    def _all(self, words: Iterable[str]) -> set[User]:
        return set().union(*(self._words.get(word, set()) for word in words))
