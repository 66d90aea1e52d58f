"""Who is calling and what they may see: login, sessions, tokens, visibility.

May import ``common``. Secrets are stored as hashes and returned once. Lists are scoped
in SQL by ``visibility``, never filtered after loading.
"""
