"""Reads iCalendar (RFC 5545) with third-party libraries.

May import ``domain`` only: no SQL, no settings, no network. Calendars come from
strangers, so size, depth and recurrence are bounded before anything is expanded.
"""
