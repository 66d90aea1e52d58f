"""Schemas: one's own account and contact methods."""
