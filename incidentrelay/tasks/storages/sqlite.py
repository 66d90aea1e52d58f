"""Huey's storage in a SQLite file, with a doorbell for the workers of this machine."""

from typing import Any

from huey.storage import SqliteStorage

from incidentrelay.tasks.storages.doorbell import Doorbell


class RingingSqliteStorage(SqliteStorage):  # type: ignore[misc]
    """Rings when a message is put in; takers wait for the ring.

    Rings are drained together, so each taker rings for the next: where one message came,
    there may be more.
    """

    def __init__(self, name: str, filename: str, **options: Any) -> None:
        self._bell = Doorbell(filename)
        # Huey's name for "waits by itself if there is nothing".
        self.blocking = False
        super().__init__(name, filename=filename, **options)

    def listen(self) -> None:
        """Wait for rings from now on; for a process that works off the queue."""
        self._bell.listen()
        self.blocking = True

    def enqueue(self, data: bytes, priority: float | None = None) -> None:
        super().enqueue(data, priority)
        self._bell.ring()

    def dequeue(self) -> bytes | None:
        data: bytes | None = super().dequeue()
        if not self.blocking:
            return data
        if data is None:
            self._bell.wait()
        else:
            self._bell.ring()
        return data

    def close(self) -> Any:
        self._bell.close()
        return super().close()
