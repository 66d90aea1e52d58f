"""Groups, teams, and their members.

May import ``reports`` and below. A group is the access boundary: nothing crosses it.
The last owner of a group cannot be removed or demoted.
"""
