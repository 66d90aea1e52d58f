"""Which URLs may be called."""

import pytest

from incidentrelay.transport.errors import Blocked
from incidentrelay.transport.urls import Target, origin_of, parse_url

SECRET = "s3cr3t"


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("http://hooks.example", "http://hooks.example:80", b"/"),
        ("HTTPS://Hooks.Example/a?b=c#d", "https://hooks.example:443", b"/a?b=c"),
        ("https://hooks.example:8443/", "https://hooks.example:8443", b"/"),
        ("https://[2606:4700::1111]/x", "https://[2606:4700::1111]:443", b"/x"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example:443", b"/%C3%BC"),
    ],
)
def test_it_takes_a_url_apart(url: str, origin: str, path: bytes) -> None:
    target = parse_url(url)
    assert (target.origin, target.path) == (origin, path)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example/s3cr3t",
        "//hooks.example/s3cr3t",
        "ftp://hooks.example/s3cr3t",
        "file:///s3cr3t",
        "javascript:s3cr3t",
        "gopher://127.0.0.1/s3cr3t",
        "http://",
        "http:///s3cr3t",
        "http://user:s3cr3t@hooks.example/",
        "http://s3cr3t@hooks.example/",
        "http://@hooks.example/s3cr3t",
        "http://good.example\\@evil.example/s3cr3t",
        "http://good.example\t.evil.example/s3cr3t",
        "http://good.example\r\nHost: evil/s3cr3t",
        "http://good.example/ s3cr3t",
        "http://good.example/\u202es3cr3t",
        "http://good.example/\u2028s3cr3t",
        "http://good.example/\ud800s3cr3t",
        "http://①②⑦.⓪.⓪.①/s3cr3t",
        "http://127.0.0.1%00/s3cr3t",
        "http://[fe80::1%25eth0]/s3cr3t",
        "http://[::1/s3cr3t",
        "http://hooks.example:0/s3cr3t",
        "http://hooks.example:65536/s3cr3t",
        "http://hooks.example:abc/s3cr3t",
        "https://hooks.example/" + "s3cr3t" * 400,
    ],
)
def test_it_refuses_other_urls_without_repeating_them(url: str) -> None:
    with pytest.raises(Blocked) as caught:
        parse_url(url)
    assert caught.value.reason.startswith("The address ")
    assert SECRET not in caught.value.reason
    assert origin_of(url) == "an address that cannot be used"


def test_a_target_does_not_show_its_path() -> None:
    target = Target("https", "hooks.example", 443, b"/s3cr3t")
    assert SECRET not in repr(target)
    assert origin_of("https://hooks.example/s3cr3t?x=s3cr3t") == "https://hooks.example:443"
