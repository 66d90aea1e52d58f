"""Exceptions for everything that can be wrong with a request.

::

    DomainError                 the caller can understand and fix it
    ├── InvalidInput            a value is wrong; names the field
    │   └── BadMatchers         a matcher does not parse; has the position
    ├── NotAllowed              the actor may not do this
    ├── NotFound                does not exist, or is not visible to the actor
    ├── Conflict                the current state forbids it
    │   ├── HasDependents       others need it; has the list of them
    │   ├── InvalidTransition   the alert's state does not allow the action
    │   └── StaleVersion        the object changed since the caller read it
    └── Unavailable             cannot be done now; try again later

Messages are shown to users, so they contain no secrets and no internals. ``web`` and
``cli`` map errors to HTTP statuses and exit codes.
"""

from collections.abc import Mapping, Sequence


class DomainError(Exception):
    """An error that the caller can understand; ``message`` is safe to show."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(DomainError):
    """Some values are invalid.

    ``errors`` maps a field's name (dotted if nested) to sentences.
    """

    def __init__(self, errors: Mapping[str, list[str]], message: str | None = None) -> None:
        self.errors = {field: list(sentences) for field, sentences in errors.items()}
        super().__init__(message or "Some values are not right.")

    @classmethod
    def of(cls, field: str, sentence: str) -> "InvalidInput":
        return cls({field: [sentence]})

    def under(self, prefix: str) -> "InvalidInput":
        """The same errors, of ``prefix`` and of the fields below it."""
        return InvalidInput(
            {
                field
                if field == prefix or field.startswith(f"{prefix}.")
                else f"{prefix}.{field}": sentences
                for field, sentences in self.errors.items()
            }
        )


class BadMatchers(InvalidInput):
    """A list of matchers does not parse; ``position`` is a 0-based character offset."""

    def __init__(self, reason: str, position: int, field: str = "matchers") -> None:
        self.reason = reason
        self.position = position
        super().__init__({field: [f"At character {position}: {reason}."]})


class NotAllowed(DomainError):
    """The actor is known, but may not do this."""


class NotFound(DomainError):
    """The object does not exist, or the actor may not see it."""


class Conflict(DomainError):
    """The current state forbids it."""


class HasDependents(Conflict):
    """Something depends on the object; ``dependents`` are names (or ids) by kind."""

    def __init__(self, message: str, dependents: Mapping[str, Sequence[str | int]]) -> None:
        self.dependents = dependents
        super().__init__(message)


class InvalidTransition(Conflict):
    """``action`` is not allowed in ``status``."""

    def __init__(self, status: str, action: str) -> None:
        self.status = status
        self.action = action
        super().__init__(f"An alert that is {status} cannot be changed by {action}.")


class StaleVersion(Conflict):
    """The object changed since the caller read it."""

    def __init__(self) -> None:
        super().__init__("This was changed by somebody else in the meantime; read it again.")


class Unavailable(DomainError):
    """Temporarily impossible; ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: int = 5) -> None:
        self.retry_after = retry_after
        super().__init__(message)
