"""Nodes: sources that accept payloads, and routes.

A node wraps a row, knows its place in the tree, and builds its ACL without I/O.
"""
