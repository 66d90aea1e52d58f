"""Codes that prove who owns a contact.

A code is stored as a hash. In the outbox it is sealed for the worker that sends it.
"""

import secrets
from base64 import b64decode, b64encode
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.domain.enums import AlertStatus, NotificationKind, Severity
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.domain.messages import Message
from incidentrelay.models import ContactMethod, Notification, User
from incidentrelay.services.access.passwords import hash_password, verify
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.outbox import personal as personal_messages
from incidentrelay.services.outbox import queue as outbox_queue
from incidentrelay.services.recipients.directory import Recipient

LIFETIME = timedelta(minutes=30)
MOST_TRIES = 5
WINDOW = timedelta(hours=1)
MOST_CODES = 6
_DIGITS = 6


def send_code(
    session: Session, contact: ContactMethod, user: User, vault: SecretBox, now: datetime
) -> None:
    """Send the contact a new code; the previous one becomes invalid.

    Raises Conflict for a confirmed contact, and after too many codes.
    """
    if contact.verified_at is not None:
        raise Conflict("This contact is confirmed already.")
    refuse_a_flood(session, user, now)
    code = "".join(secrets.choice("0123456789") for _ in range(_DIGITS))
    contact.code_hash = hash_password(code)
    contact.code_expires_at = now + LIFETIME
    contact.code_tries = 0
    uid = f"code-{contact.id}-{now:%Y%m%d%H%M%S%f}-{secrets.token_hex(4)}"
    sealed = vault.seal(uid, {"code": code})
    message = {**_message(user).to_json(), "sealed": b64encode(sealed).decode()}
    kind, target = contact.kind, f"user:{user.id}:{contact.kind}:{contact.id}"
    recipient = Recipient(target, kind, user.display_name, user.id, contact_id=contact.id)
    verification = NotificationKind.VERIFICATION
    row = personal_messages.personal_row(recipient, uid, verification, message, due=now, now=now)
    outbox_queue.write_rows(session, [row])


def _message(user: User) -> Message:
    return Message(
        kind=NotificationKind.VERIFICATION,
        headline="Confirm your contact",
        title="Your code for IncidentRelay",
        severity=Severity.INFO,
        status=AlertStatus.FIRING,
        team="",
        description=f"{user.display_name} wants to be paged here.",
    )


def open_code(row: Notification, vault: SecretBox) -> Message:
    """The message of a row as it is sent, with the code if it has one."""
    body = dict(row.message)
    sealed = body.pop("sealed", None)
    if sealed is not None:
        code = vault.open(row.uid, b64decode(sealed))["code"]
        minutes = LIFETIME // timedelta(minutes=1)
        body["title"] = f"Your code is {code}"
        body["description"] += (
            f" Enter {code} on the page of your settings within {minutes} minutes."
            " If you do not expect this message, do nothing."
        )
    return Message.from_json(body)


def try_code(contact: ContactMethod, code: str, now: datetime) -> bool:
    """Whether ``code`` is right; a few wrong attempts invalidate it.

    Raises InvalidInput if no code is pending. The caller has locked the contact.
    """
    expired = contact.code_expires_at is None or contact.code_expires_at <= now
    if contact.code_hash is None or expired or contact.code_tries >= MOST_TRIES:
        raise InvalidInput.of("code", "This code no longer works. Send a new one.")
    contact.code_tries += 1
    if not verify(contact.code_hash, code.strip()):
        return False
    contact.code_hash = contact.code_expires_at = None
    contact.code_tries = 0
    return True


def lock_owner(session: Session, user: User) -> None:
    """Lock the person's contacts until the commit."""
    session.execute(select(User.id).where(User.id == user.id).with_for_update(key_share=True))


def refuse_a_flood(session: Session, user: User, now: datetime) -> None:
    """Raise Conflict if the person got too many codes recently."""
    lock_owner(session, user)
    recent = select(func.count()).where(
        Notification.user_id == user.id,
        Notification.kind == NotificationKind.VERIFICATION,
        Notification.created_at > now - WINDOW,
    )
    if (session.scalar(recent) or 0) >= MOST_CODES:
        raise Conflict(f"You had {MOST_CODES} codes within an hour. Try again later.")
