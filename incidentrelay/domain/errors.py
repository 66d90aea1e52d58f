"""Everything that can be wrong with a request, as exceptions.

::

    DomainError                 something the caller can understand and act on
    ├── InvalidInput            a value is wrong; names the field
    │   └── BadMatchers         a matcher does not parse; has the position
    ├── NotAllowed              the actor may not do this
    ├── NotFound                what was named does not exist (or is not visible)
    ├── Conflict                the present state forbids it
    │   ├── InvalidTransition   an alert cannot go from its state by that action
    │   └── StaleVersion        the object changed since the caller read it
    └── Unavailable             cannot be done now; try again later

Messages are shown to people, so they hold no secret and no internals.
Only ``web`` and ``cli`` know what an error becomes in HTTP or as an exit code.
"""

from collections.abc import Mapping


class DomainError(Exception):
    """A mistake that can be explained to whoever made it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(DomainError):
    """Some values are wrong.

    ``errors`` maps a field's name (dotted for nested ones) to sentences.
    """

    def __init__(self, errors: Mapping[str, list[str]], message: str | None = None) -> None:
        self.errors = {field: list(sentences) for field, sentences in errors.items()}
        super().__init__(message or "Some values are not right.")

    @classmethod
    def of(cls, field: str, sentence: str) -> "InvalidInput":
        return cls({field: [sentence]})

    def under(self, prefix: str) -> "InvalidInput":
        """The same errors of the fields below ``prefix``."""
        return InvalidInput({f"{prefix}.{field}": said for field, said in self.errors.items()})


class BadMatchers(InvalidInput):
    """A list of matchers does not parse; ``position`` counts characters from 0."""

    def __init__(self, reason: str, position: int, field: str = "matchers") -> None:
        self.reason = reason
        self.position = position
        super().__init__({field: [f"At character {position}: {reason}."]})


class NotAllowed(DomainError):
    """The actor is known, but may not do this."""


class NotFound(DomainError):
    """What was named does not exist, or the actor may not know that it does."""


class Conflict(DomainError):
    """The present state of things forbids it."""


class InvalidTransition(Conflict):
    """An alert cannot leave ``status`` by ``action``."""

    def __init__(self, status: str, action: str) -> None:
        self.status = status
        self.action = action
        super().__init__(f"An alert that is {status} cannot be changed by {action}.")


class StaleVersion(Conflict):
    """The object was changed by somebody else since the caller read it."""

    def __init__(self) -> None:
        super().__init__("This was changed by somebody else in the meantime; read it again.")


class Unavailable(DomainError):
    """It cannot be done right now; ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(message)
