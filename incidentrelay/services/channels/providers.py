"""What is remembered of providers and recipients between deliveries.

Lock order: the lane, then the recipient's pace, then notifications that are being sent,
then alerts in the order of their ids, then notifications that wait.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.domain.delivery import circuit_breaker
from incidentrelay.domain.delivery.circuit_breaker import Circuit
from incidentrelay.models import Lane, TargetPace


def lock(session: Session, name: str) -> Lane:
    """The lane's row, made where there is none; nobody else changes it until the commit."""
    query = select(Lane).where(Lane.name == name).with_for_update()
    query = query.execution_options(populate_existing=True)
    lane = session.scalars(query).one_or_none()
    if lane is None:
        db.insert_missing(session, Lane, {"name": name, "failures": 0, "reason": ""})
        lane = session.scalars(query).one()
    return lane


def circuit_of(lane: Lane) -> Circuit:
    return Circuit(lane.failures, lane.since, lane.open_until, lane.reason)


def set_circuit(lane: Lane, state: Circuit) -> None:
    lane.failures, lane.since = state.failures, state.since
    lane.open_until, lane.reason = state.open_until, state.reason


def note(
    session: Session, lane: Lane, down: str | None, retry_after: timedelta | None, now: datetime
) -> Circuit:
    """An attempt has ended; ``down`` says why the provider itself did not work, if so."""
    before = circuit_of(lane)
    if down is None:
        state = circuit_breaker.CLOSED
    else:
        state = circuit_breaker.after_failure(before, down, now, retry_after=retry_after)
    set_circuit(lane, state)
    if state.broken and not before.broken:
        # By then it is time to tell others of what waits here.
        db.hint(session, db.Hint("sweep", at=now + circuit_breaker.PATIENCE))
    return state


def pace_of(session: Session, target: str) -> TargetPace | None:
    """How fast ``target`` was told things; nobody else changes it until the commit."""
    query = select(TargetPace).where(TargetPace.target == target).with_for_update()
    return session.scalars(query.execution_options(populate_existing=True)).one_or_none()


def set_pace(session: Session, target: str, pace: TargetPace | None, busy_until: datetime) -> None:
    """Write down until when ``target`` is busy. Whoever calls it holds the lane's lock."""
    if pace is None:
        session.add(TargetPace(target=target, busy_until=busy_until))
    else:
        pace.busy_until = busy_until


def hopeless(session: Session, now: datetime) -> dict[str, Circuit]:
    """The lanes whose messages will not arrive soon, by name."""
    query = select(Lane).where(Lane.open_until.is_not(None))
    found = {lane.name: circuit_of(lane) for lane in session.scalars(query)}
    return {name: state for name, state in found.items() if state.is_hopeless(now)}


def of_channel(channel_id: int) -> str:
    """The name of a channel's lane, which is its target's too."""
    return f"channel:{channel_id}"


def start_anew(session: Session, channel_id: int) -> None:
    """The channel is new or another one: nothing that was remembered of it holds."""
    name = of_channel(channel_id)
    session.execute(delete(Lane).where(Lane.name == name))
    session.execute(delete(TargetPace).where(TargetPace.target == name))
    db.hint(session, db.Hint("sweep"))


def channel_ids(names: Iterable[str]) -> list[int]:
    """The channels whose lanes are among ``names``."""
    return [int(name.removeprefix("channel:")) for name in names if name.startswith("channel:")]


def broken(session: Session) -> dict[str, Circuit]:
    """The providers that have failed too often in a row, by the names of their lanes."""
    query = select(Lane).where(Lane.failures >= circuit_breaker.THRESHOLD)
    return {lane.name: circuit_of(lane) for lane in session.scalars(query)}


def circuits(session: Session, names: Collection[str]) -> dict[str, Circuit]:
    """How the providers of these lanes fare; those never used are left out."""
    if not names:
        return {}
    query = select(Lane).where(Lane.name.in_(names))
    return {lane.name: circuit_of(lane) for lane in session.scalars(query)}
