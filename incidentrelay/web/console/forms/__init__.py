"""The one form kit: schema-backed forms, and rows that can be added and removed.

May import ``toolkit``. Forms are loaded with the schemas of the API, so a field has one
set of limits. Every form works without a script.
"""
