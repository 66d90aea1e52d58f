"""Child processes that end together with this one."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

STOP_SECONDS = 10


class Children:
    """Runs the program's own commands; leaving the ``with`` block stops all of them.

    Each child has the reading end of a pipe as its standard input and ends when the
    pipe does (``--end-with-stdin``), so that none of them outlives a kill -9 of this
    process. Their output goes to this process's standard error.
    """

    def __init__(self) -> None:
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, arguments: Sequence[str], env: Mapping[str, str]) -> None:
        """Start ``incidentrelay ARGUMENTS`` and call it ``name``."""
        command = [sys.executable, "-m", "incidentrelay.cli.main", *arguments, "--end-with-stdin"]
        self._running[name] = subprocess.Popen(  # noqa: S603 - our own program
            command,
            stdin=subprocess.PIPE,
            stdout=sys.stderr.fileno(),
            env=env,
            # A group of its own: Ctrl-C reaches this process only, which stops them in order.
            process_group=0,
        )

    def find_dead(self) -> tuple[str, int] | None:
        """Name and exit code of a child that has ended, or None."""
        for name, process in self._running.items():
            code = process.poll()
            if code is not None:
                return name, code
        return None

    def stop(self) -> None:
        """End all children: gently, and after STOP_SECONDS by force."""
        for process in self._running.values():
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in self._running.values():
            try:
                process.wait(max(deadline - time.monotonic(), 0))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._running.clear()

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
