"""The JSON schemas of the API.

One schema per noun serves reading and writing. Server-generated fields are
``dump_only``, secrets ``load_only``, unknown fields are errors. Schemas check shapes and
sizes; services check business rules. Schemas do not access the database.
"""
