"""Matchers of one label that no value satisfies."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentrelay.domain.matchers import matches, parse, render
from incidentrelay.domain.silences.contradictions import find_contradictions


@pytest.mark.parametrize(
    ("text", "labels"),
    [
        ("", []),
        ("env=a", []),
        ("env=a,env=a", []),
        ("env=a,zone=b", []),
        ("env=a,env=b", ["env"]),
        ("env=a,env!=a", ["env"]),
        ("env=a,env!=b", []),
        ('env="",env=~".+"', ["env"]),
        ("env=a,env=~b.*", ["env"]),
        ("env=b1,env=~b.*", []),
        ("env=b1,env!~b.*", ["env"]),
        ("env=~a|b,env=~c|d", ["env"]),
        ("env=~a|b,env=~b|c", []),
        ("env=~a|b,env!=a,env!=b", ["env"]),
        ("env=~a|b,env!=a", []),
        ("env=~b.*,env!~b.*", ["env"]),
        ("env=a,env=b,zone=c,zone=d", ["env", "zone"]),
    ],
)
def test_contradictions(text: str, labels: list[str]) -> None:
    found = find_contradictions(parse(text))
    assert [group[0].name for group in found] == labels


def test_all_matchers_of_the_label_are_named() -> None:
    (group,) = find_contradictions(parse("env=~a|b,zone=x,env!=a,env!=b"))
    assert render(group) == '{env=~"a|b",env!="a",env!="b"}'


texts = st.lists(
    st.builds(
        "env{}{}".format,
        st.sampled_from(["=", "!=", "=~", "!~"]),
        st.sampled_from(["a", "b", '""', "a|b", '"a|"', ".*"]),
    ).filter(lambda text: "=~" in text or "!~" in text or not {"|", ".", '"a'} & set(text)),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(texts, st.sampled_from(["", "a", "b", "c", "|"]))
def test_what_contradicts_matches_nothing(drawn: list[str], value: str) -> None:
    parsed = parse(",".join(drawn))
    if find_contradictions(parsed):
        assert not matches(parsed, {"env": value})
