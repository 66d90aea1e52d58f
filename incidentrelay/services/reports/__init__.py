"""On-call hours and pages per person.

May import ``calendars`` and below. Read only.
"""
