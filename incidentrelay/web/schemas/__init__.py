"""The JSON shapes of the API.

The law of this package: one schema per noun serves reading and writing. Fields that
the server makes are ``dump_only``, secrets are ``load_only``, unknown fields are
errors. A schema checks shapes and sizes; what must hold whoever asks is the
services' affair. No schema touches the database.
"""
