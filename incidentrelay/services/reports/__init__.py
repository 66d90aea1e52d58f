"""Hours on call and pages per person.

May import ``calendars`` and below. Read only.
"""
