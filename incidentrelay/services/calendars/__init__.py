"""Calendar feeds, and import of calendars as overrides or as a whole roster.

May import ``oncall`` and below. iCalendar text is read and written by
:mod:`incidentrelay.ical`; feed URLs contain a token that is stored as a hash.
"""
