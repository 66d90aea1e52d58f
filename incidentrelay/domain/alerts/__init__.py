"""The states of an alert and the actions that change them.

One table, ``TRANSITIONS``; any other change raises InvalidTransition. Silenced and
snoozed are windows in which a firing alert is quiet, not states.
"""
