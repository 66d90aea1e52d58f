"""What can go wrong on the wire. ``reason`` is one sentence that people may read.

Three unrelated classes, so that catching one can never swallow another that
needs the opposite treatment.
"""


class TransportError(Exception):
    """It did not work this time; trying again may help.

    ``unknown`` is true where everything had been sent when it broke, so that the
    other side may have acted on it all the same. ``answered`` is true where the other
    side works and has said itself that it is to be tried again.
    """

    def __init__(self, reason: str, unknown: bool = False, *, answered: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.unknown = unknown
        self.answered = answered


class Blocked(Exception):
    """It was not done, or not followed further, because the rules here forbid it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """The other side said no for good."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
