"""Maps the severity words of monitoring systems to ours."""

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
    """Map a vendor's ``word`` to a severity; ``warning`` if it is unknown or missing.

    Ignores case and surrounding space; space, hyphen and underscore are equivalent.
    """
    if word is None:
        return Severity.WARNING
    key = "_".join(word.casefold().replace("-", " ").replace("_", " ").split())
    return _BY_WORD.get(key, Severity.WARNING)
