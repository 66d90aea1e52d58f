"""Matchers and label names, as routes and silences store them."""

from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.matchers import matches, parse_list
from incidentrelay.domain.silences.proposals import propose_matchers
from incidentrelay.domain.text import clean_text, is_line
from incidentrelay.services.common.matchers import group_by, parse_matchers

_TEXT = st.text(st.characters(codec=None), min_size=1, max_size=20).map(clean_text).filter(bool)


@given(st.dictionaries(_TEXT, _TEXT, min_size=1, max_size=3))
def test_the_silence_of_any_alert_is_taken_and_matches_it(labels: dict[str, str]) -> None:
    proposed = propose_matchers([labels]).matchers
    assert matches(parse_list(parse_matchers(list(proposed))), labels)


@given(_TEXT.filter(is_line).filter(lambda name: name.strip(" ")))
def test_a_label_of_any_name_can_group(name: str) -> None:
    assert group_by([name]) == [name.strip(" ")]
