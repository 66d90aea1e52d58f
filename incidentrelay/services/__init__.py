"""Use cases: functions that read and write rows.

The law of this package: a service gets a session and never makes, commits or rolls
one back (:mod:`auth` says why signing in is the exception). ``now`` and the
:class:`~incidentrelay.domain.actors.Actor` are parameters. What the caller may do
was decided before; a service guards what must hold whoever asks, names the wrong
field in an InvalidInput, and writes the audit line of what it changed.

A resource's module has three functions::

    create(session, parent, data, *, actor, now) -> row
    update(session, row, data, *, actor, now) -> row      data holds the given fields only
    delete(session, row, *, actor, now) -> None

``parent`` is the Group, Team, Rotation or User row above, None at the root. In
``data`` people are named by ``username`` and resources by ``slug``, as in URLs::

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

A slug that is not given is made from the name. Slugs, usernames, a channel's kind
and a route's source never change.
"""
