"""The resource tree: URLs become nodes, and nodes carry ACLs.

Nodes wrap rows; rows do not depend on URLs. A node exists only if its row does. A fixed
child costs no statement, an item costs one. An ACL is a pure function of ids and the
tables in ``domain.permissions``, without Deny. A row found in a flat collection is
wrapped at its own place in the tree, so it has one lineage, one path and one ACL.
"""
