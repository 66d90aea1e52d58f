"""The public holidays of a country or a part of it."""

from datetime import date

from incidentrelay.domain.errors import InvalidInput


def find(country: str, subdivision: str, first: date, last: date) -> dict[date, str]:
    """The holidays from ``first`` to ``last`` with their names; none without a country.

    Raises InvalidInput for what is not known (``country``, ``subdivision``).
    """
    if not country:
        if subdivision:
            raise InvalidInput.of("subdivision", "Choose a country too.")
        return {}
    # It takes a while to load, and most processes never need it.
    import holidays

    country = country.upper()
    known = holidays.list_supported_countries(include_aliases=True)
    if country not in known:
        raise InvalidInput.of("country", "Write the code of a country that is known, like DE.")
    if subdivision not in known[country]:
        subdivision = subdivision.upper()
    if subdivision and subdivision not in known[country]:
        raise InvalidInput.of("subdivision", f"There is no such part of {country}.")
    years = range(first.year, last.year + 1)
    found = holidays.country_holidays(country, subdiv=subdivision or None, years=years)
    return {day: name for day, name in sorted(found.items()) if first <= day <= last}
