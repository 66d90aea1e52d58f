"""Explains errors in one sentence on the terminal."""

import errno

from incidentrelay.domain.errors import DomainError, InvalidInput
from incidentrelay.settings.key import ConfigurationError


class CommandFailed(Exception):
    """A command failed; the message is a sentence for the user."""


def explain(error: Exception) -> str | None:
    """The sentence for ``error``, or None if it is a bug."""
    if isinstance(error, CommandFailed | ConfigurationError):
        return str(error)
    if isinstance(error, InvalidInput):
        return "; ".join(
            f"{field}: {' '.join(sentences)}" for field, sentences in error.errors.items()
        )
    if isinstance(error, DomainError):
        return error.message
    if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
        return "The address to listen on is in use by another program."
    return _database_trouble(error)


def _database_trouble(error: Exception) -> str | None:
    # Imported late: most commands that fail never touched the database.
    from sqlalchemy import exc

    if not isinstance(error, exc.OperationalError | exc.InterfaceError):
        return None
    reason = " ".join(str(error.orig).split())
    if "no such table" in reason:
        return "The database is not migrated; run incidentrelay migrate."
    return f"The database cannot be used: {reason}"
