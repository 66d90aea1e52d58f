"""The queue: plain JSON, times, and hints of all kinds."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from huey.registry import Message

from incidentrelay.db import Hint
from incidentrelay.tasks.queue import REST, JSONSerializer, Queue, make_huey

NOW = datetime(2026, 3, 3, 12, tzinfo=UTC)


class Log:
    def __init__(self) -> None:
        self.done: list[tuple[str, int | None]] = []

    def run_hint(self, name: str, row_id: int) -> None:
        self.done.append((name, row_id))

    def sweep(self) -> None:
        self.done.append(("sweep", None))

    def run_job(self, name: str) -> None:
        self.done.append((name, None))


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture(params=["sqlite", "redis", "postgresql"])
def queue_kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def queue(queue_url: str, queue_name: str, log: Log) -> Iterator[Queue]:
    queue = Queue(make_huey(queue_url, queue_name), lambda: NOW, log)
    # The taker of the last message does not wait for another.
    queue.huey.storage.blocking = False
    yield queue
    queue.close()


def run_all(queue: Queue) -> None:
    while (task := queue.huey.dequeue()) is not None:
        queue.huey.execute(task)


def test_hints_become_work(queue: Queue, log: Log) -> None:
    queue.put([Hint("deliver", 7), Hint("wake", 8), Hint("silences", 9), Hint("sweep")])
    run_all(queue)
    assert log.done == [("deliver", 7), ("wake", 8), ("silences", 9), ("sweep", None)]


def test_a_hint_for_later_waits_in_the_schedule(queue: Queue, log: Log) -> None:
    queue.put([Hint("wake", 8, NOW + timedelta(minutes=5)), Hint("wake", 9, NOW)])
    run_all(queue)
    # Huey puts a task that is not due into its schedule when a worker meets it.
    assert log.done == [("wake", 9)]
    assert queue.huey.scheduled_count() == 1


def test_a_hint_for_later_comes_after_its_time_on_all_clocks(queue: Queue) -> None:
    """One that comes a few milliseconds early finds nothing due and is lost."""
    before = datetime.now(UTC).replace(tzinfo=None)
    queue.put([Hint("wake", 8, NOW + timedelta(minutes=5))])
    [task] = queue.huey.pending()
    assert task.eta - before > timedelta(minutes=5, milliseconds=50)


def test_what_is_stored_is_json(queue: Queue) -> None:
    queue.put([Hint("deliver", 7)])
    stored = json.loads(queue.huey.storage.dequeue())
    assert stored["name"].endswith(".deliver")
    assert stored["args"] == [7]


def test_messages_survive_the_queue() -> None:
    message = Message(id="1", name="wake", eta=NOW.replace(tzinfo=None), args=(1,), kwargs={})
    serializer = JSONSerializer()
    assert serializer.deserialize(serializer.serialize(message)) == message


def test_the_periodic_tasks_sweep_and_run_the_other_jobs(queue: Queue, log: Log) -> None:
    for task in queue.huey._registry.periodic_tasks:
        queue.huey.execute(task)
    jobs = ["double-duty", "maintenance", "sweep", "unreachable"]
    assert sorted(log.done) == [(name, None) for name in jobs]


def test_periodic_tasks_are_due_as_often_as_their_job_says(queue: Queue) -> None:
    minutes = [NOW + timedelta(minutes=count) for count in range(24 * 60)]
    due = {
        task.name: sum(bool(task.validate_datetime(at)) for at in minutes)
        for task in queue.huey._registry.periodic_tasks
    }
    assert due == {
        "sweep_minutely": 24 * 60,
        "periodic-double-duty": 24 * 6,
        "periodic-maintenance": 24,
        "periodic-unreachable": 24 * 12,
    }


def test_a_process_without_work_can_only_enqueue(tmp_path: Path) -> None:
    queue = Queue(make_huey(f"sqlite:///{tmp_path}/queue.sqlite"), lambda: NOW)
    queue.put([Hint("deliver", 7)])
    assert queue.huey.pending_count() == 1
    queue.close()


def test_a_queue_that_fails_is_left_alone_for_a_while(tmp_path: Path) -> None:
    """After one wait, further requests must not wait again."""
    now = [NOW]
    queue = Queue(make_huey(f"sqlite:///{tmp_path}/queue.sqlite"), lambda: now[0])
    enqueue, tries = queue.huey.enqueue, []

    def hangs(task: object) -> None:
        tries.append(task)
        raise ConnectionError("no answer in time")

    queue.huey.enqueue = hangs
    with pytest.raises(ConnectionError):
        queue.put([Hint("sweep")])
    queue.put([Hint("sweep")])
    assert len(tries) == 1
    queue.huey.enqueue = enqueue
    now[0] += REST
    queue.put([Hint("deliver", 7)])
    assert queue.huey.pending_count() == 1
    queue.close()


def test_a_queue_does_not_rest_until_a_clock_that_was_set_back_catches_up(tmp_path: Path) -> None:
    now = [NOW + timedelta(hours=2)]
    queue = Queue(make_huey(f"sqlite:///{tmp_path}/queue.sqlite"), lambda: now[0])
    enqueue = queue.huey.enqueue

    def fails(_task: object) -> None:
        raise ConnectionError("no answer in time")

    queue.huey.enqueue = fails
    with pytest.raises(ConnectionError):
        queue.put([Hint("sweep")])
    queue.huey.enqueue = enqueue
    now[0] = NOW
    queue.put([Hint("deliver", 7)])
    assert queue.huey.pending_count() == 1
    queue.close()


def test_the_hints_of_one_transaction_are_one_message(queue: Queue, log: Log) -> None:
    """Enqueueing costs more than all else after a commit, and a request waits for it."""
    later = NOW + timedelta(minutes=5)
    queue.put([Hint("wake", 5, later), Hint("deliver", 7), Hint("deliver", 8), Hint("sweep")])
    assert queue.huey.pending_count() == 1
    queue.huey.execute(queue.huey.dequeue())
    # One runs at once; any worker may take the others.
    assert log.done == [("deliver", 7)]
    assert queue.huey.pending_count() == 3
    run_all(queue)
    assert log.done == [("deliver", 7), ("deliver", 8), ("sweep", None)]
    assert queue.huey.scheduled_count() == 1
