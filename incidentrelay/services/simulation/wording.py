"""Explains in sentences what happened to an alert, from the facts in its timeline.

Older entries without facts are shown with their own text.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from incidentrelay.domain.enums import EventKind, TargetKind
from incidentrelay.domain.local_time import zone_names, zone_of
from incidentrelay.domain.text import join_words
from incidentrelay.models import Event
from incidentrelay.services.intake.provenance import IntakeCredential
from incidentrelay.services.recipients.contact_methods import find_contact

_POLICY = "policy "


class ExplanationContext(StrEnum):
    """The topic of a reason, in the order of an alert's path."""

    TOKEN = "token"  # noqa: S105
    ROUTE = "route"
    MATCHERS = "matchers"
    GROUP = "group"
    SILENCE = "silence"
    PLAN = "plan"
    PEOPLE = "people"
    CHANNELS = "channels"


@dataclass(frozen=True, slots=True)
class EventReason:
    """One sentence. ``yours`` is true if it is about the reader."""

    at: datetime
    about: ExplanationContext
    text: str
    yours: bool = False


@dataclass(frozen=True, slots=True)
class ReasonReader:
    """The reader: times are in ``zone``, and ``reader_id`` is addressed as "you".

    ``rotations`` are the names of the rotations in the facts, by id.
    """

    rotations: Mapping[int, str] = field(default_factory=dict)
    zone: str = "UTC"
    reader_id: int | None = None

    def clock(self, at: str) -> str:
        zone = self.zone if self.zone in zone_names() else "UTC"
        there = datetime.fromisoformat(at).astimezone(zone_of(zone))
        return f"{there:%a} {there.day} {there:%b %H:%M} {there:%Z}"

    def rotation(self, rotation_id: int | None) -> str:
        return self.rotations.get(rotation_id or 0, "a deleted rotation")


_AS_WRITTEN: Mapping[EventKind, ExplanationContext] = {
    EventKind.CREATED: ExplanationContext.ROUTE,
    EventKind.REOPENED: ExplanationContext.ROUTE,
    EventKind.REFIRE_HELD: ExplanationContext.ROUTE,
    EventKind.SIGNAL_JOINED: ExplanationContext.GROUP,
    EventKind.SEVERITY_RAISED: ExplanationContext.PLAN,
    EventKind.SEVERITY_LOWERED: ExplanationContext.PLAN,
    EventKind.SILENCED: ExplanationContext.SILENCE,
    EventKind.SILENCE_ENDED: ExplanationContext.SILENCE,
    EventKind.SNOOZED: ExplanationContext.SILENCE,
    EventKind.SNOOZE_ENDED: ExplanationContext.SILENCE,
    EventKind.ACKNOWLEDGED: ExplanationContext.PLAN,
    EventKind.UNACKNOWLEDGED: ExplanationContext.PLAN,
    EventKind.ACK_TIMED_OUT: ExplanationContext.PLAN,
    EventKind.RESPONDER_LEFT: ExplanationContext.PLAN,
    EventKind.RESOLVED: ExplanationContext.PLAN,
    EventKind.STEP_SKIPPED: ExplanationContext.PLAN,
    EventKind.STEP_WAITS: ExplanationContext.PLAN,
    EventKind.ESCALATION_EXHAUSTED: ExplanationContext.PLAN,
    EventKind.PAGED: ExplanationContext.PEOPLE,
    EventKind.REMINDED: ExplanationContext.PEOPLE,
    EventKind.ESCALATED: ExplanationContext.PEOPLE,
    EventKind.ASSIGNED: ExplanationContext.PEOPLE,
    EventKind.NOBODY_ON_CALL: ExplanationContext.PEOPLE,
    EventKind.FALLBACK_NOTIFIED: ExplanationContext.PEOPLE,
    EventKind.NOTIFICATION_SENT: ExplanationContext.CHANNELS,
    EventKind.NOTIFICATION_FAILED: ExplanationContext.CHANNELS,
    EventKind.NOTIFICATION_STALLED: ExplanationContext.CHANNELS,
    EventKind.NOTIFICATION_RESENT: ExplanationContext.CHANNELS,
}
NOTIFIED_KINDS = tuple(_AS_WRITTEN)
_DONE: Mapping[EventKind, str] = {
    EventKind.PAGED: "paged",
    EventKind.REMINDED: "reminded",
    EventKind.ESCALATED: "paged",
    EventKind.ASSIGNED: "paged",
    EventKind.FALLBACK_NOTIFIED: "notified",
}
_WHY: Mapping[str, str] = {
    TargetKind.ASSIGNEE: "the alert was assigned to {them}",
    TargetKind.USER: "the step names {them}",
    TargetKind.TEAM: "the step names a team that includes {them}",
    "fallback": "the team's fallback contact",
}


def word_reasons(events: Iterable[Event], reading: ReasonReader) -> list[EventReason]:
    """The reasons in ``events``, in order. Entries such as comments give none."""
    return [reason for event in events for reason in _reasons(event, reading)]


def rotation_ids(events: Iterable[Event]) -> set[int]:
    """The ids of the rotations in ``events``."""
    people = (person for event in events for person in event.data.get("people", ()))
    return {person["rotation"] for person in people if person.get("rotation") is not None}


