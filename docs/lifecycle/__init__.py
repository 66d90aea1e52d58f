"""Draws the life cycle of an alert for the docs, from the program's own tables."""
