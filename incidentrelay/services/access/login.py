"""Signs people in and out, and changes passwords.

``sign_in`` needs the database rather than a session: failures must be committed even though
they raise, and no transaction may be open while a password is hashed. The caller must not hold
a writing transaction.
"""

import math
import re
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from incidentrelay.db import Database
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import InvalidInput, NotAllowed
from incidentrelay.domain.text import shown_text
from incidentrelay.models import LoginFailure, User, WebSession
from incidentrelay.services.access.passwords import (
    check_password,
    hash_password,
    needs_rehash,
    verify,
)
from incidentrelay.services.access.secrets import (
    TokenKind,
    new_token,
    token_digest,
)
from incidentrelay.services.common import audit

WINDOW = timedelta(minutes=15)
PER_NAME = 10
PER_ADDRESS = 30

_WRONG = "The username or the password is wrong."


def sign_in(
    database: Database,
    username: str,
    password: str,
    *,
    address: str,
    user_agent: str,
    now: datetime,
    request_id: str = "",
) -> tuple[str, int]:
    """Start a session; returns its cookie value and the user's id.

    Raises NotAllowed with the same message for unknown names, wrong passwords and people who
    may not sign in. After too many failures for this name or from this address, the message
    names the time to try again.
    """
    name = username.strip().casefold()
    with database.write() as session:
        # Count before checking the password, so that parallel attempts count too.
        tries = _count_try(session, name, address, now)
        found = session.execute(
            select(User.id, User.password_hash).where(User.username == _printable(name))
        ).one_or_none()
    user_id, stored = found or (None, None)
    matches = verify(stored, password)
    fresh = hash_password(password) if matches and stored and needs_rehash(stored) else None
    with database.write() as session:
        user = session.get(User, user_id) if user_id is not None else None
        if matches and user is not None and user.active and user.password_hash == stored:
            cookie = _open_session(session, user, address, user_agent, now)
            _forget_tries(session, name, tries)
            if fresh is not None:
                # Keep the version: this is not an edit.
                session.execute(update(User).where(User.id == user.id).values(password_hash=fresh))
            _record(session, user, "sign_in", now, request_id)
            return cookie, user.id
        if user is not None:
            _record(session, user, "sign_in_failed", now, request_id)
    raise NotAllowed(_WRONG)


def sign_out(session: Session, cookie: str) -> None:
    """End the session of ``cookie``; does nothing if it has already ended."""
    session.execute(delete(WebSession).where(WebSession.digest == token_digest(cookie)))


def end_sessions(session: Session, user: User, *, keep: str | None = None) -> None:
    """End all sessions of ``user``, except the one whose cookie is ``keep``."""
    statement = delete(WebSession).where(WebSession.user_id == user.id)
    if keep is not None:
        statement = statement.where(WebSession.digest != token_digest(keep))
    session.execute(statement)


def change_password(
    session: Session,
    user: User,
    *,
    current: str,
    new: str,
    actor: Actor,
    now: datetime,
    keep: str | None = None,
) -> None:
    """Change one's own password and end all sessions except that of cookie ``keep``."""
    if not verify(user.password_hash, current):
        raise InvalidInput.of("current_password", "This is not your current password.")
    user.password_hash = hash_password(check_password(new, user.username, "new_password"))
    user.updated_at = user.credentials_changed_at = now
    end_sessions(session, user, keep=keep)
    audit.record_change(
        session, actor, "change_password", user, {"password": [audit.MASK, audit.MASK]}, now=now
    )


def prune_login_failures(
    session: Session, now: datetime, *, idle: timedelta, lifetime: timedelta
) -> None:
    """Delete expired failures and ended sessions."""
    session.execute(delete(LoginFailure).where(LoginFailure.at <= now - WINDOW))
    session.execute(
        delete(WebSession).where(
            (WebSession.last_seen_at <= now - idle) | (WebSession.created_at <= now - lifetime)
        )
    )


def _count_try(session: Session, name: str, address: str, now: datetime) -> list[int]:
    """Count an attempt as failed until it succeeds; raises NotAllowed after too many."""
    subjects = {f"name:{_printable(name)}": PER_NAME, f"address:{address[:64]}": PER_ADDRESS}
    for subject, limit in subjects.items():
        _refuse_when_too_many(session, subject, limit, now)
    tries = [LoginFailure(subject=subject, at=now) for subject in subjects]
    session.add_all(tries)
    # The ids allow a successful sign-in to remove its attempts.
    session.flush()
    return [row.id for row in tries]


def _refuse_when_too_many(session: Session, subject: str, limit: int, now: datetime) -> None:
    recent = (
        select(LoginFailure.at)
        .where(LoginFailure.subject == subject, LoginFailure.at > now - WINDOW)
        .order_by(LoginFailure.at.desc())
        .limit(limit)
        .subquery()
    )
    count, oldest = session.execute(select(func.count(), func.min(recent.c.at))).one()
    if count < limit:
        return
    minutes = max(1, math.ceil((oldest + WINDOW - now) / timedelta(minutes=1)))
    unit = "minute" if minutes == 1 else "minutes"
    raise NotAllowed(f"Too many failed sign-ins. Try again in {minutes} {unit}.")


def _forget_tries(session: Session, name: str, tries: list[int]) -> None:
    session.execute(delete(LoginFailure).where(LoginFailure.id.in_(tries)))
    session.execute(delete(LoginFailure).where(LoginFailure.subject == f"name:{_printable(name)}"))


def _printable(name: str) -> str:
    """Normalise a typed name for storage and lookup; valid usernames are unchanged."""
    return re.sub(r"[^a-z0-9._-]", "?", name)[:63]


def _open_session(
    session: Session, user: User, address: str, user_agent: str, now: datetime
) -> str:
    cookie = new_token(TokenKind.SESSION)
    session.add(
        WebSession(
            digest=token_digest(cookie),
            user_id=user.id,
            created_at=now,
            last_seen_at=now,
            address=address[:64],
            user_agent=shown_text(user_agent)[:255],
        )
    )
    return cookie


def _record(session: Session, user: User, action: str, now: datetime, request_id: str) -> None:
    actor = Actor(name=user.username, via="console", user_id=user.id, request_id=request_id)
    audit.record_change(session, actor, action, user, now=now)
