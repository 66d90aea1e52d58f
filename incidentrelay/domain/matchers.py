"""Label matchers with Alertmanager's UTF-8 grammar and meaning.

::

    input   = [ "{" ] [ matcher { "," matcher } [ "," ] ] [ "}" ]    both braces or none
    matcher = name ( "=" | "!=" | "=~" | "!~" ) value
    name and value are bare words or "quoted", with the escapes of Go strings

White space between tokens means nothing. A list of matchers is an AND, so that
an empty list matches everything; a label that is missing equals the empty
string. Regular expressions are RE2 (linear time) and always match the whole value.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Any

import re2

from incidentrelay.domain.errors import BadMatchers

MAX_MATCHERS = 64
MAX_NAME = 255
MAX_VALUE = 1024
_REGEX_MEMORY = 1 << 20

# Go's unicode.IsSpace; str.isspace() also takes the separators U+001C to U+001F.
_SPACE = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | frozenset(
    map(chr, range(0x2000, 0x200B))
)
_NOT_BARE = _SPACE | frozenset("{}!=~,\\\"'`")
_SIMPLE_ESCAPES = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))
_CODE_DIGITS = {"x": 2, "u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")
_OCTAL = frozenset("01234567")


class Op(StrEnum):
    EQUAL = "="
    NOT_EQUAL = "!="
    REGEX = "=~"
    NOT_REGEX = "!~"


_LONGEST_FIRST = (Op.NOT_EQUAL, Op.REGEX, Op.NOT_REGEX, Op.EQUAL)


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on one label; a regular expression is compiled when it is made.

    Raises BadMatchers (at position 0) where the name is empty, the name or value
    is too long or holds a lone surrogate, or the regular expression is not RE2.
    """

    name: str
    op: Op
    value: str
    _regex: Any = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        _check_text(self.name + self.value)
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
        # Bytes spare the library its mapping of byte offsets to characters.
        found = self._regex.fullmatch(value.encode("utf-8", "surrogatepass"))
        return (found is not None) == (self.op == Op.REGEX)


