"""An installation with several web servers and workers, which may die."""

import signal
import socket
import sqlite3
import subprocess
from pathlib import Path
from typing import Any, Protocol

import redis

from tests.e2e.sinks import eventually
from tests.e2e.stack import Stack, free_port

LEASE = 4
TIMEOUT = 2
SWEEP = 1
THREADS = 4


class QueueStore(Protocol):
    """The queue's storage. It can be lost with its contents, or stop answering."""

    url: str

    def lose(self) -> None: ...
    def hang(self) -> None: ...
    def restore(self) -> None: ...
    def close(self) -> None: ...


class RedisStore:
    """A Redis of our own that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port()
        self.url = f"redis://127.0.0.1:{self._port}/0"
        self._process: subprocess.Popen[bytes] | None = None
        self.restore()

    def lose(self) -> None:
        """kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None

    def hang(self) -> None:
        """Keep connections open and answer nothing."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def restore(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            return
        with (self._folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *("redis-server", "--port", str(self._port), "--bind", "127.0.0.1"),
                    *("--save", "", "--appendonly", "no", "--dir", str(self._folder)),
                ],
                stdout=log,
                stderr=log,
            )
        eventually(self._answers, 20, "Redis answers")

    def _answers(self) -> bool:
        client = redis.Redis(port=self._port, socket_connect_timeout=1)
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False
        finally:
            client.close()

    def close(self) -> None:
        self.lose()


class FileStore:
    """An SQLite file, which is deleted under the feet of those who have it open."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "queue.sqlite"
        self._holder: sqlite3.Connection | None = None
        self.url = f"sqlite:///{self._file}"

    def lose(self) -> None:
        for file in self._file.parent.glob(f"{self._file.name}*"):
            file.unlink()

    def hang(self) -> None:
        """Hold its lock until it is released."""
        self._holder = sqlite3.connect(self._file, isolation_level=None, check_same_thread=False)
        self._holder.execute("BEGIN EXCLUSIVE")

    def restore(self) -> None:
        """Processes create the file again when they need it."""
        if self._holder is not None:
            self._holder.close()
            self._holder = None

    def close(self) -> None:
        self.restore()


class Fleet(Stack):
    """Several of each process, on one database and one queue."""

    program = "tests.chaos.crashing"

    def __init__(
        self, folder: Path, database: str, queue: QueueStore, *, smtp_port: int, webs: int = 2
    ) -> None:
        super().__init__(
            folder,
            database,
            queue.url,
            smtp_port=smtp_port,
            lease=LEASE,
            sweep=SWEEP,
            timeout=TIMEOUT,
        )
        self.crash_file = folder / "crash-at"
        self.environ |= {
            "CRASH_FILE": str(self.crash_file),
            "INCIDENTRELAY_WORKER_THREADS": str(THREADS),
            # Nothing may fail permanently: every page must arrive in the end.
            "INCIDENTRELAY_DELIVERY_MAX_ATTEMPTS": "100",
        }
        self._inis = {"serve-1": self.ini}
        self._ports = {"serve-1": self.port}
        for number in range(2, webs + 1):
            self._add_web(f"serve-{number}")

    def _add_web(self, name: str) -> None:
        port, here = free_port(), "listen = 127.0.0.1:"
        ini = self.folder / f"{name}.ini"
        ini.write_text(self.ini.read_text().replace(f"{here}{self.port}", f"{here}{port}"))
        self._inis[name], self._ports[name] = ini, port

    @property
    def addresses(self) -> dict[str, str]:
        """Where the web servers listen."""
        return {name: f"http://127.0.0.1:{port}" for name, port in self._ports.items()}

    def ini_of(self, name: str) -> Path:
        return self._inis.get(name, self.ini)

    def kill(self, *names: str) -> None:
        """kill -9; a process that has already ended is only removed from the list."""
        for name in names or tuple(self.processes):
            process = self.processes.pop(name)
            if process.poll() is None:
                process.kill()
                process.wait(10)

    def ready(self, *names: str) -> None:
        """Wait until these web servers answer."""
        for name in names:
            eventually(lambda name=name: self._is_up(name), 60, f"{name} answers")

    def _is_up(self, name: str) -> Any:
        assert self.processes[name].poll() is None, self.log(name)
        try:
            return self.api("GET", f"{self.addresses[name]}/healthz", raw=True)[0] == 200
        except OSError:
            return False

    def arm(self, point: str) -> None:
        """The next process that reaches the point dies there."""
        part = self.crash_file.with_suffix(".new")
        part.write_text(point)
        part.rename(self.crash_file)

    def disarm(self) -> None:
        self.crash_file.unlink(missing_ok=True)

    def ended(self) -> tuple[str, int] | None:
        """Name and exit code of a process that has ended, taken off the list; else None."""
        for name, process in self.processes.items():
            if process.poll() is not None:
                del self.processes[name]
                return name, process.returncode
        return None

    def last_words(self, name: str) -> str:
        return self.log(name).rstrip().rpartition("\n")[2]

    def listens(self, name: str) -> bool:
        """Whether this web server has come up."""
        with socket.socket() as probe:
            probe.settimeout(1)
            return probe.connect_ex(("127.0.0.1", self._ports[name])) == 0
