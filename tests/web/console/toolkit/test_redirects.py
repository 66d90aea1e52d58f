"""Redirects never lead to another site."""

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.web.console.toolkit.redirects import local_path


@pytest.mark.parametrize(
    "path", ["/", "/alerts", "/a?//[", "/alerts?query=a%2Fb&status=firing", "/a/b-c_d"]
)
def test_a_path_of_this_site_is_followed(path: str) -> None:
    assert local_path(path) == path


@pytest.mark.parametrize(
    "path",
    [
        None,
        "",
        "alerts",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%5cevil.example",
        "/%2fevil.example",
        "/%09/evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        "/a\r\nSet-Cookie: x=1",
        "/%0d%0aSet-Cookie:%20x=1",
        "https:evil.example",
        "https://evil.example/",
        "javascript:alert(1)",
        "/" + "a" * 3000,
    ],
)
def test_everything_else_is_not(path: object) -> None:
    assert local_path(path) is None


@given(st.text(alphabet="/\\%:?#.@ae250cdfx\t\n", max_size=30))
def test_no_text_leads_away(text: str) -> None:
    path = local_path(text)
    if path is not None:
        assert urlsplit(urljoin("https://relay.example/login", path)).netloc == "relay.example"
