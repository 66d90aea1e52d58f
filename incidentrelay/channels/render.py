"""Renders text by strangers for people: templates, and the filters they use.

Templates live in ``channels/<kind>/templates/``. Their output is escaped for HTML, unless the
name begins with ``text`` or ``subject``. (A macro follows the rule of the file that defines
it.) An unknown variable is an error.
"""

import unicodedata
from datetime import UTC, datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from incidentrelay.domain.local_time import zone_names, zone_of
from incidentrelay.transport.http import Blocked
from incidentrelay.transport.urls import parse_url

_ELLIPSIS = "…"
# Embeddings, overrides and isolates make text read differently from what it is.
# Letters of right-to-left scripts need none of them.
_BIDI_CONTROLS = frozenset(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))


def render(kind: str, template: str, **values: object) -> str:
    """Renders ``channels/<kind>/templates/<template>.jinja2``."""
    return _environment.get_template(f"{kind}/templates/{template}.jinja2").render(**values)


def one_line(text: str, longest: int = 200) -> str:
    """``text`` without line breaks, control characters and needless blanks, bounded."""
    # Cut first, so that a huge text costs little.
    readable = "".join(map(_readable, text[: longest * 4]))
    return shorten(" ".join(readable.split()), longest)


def block(text: str, longest: int = 4000) -> str:
    """``text`` with its line breaks, without other control characters, bounded."""
    lines = text[: longest * 4].splitlines()
    cleaned = "\n".join("".join(map(_readable, line)).rstrip() for line in lines)
    return shorten(cleaned.strip("\n"), longest)


def shorten(text: str, longest: int) -> str:
    """``text`` in at most ``longest`` characters; a shortened text ends with "…"."""
    return text if len(text) <= longest else text[: longest - 1].rstrip() + _ELLIPSIS


def web_link(url: str | None) -> str | None:
    """``url`` if it is a plain http or https address, else None."""
    if not url:
        return None
    try:
        parse_url(url)
    except Blocked:
        return None
    return url


def moment(iso: str, zone: str = "UTC") -> str:
    """An ISO 8601 time as "2026-03-01 09:30 UTC", in ``zone``; any other text stays as it is.

    A zone that this machine does not know becomes UTC.
    """
    name = zone if zone in zone_names() else "UTC"
    try:
        time = datetime.fromisoformat(iso)
        local = (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(zone_of(name))
    except (ValueError, OverflowError):
        return one_line(iso, 40)
    return f"{local:%Y-%m-%d %H:%M} {name}"


def quoted(text: str) -> str:
    """``text`` with "> " before each line, so that it cannot pose as ours."""
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _readable(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Cc", "Zl", "Zp"}:
        return " "
    if character in _BIDI_CONTROLS:
        return ""
    return "\ufffd" if category == "Cs" else character


def _escapes(name: str | None) -> bool:
    return name is None or not name.rpartition("/")[2].startswith(("text", "subject"))


_environment = Environment(
    loader=PackageLoader("incidentrelay", "channels"),
    autoescape=_escapes,  # noqa: S701 - it is on for all but plain text.
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
)
_environment.filters.update(
    one_line=one_line, block=block, web_link=web_link, moment=moment, quoted=quoted
)
