"""The words that monitoring systems have for how bad something is."""

from incidentrelay.domain.enums import Severity

_WORDS: dict[Severity, str] = {
    Severity.CRITICAL: (
        "critical crit fatal disaster error err emergency emerg alert panic page blocker"
        " p0 p1 sev0 sev1"
    ),
    Severity.HIGH: "high major urgent severe p2 sev2",
    Severity.MEDIUM: "medium med average avg moderate p3 sev3",
    Severity.WARNING: "warning warn",
    Severity.LOW: "low minor p4 sev4",
    Severity.INFO: (
        "info information informational notice not_classified none ok okay normal"
        " debug trivial p5 sev5"
    ),
}
_BY_WORD = {word: severity for severity, words in _WORDS.items() for word in words.split()}


def parse_severity(word: str | None) -> Severity:
    """The severity that a vendor's ``word`` means.

    Case, surrounding space and the choice of space, hyphen or underscore do not
    matter. What is unknown or missing is a warning: it pages, but it is not the worst.
    """
    if word is None:
        return Severity.WARNING
    key = "_".join(word.casefold().replace("-", " ").replace("_", " ").split())
    return _BY_WORD.get(key, Severity.WARNING)
