"""Failures of the transport. ``reason`` is one sentence that people may read.

The classes are unrelated, so catching one never swallows another that needs the opposite
treatment.
"""


class TransportError(Exception):
    """It failed this time; trying again may help.

    ``unknown`` is true if everything had been sent when the connection broke: the other
    side may have acted on it. ``answered`` is true if the other side works and has asked
    for another try.
    """

    def __init__(self, reason: str, unknown: bool = False, *, answered: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown
        self.answered = answered


class Blocked(Exception):
    """The rules here forbid it, so nothing was sent."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """The other side said no.

    A server that restarts, and a proxy in front of it, say no as well, so it may change
    its mind within minutes. ``final`` is true if the answer can only be about the request.
    """

    def __init__(self, reason: str, *, final: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
