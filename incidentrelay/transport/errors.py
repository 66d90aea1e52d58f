"""Failures of the transport. ``reason`` is one sentence that people may read.

The classes are unrelated, so catching one never swallows another that needs the opposite
treatment.
"""


class TransportError(Exception):
    """It failed this time; trying again may help.

    ``unknown`` is true if everything had been sent when the connection broke: the other side
    may have acted on it. ``answered`` is true if the other side works and asked to be called
    again.
    """

    def __init__(self, reason: str, unknown: bool = False, *, answered: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown
        self.answered = answered


class Blocked(Exception):
    """Our own rules forbid it, so nothing was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """The other side refused.

    A restarting server, or the proxy in front of it, refuses too, so the answer may change
    within minutes. ``final`` is true if the answer can only be about the request.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
