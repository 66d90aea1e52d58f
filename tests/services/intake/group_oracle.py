"""The expected state of one group of signals, independent of the implementation.

It follows the product's rules in the simplest way: it keeps everything, and evaluates
everything again at each step.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

LATE_WINDOW = timedelta(seconds=60)
REOPEN_WINDOW = timedelta(minutes=5)
ACK_COVERS = timedelta(hours=1)
RANKS = ("info", "low", "warning", "medium", "high", "critical")


@dataclass(frozen=True)
class Item:
    """One item of a request; the times are the source's, or missing."""

    host: str
    resolved: bool = False
    severity: str = "warning"
    text: str = "is down"
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    @property
    def title(self) -> str:
        return f"{self.host} {self.text}"


@dataclass
class OracleSignal:
    """The last that was heard of one host, in the alert that it belongs to."""

    item: Item
    alert: "OracleAlert"
    seen: datetime
    start: datetime | None
    fires: bool = True
    end: datetime | None = None
    end_received: datetime | None = None
    held: Item | None = None


@dataclass
class OracleAlert:
    status: str = "firing"
    signals: dict[str, OracleSignal] = field(default_factory=dict)
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    joined: int = 0
    last: list[OracleSignal] = field(default_factory=list)

    @property
    def firing(self) -> list[OracleSignal]:
        return [signal for signal in self.signals.values() if signal.fires]

    def worst(self) -> int:
        return max((RANKS.index(signal.item.severity) for signal in self.firing), default=-1)


