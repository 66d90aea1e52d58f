"""People who can sign in."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from incidentrelay.domain.actors import Actor
from incidentrelay.domain.enums import GroupRole, TargetKind
from incidentrelay.domain.errors import Conflict, NotAllowed
from incidentrelay.models import Group, GroupMember, User
from incidentrelay.services.access import login, passwords, user_lookup
from incidentrelay.services.common import audit, limits, references, resources, validation
from incidentrelay.services.oncall import absences
from incidentrelay.services.oncall import versions as schedule_versions
from incidentrelay.services.people import contacts
from incidentrelay.services.tenancy import departures, dependents

_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
_EMAIL = re.compile(
    r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
    r"(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*",
    re.ASCII | re.IGNORECASE,
)
_PHONE = re.compile(r"\+[1-9]\d{6,14}", re.ASCII)
# These would hide a page of the list of users.
_NOT_NAMES = frozenset({"new", "me"})
_OTHERS_ONLY = ("active", "is_admin", "password")
# A change of these voids the action links that were signed before.
_CREDENTIALS = frozenset({"active", "password"})


def username(value: Any) -> str:
    """A username; a check (see services/common/validation.py)."""
    if not isinstance(value, str) or not _USERNAME.fullmatch(value) or value in _NOT_NAMES:
        raise ValueError(
            "Write 1 to 63 lower-case letters (a to z), digits, dots, hyphens and"
            " underscores, beginning with a letter or digit; not “new” or “me”."
        )
    return value


def email(value: Any) -> str | None:
    """An e-mail address; an empty text is none."""
    text = value.strip() if isinstance(value, str) else value
    if text == "":
        return None
    if not isinstance(text, str) or len(text) > limits.ADDRESS.high or not _EMAIL.fullmatch(text):
        raise ValueError("This is not an e-mail address.")
    if ".." in text or text.startswith(".") or ".@" in text:
        raise ValueError("This is not an e-mail address.")
    return text


def phone(value: Any) -> str | None:
    """A phone number in the international form, without blanks; an empty text is none."""
    text = re.sub(r"[\s().-]", "", value) if isinstance(value, str) else value
    if text == "":
        return None
    if not isinstance(text, str) or not _PHONE.fullmatch(text):
        raise ValueError("Write the number with its country code, like +33 6 12 34 56 78.")
    return text


_FIELDS: Mapping[str, validation.Check] = {
    "display_name": validation.NAME,
    "email": validation.optional(email),
    "phone": validation.optional(phone),
    "zone": validation.zone,
    "shift_start_reminder": validation.flag,
    "shift_end_reminder": validation.flag,
    "active": validation.flag,
    "is_admin": validation.flag,
    # Its rules need the username; see _hashed.
    "password": lambda value: value,
}


def create(
    session: Session, parent: None, data: Mapping[str, Any], *, actor: Actor, now: datetime
) -> User:
    """Create a user; without a password they cannot sign in yet."""
    values = validation.clean(data, {**_FIELDS, "username": username}, required=("username",))
    values = {"display_name": values["username"], **values}
    conflict = f"There is somebody called “{values['username']}” already."
    twin = select(User.id).where(User.username == values["username"])
    if session.scalar(twin) is not None:
        raise Conflict(conflict)
    user = User(**_hashed(values["username"], values), created_at=now, updated_at=now)
    resources.insert_row(session, user, conflict=conflict)
    contacts.follow_profile(session, user, None, vouched=True, now=now)
    audit.record_change(
        session, actor, "create", user, resources.given_fields(_masked(values)), now=now
    )
    return user


def update(
    session: Session,
    user: User,
    data: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    confirm: bool = False,
) -> User:
    """Change the given fields.

    Raises HasDependents if something depends on a user who is to be inactive, unless
    ``confirm``. Nobody may change their own ``active``, ``is_admin`` or ``password`` here
    (NotAllowed; login.change_password asks for the current one). A new password and
    deactivation end all sessions. Raises Conflict for the last active admin.
    """
    values = validation.clean(resources.without_fixed(user, data, ("username",)), _FIELDS)
    if actor.user_id == user.id:
        values = _own(user, values)
    if not values.get("active", True) or not values.get("is_admin", True):
        _keep_an_admin(session, user)
    if user.active and not values.get("active", True) and not confirm:
        dependents.require_none(session, user, now)
    diff = _masked(resources.change_row(user, _hashed(user.username, values)))
    if diff:
        if diff.keys() & _CREDENTIALS:
            user.credentials_changed_at = now
        resources.save_row(session, user, now)
        if "active" in diff:
            _record_absence(session, user, now)
        audit.record_change(session, actor, "update", user, diff, now=now)
    if "email" in diff:
        vouched = actor.user_id != user.id
        contacts.follow_profile(session, user, diff["email"][0], vouched=vouched, now=now)
    if "password" in diff or not user.active:
        login.end_sessions(session, user)
    if diff.keys() & {"active", "is_admin"}:
        departures.move_on(session, user, now)
    return user


def delete(
    session: Session, user: User, *, actor: Actor, now: datetime, confirm: bool = False
) -> None:
    """Delete a user who was never in a schedule.

    Raises HasDependents if something depends on them, unless ``confirm``, and Conflict for
    others (deactivate them), for the last active admin, for the last owner of a group, and
    for targets of policies.
    """
    if actor.user_id == user.id:
        raise NotAllowed("You cannot delete yourself.")
    _keep_an_admin(session, user)
    groups = select(Group).join(GroupMember, GroupMember.group_id == Group.id)
    groups = groups.where(GroupMember.user_id == user.id, GroupMember.role == GroupRole.OWNER)
    for group in session.scalars(groups):
        resources.lock_group(session, group.id)
        if user_lookup.last_owner(session, group.id, user.id):
            raise Conflict(f"{user.username} is the last owner of the group {group.slug}.")
    if references.was_on_call(session, user.id):
        raise Conflict(
            f"{user.username} is in schedules, whose history is kept; deactivate them instead."
        )
    references.refuse_targets(session, None, {(TargetKind.USER, user.id)}, user.username)
    if not confirm:
        dependents.require_none(session, user, now)
    user.active = False
    departures.move_on(session, user, now)
    resources.remove_row(
        session, user, conflict=f"{user.username} is still needed; deactivate them instead."
    )
    audit.record_change(session, actor, "delete", user, now=now)


def _record_absence(session: Session, user: User, now: datetime) -> None:
    change = absences.end_absence if user.active else absences.begin_absence
    change(session, user.id, None, now)
    schedule_versions.bump_person(session, user.id, now)


def _own(user: User, values: dict[str, Any]) -> dict[str, Any]:
    """A user's changed values about themselves; raises NotAllowed for forbidden ones."""
    for field in _OTHERS_ONLY:
        if field in values and (field == "password" or values[field] != getattr(user, field)):
            raise NotAllowed(f"You cannot change your own {field} here.")
    return {field: value for field, value in values.items() if field not in _OTHERS_ONLY}


def _hashed(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """``values`` with the password's hash in place of the password (None: none)."""
    stored = dict(values)
    if "password" in stored:
        password = stored.pop("password")
        stored["password_hash"] = (
            None
            if password is None
            else passwords.hash_password(passwords.check_password(password, name))
        )
    return stored


def _masked(values: Mapping[str, Any]) -> dict[str, Any]:
    changes = dict(values)
    for field in ("password", "password_hash"):
        value = changes.pop(field, None)
        if value is not None:
            both = isinstance(value, list)
            changes["password"] = [audit.MASK, audit.MASK] if both else audit.MASK
    return changes


def _keep_an_admin(session: Session, user: User) -> None:
    if not (user.active and user.is_admin):
        return
    # Locked, so that two admins cannot demote each other at the same moment.
    admins = session.scalars(
        select(User.id).where(User.active, User.is_admin).order_by(User.id).with_for_update()
    ).all()
    if set(admins) <= {user.id}:
        raise Conflict("This is the last active admin; make another user an admin first.")
