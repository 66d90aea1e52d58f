"""Nodes: rotations with their contents, on-call, calendar, feeds and reports.

A node wraps a row, knows its place in the tree, and builds its ACL without I/O.
"""
