"""The doorbell of a queue file: who hears it, and what happens when it is lost."""

import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from incidentrelay.tasks.storages import doorbell
from incidentrelay.tasks.storages.doorbell import Doorbell


@pytest.fixture
def file(tmp_path: Path) -> str:
    file = tmp_path / "queue.sqlite"
    file.touch(0o640)
    file.chmod(0o640)
    return str(file)


@pytest.fixture
def heard(file: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doorbell]:
    """The bell as a worker has it; it would wait for ever."""
    monkeypatch.setattr(doorbell, "PATIENT_SECONDS", 60)
    bell = Doorbell(file)
    bell.listen()
    yield bell
    bell.close()


def took(bell: Doorbell) -> float:
    start = time.monotonic()
    bell.wait()
    return time.monotonic() - start


def test_a_ring_of_another_process_ends_the_wait(heard: Doorbell, file: str) -> None:
    """Each process has a bell of its own; what connects them is the pipe."""
    Doorbell(file).ring()
    assert took(heard) < 10


def test_who_waits_already_is_woken(heard: Doorbell, file: str) -> None:
    waiting = threading.Thread(target=heard.wait)
    waiting.start()
    Doorbell(file).ring()
    waiting.join(10)
    assert not waiting.is_alive()


def test_rings_are_heard_once(heard: Doorbell, file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        Doorbell(file).ring()
    heard.ring()
    assert took(heard) < 10
    monkeypatch.setattr(doorbell, "PATIENT_SECONDS", 0.05)
    assert took(heard) >= 0.05


def test_whoever_may_use_the_file_may_ring(heard: Doorbell, file: str) -> None:
    mode = Path(f"{file}-bell").stat().st_mode
    assert stat.S_ISFIFO(mode)
    assert stat.S_IMODE(mode) == 0o640


def test_a_ring_that_nobody_hears_is_lost_without_a_trace(file: str) -> None:
    bell = Doorbell(file)
    bell.ring()  # there is no pipe
    bell.listen()
    bell.close()
    Doorbell(file).ring()  # nobody listens


def test_a_pipe_that_is_full_blocks_nobody(heard: Doorbell, file: str) -> None:
    bell = Doorbell(file)
    for _ in range(70_000):
        heard.ring()
    bell.ring()
    assert took(heard) < 10


def test_what_is_no_pipe_is_left_alone(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbell, "POLL_SECONDS", 0)
    other = Path(f"{file}-bell")
    other.write_text("mine")
    bell = Doorbell(file)
    bell.listen()
    bell.ring()
    bell.wait()
    assert other.read_text() == "mine"


def test_without_pipes_the_file_is_polled(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "mkfifo")
    monkeypatch.setattr(doorbell, "POLL_SECONDS", 0.05)
    bell = Doorbell(file)
    bell.listen()
    assert took(bell) >= 0.05
    bell.close()


def test_a_pipe_that_was_deleted_is_created_again(
    heard: Doorbell, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(f"{file}-bell").unlink()
    monkeypatch.setattr(doorbell, "PATIENT_SECONDS", 0.01)
    heard.wait()
    monkeypatch.setattr(doorbell, "PATIENT_SECONDS", 60)
    Doorbell(file).ring()
    assert took(heard) < 10
