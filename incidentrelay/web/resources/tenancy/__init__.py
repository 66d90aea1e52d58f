"""Nodes: groups, teams, members, and users.

A node wraps a row, knows its place in the tree, and builds its ACL without I/O.
"""
