"""Groups, teams, users, and their memberships.

May import ``delivery`` and below. A group is the access boundary: nothing crosses it.
The last owner of a group and the last active admin cannot be removed or demoted. When
somebody leaves, everything open that names them moves on in the same transaction.
"""
