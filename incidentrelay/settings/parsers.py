"""Parsers of settings: text to value.

They raise ValueError with a phrase for what is expected.
"""

import ipaddress
import re
from collections.abc import Callable
from urllib.parse import urlsplit

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def number(low: int, high: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        if not re.fullmatch(r"\d{1,12}", value) or not low <= int(value) <= high:
            raise ValueError(f"expected a whole number from {low} to {high}")
        return int(value)

    return parse


def days(value: str) -> int:
    """0, or at least 2, so that sources can still reopen alerts."""
    days = number(0, 36_500)(value)
    if days == 1:
        raise ValueError("expected 0 (forever), or at least 2")
    return days


def choice(*words: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in words:
            raise ValueError(f"expected one of: {', '.join(words)}")
        return value

    return parse


def public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("expected the URL that browsers use, like https://relay.example")
    if parts.query or parts.fragment or parts.username:
        raise ValueError("expected a URL without username, query and fragment")
    return value.rstrip("/")


def secret_key(value: str) -> str:
    if len(value) < 32 or len(set(value)) < 8:
        raise ValueError("expected at least 32 characters, 8 of them different")
    return value


def metrics_token(value: str) -> str:
    if value and not re.fullmatch(r"[!-~]{16,200}", value):
        raise ValueError("expected 16 to 200 printable ASCII characters without spaces")
    return value


def database_url(value: str) -> str:
    if not re.match(r"(sqlite|postgresql\+psycopg)://", value):
        raise ValueError(
            "expected sqlite:///FILE or postgresql+psycopg://USER:PASSWORD@HOST/DATABASE"
        )
    return value


def huey_url(value: str) -> str:
    if not re.match(r"(sqlite:///|rediss?://|unix://|postgresql(\+psycopg)?://|memory:)", value):
        raise ValueError(
            "expected sqlite:///FILE, redis://HOST:6379/0 or"
            " postgresql://USER:PASSWORD@HOST/DATABASE"
        )
    return value


def networks(value: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(word) for word in re.split(r"[\s,]+", value) if word)


def sender(value: str) -> str:
    if not re.fullmatch(r"[^@\r\n]*[^@\s]+@[^@\s>]+>?", value):
        raise ValueError("expected an address, like IncidentRelay <pager@relay.example>")
    return value
