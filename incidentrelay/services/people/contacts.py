"""A person's contact methods.

Each is confirmed with a code before it gets any page. An e-mail address that an admin entered
counts as confirmed.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import delete as deletion
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from incidentrelay.channels.base import Personal
from incidentrelay.channels.kinds import PROFILE
from incidentrelay.domain.actors import Actor
from incidentrelay.domain.errors import Conflict, InvalidInput
from incidentrelay.models import ContactMethod, User
from incidentrelay.services.channels.config import ChannelRegistry
from incidentrelay.services.common import audit, limits, resources, validation
from incidentrelay.services.common.secret_box import SecretBox
from incidentrelay.services.people import verification

MAX_CONTACTS = 20
PROFILE_LABEL = "Profile"
_KIND, _LABEL = validation.line(*limits.KIND), validation.line(*limits.CONTACT_LABEL)
_CONFLICT = "This address is a contact of yours already."


def contact_kinds(registry: ChannelRegistry) -> dict[str, Personal]:
    """The kinds of channels that can reach people at their own addresses."""
    infos = [registry.get(name).info for name in sorted(registry.names())]
    return {info.name: info.personal for info in infos if info.personal is not None}


def list_contacts(session: Session, user_id: int) -> list[ContactMethod]:
    """The person's contacts, the oldest first."""
    query = select(ContactMethod).where(ContactMethod.user_id == user_id)
    return list(session.scalars(query.order_by(ContactMethod.id)))


def create(
    session: Session,
    user: User,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    registry: ChannelRegistry,
    vault: SecretBox,
) -> ContactMethod:
    """Add a contact of ``user`` and send it a code."""
    kinds = contact_kinds(registry)
    if not isinstance(data.get("kind"), str) or data["kind"] not in kinds:
        raise InvalidInput.of("kind", f"Write one of: {', '.join(kinds)}.")
    table = {"kind": _KIND, "label": _LABEL, "address": _address(kinds[data["kind"]])}
    values = validation.clean(data, table, required=("kind", "label", "address"))
    _refuse_too_many(session, user)
    verification.refuse_a_flood(session, user, now)
    if _twin(session, user.id, values["kind"], values["address"]) is not None:
        raise InvalidInput.of("address", _CONFLICT)
    contact = ContactMethod(user_id=user.id, **values, created_at=now, updated_at=now)
    resources.insert_row(session, contact, conflict=_CONFLICT)
    audit.record_change(session, actor, "create", contact, resources.given_fields(values), now=now)
    verification.send_code(session, contact, user, vault, now)
    return contact


def update(
    session: Session,
    contact: ContactMethod,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
) -> ContactMethod:
    """Change the label; the address never changes."""
    values = resources.without_fixed(contact, data, ("kind", "address"))
    diff = resources.change_row(contact, validation.clean(values, {"label": _LABEL}))
    if diff:
        resources.save_row(session, contact, now)
        audit.record_change(session, actor, "update", contact, diff, now=now)
    return contact


def delete(session: Session, contact: ContactMethod, *, actor: Actor, now: datetime) -> None:
    """Remove a contact and its notification rules.

    Raises Conflict for the profile's address and for the last usable contact.
    """
    user = session.get_one(User, contact.user_id)
    # Two removals at the same time must not each count on the other contact.
    verification.lock_owner(session, user)
    if is_profile(contact, user):
        raise Conflict("This is the e-mail address of your profile. Change it there.")
    others = (
        select(func.count())
        .select_from(ContactMethod)
        .where(
            ContactMethod.user_id == user.id,
            ContactMethod.id != contact.id,
            ContactMethod.verified_at.is_not(None),
        )
    )
    if contact.verified_at and not user.email and not session.scalar(others):
        raise Conflict("Nothing else reaches you. Add and confirm another contact first.")
    diff = {"address": [contact.address, None]}
    resources.remove_row(session, contact, conflict="This contact is still needed.")
    audit.record_change(session, actor, "delete", contact, diff, now=now)


def send_code(
    session: Session, contact: ContactMethod, *, actor: Actor, now: datetime, vault: SecretBox
) -> ContactMethod:
    """Send a new code to a contact that is not confirmed."""
    user = session.get_one(User, contact.user_id)
    verification.send_code(session, contact, user, vault, now)
    resources.save_row(session, contact, now)
    audit.record_change(session, actor, "send_code", contact, now=now)
    return contact


def confirm_contact(
    session: Session, contact: ContactMethod, code: str, *, actor: Actor, now: datetime
) -> bool:
    """Whether the contact is confirmed now.

    False: the code was wrong. The caller must commit, so that the attempt counts. Raises
    InvalidInput if no code is pending.
    """
    session.refresh(contact, with_for_update=True)
    if contact.verified_at is not None:
        return True
    right = verification.try_code(contact, code, now)
    if right:
        contact.verified_at = now
        audit.record_change(session, actor, "confirm", contact, now=now)
    resources.save_row(session, contact, now)
    return right


def is_profile(contact: ContactMethod, user: User) -> bool:
    """Whether it is the e-mail address of its owner's profile."""
    return contact.kind == PROFILE and _same(contact.address, user.email)


def follow_profile(
    session: Session, user: User, before: str | None, *, vouched: bool, now: datetime
) -> None:
    """Follow a change of the profile's e-mail address, which was ``before``.

    If somebody else ``vouched`` for the new address, it replaces the old one and keeps its
    rules. If people enter it themselves, it is another contact; the old one stays in use until
    the new one is confirmed.
    """
    old = _twin(session, user.id, PROFILE, before) if before else None
    if not user.email:
        if old is not None:
            session.execute(deletion(ContactMethod).where(ContactMethod.id == old.id))
        return
    there = _twin(session, user.id, PROFILE, user.email)
    if there is None and old is not None and vouched:
        old.address, there = user.email, old
    if there is None:
        there = ContactMethod(
            user_id=user.id,
            kind=PROFILE,
            label=PROFILE_LABEL,
            address=user.email,
            created_at=now,
            updated_at=now,
        )
        session.add(there)
    if vouched and there.verified_at is None:
        there.verified_at = now
    there.updated_at = now


def _address(personal: Personal) -> validation.Check:
    def check(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("This must be text.")
        return personal.check(value)

    return check


def _refuse_too_many(session: Session, user: User) -> None:
    verification.lock_owner(session, user)
    count = select(func.count()).select_from(ContactMethod)
    if (session.scalar(count.where(ContactMethod.user_id == user.id)) or 0) >= MAX_CONTACTS:
        raise Conflict(f"You have {MAX_CONTACTS} contacts. Delete one first.")


def _twin(session: Session, user_id: int, kind: str, address: str) -> ContactMethod | None:
    query = select(ContactMethod).where(
        ContactMethod.user_id == user_id, ContactMethod.kind == kind
    )
    contacts = (row for row in session.scalars(query) if _same(row.address, address))
    return next(contacts, None)


def _same(address: str, other: str | None) -> bool:
    return other is not None and address.casefold() == other.casefold()
