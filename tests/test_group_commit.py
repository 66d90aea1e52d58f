"""Group commit: who shares a transaction, and that nobody is harmed or forgotten."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from incidentrelay.group_commit import GroupCommit

PATIENCE = 10.0


class Bad(Exception):
    """What a bad request raises."""


class Journal:
    """Transactions that note who was served with whom, and wait where a test says so."""

    def __init__(self, most: int = 32) -> None:
        self.groups: list[list[str]] = []
        self.alone: list[str] = []
        self.answered: list[str] = []
        self.entered = threading.Semaphore(0)
        self.gates: list[threading.Event] = []
        self.fail: Callable[[Sequence[str]], BaseException | None] = lambda _: None
        self.left_out: set[str] = set()
        self.commit = GroupCommit(self._together, self._alone, most=most)

    def _together(self, requests: Sequence[str]) -> list[str | Exception | None]:
        self.groups.append(list(requests))
        self.entered.release()
        if self.gates:
            assert self.gates.pop(0).wait(PATIENCE)
        failure = self.fail(requests)
        if failure is not None:
            raise failure
        assert not set(requests) & set(self.answered), "nobody is answered before the commit"
        return [None if each in self.left_out else f"{each}!" for each in requests]

    def _alone(self, request: str) -> str:
        self.alone.append(request)
        if request.startswith("bad"):
            raise Bad(request)
        return f"{request}!"

    def start(self, name: str) -> "Caller":
        caller = Caller(self, name)
        caller.start()
        return caller

    def start_behind(self, leader: str, *others: str) -> tuple[list["Caller"], threading.Event]:
        """A leader inside its transaction, the others waiting; the event lets it go on."""
        gate = threading.Event()
        self.gates.append(gate)
        callers = [self.start(leader)]
        assert self.entered.acquire(timeout=PATIENCE)
        for number, name in enumerate(others, 1):
            callers.append(self.start(name))
            while len(self.commit._waiting) < number:
                threading.Event().wait(0.001)
        return callers, gate


class Caller(threading.Thread):
    def __init__(self, journal: Journal, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.journal = journal
        self.result: Any = None

    def run(self) -> None:
        try:
            self.result = self.journal.commit.serve(self.name)
        except BaseException as error:
            self.result = error
        self.journal.answered.append(self.name)

    def end(self) -> Any:
        self.join(PATIENCE)
        assert not self.is_alive(), f"{self.name} was forgotten"
        return self.result


def test_a_request_without_others_is_a_group_of_its_own() -> None:
    journal = Journal()
    assert [journal.commit.serve(name) for name in "ab"] == ["a!", "b!"]
    assert journal.groups == [["a"], ["b"]]
    assert journal.alone == []


def test_requests_that_come_meanwhile_share_the_next_transaction() -> None:
    journal = Journal()
    callers, gate = journal.start_behind("a", "b", "c", "d")
    assert journal.answered == []
    gate.set()
    assert [caller.end() for caller in callers] == ["a!", "b!", "c!", "d!"]
    assert journal.groups == [["a"], ["b", "c", "d"]]


def test_the_first_that_waits_leads_next_so_that_nobody_serves_the_others_forever() -> None:
    journal = Journal()
    callers, gate = journal.start_behind("a", "b")
    second = threading.Event()
    journal.gates.append(second)
    gate.set()
    assert callers[0].end() == "a!"
    assert journal.entered.acquire(timeout=PATIENCE)
    assert journal.answered == ["a"]
    late = journal.start("c")
    second.set()
    assert (callers[1].end(), late.end()) == ("b!", "c!")
    assert journal.groups == [["a"], ["b"], ["c"]]


def test_a_group_has_a_limit_and_the_rest_come_in_their_order() -> None:
    journal = Journal(most=2)
    callers, gate = journal.start_behind("a", "b", "c", "d", "e")
    gate.set()
    assert [caller.end() for caller in callers] == [f"{name}!" for name in "abcde"]
    assert journal.groups == [["a"], ["b", "c"], ["d", "e"]]


def test_a_bad_request_harms_nobody() -> None:
    journal = Journal()
    journal.fail = lambda requests: Bad() if "bad" in requests else None
    callers, gate = journal.start_behind("a", "b", "bad", "c")
    gate.set()
    results = [caller.end() for caller in callers]
    assert results[:2] == ["a!", "b!"]
    assert isinstance(results[2], Bad)
    assert results[3] == "c!"
    assert sorted(journal.alone) == ["b", "bad", "c"]


def test_a_request_that_is_left_out_goes_alone() -> None:
    journal = Journal()
    journal.left_out = {"b"}
    callers, gate = journal.start_behind("a", "b", "c")
    gate.set()
    assert [caller.end() for caller in callers] == ["a!", "b!", "c!"]
    assert journal.alone == ["b"]


def test_an_answer_may_be_an_error() -> None:
    failing: GroupCommit[str, str] = GroupCommit(
        lambda requests: [Bad(each) for each in requests], lambda request: request
    )
    with pytest.raises(Bad):
        failing.serve("a")


def test_a_wrong_number_of_answers_is_a_failure() -> None:
    short: GroupCommit[str, str] = GroupCommit(lambda _: [], lambda request: f"{request} alone")
    assert short.serve("a") == "a alone"


@pytest.mark.parametrize("death", [SystemExit(0), KeyboardInterrupt()])
def test_when_a_leader_dies_its_group_is_served_and_another_one_leads(
    death: BaseException,
) -> None:
    """A process that ends raises in whatever thread it likes."""
    journal = Journal()
    callers, gate = journal.start_behind("a", "b", "c")
    journal.fail = lambda requests: death if requests[0] == "b" else None
    gate.set()
    results = [caller.end() for caller in callers]
    assert results == ["a!", death, "c!"]
    assert journal.alone == ["c"]
    assert journal.commit.serve("d") == "d!"


def test_nobody_is_lost_when_many_come_and_some_fail() -> None:
    journal = Journal(most=5)
    journal.fail = lambda requests: Bad() if any(r.startswith("bad") for r in requests) else None
    names = [f"{'bad' if number % 7 == 0 else 'good'}-{number}" for number in range(200)]
    callers = [journal.start(name) for name in names]
    for caller in callers:
        result = caller.end()
        assert isinstance(result, Bad) if caller.name.startswith("bad") else result
    served = [name for group in journal.groups for name in group]
    assert sorted(served) == sorted(names)
