"""The grammar and the meaning of matchers, held against Alertmanager's own verdicts."""

import copy
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import incidentrelay
from incidentrelay.domain.errors import BadMatchers
from incidentrelay.domain.matchers import (
    MAX_MATCHERS,
    MAX_NAME,
    MAX_VALUE,
    Matcher,
    Op,
    matches,
    parse,
    parse_cached,
    parse_list,
    render,
)

GRINNING = "\U0001f642"
HI = 'She said: "Hi, ladies! That\'s gender-neutral…"'

ACCEPTED = [
    ("", []),
    ("{}", []),
    (" { } ", []),
    ("{foo=bar,}", [("foo", "=", "bar")]),
    ("foo=bar,", [("foo", "=", "bar")]),
    ("foo=bar,bar!=baz", [("foo", "=", "bar"), ("bar", "!=", "baz")]),
    ("foo=~[a-z]+", [("foo", "=~", "[a-z]+")]),
    ("foo!~[a-z]+", [("foo", "!~", "[a-z]+")]),
    ('foo=""', [("foo", "=", "")]),
    ('foo=~""', [("foo", "=~", "")]),
    ('foo="bar,baz"', [("foo", "=", "bar,baz")]),
    ('foo = "bar" , baz != "q" , ', [("foo", "=", "bar"), ("baz", "!=", "q")]),
    ('foo="a\\"b"', [("foo", "=", 'a"b')]),
    ('foo="a\\\\b"', [("foo", "=", "a\\b")]),
    ('foo="a\\nb"', [("foo", "=", "a\nb")]),
    ('foo="a\\tb"', [("foo", "=", "a\tb")]),
    ('foo="\\a\\b\\f\\r\\v"', [("foo", "=", "\a\b\f\r\v")]),
    ('foo=~"\\\\d+"', [("foo", "=~", "\\d+")]),
    ('foo="\\xf0\\x9f\\x99\\x82"', [("foo", "=", GRINNING)]),
    ('foo="\\360\\237\\231\\202"', [("foo", "=", GRINNING)]),
    ('foo="\\u00e9"', [("foo", "=", "é")]),
    ('foo="\\U0001F642"', [("foo", "=", GRINNING)]),
    ('"foo bar"="baz"', [("foo bar", "=", "baz")]),
    ('"foo"="bar"', [("foo", "=", "bar")]),
    (f"foo{GRINNING}=bar", [(f"foo{GRINNING}", "=", "bar")]),
    ("0foo=bar", [("0foo", "=", "bar")]),
    ('name-with-dashes="x"', [("name-with-dashes", "=", "x")]),
    ('foo.bar="c"', [("foo.bar", "=", "c")]),
    ('a:b="c"', [("a:b", "=", "c")]),
    (f"foo={GRINNING}bar", [("foo", "=", f"{GRINNING}bar")]),
    ("foo=bar\n,x=y", [("foo", "=", "bar"), ("x", "=", "y")]),
    ("\xa0foo\u2003=\tbar\x85", [("foo", "=", "bar")]),
    ('foo!="\\""', [("foo", "!=", '"')]),
    (
        '{quote="She said: \\"Hi, ladies! That\'s gender-neutral…\\""}',
        [("quote", "=", HI)],
    ),
]

