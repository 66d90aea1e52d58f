"""Label matchers with Alertmanager's UTF-8 grammar and meaning.

::

    input   = [ "{" ] [ matcher { "," matcher } [ "," ] ] [ "}" ]    both braces or none
    matcher = name ( "=" | "!=" | "=~" | "!~" ) value
    name and value are bare words or "quoted", with the escapes of Go strings

White space between tokens is ignored. A list of matchers is an AND, so an empty list
matches everything; a missing label equals the empty string. Regular expressions are RE2
(linear time) and always match the whole value.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

import re2

from incidentrelay.domain.errors import BadMatchers
from incidentrelay.domain.matcher_syntax import MatcherReader, check_text, quote, quote_name

MAX_MATCHERS = 64
MAX_NAME = 255
MAX_VALUE = 1024
_REGEX_MEMORY = 1 << 20


class Op(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label, with its regular expression compiled.

    Raises BadMatchers (at position 0) if the name is empty, if the name or value is too
    long or has a lone surrogate, or if the regular expression is not RE2.
    """

    name: str
    op: Op
    value: str
    _regex: Any = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        check_text(self.name + self.value)
        if not self.name:
            raise BadMatchers("a label name cannot be empty", 0)
        if len(self.name) > MAX_NAME:
            raise BadMatchers(f"a label name has at most {MAX_NAME} characters", 0)
        if len(self.value) > MAX_VALUE:
            raise BadMatchers(f"a value has at most {MAX_VALUE} characters", 0)
        if self.op in (Op.REGEX, Op.NOT_REGEX):
            object.__setattr__(self, "_regex", _compile(self.value))

    def matches(self, labels: Mapping[str, str]) -> bool:
        value = labels.get(self.name, "")
        if self._regex is None:
            return (value == self.value) == (self.op == Op.EQUAL)
        # Bytes are faster: the library need not map byte offsets to characters.
        match = self._regex.fullmatch(value.encode("utf-8", "surrogatepass"))
        return (match is not None) == (self.op == Op.REGEX)


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of ``matchers`` match; an empty list matches everything."""
    return all(matcher.matches(labels) for matcher in matchers)


def parse(text: str) -> tuple[Matcher, ...]:
    """The matchers of ``text``, in order; empty text and ``{}`` have none.

    Raises BadMatchers with the position of the first mistake.
    """
    check_text(text)
    return tuple(_read_all(MatcherReader(text)))


@lru_cache(maxsize=512)
def parse_cached(text: str) -> tuple[Matcher, ...]:
    """:func:`parse` with a cache, for stored matchers."""
    return parse(text)


def parse_list(items: Sequence[str]) -> tuple[Matcher, ...]:
    """The matchers of all ``items``, each a matcher or a comma-separated list.

    Raises BadMatchers for the field ``matchers.<index>``, with the position in that item.
    """
    matchers: list[Matcher] = []
    for index, item in enumerate(items):
        try:
            matchers.extend(parse_cached(item))
        except BadMatchers as error:
            raise BadMatchers(error.reason, error.position, f"matchers.{index}") from error
        if len(matchers) > MAX_MATCHERS:
            raise BadMatchers(_too_many(), 0, f"matchers.{index}")
    return tuple(matchers)


def render(matchers: Iterable[Matcher]) -> str:
    """The canonical text; :func:`parse` reads back equal matchers."""
    return "{" + ",".join(map(render_one, matchers)) + "}"


def render_one(matcher: Matcher) -> str:
    """The canonical text of one matcher, without braces."""
    return f"{quote_name(matcher.name)}{Op(matcher.op).value}{quote(matcher.value)}"


def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _REGEX_MEMORY
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        detail = error.args[0] if error.args else b"refused"
        reason = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise BadMatchers(f"bad regular expression: {reason}", 0) from error


def _too_many() -> str:
    return f"at most {MAX_MATCHERS} matchers are allowed"


def _read_all(reader: MatcherReader) -> Iterator[Matcher]:
    opened = reader.accept("{")
    count = 0
    while reader.peek() not in ("", "}"):
        if count == MAX_MATCHERS:
            raise BadMatchers(_too_many(), reader.at)
        yield _read_one(reader)
        count += 1
        if not reader.accept(","):
            break
    reader.end(opened)


def _read_one(reader: MatcherReader) -> Matcher:
    name_at, name = reader.word("a label name")
    if not name:
        raise BadMatchers("a label name cannot be empty", name_at)
    op = Op(reader.operator())
    value_at, value = reader.word("a value")
    try:
        return Matcher(name, op, value)
    except BadMatchers as error:
        position = name_at if len(name) > MAX_NAME else value_at
        raise BadMatchers(error.reason, position) from error
