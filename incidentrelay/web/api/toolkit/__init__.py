"""The foundation of API views: the decorator, JSON, errors, pagination, CRUD, OpenAPI.

The lowest package of the API. Generic views of collections and items live here; packages
of nouns add only what is specific to them.
"""