REFUSED = [
    ("{,}", 1, "expected a label name"),
    (",", 0, "expected a label name"),
    ("{", 1, "expected a comma or a closing brace"),
    ("}", 0, "this closing brace has no opening brace"),
    ("{foo=bar", 8, "expected a comma or a closing brace"),
    ("foo=bar}", 7, "this closing brace has no opening brace"),
    ("{{foo=bar}}", 1, "expected a label name"),
    ("{foo=bar}}", 9, "expected the end after the closing brace"),
    ("foo=bar,,", 8, "expected a label name"),
    ("{foo=bar,,x=y}", 9, "expected a label name"),
    ("foo=", 4, "expected a value"),
    ('job="value', 4, "the closing quote is missing"),
    ('job=value"', 9, "expected a comma or the end"),
    ("foo=bar baz", 8, "expected a comma or the end"),
    ('foo="\\d+"', 5, "this escape is not known"),
    ('foo="\\q"', 5, "this escape is not known"),
    ('foo="\\\'"', 5, "this escape is not known"),
    ('foo="\\"', 4, "the closing quote is missing"),
    ('foo="\\', 5, "this escape is not known"),
    ('foo="\\x4"', 5, "this escape is not known"),
    ('foo="\\u12"', 5, "this escape is not known"),
    ('foo="\\400"', 5, "this escape is not known"),
    ('foo="\\18"', 5, "this escape is not known"),
    ('foo="\\ud800"', 5, "this escape is not known"),
    ('foo="\\U00110000"', 5, "this escape is not known"),
    ('foo="\\xff"', 4, "this is not valid UTF-8"),
    ("foo=\ud800", 4, "this is not valid UTF-8"),
    ("foo=~\\d+", 5, "expected a value"),
    ("foo='bar'", 4, "expected a value"),
    ("foo=`bar`", 4, "expected a value"),
    ("foo==bar", 4, "expected a value"),
    ("foo=~~~", 5, "expected a value"),
    ("foo!bar", 3, "expected one of = != =~ !~"),
    ("foo", 3, "expected one of = != =~ !~"),
    ("foo\x1f", 4, "expected one of = != =~ !~"),
    ("=bar", 0, "expected a label name"),
    ('""="x"', 0, "a label name cannot be empty"),
    ('foo="line\nbreak"', 9, 'a line break in quotes is written "\\n"'),
    ('foo="a" bar="b"', 8, "expected a comma or the end"),
    ('foo="bar"baz', 9, "expected a comma or the end"),
    (f'{"n" * (MAX_NAME + 1)}="x"', 0, "a label name has at most 255 characters"),
    (f'foo="{"v" * (MAX_VALUE + 1)}"', 4, "a value has at most 1024 characters"),
]


@pytest.mark.parametrize(("text", "expected"), ACCEPTED)
def test_it_parses(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert [(m.name, m.op.value, m.value) for m in parse(text)] == expected


@pytest.mark.parametrize(("text", "position", "reason"), REFUSED)
def test_it_refuses_with_position_and_reason(text: str, position: int, reason: str) -> None:
    with pytest.raises(BadMatchers) as caught:
        parse(text)
    assert (caught.value.position, caught.value.reason) == (position, reason)
    assert caught.value.errors == {"matchers": [f"At character {position}: {reason}."]}


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ('{foo=~"invalid[regexp"}', 6),
        ('foo=~"a(?=b)"', 5),
        ('foo=~"(a)\\\\1"', 5),
        ('foo=~"a{1001}"', 5),
        ('foo=~"((a{100}){100})"', 5),
        ('a=b,foo!~"("', 9),
    ],
)
def test_it_refuses_what_is_not_re2(
    text: str, position: int, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(BadMatchers) as caught:
        parse(text)
    assert caught.value.position == position
    assert caught.value.reason.startswith("bad regular expression: ")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("text", "value", "expected"),
    [
        ("n=bar", "foo-bar", False),
        ("n!=bar", "foo-bar", True),
        ("n=~bar", "foo-bar", False),
        ("n=~.*bar", "foo-bar", True),
        ("n!~bar", "foo-bar", True),
        ("n!~.*bar", "foo-bar", False),
        ("n=~foo.bar", "foo\nbar", False),
        ("n=~(?s)foo.bar", "foo\nbar", True),
        ('n=~"foo\\\\.bar"', "foo-bar", False),
        ("n=~bar", "bar\n", False),
        ("n=~bar|foo", "foo", True),
        ("n=~bar|foo", "foobar", False),
        ("n=~(?i)BAR", "bar", True),
        ("n=~BAR", "bar", False),
        ("n=~.", "é", True),
        ("n=~.+", "\ud800", True),
    ],
)
def test_it_matches_the_whole_value(text: str, value: str, expected: bool) -> None:
    assert matches(parse(text), {"n": value}) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('foo=""', True),
        ('foo!=""', False),
        ('foo=~".*"', True),
        ('foo=~""', True),
        ('foo!~""', False),
        ('foo!="x"', True),
        ('foo="x"', False),
        ('foo=~".+"', False),
        ('foo!~".+"', True),
    ],
)
def test_a_missing_label_is_the_empty_string(text: str, expected: bool) -> None:
    assert matches(parse(text), {}) is expected
    assert matches(parse(text), {"foo": ""}) is expected


def test_a_list_is_an_and_and_an_empty_list_matches_everything() -> None:
    both = parse("a=1,b=2")
    assert matches(both, {"a": "1", "b": "2", "c": "3"})
    assert not matches(both, {"a": "1", "b": "3"})
    assert matches((), {"a": "1"})


def test_a_hostile_pattern_takes_linear_time() -> None:
    assert not matches(parse('n=~"(a+)+$"'), {"n": "a" * 1000 + "!"})


def test_it_parses_lists_of_single_matchers_and_of_comma_lists() -> None:
    assert parse_list(["a=1", "{b=2,c=3}", ""]) == parse("a=1,b=2,c=3")
    assert parse_list([]) == ()


