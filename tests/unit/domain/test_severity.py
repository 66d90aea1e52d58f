"""Every vendor's word for a severity becomes one of ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.enums import Severity
from incidentrelay.domain.severity import parse_severity


@pytest.mark.parametrize(
    ("severity", "words"),
    [
        (Severity.CRITICAL, "critical CRITICAL crit fatal Disaster error page emergency p1 SEV1"),
        (Severity.HIGH, "high High major urgent P2"),
        (Severity.MEDIUM, "medium average avg moderate p3"),
        (Severity.WARNING, "warning warn nonsense 7"),
        (Severity.LOW, "low minor p4"),
        (Severity.INFO, "info information not_classified not-classified none ok p5"),
    ],
)
def test_it_knows_the_words(severity: Severity, words: str) -> None:
    assert {word: parse_severity(word) for word in words.split()} == dict.fromkeys(
        words.split(), severity
    )


@pytest.mark.parametrize("word", [None, "", "  ", "ünbekannt"])
def test_unknown_words_are_warnings(word: str | None) -> None:
    assert parse_severity(word) is Severity.WARNING


@pytest.mark.parametrize("word", ["Not classified", " not  classified ", "NOT_CLASSIFIED"])
def test_space_and_case_do_not_matter(word: str) -> None:
    assert parse_severity(word) is Severity.INFO


@pytest.mark.parametrize("severity", list(Severity))
def test_our_own_words_mean_themselves(severity: Severity) -> None:
    assert parse_severity(severity.value) is severity


@given(st.text())
def test_every_text_has_a_severity(word: str) -> None:
    assert parse_severity(word) in Severity
