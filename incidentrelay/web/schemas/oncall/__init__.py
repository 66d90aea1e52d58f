"""Schemas: rotations, schedules, feeds, calendar import, reports."""
