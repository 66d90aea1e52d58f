"""The JSON shapes of the API.

The law of this package: one schema per noun serves reading and writing. Fields that
the server makes are ``dump_only``, secrets are ``load_only``, unknown fields are
errors. Schemas check shapes and sizes; services check rules that always hold. No schema
touches the database.
"""
