"""The tree: URLs become nodes, and nodes carry the ACLs.

The law of this package: nodes wrap rows, rows know nothing of URLs. A node exists
only if its row does; a fixed child costs no statement, an item costs one. An ACL is
a pure function of ids and of the tables in ``domain.permissions``, without Deny.
What is reached through a door (a flat collection) is returned in its place in the
tree, so that it has one lineage, one path and one answer to "who may".
"""
