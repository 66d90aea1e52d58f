"""The countries and subdivisions that reports support."""

from datetime import date

from incidentrelay.services.reports import public_holidays


def test_countries_have_names_that_people_write() -> None:
    names = public_holidays.list_countries()
    assert names["DE"] == "Germany"
    assert names["BA"] == "Bosnia and Herzegovina"
    assert names["CD"] == "DR Congo"
    assert list(names.values()) == sorted(names.values())


def test_every_listed_country_is_supported() -> None:
    day = date(2026, 3, 10)
    for country in ("DE", "US", "CH", "GB"):
        parts = public_holidays.list_subdivisions(country)
        assert parts
        for part in parts:
            public_holidays.find_holidays(country, part, day, day)


def test_without_a_country_there_are_no_holidays() -> None:
    assert public_holidays.list_subdivisions("") == {}
    assert public_holidays.list_subdivisions("XX") == {}