@dataclass
class GroupOracle:
    """``pages``: how often somebody must have been paged so far."""

    alerts: list[OracleAlert] = field(default_factory=list)
    known: dict[str, OracleSignal] = field(default_factory=dict)
    silenced: set[str] = field(default_factory=set)
    quiet: bool = False
    pages: int = 0

    @property
    def alert(self) -> OracleAlert | None:
        return self.alerts[-1] if self.alerts else None

    @property
    def open(self) -> OracleAlert | None:
        return self.alert if self.alert and self.alert.status != "resolved" else None

    def send(self, items: list[Item], now: datetime) -> list[str]:
        """The outcome of each item of one request."""
        joined: set[str] = set()
        due = False
        over: dict[str, OracleSignal] = {}
        outcomes = []
        for item in items:
            outcome, pages, joins = self._take(item, now)
            outcomes.append(outcome)
            due = (due or pages) and self.open is not None
            joined = joined | {item.host} if joins else joined
            if outcome == "resolved":
                over[item.host] = self.known[item.host]
        if self.alert is not None and over:
            self.alert.last = [signal for signal in over.values() if not signal.fires]
        if self.open is not None and self.open.status == "acknowledged":
            self.open.joined += sum(self.known[host].fires for host in joined)
        self._hear(due)
        return outcomes

    def _take(self, item: Item, now: datetime) -> tuple[str, bool, bool]:
        known = self.known.get(item.host)
        if item.resolved:
            return self._end(item, known, now), False, False
        if known is not None and self._is_late(item, known, now):
            known.held = item
            return "ignored", False, False
        if known is not None and known.fires:
            return self._repeat(item, known)
        return self._fire(item, known, now)

    def wait(self, now: datetime) -> None:
        """What was held counts once its minute is over, as one request of its route."""
        over = [
            (known.end_received + LATE_WINDOW, known)
            for known in self.known.values()
            if known.held is not None and known.end_received is not None
        ]
        items = [known.held for due, known in over if due <= now and known.held]
        for _, known in over:
            known.held = None if known.held in items else known.held
        if items:
            self.send(items, now)

    @staticmethod
    def _is_late(item: Item, known: OracleSignal, now: datetime) -> bool:
        """Only times that the source gave for this signal, and only for a minute."""
        if known.fires or known.end is None or item.starts_at is None:
            return False
        assert known.end_received is not None
        return item.starts_at <= known.end and now < known.end_received + LATE_WINDOW

    def _end(self, item: Item, known: OracleSignal | None, now: datetime) -> str:
        if known is None:
            return "ignored"
        if not known.fires:
            if item.ends_at is not None:
                if known.end is None:
                    known.end_received = now
                known.end = max(known.end or item.ends_at, item.ends_at)
            held = known.held and known.held.starts_at
            if held is not None and (item.ends_at is None or item.ends_at >= held):
                known.held = None
            return "ignored"
        if known.start is not None and item.ends_at is not None and item.ends_at < known.start:
            return "ignored"
        known.fires, known.end, known.end_received = False, item.ends_at, now
        if not known.alert.firing:
            known.alert.status, known.alert.resolved_at = "resolved", now
        return "resolved"

    def _repeat(self, item: Item, known: OracleSignal) -> tuple[str, bool, bool]:
        """A repeat always brings its content; of the starts the latest one counts."""
        starts = [start for start in (known.start, item.starts_at) if start is not None]
        known.start = max(starts, default=None)
        before = known.alert.worst()
        content = known.item.title, known.item.severity
        known.item = item
        pages = self._uncover(known.alert, known.alert.worst() > before)
        same = content == (item.title, item.severity)
        return ("duplicate" if same else "updated"), pages, False

    def _fire(
        self, item: Item, known: OracleSignal | None, now: datetime
    ) -> tuple[str, bool, bool]:
        alert, before = self.open, self.open.worst() if self.open else -1
        outcome, pages, joins = "updated", False, False
        if alert is None:
            last = self.alert
            pages = True
            if last is not None and last.resolved_at and now - last.resolved_at <= REOPEN_WINDOW:
                alert, outcome = last, "reopened"
                alert.status, alert.resolved_at = "firing", None
            else:
                alert, outcome = OracleAlert(), "created"
                self.alerts.append(alert)
        seen = known.seen if known is not None and known.alert is alert else now
        signal = OracleSignal(item, alert, seen, item.starts_at)
        self.known[item.host] = alert.signals[item.host] = signal
        if outcome == "updated":
            old = alert.acknowledged_at is not None and now - alert.acknowledged_at > ACK_COVERS
            worse = RANKS.index(item.severity) > before
            joins = alert.status == "acknowledged"
            pages = self._uncover(alert, worse or old)
        return outcome, pages, joins

    @staticmethod
    def _uncover(alert: OracleAlert, uncovered: bool) -> bool:
        """What an acknowledgement does not cover pages; what it covers does not."""
        if alert.status != "acknowledged" or not uncovered:
            return False
        alert.status, alert.acknowledged_at, alert.joined = "firing", None, 0
        return True

    def held(self) -> set[str]:
        return {host for host, known in self.known.items() if known.held is not None}

    def acknowledge(self, now: datetime) -> None:
        if self.open is not None and self.open.status == "firing":
            self.open.status, self.open.acknowledged_at, self.open.joined = "acknowledged", now, 0
            self.quiet = False

    def resolve(self, now: datetime) -> None:
        """A person resolves: the source has named no end."""
        if self.open is not None:
            alert = self.open
            alert.last = alert.firing
            for signal in alert.firing:
                signal.fires = False
            alert.status, alert.resolved_at, alert.acknowledged_at = "resolved", now, None
            self.quiet = False

    def silence(self, hosts: set[str]) -> None:
        """These hosts are silenced now, and no others."""
        self.silenced = hosts
        self._hear(due=False)

    def _hear(self, due: bool) -> None:
        """Page what is due or was quiet, unless each firing signal is silenced."""
        if self.open is None or self.open.status != "firing":
            self.quiet = False
            return
        covered = all(signal.item.host in self.silenced for signal in self.open.firing)
        if not covered and (due or self.quiet):
            self.pages += 1
        self.quiet = covered

    def shown(self) -> tuple[str, str, dict[str, str]]:
        """Severity, title and labels of the newest alert."""
        assert self.alert is not None
        signals = self.alert.firing or self.alert.last
        lead = min(signals, key=lambda s: (-RANKS.index(s.item.severity), s.seen, s.item.host))
        title = lead.item.title + (f" and {len(signals) - 1} more" if len(signals) > 1 else "")
        labels = {"group": "all"} | ({"host": lead.item.host} if len(signals) == 1 else {})
        return lead.item.severity, title, labels