def matches(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether all of ``matchers`` match; none at all match everything."""
    return all(matcher.matches(labels) for matcher in matchers)


def parse(text: str) -> tuple[Matcher, ...]:
    """The matchers of ``text``, in its order; empty text and ``{}`` have none.

    Raises BadMatchers with the position of the first thing that is wrong.
    """
    _check_text(text)
    return _Parser(text).parse()


@lru_cache(maxsize=512)
def parse_cached(text: str) -> tuple[Matcher, ...]:
    """:func:`parse`, remembered: for matchers that are stored and read often."""
    return parse(text)


def parse_list(items: Sequence[str]) -> tuple[Matcher, ...]:
    """The matchers of all ``items``, each a single matcher or a comma list.

    Raises BadMatchers for the field ``matchers.<index>``; its position counts
    within that item.
    """
    found: list[Matcher] = []
    for index, item in enumerate(items):
        try:
            found.extend(parse_cached(item))
        except BadMatchers as error:
            raise BadMatchers(error.reason, error.position, f"matchers.{index}") from error
        if len(found) > MAX_MATCHERS:
            raise BadMatchers(_too_many(), 0, f"matchers.{index}")
    return tuple(found)


def render(matchers: Iterable[Matcher]) -> str:
    """The canonical text, which :func:`parse` turns into equal matchers again."""
    parts = (f"{_render_name(m.name)}{Op(m.op).value}{_quote(m.value)}" for m in matchers)
    return "{" + ",".join(parts) + "}"


def _render_name(name: str) -> str:
    quoted = _quote(name)
    return quoted if _NOT_BARE.intersection(name) or len(quoted) > len(name) + 2 else name


def _quote(text: str) -> str:
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in '\\"':
        return "\\" + char
    if char == "\n":
        return "\\n"
    # A database column cannot hold NUL, and a page shows no control characters.
    if char < " " or char == "\x7f":
        return f"\\x{ord(char):02x}"
    return char


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadMatchers("this is not valid UTF-8", error.start) from error


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


class _Parser:
    """A cursor over one text; every method leaves it after what it has read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def parse(self) -> tuple[Matcher, ...]:
        opened = self._accept("{")
        found: list[Matcher] = []
        while self._peek() not in ("", "}"):
            if len(found) == MAX_MATCHERS:
                raise BadMatchers(_too_many(), self.at)
            found.append(self._matcher())
            if not self._accept(","):
                break
        self._end(opened)
        return tuple(found)

    def _end(self, opened: bool) -> None:
        if opened and not self._accept("}"):
            raise BadMatchers("expected a comma or a closing brace", self.at)
        char = self._peek()
        if not char:
            return
        if opened:
            raise BadMatchers("expected the end after the closing brace", self.at)
        if char == "}":
            raise BadMatchers("this closing brace has no opening brace", self.at)
        raise BadMatchers("expected a comma or the end", self.at)

    def _peek(self) -> str:
        """The next character that is not white space, or "" at the end."""
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1
        return self.text[self.at : self.at + 1]

    def _accept(self, char: str) -> bool:
        if self._peek() != char:
            return False
        self.at += 1
        return True

    def _matcher(self) -> Matcher:
        name_at, name = self._word("a label name")
        if not name:
            raise BadMatchers("a label name cannot be empty", name_at)
        op = self._op()
        value_at, value = self._word("a value")
        try:
            return Matcher(name, op, value)
        except BadMatchers as error:
            position = name_at if len(name) > MAX_NAME else value_at
            raise BadMatchers(error.reason, position) from error

    def _op(self) -> Op:
        self._peek()
        for op in _LONGEST_FIRST:
            if self.text.startswith(op.value, self.at):
                self.at += len(op.value)
                return op
        raise BadMatchers("expected one of = != =~ !~", self.at)

    def _word(self, what: str) -> tuple[int, str]:
        """Where a bare or quoted word begins, and what it says."""
        quoted = self._peek() == '"'
        start = self.at
        if quoted:
            return start, self._quoted()
        while self.at < len(self.text) and self.text[self.at] not in _NOT_BARE:
            self.at += 1
        if self.at == start:
            raise BadMatchers(f"expected {what}", start)
        return start, self.text[start : self.at]

    def _quoted(self) -> str:
        start = self.at
        decoded = bytearray()
        self.at += 1
        while (char := self.text[self.at : self.at + 1]) != '"':
            if not char:
                raise BadMatchers("the closing quote is missing", start)
            if char == "\n":
                raise BadMatchers('a line break in quotes is written "\\n"', self.at)
            self.at += 1
            decoded += self._escaped() if char == "\\" else char.encode()
        self.at += 1
        try:
            return decoded.decode()
        except UnicodeDecodeError as error:
            raise BadMatchers("this is not valid UTF-8", start) from error

    def _escaped(self) -> bytes:
        """What stands after a backslash; ``\\x`` and octal are single bytes."""
        backslash = self.at - 1
        kind = self.text[self.at : self.at + 1]
        if kind in _OCTAL:
            code = self._code(3, 8)
        else:
            self.at += 1
            if kind in _SIMPLE_ESCAPES:
                return _SIMPLE_ESCAPES[kind].encode()
            code = self._code(_CODE_DIGITS.get(kind, 0), 16)
        if kind in ("u", "U"):
            if 0 <= code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
                return chr(code).encode()
        elif 0 <= code <= 0xFF:
            return bytes([code])
        raise BadMatchers("this escape is not known", backslash)

    def _code(self, count: int, base: int) -> int:
        """The number of exactly ``count`` digits, or -1 where they are not there."""
        digits = self.text[self.at : self.at + count]
        self.at += count
        complete = count > 0 and len(digits) == count
        allowed = _OCTAL if base == 8 else _HEX
        return int(digits, base) if complete and allowed.issuperset(digits) else -1
