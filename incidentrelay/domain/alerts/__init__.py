"""The states of an alert and the actions that change them.

``TRANSITIONS`` lists what is allowed; anything else raises InvalidTransition. Silenced
and snoozed are not states but windows in which a firing alert is quiet.
"""
