"""Which addresses may be reached."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidentrelay.transport.addresses import verdict

DENIED = [
    ("0.0.0.0", "an address of this host"),
    ("10.1.2.3", "a private network"),
    ("100.64.0.1", "a provider's shared network"),
    ("100.100.100.200", "a provider's shared network"),
    ("127.0.0.1", "a loopback address"),
    ("127.255.255.254", "a loopback address"),
    ("168.63.129.16", "a cloud provider's internal address"),
    ("169.254.169.254", "a link-local address"),
    ("172.31.255.255", "a private network"),
    ("192.0.0.192", "a reserved network"),
    ("192.0.2.1", "a documentation network"),
    ("192.88.99.1", "a reserved network"),
    ("192.168.0.1", "a private network"),
    ("198.19.0.1", "a benchmarking network"),
    ("198.51.100.7", "a documentation network"),
    ("203.0.113.7", "a documentation network"),
    ("224.0.0.1", "a multicast address"),
    ("255.255.255.255", "a reserved network"),
    ("::", "an address of this host"),
    ("::1", "a loopback address"),
    ("::127.0.0.1", "a loopback address"),
    ("::ffff:127.0.0.1", "a loopback address"),
    ("::ffff:10.0.0.1", "a private network"),
    ("::ffff:0:10.0.0.1", "a private network"),
    ("64:ff9b::7f00:1", "a loopback address"),
    ("64:ff9b::a9fe:a9fe", "a link-local address"),
    ("64:ff9b:1::1", "a local translation network"),
    ("2002:7f00:1::", "a loopback address"),
    ("2002:a00:1::1", "a private network"),
    ("2001:0:a00:1::f7f7:f7f7", "a private network"),
    # Teredo stores the client's address inverted: this one is 10.0.0.1.
    ("2001:0:808:808::f5ff:fffe", "a private network"),
    ("2001:20::1", "a reserved network"),
    ("2001:db8::1", "a documentation network"),
    ("3fff::1", "a documentation network"),
    ("5f00::1", "not a public address"),
    ("100::1", "not a public address"),
    ("fd00:ec2::254", "a private network"),
    ("fe80::1", "a link-local address"),
    ("fe80::1%eth0", "a link-local address"),
    ("fec0::1", "a private network"),
    ("ff02::1", "a multicast address"),
]
REACHABLE = [
    "1.1.1.1",
    "100.63.255.255",
    "100.128.0.1",
    "172.32.0.1",
    "192.0.1.1",
    "223.255.255.255",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]


@pytest.mark.parametrize(("address", "reason"), DENIED)
def test_it_names_what_may_not_be_reached(address: str, reason: str) -> None:
    assert verdict(ip_address(address), ()) == reason


@pytest.mark.parametrize("address", REACHABLE)
def test_it_lets_public_addresses_through(address: str) -> None:
    assert verdict(ip_address(address), ()) is None


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.1.2.3", "10.1.0.0/16"),
        ("127.0.0.1", "127.0.0.0/8"),
        ("::ffff:10.1.2.3", "10.1.0.0/16"),
        ("fd00::1", "fd00::/8"),
        ("::1", "::1/128"),
    ],
)
def test_an_allowed_network_wins(address: str, network: str) -> None:
    assert verdict(ip_address(address), (ip_network(network),)) is None


def test_an_allowed_network_allows_no_other() -> None:
    assert verdict(ip_address("10.2.0.1"), (ip_network("10.1.0.0/16"),)) == "a private network"


def test_both_ends_of_a_tunnel_must_be_allowed() -> None:
    tunnelled = ip_address("2001:0:a00:1::f5ff:fffd")  # From 10.0.0.1 to 10.0.0.2.
    assert verdict(tunnelled, (ip_network("10.0.0.1/32"),)) == "a private network"
    assert verdict(tunnelled, (ip_network("10.0.0.0/24"),)) is None


@given(st.ip_addresses(v=4))
def test_wrapping_never_changes_the_verdict(address: IPv4Address) -> None:
    expected = verdict(address, ())
    number = int(address)
    for prefix in ("::ffff:0:0", "::ffff:0:0:0", "64:ff9b::"):
        assert verdict(IPv6Address(int(IPv6Address(prefix)) | number), ()) == expected
    assert verdict(IPv6Address(0x2002 << 112 | number << 80), ()) == expected


@given(st.ip_addresses(v=4))
def test_what_python_calls_private_is_never_reachable(address: IPv4Address) -> None:
    if address.is_private or address.is_loopback or address.is_link_local or address.is_multicast:
        assert verdict(address, ()) is not None


@given(st.ip_addresses(v=6))
def test_every_reachable_ipv6_address_is_global_unicast(address: IPv6Address) -> None:
    carriers = [IPv6Network("::/64"), IPv6Network("64:ff9b::/96")]
    if verdict(address, ()) is None:
        assert address in IPv6Network("2000::/3") or any(address in net for net in carriers)
