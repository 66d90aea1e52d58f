"""Faults: a plan generated from a seed, and its execution."""

import heapq
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tests.chaos.crashing import KILLED, POINTS
from tests.chaos.fleet import Fleet, QueueStore
from tests.e2e.sinks import MailSink, WebhookSink


class Kind(StrEnum):
    KILL_WEB = "a web server is killed"
    KILL_WORKER = "a worker is killed"
    KILL_ALL = "everything is killed"
    CRASH = "a process dies at a named point"
    LOSE_QUEUE = "the queue is lost"
    QUEUE_HANGS = "the queue hangs"
    CUT_DATABASE = "all connections to the database are cut"
    SINK_BROKEN = "the receiver answers 500"
    SINK_BUSY = "the receiver answers 429"
    SINK_HANGS = "the receiver hangs"
    MAIL_REFUSES = "the mail server takes nothing"


SINK_KINDS = frozenset({Kind.SINK_BROKEN, Kind.SINK_BUSY, Kind.SINK_HANGS})
# What a process says that is just starting while the database is away. Whatever
# supervises it starts it again.
REFUSAL = "The database cannot be used"
FIRST, LAST_BEFORE_END = 0.5, 1.0


@dataclass(frozen=True, slots=True)
class Fault:
    """``at`` and ``lasts`` are seconds; ``which`` picks a process, ``point`` a crash point."""

    at: float
    kind: Kind
    lasts: float
    which: int
    point: str


def plan(seed: int, seconds: float, *, pause: float, kinds: tuple[Kind, ...]) -> tuple[Fault, ...]:
    """Faults about every ``pause`` seconds, every kind as often as every other (but one)."""
    chance = random.Random(f"faults {seed}")
    faults: list[Fault] = []
    bag: list[Kind] = []
    points: list[str] = []
    at = FIRST
    while at < seconds - LAST_BEFORE_END:
        if not bag:
            bag = chance.sample(kinds, len(kinds))
        if not points:
            points = chance.sample(POINTS, len(POINTS))
        kind = bag.pop()
        point = points.pop() if kind is Kind.CRASH else ""
        lasts, which = chance.uniform(0.3, 2.5), chance.randrange(100)
        faults.append(Fault(round(at, 3), kind, round(lasts, 3), which, point))
        at += chance.uniform(0.5, 1.5) * pause
    return tuple(faults)


class Mayhem:
    """Carries out a plan. Each fault is repaired when its time is over, or at the end."""

    def __init__(
        self,
        fleet: Fleet,
        queue: QueueStore,
        sink: WebhookSink,
        mail: MailSink,
        names: tuple[str, ...],
        cut_database: Callable[[], None],
    ) -> None:
        self._fleet = fleet
        self._queue = queue
        self._sink = sink
        self._mail = mail
        self._names = names
        self._webs = tuple(name for name in names if name.startswith("serve"))
        self._cut_database = cut_database
        self._sink_fault: Fault | None = None
        # What really happened; what was down already cannot be killed.
        self.happened: Counter[Kind] = Counter()
        self.worker_deaths = 0
        self.refused_to_start = 0
        self.complaints: list[str] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []

    @property
    def interrupted(self) -> int:
        """How often a worker died, or lost the database in the middle of its work."""
        workers = len(self._names) - len(self._webs)
        return self.worker_deaths + self.happened[Kind.CUT_DATABASE] * workers

    def run(self, faults: tuple[Fault, ...], seconds: float) -> None:
        """Run the plan in real time; returns after ``seconds`` with everything repaired."""
        for number, fault in enumerate(faults):
            begin, end = self._begin_and_end(fault)
            heapq.heappush(self._due, (fault.at, 2 * number, begin))
            heapq.heappush(self._due, (fault.at + fault.lasts, 2 * number + 1, end))
        clock, pause = time.monotonic(), threading.Event()
        while self._due and self._due[0][0] < seconds:
            at, _, act = heapq.heappop(self._due)
            pause.wait(max(0.0, at - (time.monotonic() - clock)))
            act()
        pause.wait(max(0.0, seconds - (time.monotonic() - clock)))
        self._mend_all()

    def _begin_and_end(self, fault: Fault) -> tuple[Callable[[], None], Callable[[], None]]:
        if fault.kind in SINK_KINDS:
            return lambda: self._disturb(fault), lambda: self._calm(fault)
        if fault.kind is Kind.LOSE_QUEUE:
            return lambda: self._lose_queue(), self._queue.restore
        if fault.kind is Kind.QUEUE_HANGS:
            return lambda: self._hang_queue(), self._queue.restore
        if fault.kind is Kind.MAIL_REFUSES:
            return lambda: self._refuse_mail(True), lambda: self._refuse_mail(False)
        if fault.kind is Kind.CUT_DATABASE:
            return lambda: self._cut(), lambda: None
        if fault.kind is Kind.CRASH:
            return lambda: self._arm(fault), self._revive
        victims = self._victims(fault)
        return lambda: self._kill(fault.kind, victims), self._revive

    def _victims(self, fault: Fault) -> tuple[str, ...]:
        if fault.kind is Kind.KILL_ALL:
            return self._names
        prefix = "serve" if fault.kind is Kind.KILL_WEB else "worker"
        some = [name for name in self._names if name.startswith(prefix)]
        return (some[fault.which % len(some)],)

    def _kill(self, kind: Kind, victims: tuple[str, ...]) -> None:
        if kind is Kind.KILL_ALL and not all(map(self._fleet.listens, self._webs)):
            return  # On a slow machine nothing would ever come up.
        running = [name for name in victims if name in self._fleet.processes]
        if running:
            self._fleet.kill(*running)
        self.happened[kind] += bool(running)
        self.worker_deaths += sum(name.startswith("worker") for name in running)

    def _arm(self, fault: Fault) -> None:
        self._bury()
        self._fleet.arm(fault.point)

    def _bury(self) -> None:
        """Remove ended processes from the list."""
        while (end := self._fleet.ended()) is not None:
            name, code = end
            self.worker_deaths += name.startswith("worker")
            if code == KILLED:
                self.happened[Kind.CRASH] += 1
            elif REFUSAL in (words := self._fleet.last_words(name)):
                self.refused_to_start += 1
            else:
                self.complaints.append(f"{name} ended by itself with {code}: {words}")

    def _revive(self) -> None:
        self._bury()
        for name in self._names:
            if name not in self._fleet.processes:
                self._fleet.spawn(name)

    def _lose_queue(self) -> None:
        self._queue.lose()
        self.happened[Kind.LOSE_QUEUE] += 1

    def _hang_queue(self) -> None:
        self._queue.hang()
        self.happened[Kind.QUEUE_HANGS] += 1

    def _refuse_mail(self, refusing: bool) -> None:
        self._mail.refusing = refusing
        self.happened[Kind.MAIL_REFUSES] += refusing

    def _cut(self) -> None:
        self._cut_database()
        self.happened[Kind.CUT_DATABASE] += 1

    def _disturb(self, fault: Fault) -> None:
        self._sink.recover()
        self._sink_fault = fault
        self.happened[fault.kind] += 1
        if fault.kind is Kind.SINK_HANGS:
            self._sink.hang()
        elif fault.kind is Kind.SINK_BUSY:
            self._sink.fail(429, retry_after=2)
        else:
            self._sink.fail(500)

    def _calm(self, fault: Fault) -> None:
        if self._sink_fault is fault:
            self._sink.recover()

    def _mend_all(self) -> None:
        self._fleet.disarm()
        self._sink.recover()
        self._mail.refusing = False
        self._queue.restore()
        self._revive()
        self._fleet.ready(*self._webs)
