"""Shared by every service: validation, resources, audit, secrets at rest, slugs.

Imports no other services package. Nothing here knows a rule of paging; if a helper
serves one noun only, it belongs into that noun's package.
"""
