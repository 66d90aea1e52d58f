"""The silence that is proposed for an alert covers its signals."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incidentrelay.domain.matchers import MAX_VALUE, matches, parse_list
from incidentrelay.domain.silences.proposals import MatcherProposal, propose_matchers

DISK = {"alertname": "Disk", "severity": "critical"}


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ([], MatcherProposal(())),
        ([{**DISK, "host": "a"}], MatcherProposal(('alertname="Disk"', 'host="a"'))),
        # The same values need no list.
        (
            [{**DISK, "env": "x"}, {"alertname": "Disk", "env": "x", "severity": "low"}],
            MatcherProposal(('alertname="Disk"', 'env="x"')),
        ),
        (
            [{**DISK, "host": "db.2"}, {**DISK, "host": "db.1"}],
            MatcherProposal(('alertname="Disk"', r'host=~"db\\.1|db\\.2"'), ("host",)),
        ),
        # A missing label equals the empty string.
        (
            [{**DISK, "host": "a"}, DISK],
            MatcherProposal(('alertname="Disk"', 'host=~"|a"'), ("host",)),
        ),
        ([{**DISK, "zone": ""}], MatcherProposal(('alertname="Disk"',))),
        # Too long or too many.
        (
            [{**DISK, "text": "x" * (MAX_VALUE + 1)}],
            MatcherProposal(('alertname="Disk"',), (), ("text",)),
        ),
        (
            [{**DISK, "host": f"host-{number:04}"} for number in range(200)],
            MatcherProposal(('alertname="Disk"',), (), ("host",)),
        ),
    ],
)
def test_a_proposal(signals: Sequence[dict[str, str]], expected: MatcherProposal) -> None:
    assert propose_matchers(signals) == expected


label_sets = st.dictionaries(
    st.sampled_from(["alertname", "host", "env", "a.b", "größe"]),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(label_sets, min_size=1, max_size=4), label_sets)
def test_it_covers_each_signal_and_no_other_value(
    signals: list[dict[str, str]], other: dict[str, str]
) -> None:
    proposal = propose_matchers(signals)
    parsed = parse_list(proposal.matchers)
    assert proposal.omitted == ()
    assert all(matches(parsed, labels) for labels in signals)
    known = all(
        other.get(name, "") in {labels.get(name, "") for labels in signals}
        for name in {matcher.name for matcher in parsed}
    )
    assert matches(parsed, other) is known
