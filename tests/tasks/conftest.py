"""Queues of each kind."""

import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from huey import Huey

from incidentrelay.tasks.queue import make_huey

MakeHuey = Callable[[], Huey]
REDIS = os.environ.get("INCIDENTRELAY_TEST_REDIS", "redis://127.0.0.1:6379")


@pytest.fixture
def queue_name() -> str:
    """Tests that run side by side share a server, but no queue."""
    return f"test-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def queue_kind() -> str:
    return "sqlite"


@pytest.fixture
def queue_url(
    queue_kind: str, queue_name: str, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[str]:
    """The URL of a queue of ``queue_kind``; what is left in it is deleted."""
    if queue_kind == "sqlite":
        url = f"sqlite:///{tmp_path}/queue.sqlite"
    elif queue_kind == "redis":
        url = f"{REDIS}/0"
    else:
        url = request.getfixturevalue("blank_postgresql")
    huey = make_huey(url, queue_name)
    if queue_kind == "redis":
        _need_redis(url)
    yield url
    huey.storage.flush_all()
    huey.storage.close()


@pytest.fixture
def process(queue_url: str, queue_name: str) -> Iterator[MakeHuey]:
    """The queue as another process sees it."""
    hueys: list[Huey] = []

    def make() -> Huey:
        hueys.append(make_huey(queue_url, queue_name))
        return hueys[-1]

    yield make
    for huey in hueys:
        huey.storage.close()


def _need_redis(url: str) -> None:
    client = redis.Redis.from_url(url, socket_connect_timeout=3)
    try:
        client.ping()
    except redis.ConnectionError:
        pytest.fail("Redis is missing") if os.environ.get("CI") else pytest.skip("no Redis")
    finally:
        client.close()