def _reasons(event: Event, reading: ReasonReader) -> Iterator[EventReason]:
    about = _AS_WRITTEN.get(event.kind)
    if about is None:
        return
    if "route" in event.data:
        for part, text in _intake(event):
            yield EventReason(event.at, part, text)
    elif event.kind in _DONE and ("people" in event.data or "channels" in event.data):
        yield from _told(event, reading)
    else:
        by_hand = event.kind is EventKind.ESCALATED and event.actor_id is not None
        context = ExplanationContext.PLAN if by_hand else about
        yield EventReason(event.at, context, _as_written(event))


def _as_written(event: Event) -> str:
    text = event.text if event.text.endswith((".", "!", "?", "…")) else f"{event.text}."
    if event.kind is EventKind.CREATED:
        return f"A source sent: {text}"
    step = _step(event.data) if "step" in event.data else None
    return f"{text} This was {step}." if step else text


def _intake(event: Event) -> Iterator[tuple[ExplanationContext, str]]:
    facts = event.data
    sender, route = facts.get("sender", ""), facts["route"]["name"]
    match facts["credential"]:
        case IntakeCredential.PERSONAL:
            yield ExplanationContext.TOKEN, f"{sender} sent it with a personal token."
            yield (
                ExplanationContext.ROUTE,
                f"Route {route} is the first of their routes that accepts it.",
            )
        case IntakeCredential.TEST:
            yield (
                ExplanationContext.TOKEN,
                f"{sender} sent it as a test of the route, without a token.",
            )
            yield ExplanationContext.ROUTE, f"Route {route} accepted it."
        case _:
            yield (
                ExplanationContext.TOKEN,
                f"It was sent with the token that starts with {facts['hint']}.",
            )
            yield (
                ExplanationContext.ROUTE,
                f"Route {route} accepted it, because the token belongs to this route.",
            )
    yield ExplanationContext.MATCHERS, _matchers(facts)
    held = event.kind is EventKind.REFIRE_HELD
    yield ExplanationContext.GROUP, event.text if held else _group(event)


def _matchers(facts: Mapping[str, Any]) -> str:
    shown = list(facts["matchers"])
    if not shown:
        return "The route has no matchers, so everything matches."
    more = facts.get("more_matchers", 0)
    if len(shown) + more == 1:
        return f"Its only matcher matches: {shown[0]}."
    if more:
        shown.append(f"{more} more")
    return f"All {len(facts['matchers']) + more} matchers match: {join_words(shown)}."


def _group(event: Event) -> str:
    group, key = event.data["group_by"], event.data["dedup_key"]
    again = "this alert again" if event.kind is EventKind.REOPENED else "a new alert"
    if not group:
        return (
            f"The route does not group. No alert with the key {key} was open, so it opened {again}."
        )
    values = join_words([f"{name} is “{value}”" for name, value in group.items()])
    return f"Alerts are grouped: {values}. The group had no open alert, so it opened {again}."


def _told(event: Event, reading: ReasonReader) -> Iterator[EventReason]:
    facts = event.data
    if "step" in facts and event.kind is not EventKind.FALLBACK_NOTIFIED:
        step = _step(facts)
        yield EventReason(event.at, ExplanationContext.PLAN, f"{step[:1].upper()}{step[1:]} ran.")
    if event.kind is EventKind.ASSIGNED:
        yield EventReason(event.at, ExplanationContext.PEOPLE, _as_written(event))
    for person in facts.get("people", ()):
        yours = reading.reader_id is not None and person["id"] == reading.reader_id
        text = _person(_DONE[event.kind], person, reading, yours=yours)
        yield EventReason(event.at, ExplanationContext.PEOPLE, text, yours)
    channels = facts.get("channels")
    if channels:
        noun, verb = ("Channel", "was") if len(channels) == 1 else ("Channels", "were")
        text = f"{noun} {join_words(channels)} {verb} sent a message."
        yield EventReason(event.at, ExplanationContext.CHANNELS, text)
    if facts.get("more"):
        yield EventReason(
            event.at, ExplanationContext.PEOPLE, f"{facts['more']} more were notified."
        )


def _step(facts: Mapping[str, Any]) -> str:
    source = facts["plan"]
    plan = f"the {source}" if source.startswith(_POLICY) else "the default plan"
    version = f" (version {facts['version']})" if "version" in facts else ""
    turn = f" in round {facts['round']}" if "round" in facts else ""
    return f"step {facts['step']} of {facts['steps']} of {plan}{version}{turn}"


def _person(verb: str, person: Mapping[str, Any], reading: ReasonReader, *, yours: bool) -> str:
    who = "You were" if yours else f"{person['name']} was"
    ways = join_words([_way(*way) for way in person["methods"]])
    why = _why(person, reading, them="you" if yours else "them")
    by = f" by {ways}" if ways else ""
    return f"{who} {verb}{by}{f': {why}' if why else ''}."


def _way(method: str, delay: int = 0) -> str:
    if not delay:
        return find_contact(method)
    minutes, seconds = divmod(delay, 60)
    return f"{find_contact(method)} after {f'{seconds} s' if seconds else f'{minutes} min'}"


def _why(person: Mapping[str, Any], reading: ReasonReader, *, them: str) -> str:
    if person["why"] == TargetKind.NEXT_MEMBER:
        return f"next in {reading.rotation(person['rotation'])}"
    if person["why"] != TargetKind.ON_CALL:
        return _WHY.get(person["why"], "").format(them=them)
    by = "by an override" if "override" in person else f"by the layer {person['layer']}"
    until = reading.clock(person["until"])
    return f"on call in {reading.rotation(person['rotation'])} {by} until {until}"
