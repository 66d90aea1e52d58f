"""Schemas: alerts and notifications."""
