"""Proposes a silence for one alert, to be edited before it is saved."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from incidentrelay.domain.silences.proposals import MatcherProposal, propose_matchers
from incidentrelay.domain.text import join_words
from incidentrelay.models import Alert
from incidentrelay.services.escalation.signal_labels import load_signal_labels

_MOST_REASON = 500


@dataclass(frozen=True, slots=True)
class SilenceProposal:
    """``notes`` say in sentences how the matchers differ from the signals, if they do."""

    matchers: tuple[str, ...]
    reason: str
    notes: tuple[str, ...] = ()


def propose_silence(session: Session, alert: Alert) -> SilenceProposal:
    """A silence of the alert's firing signals, or of its last ones if it is resolved."""
    signals = load_signal_labels(session, [alert.id]).get(alert.id, [])
    proposal = propose_matchers(signals)
    reason = f"For alert {alert.id}: {alert.title}"[:_MOST_REASON]
    return SilenceProposal(proposal.matchers, reason, _notes(proposal, len(signals)))


def _notes(proposal: MatcherProposal, signals: int) -> tuple[str, ...]:
    notes = []
    if proposal.varying:
        names = join_words(proposal.varying)
        notes.append(
            f"The {signals} signals of this alert differ in {names}. The matchers list all"
            " values; signals that join with other values still page."
        )
    if proposal.omitted:
        names = join_words(proposal.omitted)
        notes.append(f"The values of {names} are too long or too many to list: any value matches.")
    return tuple(notes)
