"""Decides which IP addresses may be reached, with reasons.

The lists are explicit because ``ipaddress.is_private`` and ``is_global`` differ between
patch releases of Python, and treat NAT64, 6to4 and multicast addresses as global.
"""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_DENIED_V4 = tuple(
    (IPv4Network(network), reason)
    for network, reason in (
        ("0.0.0.0/8", "an address of this host"),
        ("10.0.0.0/8", "a private network"),
        ("100.64.0.0/10", "a provider's shared network"),
        ("127.0.0.0/8", "a loopback address"),
        # Azure answers its machines' metadata requests on this public address.
        ("168.63.129.16/32", "a cloud provider's internal address"),
        ("169.254.0.0/16", "a link-local address"),
        ("172.16.0.0/12", "a private network"),
        ("192.0.0.0/24", "a reserved network"),
        ("192.0.2.0/24", "a documentation network"),
        ("192.88.99.0/24", "a reserved network"),
        ("192.168.0.0/16", "a private network"),
        ("198.18.0.0/15", "a benchmarking network"),
        ("198.51.100.0/24", "a documentation network"),
        ("203.0.113.0/24", "a documentation network"),
        ("224.0.0.0/4", "a multicast address"),
        ("240.0.0.0/4", "a reserved network"),
    )
)
_DENIED_V6 = tuple(
    (IPv6Network(network), reason)
    for network, reason in (
        ("::/128", "an address of this host"),
        ("::1/128", "a loopback address"),
        ("64:ff9b:1::/48", "a local translation network"),
        ("fc00::/7", "a private network"),
        ("fe80::/10", "a link-local address"),
        ("fec0::/10", "a private network"),
        ("ff00::/8", "a multicast address"),
        ("2001::/23", "a reserved network"),
        ("2001:db8::/32", "a documentation network"),
        ("3fff::/20", "a documentation network"),
    )
)
# The only part of IPv6 that holds public addresses.
_GLOBAL_UNICAST = IPv6Network("2000::/3")

_TEREDO = IPv6Network("2001::/32")
_SIX_TO_FOUR = IPv6Network("2002::/16")
# An IPv4 address is in the last 32 bits: mapped, compatible, translated, NAT64.
_V4_AT_THE_END = tuple(
    IPv6Network(network)
    for network in ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96")
)
_LOW_32_BITS = 0xFFFFFFFF


def verdict(ip: IPAddress, allowed: Sequence[IPNetwork]) -> str | None:
    """None if ``ip`` may be reached, else its kind ("a loopback address").

    An address in ``allowed`` may always be reached. An IPv6 address that carries IPv4
    addresses is treated as the worst of them.
    """
    if any(ip in network for network in allowed):
        return None
    embedded = _carried(ip)
    if embedded:
        return next((reason for v4 in embedded if (reason := verdict(v4, allowed))), None)
    if isinstance(ip, IPv4Address):
        return next((reason for network, reason in _DENIED_V4 if ip in network), None)
    for network, reason in _DENIED_V6:
        if ip in network:
            return reason
    return None if ip in _GLOBAL_UNICAST else "not a public address"


def _carried(ip: IPAddress) -> tuple[IPv4Address, ...]:
    """The IPv4 addresses that a packet for ``ip`` would actually reach."""
    if isinstance(ip, IPv4Address):
        return ()
    number = int(ip)
    if ip in _SIX_TO_FOUR:
        return (IPv4Address(number >> 80 & _LOW_32_BITS),)
    if ip in _TEREDO:
        server = IPv4Address(number >> 64 & _LOW_32_BITS)
        client = IPv4Address(~number & _LOW_32_BITS)
        return (server, client)
    # :: and ::1 are in the compatible range by number only.
    if number > 1 and any(ip in network for network in _V4_AT_THE_END):
        return (IPv4Address(number & _LOW_32_BITS),)
    return ()
