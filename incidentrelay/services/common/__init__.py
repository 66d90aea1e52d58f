"""Shared by every service: validation, resources, audit, secrets at rest, slugs.

Imports no other services package. No rule of paging lives here; a helper for a single noun
belongs in that noun's package.
"""
