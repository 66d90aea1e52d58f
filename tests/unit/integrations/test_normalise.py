"""Promises of every integration, for any input."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from incidentrelay.domain.enums import Severity, SignalStatus
from incidentrelay.domain.errors import InvalidInput
from incidentrelay.domain.fingerprint import MAX_KEY
from incidentrelay.domain.intake.signals import IncomingSignal, Rejection, SignalItem
from incidentrelay.integrations import default_registry, fields

REGISTRY = default_registry()
BUILT_IN = ("alertmanager", "zabbix", "webhook")


def normalise(source: str, payload: Any) -> list[SignalItem]:
    return list(REGISTRY.get(source).normalise(payload, {}))


def one(source: str, payload: Any) -> IncomingSignal:
    [item] = normalise(source, payload)
    assert isinstance(item, IncomingSignal)
    return item


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters() | st.characters(categories=["Cs"]), max_size=30)
    | st.sampled_from(["2026-08-08T14:32:08Z", "http://[", "{EVENT.ID}", "*UNKNOWN*", "ok", "1"])
    | st.sampled_from(['[{"tag":"a","value":[1]}]', '{"a":{}}', "[" * 2000])
)
# fmt: off
KNOWN = [
    "alerts", "labels", "annotations", "commonAnnotations",
    "status", "state", "action", "startsAt",
    "endsAt", "fingerprint", "generatorURL", "title",
    "summary", "message", "details", "severity",
    "team", "dedup_key", "link", "starts_at",
    "event_id", "trigger_id", "event_value", "event_update_status",
    "event_nseverity", "event_tags", "tags", "host",
    "zabbix_url", "trigger_url", "event_update_action", "event_update_message",
    "user_fullname", "alertname", "tag", "value",
]
# fmt: on
names = st.sampled_from(KNOWN) | st.text(max_size=10)
anything = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names, inner, max_size=6),
    max_leaves=25,
)


def check(signal: IncomingSignal) -> None:
    assert signal.dedup_key
    assert len(signal.dedup_key) <= MAX_KEY
    assert 0 < len(signal.title) <= fields.MAX_TITLE
    assert len(signal.description) <= fields.MAX_DESCRIPTION
    assert signal.severity in Severity
    assert signal.status in SignalStatus
    assert len(signal.labels) <= fields.MAX_LABELS
    for name, value in signal.labels.items():
        assert 0 < len(name) <= fields.MAX_LABEL_NAME
        assert len(value) <= fields.MAX_LABEL_VALUE
    for moment in (signal.starts_at, signal.ends_at):
        assert moment is None or moment.utcoffset() == timedelta(0)
    assert signal.link is None or signal.link.lower().startswith(("http://", "https://"))
    assert signal.ends_at is None or signal.status is SignalStatus.RESOLVED


@pytest.mark.parametrize("source", BUILT_IN)
@given(payload=anything | st.fixed_dictionaries({"alerts": st.lists(anything, max_size=4)}))
@example(payload={"alerts": [{"labels": {"a": 10**400}}]})
@example(payload={"title": "x" * 5000, "message": "y" * 50_000, "labels": {"n" * 500: "v" * 5000}})
def test_any_json_is_parsed_or_rejected(source: str, payload: Any) -> None:
    items: list[SignalItem] = []
    refused: InvalidInput | None = None
    try:
        items = normalise(source, payload)
    except InvalidInput as error:
        refused = error
    assert refused is None or refused.errors
    for item in items:
        if isinstance(item, Rejection):
            assert item.reason.endswith(".")
        else:
            check(item)
    again = [] if refused else normalise(source, payload)
    assert [getattr(item, "dedup_key", None) for item in again] == [
        getattr(item, "dedup_key", None) for item in items
    ]


@pytest.mark.parametrize("source", BUILT_IN)
@pytest.mark.parametrize("payload", [None, "text", 1, 1.5, True])
def test_a_body_that_is_no_object_is_refused(source: str, payload: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        normalise(source, payload)
    assert list(caught.value.errors) == ["body"]


@pytest.mark.parametrize("payload", [{}, {"alerts": None}, {"alerts": {}}, {"alerts": "x"}])
def test_alertmanager_sends_a_list_of_alerts(payload: Any) -> None:
    with pytest.raises(InvalidInput) as caught:
        normalise("alertmanager", payload)
    assert list(caught.value.errors) == ["alerts"]


@pytest.mark.parametrize("source", ["webhook", "zabbix"])
def test_an_array_has_as_many_items(source: str) -> None:
    assert normalise(source, []) == []
    found = normalise(source, [{"title": "a"}, 1, {"title": "b"}, {}])
    assert [type(item) for item in found] == [IncomingSignal, Rejection, IncomingSignal, Rejection]


def test_ten_thousand_alerts_keep_their_order() -> None:
    alerts = [{"labels": {"n": str(n)}, "fingerprint": f"{n:x}"} for n in range(10_000)]
    found = normalise("alertmanager", {"alerts": alerts})
    assert [item.dedup_key for item in found if isinstance(item, IncomingSignal)] == [
        f"{n:x}" for n in range(10_000)
    ]


@pytest.mark.parametrize(
    ("item", "group", "status"),
    [
        ({"status": "firing"}, "resolved", SignalStatus.FIRING),
        ({"status": "resolved"}, "firing", SignalStatus.RESOLVED),
        ({}, "resolved", SignalStatus.RESOLVED),
        ({}, None, SignalStatus.FIRING),
        ({"status": "something"}, "resolved", SignalStatus.FIRING),
    ],
)
def test_the_status_of_an_alertmanager_item_is_its_own(
    item: dict[str, str], group: str | None, status: SignalStatus
) -> None:
    assert one("alertmanager", {"status": group, "alerts": [item]}).status is status


@pytest.mark.parametrize(
    ("item", "status"),
    [
        ({"event_value": "1", "status": "resolved"}, SignalStatus.FIRING),
        ({"event_value": "0", "status": "firing"}, SignalStatus.RESOLVED),
        ({"event_value": 0}, SignalStatus.RESOLVED),
        ({"event_value": "{EVENT.VALUE}", "event_status": "RESOLVED"}, SignalStatus.RESOLVED),
        ({"event_value": "{EVENT.VALUE}", "event_status": "PROBLEM"}, SignalStatus.FIRING),
        ({"trigger_status": "OK"}, SignalStatus.RESOLVED),
        ({"status": "0"}, SignalStatus.RESOLVED),
        ({"status": None}, SignalStatus.FIRING),
        ({}, SignalStatus.FIRING),
    ],
)
def test_the_status_of_a_zabbix_item(item: dict[str, Any], status: SignalStatus) -> None:
    assert one("zabbix", {"event_id": "1", **item}).status is status


@pytest.mark.parametrize(
    ("number", "severity", "word"),
    [
        ("0", Severity.INFO, "Not classified"),
        ("1", Severity.INFO, "Information"),
        ("2", Severity.WARNING, None),
        ("3", Severity.MEDIUM, "Average"),
        ("4", Severity.HIGH, None),
        ("5", Severity.CRITICAL, "Disaster"),
        ("6", Severity.WARNING, None),
    ],
)
def test_zabbix_severities_go_by_their_number(
    number: str, severity: Severity, word: str | None
) -> None:
    signal = one("zabbix", {"event_id": "1", "event_nseverity": number})
    assert signal.severity is severity
    assert signal.labels.get("source_severity") == word


@pytest.mark.parametrize(
    ("item", "key"),
    [
        ({"event_id": "1", "trigger_id": "2"}, "1"),
        ({"event_id": "{EVENT.ID}", "trigger_id": "2"}, "2"),
        ({"event_id": "1", "fingerprint": "2-web"}, "2-web"),
        ({"alert_uid": 7}, "7"),
        ({"title": "Disk", "host": "db1"}, "title:Disk db1"),
        ({"event_id": "*UNKNOWN*", "title": "Disk"}, "title:Disk"),
    ],
)
def test_the_identity_of_a_zabbix_item(item: dict[str, Any], key: str) -> None:
    assert one("zabbix", item).dedup_key == key


@pytest.mark.parametrize(
    ("item", "note"),
    [
        ({"event_update_status": "0", "event_update_action": "acknowledged"}, None),
        ({"event_update_status": "1", "event_ack_status": "Yes"}, "Zabbix: acknowledged"),
        ({"event_update_status": "1", "event_ack_status": "No"}, "Zabbix: updated"),
        (
            {
                "event_update_status": "1",
                "user_fullname": "Ann",
                "event_update_action": "commented on",
                "event_update_message": "on it",
            },
            "Zabbix: Ann commented on: on it",
        ),
    ],
)
def test_a_zabbix_update_is_a_note(item: dict[str, Any], note: str | None) -> None:
    signal = one("zabbix", {"event_id": "1", "event_value": "1", **item})
    assert signal.note == note
    assert signal.status is SignalStatus.FIRING


@pytest.mark.parametrize(
    ("tags", "labels"),
    [
        ('[{"tag":"a","value":"1"},{"tag":"b","value":""}]', {"a": "1", "b": ""}),
        ([{"tag": "a", "value": 1}], {"a": "1"}),
        ({"a": "1", "b": None}, {"a": "1"}),
        ('[{"tag":"a\\u0000","value":"\\ud800x"}]', {"a": "\ufffdx"}),
        ('[{"tag":"a","value":"{EVENT.X}"},{"tag":"*UNKNOWN*"},{"tag":[]},1]', {"a": ""}),
        ("a:1, b:2", {}),
        ("[" * 100_000, {}),
        ("3", {}),
    ],
)
def test_zabbix_tags_are_labels(tags: Any, labels: dict[str, str]) -> None:
    assert one("zabbix", {"event_id": "1", "event_tags": tags}).labels == labels


@pytest.mark.parametrize(
    ("item", "status"),
    [
        ({"status": "resolved"}, SignalStatus.RESOLVED),
        ({"state": "ok"}, SignalStatus.RESOLVED),
        ({"action": "close"}, SignalStatus.RESOLVED),
        ({"state": "alerting"}, SignalStatus.FIRING),
        ({"status": None, "state": "ok"}, SignalStatus.RESOLVED),
        ({}, SignalStatus.FIRING),
    ],
)
def test_the_status_of_a_webhook_item(item: dict[str, Any], status: SignalStatus) -> None:
    assert one("webhook", {"title": "t", **item}).status is status


@pytest.mark.parametrize("name", ["dedup_key", "fingerprint", "external_id", "alert_uid", "dedup"])
def test_the_identity_of_a_webhook_item(name: str) -> None:
    assert one("webhook", {"title": "t", "labels": {"a": "1"}, name: "key"}).dedup_key == "key"


@pytest.mark.parametrize("source", ["alertmanager", "webhook", "zabbix"])
@pytest.mark.parametrize(
    ("labels", "same"),
    [
        ({"a": "1", "zone": ""}, {"a": "1"}),
        ({"zone": "", "severity": "low"}, {}),
    ],
)
def test_a_label_without_a_value_identifies_nothing(
    source: str, labels: dict[str, str], same: dict[str, str]
) -> None:
    def key(given: dict[str, str]) -> str:
        item = {"title": "Disk full", "labels": given}
        payload = {"alerts": [item]} if source == "alertmanager" else item
        return one(source, payload).dedup_key

    if same or source != "alertmanager":
        assert key(labels) == key(same)


def test_an_empty_severity_label_does_not_hide_the_severity() -> None:
    item = {"labels": {"a": "1", "severity": ""}, "severity": "high"}
    assert one("webhook", item).labels == {"a": "1", "severity": "high"}


@pytest.mark.parametrize("source", ["alertmanager", "webhook"])
def test_items_that_say_nothing_of_themselves_are_alerts_of_their_own(source: str) -> None:
    items = [{"status": "firing"}, {"labels": {"zone": ""}}, {"status": "firing", "startsAt": "?"}]
    signals = [
        each for each in normalise(source, {"alerts": items}) if isinstance(each, IncomingSignal)
    ]
    assert len({signal.dedup_key for signal in signals}) == 3
    assert {signal.starts_at for signal in signals} == {None}


def test_a_null_label_is_no_team_no_title_and_no_severity() -> None:
    labels = {"team": None, "alertname": None, "severity": None}
    for source, payload in (
        ("alertmanager", {"alerts": [{"labels": labels}]}),
        ("webhook", {"labels": labels}),
        ("zabbix", {"event_id": "1", "labels": labels}),
    ):
        signal = one(source, payload)
        assert signal.team is None
        assert "null" not in signal.title
        assert "source_severity" not in signal.labels
