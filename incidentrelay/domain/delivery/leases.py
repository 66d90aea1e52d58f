"""Who holds a lease, and whether the holder is known to be dead."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True, slots=True)
class LeaseHolder:
    """One worker process. ``host`` names its machine, ``boot`` one run of that machine.

    ``namespace`` is that of its process ids: two containers on one machine both have a process
    1. ``started`` distinguishes processes that had the same ``pid``.
    """

    host: str
    boot: str
    namespace: str
    pid: int
    started: int

    def __str__(self) -> str:
        return f"{self.host}.{self.boot}.{self.namespace}.{self.pid}.{self.started}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError if another version wrote ``text`` in another form."""
        host, boot, namespace, pid, started = text.split(".")
        return cls(host, boot, namespace, int(pid), int(started))


def is_dead(holder: str, me: LeaseHolder, started: Callable[[int], int | None]) -> bool:
    """Whether the process that holds a lease has certainly ended.

    Another boot proves nothing: two machines may have the same host name.

    ``started(pid)`` is when the process of that id started on this machine; None: there is
    none. Processes that this one cannot see count as alive.
    """
    try:
        other = LeaseHolder.parse(holder)
    except ValueError:
        return False
    here = (me.host, me.boot, me.namespace)
    if (other.host, other.boot, other.namespace) != here:
        return False
    return started(other.pid) != other.started
