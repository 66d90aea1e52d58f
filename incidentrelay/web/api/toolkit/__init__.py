"""How every API view works: the decorator, JSON, errors, pagination, CRUD, OpenAPI.

The lowest package of the API. The generic collection and item views live here; packages
of nouns add only what their noun does differently.
"""
