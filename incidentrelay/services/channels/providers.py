"""The state of providers and recipients between deliveries.

Lock order: the provider, then the recipient's rate, then notifications that are being sent,
then alerts in the order of their ids, then notifications that wait.
"""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, select
from sqlalchemy.orm import Session

from incidentrelay import db
from incidentrelay.domain.delivery import circuit_breaker
from incidentrelay.domain.delivery.circuit_breaker import Circuit
from incidentrelay.models import Provider, RecipientRate

_BY_NAME = (
    select(Provider)
    .where(Provider.name == bindparam("name"))
    .execution_options(populate_existing=True)
)
_FREE_PROVIDER = _BY_NAME.with_for_update(skip_locked=True)
_PROVIDER = _BY_NAME.with_for_update()
_RATE = (
    select(RecipientRate)
    .where(RecipientRate.target == bindparam("target"))
    .with_for_update()
    .execution_options(populate_existing=True)
)

NO_WAIT = timedelta(0)
CLAIM_WAIT = timedelta(milliseconds=500)
STUCK_FOR = timedelta(seconds=3)
RESULT_WAIT = timedelta(seconds=18)


def lock_providers(session: Session, name: str) -> Provider:
    """The provider's row, created if missing, and locked until the commit.

    A result waits for a long time: if it is lost, the message is sent twice.
    """
    return _lock(session, name, RESULT_WAIT)


def try_lock_provider(session: Session, name: str, now: datetime) -> Provider | None:
    """The same for a claim; None if another transaction does not let go of the row.

    The first claim waits for CLAIM_WAIT. During the next STUCK_FOR no claim of this process
    waits, so that a machine that freezes while it holds the row blocks no other provider. A
    later sweep sends the skipped notifications.
    """
    stuck = db.process_memory(session, "stuck providers")
    waits = now >= stuck.get(name, now)
    try:
        provider = _lock(session, name, CLAIM_WAIT if waits else NO_WAIT)
    except db.Locked:
        if waits:
            stuck[name] = now + STUCK_FOR
            db.hint(session, db.Hint("sweep", at=now + STUCK_FOR))
        return None
    stuck.pop(name, None)
    return provider


def _lock(session: Session, name: str, limit: timedelta) -> Provider:
    """Raises Locked. A free row takes one round trip."""
    provider = session.scalars(_FREE_PROVIDER, {"name": name}).one_or_none()
    if provider is None:
        with db.waiting_at_most(session, limit):
            db.insert_missing(session, Provider, {"name": name, "failures": 0, "reason": ""})
            provider = session.scalars(_PROVIDER, {"name": name}).one()
    return provider


def load_circuit(provider: Provider) -> Circuit:
    return Circuit(provider.failures, provider.since, provider.open_until, provider.reason)


def save_circuit(provider: Provider, state: Circuit) -> None:
    provider.failures, provider.since = state.failures, state.since
    provider.open_until, provider.reason = state.open_until, state.reason


def record_outcome(
    session: Session,
    provider: Provider,
    down: str | None,
    retry_after: timedelta | None,
    now: datetime,
) -> Circuit:
    """An attempt has ended; ``down`` is why the provider itself failed, if it did."""
    before, after = load_circuit(provider), circuit_breaker.CLOSED
    if down is not None:
        after = circuit_breaker.after_failure(before, down, now, retry_after=retry_after)
    save_circuit(provider, after)
    if after.is_open and not before.is_open:
        # By then it is time to notify others of the waiting pages.
        db.hint(session, db.Hint("sweep", at=now + circuit_breaker.STALL_AFTER))
    return after


def load_rate(session: Session, target: str) -> RecipientRate | None:
    """The rate of ``target``, locked until the commit."""
    return session.scalars(_RATE, {"target": target}).one_or_none()


def save_rate(
    session: Session, target: str, pace: RecipientRate | None, busy_until: datetime
) -> None:
    """Store how long ``target`` is busy. The caller holds the provider's lock."""
    if pace is None:
        session.add(RecipientRate(target=target, busy_until=busy_until))
    else:
        pace.busy_until = busy_until


def stalled_providers(session: Session, now: datetime) -> dict[str, Circuit]:
    """The providers whose messages will not arrive soon, by name."""
    query = select(Provider).where(Provider.open_until.is_not(None))
    found = {provider.name: load_circuit(provider) for provider in session.scalars(query)}
    return {name: state for name, state in found.items() if state.is_stalled(now)}


def provider_of(channel_id: int) -> str:
    """The name of a channel's provider, which is also its target's."""
    return f"channel:{channel_id}"


def reset_provider(session: Session, channel_id: int) -> None:
    """Forget the state of a channel that was deleted or got another destination."""
    name = provider_of(channel_id)
    session.execute(delete(Provider).where(Provider.name == name))
    session.execute(delete(RecipientRate).where(RecipientRate.target == name))
    db.hint(session, db.Hint("sweep"))


def provider_channel_ids(names: Iterable[str]) -> list[int]:
    """The channels whose providers are among ``names``."""
    return [int(name.removeprefix("channel:")) for name in names if name.startswith("channel:")]


def open_circuits(session: Session) -> dict[str, Circuit]:
    """The open circuits, by the names of their providers."""
    query = select(Provider).where(Provider.failures >= circuit_breaker.THRESHOLD)
    return {provider.name: load_circuit(provider) for provider in session.scalars(query)}


def load_circuits(session: Session, names: Collection[str]) -> dict[str, Circuit]:
    """The circuits of these providers; those never used are left out."""
    if not names:
        return {}
    query = select(Provider).where(Provider.name.in_(names))
    return {provider.name: load_circuit(provider) for provider in session.scalars(query)}
