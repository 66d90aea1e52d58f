"""Nodes of ``/me`` and below.

A node wraps a row, knows its place in the tree, and builds its ACL without I/O.
"""
