"""Intake of payloads, and the verbs of routes.

May import ``toolkit`` and no other package of the API.
"""
