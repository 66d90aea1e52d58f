import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.domain.errors import InvalidInput
from incidentrelay.services.common.slugs import RESERVED, check_slug, slugify, with_slug


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Core Services", "core-services"),
        ("  Größe & Café! ", "groe-cafe"),
        ("数据库", ""),
        ("--a--", "a"),
        ("x" * 80, "x" * 63),
        ("y" * 62 + " z", "y" * 62),
    ],
)
def test_a_slug_from_a_name(name: str, slug: str) -> None:
    assert slugify(name) == slug


@given(st.text())
def test_what_slugify_makes_is_a_slug_or_empty_or_reserved(name: str) -> None:
    slug = slugify(name)
    assert slug == "" or slug in RESERVED or check_slug(slug) == slug


@pytest.mark.parametrize("slug", ["a", "7", "db-1", "x" * 63])
def test_slugs(slug: str) -> None:
    assert check_slug(slug) == slug


@pytest.mark.parametrize(
    "slug", ["", "A", "a_b", "-a", "a-", "é", "a b", "a/b", "x" * 64, "a\n", None, 5, "٣"]
)
def test_not_slugs(slug: object) -> None:
    with pytest.raises(InvalidInput) as caught:
        check_slug(slug)
    assert list(caught.value.errors) == ["slug"]


@pytest.mark.parametrize("slug", sorted(RESERVED))
def test_reserved_words_are_refused(slug: str) -> None:
    with pytest.raises(InvalidInput):
        check_slug(slug)


def test_a_given_slug_wins() -> None:
    assert with_slug({"name": "Core", "slug": "x"}) == {"name": "Core", "slug": "x"}
    assert with_slug({"name": "Core", "slug": None})["slug"] == "core"
    assert with_slug({"name": 5}) == {"name": 5}
