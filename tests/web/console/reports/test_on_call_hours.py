"""The page of the on-call report: now is Tuesday 10 March 2026, 12:00 UTC."""

import re
from typing import Any

import pytest

from incidentrelay.models import User

WHERE = "/reports/on-call"
MARCH = "from=2026-03-01&to=2026-03-31"


def text(page: Any) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def links(page: Any) -> dict[str, str]:
    """The addresses of links by their words."""
    found = re.findall(r'<a[^>]*href="([^"]+)"[^>]*>(.*?)</a>', page.text, re.DOTALL)
    return {
        re.sub(r"<[^>]+>", "", words).strip(): address.replace("&amp;", "&")
        for address, words in found
    }


def test_it_begins_with_this_month(login_as: Any) -> None:
    page = login_as("vera").get(WHERE)
    assert 'value="2026-03-01"' in page.text
    assert 'value="2026-03-31"' in page.text
    assert "Part of this period is in the future." in page.text
    # Two rotations (core and edge) of 31 days.
    assert "Rex All hours 1488.00 Weekday" in text(page)
    assert "Core · Primary" in text(page)
    assert "Web · Primary" not in text(page)


def test_last_month_is_one_press_away(login_as: Any) -> None:
    vera = login_as("vera")
    page = vera.get(f"{WHERE}?{MARCH}&team=core&night_from=20:00")
    address = links(page)["Last month"]
    assert address == f"{WHERE}?from=2026-02-01&to=2026-02-28&team=core&night_from=20%3A00"
    page = vera.get(address)
    assert "lies ahead" not in page.text
    assert "Rex All hours 672.00" in text(page)


def test_the_download_has_what_is_shown(login_as: Any) -> None:
    vera = login_as("vera")
    address = links(vera.get(f"{WHERE}?{MARCH}&team=edge&weekend=none&weekend=4"))[
        "Download as CSV"
    ]
    table = vera.get(address)
    assert table.content_type == "text/csv"
    # Four Fridays.
    assert "edge,primary,rex,Rex,432.00,216.00,96.00,0.00,744.00,0,0" in table.text


def test_no_weekend_at_all(login_as: Any) -> None:
    page = login_as("vera").get(f"{WHERE}?{MARCH}&team=core&weekend=none")
    assert "Weekday 496.00 Night 248.00 Weekend 0.00" in text(page)
    assert '<details class="ir-report-more" open>' in page.text


def test_holidays_are_named(login_as: Any) -> None:
    page = login_as("vera").get(f"{WHERE}?from=2026-04-01&to=2026-04-30&country=DE")
    assert "2026-04-03: " in page.text


@pytest.mark.parametrize(
    ("query", "field", "sentence"),
    [
        ("from=2026-03-10&to=2026-03-01", "to", "must not be before"),
        ("from=soon&to=2026-03-01", "from", "Not a valid date"),
        (f"{MARCH}&country=XX", "country", "code of a supported country"),
        (f"{MARCH}&zone=Mars", "zone", "no time zone"),
    ],
)
def test_what_is_wrong_stands_beside_its_field(
    login_as: Any, query: str, field: str, sentence: str
) -> None:
    vera = login_as("vera")
    page = vera.get(f"{WHERE}?{query}", status=422)
    error = page.text.split(f'id="report-{field}-error"', 1)[1].split("</p>", 1)[0]
    assert sentence in error
    assert "Download" not in page.text
    vera.get(f"{WHERE}.csv?{query}", status=422)


def test_an_empty_report_says_so(login_as: Any) -> None:
    page = login_as("vera").get(f"{WHERE}?{MARCH}&user=nobody")
    assert "Nobody was on call" in page.text


@pytest.mark.parametrize("where", ["/oncall", "/calendar"])
def test_the_way_there(login_as: Any, where: str) -> None:
    assert links(login_as("vera").get(where))["On-call report"] == WHERE


def test_names_are_text(login_as: Any, database: Any, cast: Any) -> None:
    with database.write() as session:
        session.get_one(User, cast.users["rex"].id).display_name = "<script>1</script>"
    assert "<script>1" not in login_as("vera").get(WHERE).text


def test_the_number_of_statements_is_constant(login_as: Any, query_count: Any) -> None:
    vera = login_as("vera")

    def count(query: str) -> int:
        with query_count() as statements:
            vera.get(f"{WHERE}?{MARCH}{query}")
        return len(statements)

    assert count("&team=core") == count("")


def options(page: Any, name: str) -> list[str]:
    """The values that a field offers, the chosen one marked by a star."""
    (field,) = re.findall(rf'<select[^>]* name="{name}".*?</select>', page.text, re.DOTALL)
    found = re.findall(r'<option value="([^"]*)"( selected)?>', field)
    return [value + ("*" if chosen else "") for value, chosen in found]


def test_people_are_chosen_from_those_of_ones_groups(login_as: Any) -> None:
    page = login_as("vera").get(f"{WHERE}?{MARCH}&user=rex")
    assert "rex*" in options(page, "user")
    assert "otto" not in options(page, "user")


def test_the_parts_of_a_country_come_with_it(login_as: Any) -> None:
    vera = login_as("vera")
    page = vera.get(f"{WHERE}?{MARCH}&country=de&subdivision=BY")
    assert "DE*" in options(page, "country")
    assert "BY*" in options(page, "subdivision")
    assert ">Bayern<" in page.text
    assert 'name="subdivision"' not in vera.get(f"{WHERE}?{MARCH}").text


def test_what_is_not_offered_stays_chosen(login_as: Any) -> None:
    page = login_as("vera").get(f"{WHERE}?{MARCH}&rotation=core/gone", status="*")
    assert "core/gone*" in options(page, "rotation")


@pytest.mark.parametrize(
    ("label", "period"),
    [
        ("Last 3 months", "from=2025-12-01&to=2026-02-28"),
        ("This year", "from=2026-01-01&to=2026-12-31"),
    ],
)
def test_longer_periods(login_as: Any, label: str, period: str) -> None:
    vera = login_as("vera")
    assert links(vera.get(WHERE))[label] == f"{WHERE}?{period}"
    assert re.search(rf'aria-current="true">{label}<', vera.get(f"{WHERE}?{period}").text)
