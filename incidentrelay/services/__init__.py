"""Use cases: functions that read and write rows.

A service gets a session; it never creates, commits or rolls back one
(:mod:`incidentrelay.services.access.login` explains its exception). ``now`` and the
:class:`~incidentrelay.domain.actors.Actor` are parameters. The caller has checked permissions.
A service enforces invariants, raises InvalidInput with the field's name, and writes the audit
entry of its change.

A resource's module has three functions::

    create(session, parent, data, *, actor, now) -> row
    update(session, row, data, *, actor, now) -> row      data: only the fields to change
    delete(session, row, *, actor, now) -> None

``parent`` is the Group, Team, Rotation or User row above, or None at the root. In ``data``,
people are named by ``username`` and resources by ``slug``, as in URLs; the module's table of
checks lists the fields. A missing slug is derived from the name. Slugs, usernames, a channel's
kind and a route's source never change.
"""
