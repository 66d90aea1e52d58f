"""Calendars as text, for tests of their import."""


def event(*lines: str, uid: str = "1") -> str:
    head = ("BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z")
    return "\r\n".join([*head, *lines, "END:VEVENT"])


def calendar(*events: str, head: tuple[str, ...] = ()) -> str:
    first = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Test//EN")
    return "\r\n".join([*first, *head, *events, "END:VCALENDAR", ""])
