"""The tokens of label matchers: reading words and operators, and quoting them.

The grammar is in :mod:`incidentrelay.domain.matchers`.
"""

from incidentrelay.domain.errors import BadMatchers
from incidentrelay.domain.text import is_text

# Longer operators first.
_OPERATORS = ("!=", "=~", "!~", "=")
# Go's unicode.IsSpace; str.isspace() also takes the separators U+001C to U+001F.
_SPACE = frozenset("\t\n\v\f\r \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000") | frozenset(
    map(chr, range(0x2000, 0x200B))
)
_NOT_BARE = _SPACE | frozenset("{}!=~,\\\"'`")
_SIMPLE_ESCAPES = dict(zip('abfnrtv\\"', '\a\b\f\n\r\t\v\\"', strict=True))
_CODE_DIGITS = {"x": 2, "u": 4, "U": 8}
_HEX = frozenset("0123456789abcdefABCDEF")
_OCTAL = frozenset("01234567")


def quote_name(name: str) -> str:
    quoted = quote(name)
    return quoted if _NOT_BARE.intersection(name) or len(quoted) > len(name) + 2 else name


def quote(text: str) -> str:
    return '"' + "".join(map(_escape, text)) + '"'


def _escape(char: str) -> str:
    if char in '\\"':
        return "\\" + char
    if char == "\n":
        return "\\n"
    # PostgreSQL cannot store NUL, and control characters are invisible on a page.
    if is_text(char):
        return char
    return f"\\x{ord(char):02x}" if char.isascii() else f"\\u{ord(char):04x}"


def check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadMatchers("this is not valid UTF-8", error.start) from error


class MatcherReader:
    """A cursor over one text; every method advances it past what it read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def end(self, opened: bool) -> None:
        if opened and not self.accept("}"):
            raise BadMatchers("expected a comma or a closing brace", self.at)
        char = self.peek()
        if not char:
            return
        if opened:
            raise BadMatchers("expected the end after the closing brace", self.at)
        if char == "}":
            raise BadMatchers("this closing brace has no opening brace", self.at)
        raise BadMatchers("expected a comma or the end", self.at)

    def peek(self) -> str:
        """The next character that is not white space; "" at the end."""
        while self.at < len(self.text) and self.text[self.at] in _SPACE:
            self.at += 1
        return self.text[self.at : self.at + 1]

    def accept(self, char: str) -> bool:
        if self.peek() != char:
            return False
        self.at += 1
        return True

    def operator(self) -> str:
        self.peek()
        for op in _OPERATORS:
            if self.text.startswith(op, self.at):
                self.at += len(op)
                return op
        raise BadMatchers("expected one of = != =~ !~", self.at)

    def word(self, what: str) -> tuple[int, str]:
        """The position and text of a bare or quoted word."""
        quoted = self.peek() == '"'
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
        """The bytes of an escape after its backslash; ``\\x`` and octal are single bytes."""
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
        """The number of exactly ``count`` digits, or -1 if they are missing."""
        digits = self.text[self.at : self.at + count]
        self.at += count
        complete = count > 0 and len(digits) == count
        allowed = _OCTAL if base == 8 else _HEX
        return int(digits, base) if complete and allowed.issuperset(digits) else -1
