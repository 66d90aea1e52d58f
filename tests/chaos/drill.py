"""One drill: start everything, send, break, repair, wait, and audit."""

import secrets
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from incidentrelay.db import Database
from tests.chaos import audit
from tests.chaos.faults import Kind, Mayhem, plan
from tests.chaos.fleet import FileStore, Fleet, QueueStore, RedisStore
from tests.chaos.senders import Ledger, Sender
from tests.conftest import fresh_postgresql
from tests.e2e.conftest import furnish
from tests.e2e.sinks import MailSink, WebhookSink, eventually

WEBS, WORKERS, SENDERS = 2, 3, 3
NAMES = (
    *(f"serve-{number}" for number in range(1, WEBS + 1)),
    *(f"worker-{number}" for number in range(1, WORKERS + 1)),
)
PAUSE = 1.5


@dataclass(frozen=True)
class Report:
    """The figures of one drill, and the broken promises."""

    rows: list[tuple[str, str]]
    complaints: list[str]

    def __str__(self) -> str:
        width = max(len(name) for name, _ in self.rows)
        lines = [f"{name:<{width}}  {value:>8}" for name, value in self.rows]
        return "\n".join([*lines, "", *(self.complaints or ["Every promise was kept."])])


@dataclass(frozen=True)
class Ground:
    """A running installation with its receivers; ``token`` is the route's."""

    fleet: Fleet
    queue: QueueStore
    hook: WebhookSink
    mail: MailSink
    database: Database
    token: str

    def cut_database(self) -> None:
        """Cut every connection to PostgreSQL, as a failover does."""
        query = (
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        with self.database.write() as session:
            session.execute(text(query))


@contextmanager
def ground(folder: Path, kind: str, *, webs: int = WEBS) -> Iterator[Ground]:
    """An installation on ``sqlite`` (with a queue in a file) or ``postgresql`` (with Redis).

    One web server, ``serve-1``, runs; callers start more processes.
    """
    with ExitStack() as stack:
        if kind == "sqlite":
            url, queue = f"sqlite:///{folder}/relay.sqlite", FileStore(folder)
        else:
            url, queue = stack.enter_context(fresh_postgresql("chaos")), RedisStore(folder)
        stack.callback(queue.close)
        mail = MailSink()
        stack.callback(mail.close)
        hook = WebhookSink("whsec_" + b64encode(secrets.token_bytes(32)).decode())
        stack.callback(hook.close)
        fleet = Fleet(folder, url, queue, smtp_port=mail.port, webs=webs)
        fleet.prepare()
        stack.callback(fleet.kill)
        fleet.spawn("serve-1")
        fleet.ready("serve-1")
        database = Database(url)
        stack.callback(database.dispose)
        yield Ground(fleet, queue, hook, mail, database, furnish(fleet, hook, 3600))


def run(
    folder: Path, kind: str, *, seed: int, seconds: float, deadline: float, pause: float = PAUSE
) -> Report:
    """Break things for ``seconds``; all must be delivered ``deadline`` seconds later."""
    kinds = tuple(kind_ for kind_ in Kind if kind == "postgresql" or kind_ is not Kind.CUT_DATABASE)
    with ground(folder, kind) as place:
        fleet, ledger = place.fleet, Ledger()
        for name in NAMES[1:]:
            fleet.spawn(name)
        addresses = tuple(fleet.addresses.values())
        senders = [
            Sender(f"sender{number}", f"{seed} {number}", addresses, place.token, ledger)
            for number in range(SENDERS)
        ]
        mayhem = Mayhem(fleet, place.queue, place.hook, place.mail, NAMES, place.cut_database)
        with _sending(senders):
            mayhem.run(plan(seed, seconds, pause=pause, kinds=kinds), seconds)
        settled_after = _settle(lambda: audit.is_settled(place.database), deadline)
        books = audit.read(place.database, place.hook, place.mail)
        complaints = audit.complaints(books, ledger, mayhem.interrupted)
        complaints += mayhem.complaints + place.hook.faults
    happened = [(str(kind), str(mayhem.happened[kind])) for kind in kinds]
    rows = [
        *happened,
        ("workers that died", str(mayhem.worker_deaths)),
        ("processes that did not start without the database", str(mayhem.refused_to_start)),
    ]
    rows += audit.table(books, ledger)
    return Report([*rows, ("seconds until all was delivered", settled_after)], complaints)


@contextmanager
def _sending(senders: list[Sender]) -> Iterator[None]:
    """Send meanwhile. At the end everything runs, so what was begun is taken in soon."""
    for sender in senders:
        sender.start()
    try:
        yield
    except BaseException:
        for sender in senders:
            sender.give_up()
        raise
    finally:
        for sender in senders:
            sender.stop()
        for sender in senders:
            sender.join(30)
            sender.give_up()
            sender.join(30)


def _settle(is_settled: Callable[[], bool], deadline: float) -> str:
    """How many seconds it took; rows that are stuck are for the audit to name."""
    begun = time.monotonic()
    try:
        eventually(is_settled, deadline, "nothing waits any more")
    except AssertionError:
        return f"> {deadline:.0f}"
    return f"{time.monotonic() - begun:.1f}"
