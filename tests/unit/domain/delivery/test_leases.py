"""When a lease's holder counts as dead."""

from dataclasses import replace

import pytest

from incidentrelay.domain.delivery.leases import LeaseHolder, is_dead

ME = LeaseHolder("a1b2", "boot-1", "4026531836", 100, 5000)
# Process 50 of this machine, which started at 4000.
RUNNING = {50: 4000, 100: 5000}
OTHER = LeaseHolder("a1b2", "boot-1", "4026531836", 50, 4000)


@pytest.mark.parametrize(
    ("holder", "dead"),
    [
        pytest.param(OTHER, False, id="it runs"),
        pytest.param(ME, False, id="it is this process"),
        pytest.param(replace(OTHER, pid=51), True, id="no such process"),
        pytest.param(replace(OTHER, started=3999), True, id="another process has its number"),
        pytest.param(replace(OTHER, boot="boot-0"), False, id="another machine of that name"),
        pytest.param(replace(OTHER, host="ffff", pid=51), False, id="another machine"),
        pytest.param(replace(OTHER, namespace="1", pid=51), False, id="another container"),
    ],
)
def test_only_a_process_that_has_surely_ended_is_dead(holder: LeaseHolder, dead: bool) -> None:
    assert is_dead(str(holder), ME, RUNNING.get) is dead


@pytest.mark.parametrize("text", ["", "worker-1", "a.b.c.d.e", "a.b.c.1"])
def test_a_holder_in_an_unknown_form_counts_as_alive(text: str) -> None:
    assert not is_dead(text, ME, RUNNING.get)


def test_a_holder_fits_its_column() -> None:
    longest = LeaseHolder("f" * 12, "f" * 8, "4294967295", 4194304, 2**40)
    assert len(str(longest)) <= 64
    assert LeaseHolder.parse(str(longest)) == longest