def test_a_bad_item_of_a_list_is_named() -> None:
    with pytest.raises(BadMatchers) as caught:
        parse_list(["a=1", "b=2,c"])
    assert caught.value.errors == {
        "matchers.1": ["At character 5: expected one of = != =~ !~."],
    }
    assert caught.value.position == 5


def test_the_number_of_matchers_is_bounded() -> None:
    many = ",".join(["a=1"] * MAX_MATCHERS)
    assert len(parse(many)) == MAX_MATCHERS
    assert len(parse(many + ",")) == MAX_MATCHERS
    with pytest.raises(BadMatchers) as caught:
        parse(many + ",a=1")
    assert caught.value.position == len(many) + 1
    with pytest.raises(BadMatchers, match="not right") as listed:
        parse_list([many, "a=1"])
    assert list(listed.value.errors) == ["matchers.1"]


@pytest.mark.parametrize(
    ("matcher", "text"),
    [
        (Matcher("a", Op.EQUAL, "1"), '{a="1"}'),
        (Matcher("b", Op.NOT_REGEX, "x"), '{b!~"x"}'),
        (Matcher("a b", Op.NOT_EQUAL, 'q"\\\n'), '{"a b"!="q\\"\\\\\\n"}'),
        (Matcher("a", Op.EQUAL, "\0\x7f"), '{a="\\x00\\x7f"}'),
        (Matcher("\x01", Op.EQUAL, ""), '{"\\x01"=""}'),
        (Matcher("é.x", Op.REGEX, ".*"), '{é.x=~".*"}'),
    ],
)
def test_it_renders(matcher: Matcher, text: str) -> None:
    assert render([matcher]) == text


def test_no_matchers_are_rendered_as_braces() -> None:
    assert render([]) == "{}"


names = st.text(min_size=1, max_size=20)
plain = st.builds(Matcher, names, st.sampled_from([Op.EQUAL, Op.NOT_EQUAL]), st.text(max_size=50))
patterns = st.sampled_from(["", ".*", "[a-z]+", "a|b", "\\d+", 'say "hi"', "é{2,3}", "(?s)a.b"])
regexes = st.builds(Matcher, names, st.sampled_from([Op.REGEX, Op.NOT_REGEX]), patterns)


@given(st.lists(plain | regexes, max_size=8))
def test_rendered_matchers_parse_back(matchers: list[Matcher]) -> None:
    text = render(matchers)
    assert parse(text) == tuple(matchers)
    assert parse_list([render([m]) for m in matchers]) == tuple(matchers)
    assert render(parse(text)) == text
    assert "\0" not in text


@given(st.text(st.characters() | st.sampled_from('{}=!~,\\" ax0')))
def test_any_text_parses_or_is_refused_in_place(text: str) -> None:
    refused: BadMatchers | None = None
    found: tuple[Matcher, ...] = ()
    try:
        found = parse(text)
    except BadMatchers as error:
        refused = error
    assert refused is None or 0 <= refused.position <= len(text)
    assert parse(render(found)) == found


@given(st.text(max_size=30), st.text(max_size=30))
def test_negation_is_the_opposite(value: str, label: str) -> None:
    labels = {"n": label}
    assert Matcher("n", Op.EQUAL, value).matches(labels) is (value == label)
    assert Matcher("n", Op.NOT_EQUAL, value).matches(labels) is (value != label)


def test_equal_matchers_are_one_key_and_can_be_copied() -> None:
    first, second = parse("n=~a+"), parse('n=~"a+"')
    assert first == second
    assert len({first, second}) == 1
    assert copy.deepcopy(first) == first
    assert matches(copy.deepcopy(first), {"n": "aa"})


def test_cached_parsing_gives_the_same_and_remembers_no_failure() -> None:
    assert parse_cached("a=1") is parse_cached("a=1")
    for _ in range(2):
        with pytest.raises(BadMatchers):
            parse_cached("a=")


@pytest.mark.parametrize("name", ["", "n" * (MAX_NAME + 1)])
def test_a_matcher_is_never_made_with_a_bad_name(name: str) -> None:
    with pytest.raises(BadMatchers):
        Matcher(name, Op.EQUAL, "x")


def test_the_examples_of_the_page_parse() -> None:
    page = (Path(incidentrelay.__file__).parents[1] / "docs/concepts/matchers.md").read_text(
        "utf-8"
    )
    section = page.split("## Examples")[1].split("## Rules")[0].replace("\\|", "|")
    examples = re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)
    assert len(examples) >= 5
    for example in examples:
        assert parse(example)
