"""Which URLs may be called, and which parts of them may be shown."""

import re
import unicodedata
from dataclasses import dataclass

import httpx2

from incidentrelay.transport.errors import Blocked

_LONGEST = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Target:
    """The parts of a URL that a request needs. ``path`` may hold a credential.

    ``host`` is ASCII (an IDN in its ``xn--`` form, an IPv6 address without
    brackets); ``path`` begins with a slash and includes the query.
    """

    scheme: str
    host: str
    port: int
    path: bytes

    @property
    def origin(self) -> str:
        """``scheme://host:port``, the only part that texts may contain."""
        return f"{self.scheme}://{host_and_port(self.host, self.port)}"

    def __repr__(self) -> str:
        return f"Target({self.origin!r})"


def host_and_port(host: str, port: int) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def parse_url(url: str) -> Target:
    """The parts of an absolute http or https URL.

    Raises Blocked, without repeating the URL, if it is anything else, has a user name, or has a
    host that parsers read differently.
    """
    if len(url) > _LONGEST:
        raise Blocked(f"The address is longer than {_LONGEST} characters.")
    if any(_is_confusing(character) for character in url):
        raise Blocked("The address holds a blank, a control character or a backslash.")
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise Blocked("The address is not a URL.") from None
    if parsed.scheme not in _DEFAULT_PORTS:
        raise Blocked("The address does not begin with http:// or https://.")
    if "@" in re.split(r"[/?#]", url.partition("//")[2], maxsplit=1)[0]:
        raise Blocked("The address holds a user name; send credentials in a header instead.")
    host = parsed.raw_host.decode("ascii")
    if not host or "%" in host:
        raise Blocked("The address has no usable host name.")
    port = _DEFAULT_PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if not 0 < port < 65536:
        raise Blocked("The address has a port that does not exist.")
    return Target(parsed.scheme, host, port, parsed.raw_path)


def masked_url(url: str, mask: str) -> str:
    """``https://host/mask``: path and query of a webhook are its credential."""
    try:
        target = parse_url(url)
    except Blocked:
        return mask
    default = target.port == _DEFAULT_PORTS[target.scheme]
    origin = target.origin.removesuffix(f":{target.port}") if default else target.origin
    return f"{origin}/{mask}"


def origin_of(url: str) -> str:
    """``scheme://host:port`` of ``url``, or a phrase if it is not a usable URL."""
    try:
        return parse_url(url).origin
    except Blocked:
        return "an address that cannot be used"


def _is_confusing(character: str) -> bool:
    return character == "\\" or unicodedata.category(character) in {
        "Cc",
        "Cf",
        "Cs",
        "Zl",
        "Zp",
        "Zs",
    }
