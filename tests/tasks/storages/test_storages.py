"""What each kind of queue promises: one taker per message, woken at once, by any process."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incidentrelay.db import Hint
from incidentrelay.tasks.queue import Queue
from incidentrelay.tasks.storages import doorbell
from tests.tasks.conftest import MakeHuey

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def queue_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_processes_share_one_queue(process: MakeHuey) -> None:
    web, worker = Queue(process(), lambda: NOW), Queue(process(), lambda: NOW)
    for hint in (Hint("deliver", 7), Hint("wake", 8)):
        web.put([hint])
    tasks = [worker.huey.dequeue(), worker.huey.dequeue()]
    assert [task.args for task in tasks] == [(7,), (8,)]
    assert worker.huey.pending_count() == 0


def test_each_message_has_one_taker(process: MakeHuey) -> None:
    web = Queue(process(), lambda: NOW)
    for number in range(40):
        web.put([Hint("deliver", number)])
    found: list[int] = []

    def work(worker: Queue) -> None:
        while len(found) < 40 and (task := worker.huey.dequeue()) is not None:
            found.append(task.args[0])

    workers = [Queue(process(), lambda: NOW) for _ in range(3)]
    threads = [threading.Thread(target=work, args=(worker,)) for worker in workers * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(found) == list(range(40))


def test_a_worker_that_waits_is_woken(process: MakeHuey, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look again after a minute only."""
    monkeypatch.setattr(doorbell, "PATIENT_SECONDS", 60)
    web, worker = Queue(process(), lambda: NOW), Queue(process(), lambda: NOW)
    worker.listen()
    storage = worker.huey.storage
    storage.read_timeout = 0.01
    found: list[Any] = []
    waiting = threading.Event()

    def work() -> None:
        if hasattr(storage, "_listen_conn"):
            storage.dequeue()  # what comes before the first LISTEN wakes nobody
        storage.read_timeout = 60
        waiting.set()
        while not found:
            task = worker.huey.dequeue()
            found.extend([task] if task is not None else [])

    thread = threading.Thread(target=work)
    thread.start()
    waiting.wait(10)
    start = time.monotonic()
    web.put([Hint("deliver", 7)])
    thread.join(20)
    assert [task.args for task in found] == [(7,)]
    assert time.monotonic() - start < 20


def test_messages_that_come_together_wake_one_thread_each(
    process: MakeHuey, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is busy with its message until all have one."""
    monkeypatch.setattr(doorbell, "PATIENT_SECONDS", 60)
    web, worker = Queue(process(), lambda: NOW), Queue(process(), lambda: NOW)
    worker.listen()
    gate = threading.Barrier(4)
    ready = threading.Barrier(5)

    def work() -> None:
        ready.wait(20)
        while worker.huey.dequeue() is None:
            pass
        gate.wait(20)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    ready.wait(20)
    for number in range(4):
        web.put([Hint("deliver", number)])
    for thread in threads:
        thread.join(30)
    assert not gate.broken


def test_the_schedule_gives_out_each_message_once(process: MakeHuey) -> None:
    web, worker = process(), process()
    earlier, later = NOW.replace(tzinfo=None), NOW.replace(tzinfo=None) + timedelta(minutes=1)
    web.storage.add_to_schedule(b"later", later)
    web.storage.add_to_schedule(b"earlier", earlier)
    assert worker.storage.read_schedule(earlier) == [b"earlier"]
    assert web.storage.read_schedule(later) == [b"later"]
    assert worker.storage.read_schedule(later) == []
