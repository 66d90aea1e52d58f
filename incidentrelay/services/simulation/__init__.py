"""Explains what happened to an alert and simulates what would happen.

May import ``silences`` and below. Read only: it runs the same decisions as paging and
writes nothing.
"""
