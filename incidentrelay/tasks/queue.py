"""The queue: Huey on SQLite or Redis, with messages that are plain JSON."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

import redis
from huey import Huey, MemoryHuey, RedisHuey, SqliteHuey, crontab
from huey.registry import Message
from huey.serializer import Serializer

from incidentrelay.db import Hint

NAME = "incidentrelay"
SQLITE_SECONDS = 3
REDIS_CONNECT_SECONDS = 2
REDIS_READ_SECONDS = 3
# A request must not wait for a queue that hangs, and the next one not either.
REST = timedelta(seconds=10)


class JSONSerializer(Serializer):  # type: ignore[misc]
    """Huey's own serializer is pickle: whoever can write to the queue could run code."""

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


def make_huey(url: str) -> Huey:
    """The Huey that ``url`` names (settings.huey.url)."""
    common: dict[str, Any] = {"results": False, "serializer": JSONSerializer(), "utc": True}
    if url.startswith("sqlite:///"):
        return SqliteHuey(
            NAME, filename=url.removeprefix("sqlite:///"), timeout=SQLITE_SECONDS, **common
        )
    if url.startswith("memory:"):
        return MemoryHuey(NAME, **common)
    pool = redis.ConnectionPool.from_url(
        url,
        socket_connect_timeout=REDIS_CONNECT_SECONDS,
        socket_timeout=REDIS_READ_SECONDS,
    )
    return RedisHuey(NAME, connection_pool=pool, **common)


class Work(Protocol):
    """What the tasks call; see :class:`incidentrelay.tasks.runner.Runner`."""

    def deliver(self, notification_id: int) -> object: ...
    def wake(self, alert_id: int) -> object: ...
    def silences(self, team_id: int) -> object: ...
    def sweep(self) -> object: ...
    def tidy(self) -> object: ...


class Queue:
    """The tasks, registered on one Huey; a process that only enqueues needs no work."""

    def __init__(self, huey: Huey, clock: Callable[[], datetime], work: Work | None = None) -> None:
        self.huey = huey
        self._clock = clock
        self._rests_until: datetime | None = None
        self._deliver = huey.task(name="deliver")(lambda id: work and work.deliver(id))
        self._wake = huey.task(name="wake")(lambda id: work and work.wake(id))
        self._silences = huey.task(name="silences")(lambda id: work and work.silences(id))
        self._sweep = huey.task(name="sweep")(lambda: work and work.sweep())
        every_minute, every_hour = crontab(minute="*"), crontab(minute="17")
        huey.periodic_task(every_minute, name="sweep_minutely")(lambda: work and work.sweep())
        huey.periodic_task(every_hour, name="tidy_hourly")(lambda: work and work.tidy())

    def put(self, hints: Sequence[Hint]) -> None:
        """Enqueue; a hint for later waits in the queue's schedule.

        After a failure nothing is enqueued for a while: the sweeps do that work.
        """
        now = self._clock()
        if self._rests_until is not None and now < self._rests_until:
            return
        try:
            self._put(hints, now)
        except Exception:
            self._rests_until = self._clock() + REST
            raise
        self._rests_until = None

    def _put(self, hints: Sequence[Hint], now: datetime) -> None:
        tasks = {
            "deliver": self._deliver,
            "wake": self._wake,
            "silences": self._silences,
            "sweep": self._sweep,
        }
        for hint in hints:
            arguments = () if hint.id is None else (hint.id,)
            delay = (hint.at - now).total_seconds() if hint.at else 0
            if delay > 0:
                tasks[hint.task].schedule(args=arguments, delay=delay)
            else:
                tasks[hint.task](*arguments)
