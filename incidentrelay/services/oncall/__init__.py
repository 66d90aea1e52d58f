"""Rotations, their revisions, overrides and absences, and who is on call.

May import ``channels`` and below. Every answer comes from
:mod:`incidentrelay.domain.oncall`; edits add a revision and never change history.
"""
