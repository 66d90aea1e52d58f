"""Use cases: functions that read and write rows.

A service gets a session; it never creates, commits or rolls back one
(:mod:`incidentrelay.services.access.login` explains its exception). ``now`` and the
:class:`~incidentrelay.domain.actors.Actor` are parameters. Permissions were checked
before the call. A service enforces what must always hold, raises InvalidInput with the
field's name, and writes the audit entry of its change.

A resource's module has three functions::

    create(session, parent, data, *, actor, now) -> row
    update(session, row, data, *, actor, now) -> row      data: only the fields to change
    delete(session, row, *, actor, now) -> None

``parent`` is the Group, Team, Rotation or User row above, or None at the root. In
``data``, people are named by ``username`` and resources by ``slug``, as in URLs::

    groups         slug?, name, description, active
    teams          slug?, name, description, active, escalation_enabled,
                   escalation_after_reminders, ack_timeout, fallback_user, fallback_channel
    group_members  username, role            team_members  username, role
    users          username, display_name, email, phone, zone, active, is_admin, password
    rotations      slug?, name, description, enabled, reminder_interval, and either
                   layers or kind, members, zone, handoff_time, handoff_weekday, start_date
    overrides      user, starts_at, ends_at, reason
    policies       slug?, name, description, steps, repeat
    channels       slug?, name, kind, enabled, config
    routes         slug?, name, source, enabled, position, matchers, group_by,
                   rotation, policy, channels, reopen_window, auto_resolve_after
    silences       matchers, starts_at, ends_at, recurrence, reason, everything
    tokens         name, scopes, group, expires_at

A missing slug is derived from the name. Slugs, usernames, a channel's kind and a route's
source never change.
"""
