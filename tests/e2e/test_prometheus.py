"""Bad weather of real Prometheus and Alertmanagers: no page is lost."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.conftest import Installation, need
from tests.e2e.monitoring import ALERTMANAGER, PROMETHEUS, Alertmanager, Prometheus, Target
from tests.e2e.sinks import eventually
from tests.e2e.stack import Stack

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(180),
    pytest.mark.parametrize(("database_url", "queue_url"), [("sqlite", "sqlite")], indirect=True),
]

Install = Callable[..., Installation]
# Longer than an alert that Prometheus does not repeat lives: four evaluations.
ENOUGH = 20


@pytest.fixture
def target() -> Iterator[Target]:
    target = Target()
    yield target
    target.stop()


@pytest.fixture
def stopped() -> Iterator[ExitStack]:
    """Stops in the end what was started."""
    need(Path(ALERTMANAGER).exists(), "Alertmanager")
    need(Path(PROMETHEUS).exists(), "Prometheus")
    with ExitStack() as stack:
        yield stack


def status(relay: Installation, alert_id: int) -> str:
    return str(relay.stack.api("GET", f"/api/alerts/{alert_id}")[1]["status"])


def wait_for_status(relay: Installation, alert_id: int, wanted: str) -> None:
    eventually(lambda: status(relay, alert_id) == wanted, ENOUGH, f"the alert is {wanted}")


def pages(relay: Installation) -> int:
    return len(relay.hook.of_type("page"))


def test_an_alert_that_prometheus_repeats_after_a_pause_pages_again(
    install: Install,
    tmp_path: Path,
    target: Target,
    stopped: ExitStack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Alertmanager resolves it meanwhile, and then sends its old start, once."""
    monkeypatch.setattr(Stack, "program", "tests.e2e.hasty")
    relay = install()
    intake = f"{relay.stack.url}/api/integrations/alertmanager"
    manager = Alertmanager(tmp_path / "am", intake, relay.token)
    stopped.callback(manager.stop)
    prometheus = Prometheus(tmp_path, target, [manager])
    stopped.callback(prometheus.stop)
    page = eventually(lambda: relay.hook.of_type("page"), ENOUGH, "the page")[0]
    alert_id = page.data["alert"]["id"]

    prometheus.hold()
    wait_for_status(relay, alert_id, "resolved")
    prometheus.go_on()
    eventually(lambda: pages(relay) == 2, ENOUGH, "the second page")
    assert relay.hook.told("page") == {alert_id}
    assert status(relay, alert_id) == "firing"

    target.up.set()
    wait_for_status(relay, alert_id, "resolved")
    assert pages(relay) == 2


def test_a_held_peer_of_a_cluster_loses_no_page(
    install: Install, tmp_path: Path, target: Target, stopped: ExitStack
) -> None:
    target.up.set()
    relay = install()
    intake = f"{relay.stack.url}/api/integrations/alertmanager"
    managers: list[Alertmanager] = []
    for name in ("one", "two"):
        manager = Alertmanager(
            tmp_path / name, intake, relay.token, peers=managers, repeat_interval="1s"
        )
        stopped.callback(manager.stop)
        managers.append(manager)
    prometheus = Prometheus(tmp_path, target, managers)
    stopped.callback(prometheus.stop)

    one, two = managers
    one.hold()
    target.up.clear()
    page = eventually(lambda: relay.hook.of_type("page"), ENOUGH, "the page")[0]
    one.go_on()
    wait_for_repeats(relay)
    alert_id = page.data["alert"]["id"]
    assert status(relay, alert_id) == "firing"

    two.hold()
    target.up.set()
    wait_for_status(relay, alert_id, "resolved")
    two.go_on()
    eventually(lambda: not any(map(Alertmanager.alerts, managers)), ENOUGH, "the end")
    assert status(relay, alert_id) == "resolved"
    assert pages(relay) <= 2


def wait_for_repeats(relay: Installation) -> None:
    """Until the Alertmanagers have repeated several times what they know."""
    known = requests(relay)
    eventually(lambda: requests(relay) > known + 4, ENOUGH, "repeated requests")


def requests(relay: Installation) -> int:
    """How many requests have come in."""
    path = "/api/groups/ops/teams/core/routes/alertmanager/intake?limit=1"
    code, page = relay.stack.api("GET", path)
    assert code == 200, page
    return int(page["items"][0]["id"]) if page["items"] else 0
