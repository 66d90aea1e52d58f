"""The tree: URLs become nodes, and nodes carry the ACLs.

The law of this package: nodes wrap rows; rows do not depend on URLs. A node exists
only if its row does; a fixed child costs no statement, an item costs one. An ACL is
a pure function of ids and of the tables in ``domain.permissions``, without Deny.
A row found in a flat collection is wrapped at its own place in the tree, so it has one
lineage, one path and one ACL.
"""
