"""Rotations, their revisions, overrides and absences, and who is on call.

May import ``channels`` and below. Every answer comes from
:mod:`incidentrelay.domain.oncall`; an edit adds a revision and never changes history.
"""
