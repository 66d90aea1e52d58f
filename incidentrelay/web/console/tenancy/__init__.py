"""Pages for groups, teams, members and users.

The menu leads to the list of groups; everything else is reached from there.
"""
