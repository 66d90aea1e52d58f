"""The public holidays of a country or subdivision."""

import re
from datetime import date
from functools import cache

from incidentrelay.domain.errors import InvalidInput

# Splits names of the library like "DRCongo" and "AntiguaAndBarbuda".
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@cache
def list_countries() -> dict[str, str]:
    """The names of all countries with known holidays, by code, sorted by name."""
    from holidays.registry import COUNTRIES

    names = {codes[1]: _WORD.sub(" ", codes[0]) for codes in COUNTRIES.values()}
    for word in ("And", "Of", "The"):
        names = {
            code: name.replace(f" {word} ", f" {word.lower()} ") for code, name in names.items()
        }
    return dict(sorted(names.items(), key=lambda pair: pair[1]))


@cache
def list_subdivisions(country: str) -> dict[str, str]:
    """The names of a country's subdivisions with own holidays, by code."""
    import holidays

    if country not in list_countries():
        return {}
    entity = holidays.country_holidays(country)
    aliases = {code: name for name, code in entity.subdivisions_aliases.items()}
    return {code: aliases.get(code, code) for code in entity.subdivisions}


def find_holidays(country: str, subdivision: str, first: date, last: date) -> dict[date, str]:
    """The names of holidays from ``first`` to ``last``, by date; none without a country.

    Raises InvalidInput for an unknown ``country`` or ``subdivision``.
    """
    if not country:
        if subdivision:
            raise InvalidInput.of("subdivision", "Choose a country too.")
        return {}
    # It is slow to import, and most processes never need it.
    import holidays

    country = country.upper()
    known = holidays.list_supported_countries(include_aliases=True)
    if country not in known:
        raise InvalidInput.of("country", "Enter the code of a supported country, like DE.")
    if subdivision not in known[country]:
        subdivision = subdivision.upper()
    if subdivision and subdivision not in known[country]:
        raise InvalidInput.of("subdivision", f"{country} has no such subdivision.")
    years = range(first.year, last.year + 1)
    names = holidays.country_holidays(country, subdiv=subdivision or None, years=years)
    return {day: name for day, name in sorted(names.items()) if first <= day <= last}
