"""Identities are stable, do not depend on order, and are never shared by accident."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.fingerprint import MAX_KEY, bounded_key, fingerprint, group_key

PROMETHEUS = {
    "alertname": "InstanceDown",
    "code": "200",
    "instance": "127.0.0.1:9090",
    "job": "prometheus",
    "monitor": "codelab-monitor",
    "severity": "critical",
}
label_maps = st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=6)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({}, "cbf29ce484222325"),
        ({"severity": "warning", "job": "foo"}, "9266ef3da838ad95"),
        ({"severity": "critical", "job": "foo"}, "3b15fd163d36582e"),
        (PROMETHEUS, "791cec13fcba0368"),
        ({**PROMETHEUS, "instance": "localhost:9090"}, "8df98227bdd81384"),
        (
            {"name": "garland, briggs", "fear": "love is not enough"},
            f"{5799056148416392346:016x}",
        ),
        (
            {
                "alertname": "DiskFull",
                "severity": "critical",
                "team": "infra",
                "instance": "host1",
            },
            "aeebecd8b0df4b8d",
        ),
    ],
)
def test_fingerprints_equal_alertmanagers(labels: dict[str, str], expected: str) -> None:
    assert fingerprint(labels) == expected


@given(label_maps)
def test_order_does_not_matter(labels: dict[str, str]) -> None:
    assert fingerprint(dict(reversed(labels.items()))) == fingerprint(labels)


@given(label_maps, st.text(max_size=10), st.text(max_size=10))
def test_labels_left_out_do_not_count(labels: dict[str, str], name: str, value: str) -> None:
    rest = {key: text for key, text in labels.items() if key != name}
    assert fingerprint({**labels, name: value}, without={name}) == fingerprint(rest)


@given(label_maps, st.text(max_size=10))
def test_an_empty_label_is_no_label(labels: dict[str, str], name: str) -> None:
    rest = {key: text for key, text in labels.items() if key != name}
    assert fingerprint({**rest, name: ""}) == fingerprint(rest)


def test_a_lone_surrogate_has_a_fingerprint_too() -> None:
    assert fingerprint({"a": "\ud800"}) != fingerprint({"a": "\ud801"})


@pytest.mark.parametrize(
    ("group_by", "expected"),
    [
        ([], "the-key"),
        (["alertname"], "alertname=Disk"),
        (["host", "alertname", "host"], "alertname=Disk,host=a\\,b\\=c\\\\d"),
        (["absent"], "absent="),
    ],
)
def test_a_group_key_can_be_read(group_by: list[str], expected: str) -> None:
    labels = {"alertname": "Disk", "host": "a,b=c\\d"}
    assert group_key(labels, group_by, "the-key") == expected


tricky = st.text(st.sampled_from(",=\\ab"), max_size=6)
values = st.tuples(tricky, tricky, tricky)
names = st.lists(tricky, min_size=3, max_size=3, unique=True)


@given(names, values, values)
def test_different_values_never_share_a_group_key(
    group_by: list[str], first: tuple[str, str, str], second: tuple[str, str, str]
) -> None:
    one = group_key(dict(zip(group_by, first, strict=True)), group_by, "")
    two = group_key(dict(zip(group_by, second, strict=True)), group_by, "")
    assert (one == two) is (first == second)


@given(names, names, values, values)
def test_different_names_never_share_a_group_key(
    one_by: list[str], two_by: list[str], one: tuple[str, ...], two: tuple[str, ...]
) -> None:
    first = dict(zip(one_by, one, strict=True))
    second = dict(zip(two_by, two, strict=True))
    assert (group_key(first, one_by, "") == group_key(second, two_by, "")) is (first == second)


def test_a_long_group_key_is_a_hash() -> None:
    first = group_key({"a": "x" * 300}, ["a"], "")
    second = group_key({"a": "x" * 301}, ["a"], "")
    assert first.startswith("sha256:")
    assert len(first) == len("sha256:") + 64
    assert first != second


def test_a_key_is_kept_up_to_its_bound() -> None:
    assert bounded_key("é" * MAX_KEY) == "é" * MAX_KEY
    assert bounded_key("") == ""
    assert bounded_key("a" * (MAX_KEY + 1)).startswith("sha256:")


@given(st.text(max_size=600))
def test_bounding_twice_changes_nothing(text: str) -> None:
    key = bounded_key(text)
    assert len(key) <= MAX_KEY
    assert bounded_key(key) == key
