"""Wakes the workers of this machine when something is put into a queue file.

A named pipe beside the file. A ring may be lost: workers look into the file anyway, only
less often. Without pipes (Windows, some network file systems) they look more often.
"""

import logging
import os
import select
import stat
import threading
import time
from contextlib import suppress
from pathlib import Path

log = logging.getLogger(__name__)

# A worker with a doorbell looks into the file by itself this often, without one that often.
PATIENT_SECONDS = 1.0
POLL_SECONDS = 0.1
_FLAGS = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
_MOST_BYTES = 65536


class Doorbell:
    """The pipe of one queue file. All methods may be called by many threads at once."""

    def __init__(self, queue_file: str) -> None:
        self._file = Path(queue_file)
        self._path = Path(f"{queue_file}-bell")
        self._listening: int | None = None
        self._renewing = threading.Lock()

    def listen(self) -> None:
        """Hear the rings from now on."""
        try:
            self._listening = self._create()
        except (AttributeError, OSError) as error:
            log.info("%s cannot be used, so the queue is polled: %s", self._path, error)

    def ring(self) -> None:
        """Wake somebody who waits, if anybody does; never fails and never waits."""
        with suppress(OSError):
            if self._listening is not None:
                os.write(self._listening, b"!")
                return
            pipe = self._open(os.O_WRONLY)
            try:
                os.write(pipe, b"!")
            finally:
                os.close(pipe)

    def wait(self) -> None:
        """Return at the next ring, or when it is time to look into the file."""
        if self._listening is None:
            time.sleep(POLL_SECONDS)
            return
        poll = select.poll()
        poll.register(self._listening, select.POLLIN)
        if poll.poll(PATIENT_SECONDS * 1000):
            with suppress(OSError):  # another thread was faster
                os.read(self._listening, _MOST_BYTES)
        else:
            self._renew(self._listening)

    def close(self) -> None:
        if self._listening is not None:
            os.close(self._listening)
            self._listening = None

    def _create(self) -> int:
        """Every user of the file may ring."""
        with suppress(FileExistsError):
            os.mkfifo(self._path)
            self._path.chmod(self._file.stat().st_mode & 0o666)
        # Open for writing too, or the pipe would end with its last writer.
        return self._open(os.O_RDWR)

    def _renew(self, listening: int) -> None:
        """Create the pipe again if somebody deleted it. Threads that wait hear the new one."""
        with self._renewing, suppress(OSError):
            if self._path.exists() and os.path.samestat(self._path.stat(), os.fstat(listening)):
                return
            pipe = self._create()
            os.dup2(pipe, listening, inheritable=False)
            os.close(pipe)

    def _open(self, mode: int) -> int:
        """Raises OSError if it is no pipe, or if nobody listens to it."""
        pipe = os.open(self._path, mode | _FLAGS)
        if not stat.S_ISFIFO(os.fstat(pipe).st_mode):
            os.close(pipe)
            raise OSError("it is not a pipe")
        return pipe
