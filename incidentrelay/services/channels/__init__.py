"""Channels as configured: their rows, secrets, health, and provider state.

May import ``access`` and below. Secret fields are encrypted at rest and masked in responses.
Reaches vendors only through the registry of :mod:`incidentrelay.channels`.
"""
