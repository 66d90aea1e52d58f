"""The queue: Huey on SQLite, Redis or PostgreSQL, with messages that are plain JSON."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import redis
from huey import Huey, MemoryHuey, RedisHuey, crontab
from huey.registry import Message
from huey.serializer import Serializer

from incidentrelay.db import Hint
from incidentrelay.tasks.jobs import HINTS, PERIODIC, Job
from incidentrelay.tasks.storages.postgresql import BoundedPostgresStorage
from incidentrelay.tasks.storages.sqlite import RingingSqliteStorage

NAME = "incidentrelay"
SQLITE_SECONDS = 3
REDIS_CONNECT_SECONDS = 2
REDIS_READ_SECONDS = 3
# The minute at which jobs with their own interval run.
_OFFSET = 17
# A hint that comes a moment before its row is due is lost until the next sweep, and the
# clocks of two machines are never quite the same.
_CLOCK_MARGIN = timedelta(milliseconds=100)
# How long requests do not try the queue after a failure.
REST = timedelta(seconds=10)
# A hint in a message: its task, the id of its row, and its time.
_Packed = tuple[str, int | None, str | None]


class JSONSerializer(Serializer):  # type: ignore[misc]
    """Huey's own serializer is pickle: write access to the queue would mean running code."""

    def _serialize(self, data: Message) -> bytes:
        return json.dumps(data._asdict(), default=_to_json).encode()

    def _deserialize(self, data: bytes) -> Message:
        fields = json.loads(data)
        fields["args"] = tuple(fields["args"] or ())
        for name in ("eta", "expires", "expires_resolved"):
            if isinstance(fields.get(name), str):
                fields[name] = datetime.fromisoformat(fields[name])
        return Message(**fields)


def _to_json(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} does not go into the queue")


def make_huey(url: str, name: str = NAME) -> Huey:
    """The Huey that ``url`` names (settings.huey.url); queues with other names are apart."""
    common: dict[str, Any] = {"results": False, "serializer": JSONSerializer(), "utc": True}
    if url.startswith("sqlite:///"):
        # The queue may be lost, so nobody waits for the disk: sweeps make up for it.
        return Huey(
            name,
            storage_class=RingingSqliteStorage,
            filename=url.removeprefix("sqlite:///"),
            timeout=SQLITE_SECONDS,
            fsync=False,
            **common,
        )
    if url.startswith("postgresql"):
        return Huey(name, storage_class=BoundedPostgresStorage, url=url, **common)
    if url.startswith("memory:"):
        return MemoryHuey(name, **common)
    pool = redis.ConnectionPool.from_url(
        url,
        socket_connect_timeout=REDIS_CONNECT_SECONDS,
        socket_timeout=REDIS_READ_SECONDS,
    )
    return RedisHuey(name, connection_pool=pool, **common)


class Work(Protocol):
    """What the tasks call; see :class:`incidentrelay.tasks.runner.Runner`."""

    def run_hint(self, name: str, row_id: int) -> object: ...
    def sweep(self) -> object: ...
    def run_job(self, name: str) -> object: ...


class Queue:
    """The tasks of one Huey; a process that only enqueues needs no ``work``."""

    def __init__(self, huey: Huey, clock: Callable[[], datetime], work: Work | None = None) -> None:
        self.huey = huey
        self._clock = clock
        self._rests_until: datetime | None = None
        self._tasks = {name: _hint_task(huey, name, work) for name in HINTS}
        self._tasks["sweep"] = huey.task(name="sweep")(lambda: work and work.sweep())
        self._unpack = huey.task(name="hints")(self._run_packed)
        every_minute = crontab(minute="*")
        huey.periodic_task(every_minute, name="sweep_minutely")(lambda: work and work.sweep())
        for job in PERIODIC.values():
            _add_periodic_task(huey, job, work)

    def put(self, hints: Sequence[Hint]) -> None:
        """Enqueue, as one message; a hint for later waits in the queue's schedule.

        After a failure nothing is enqueued for a while: the sweeps do that work.
        """
        now = self._clock()
        # A longer pause means that the clock was set back.
        if self._rests_until is not None and now < self._rests_until <= now + REST:
            return
        try:
            if len(hints) == 1:
                self._put(hints[0], now)
            elif hints:
                self._unpack([_pack(hint) for hint in hints])
        except Exception:
            self._rests_until = self._clock() + REST
            raise
        self._rests_until = None

    def listen(self) -> None:
        """Be woken by what other processes of this machine put into a queue file."""
        listen = getattr(self.huey.storage, "listen", None)
        if listen is not None:
            listen()

    def close(self) -> None:
        """Close the connection to the queue's store."""
        self.huey.storage.close()

    def _run_packed(self, packed: Sequence[_Packed]) -> None:
        """Spread the hints of one transaction over the workers; the first runs here."""
        now = self._clock()
        hints = [_unpack(each) for each in packed]
        first = next((hint for hint in hints if hint.at is None or hint.at <= now), None)
        for hint in hints:
            if hint is not first:
                self._put(hint, now)
        if first is not None:
            self._tasks[first.task].call_local(*_arguments(first))

    def _put(self, hint: Hint, now: datetime) -> None:
        task, arguments = self._tasks[hint.task], _arguments(hint)
        delay = (hint.at - now + _CLOCK_MARGIN).total_seconds() if hint.at and hint.at > now else 0
        if delay > 0:
            task.schedule(args=arguments, delay=delay)
        else:
            task(*arguments)


def _arguments(hint: Hint) -> tuple[int, ...]:
    return () if hint.id is None else (hint.id,)


def _pack(hint: Hint) -> _Packed:
    return hint.task, hint.id, hint.at.isoformat() if hint.at else None


def _unpack(packed: _Packed) -> Hint:
    task, row_id, at = packed
    return Hint(task, row_id, datetime.fromisoformat(at) if at else None)


def _hint_task(huey: Huey, name: str, work: Work | None) -> Any:
    return huey.task(name=name)(lambda row_id: work and work.run_hint(name, row_id))


def _add_periodic_task(huey: Huey, job: Job, work: Work | None) -> None:
    """Huey asks once a minute whether the task is due."""
    assert job.every is not None, "the job runs with each sweep"
    minutes = job.every // timedelta(minutes=1)

    def is_due(at: datetime) -> bool:
        # Not at the full hour, when everything else on a machine starts.
        return (at.day * 24 * 60 + at.hour * 60 + at.minute) % minutes == _OFFSET % minutes

    huey.periodic_task(is_due, name=f"periodic-{job.name}")(lambda: work and work.run_job(job.name))
