"""Protocol buffers' text format: nothing is lost, and each fault has its line."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.io.protobuf_text import (
    Comment,
    Field,
    Message,
    TextFormatError,
    Value,
    parse,
    quoted,
    write,
)

pytestmark = pytest.mark.tiny


def number(text: str) -> Value:
    return Value(text, "number")


def word(text: str) -> Value:
    return Value(text, "word")


def string(text: str) -> Value:
    return Value(text, "string")


def tree(*fields: tuple[str, Value | Message]) -> Message:
    return Message(tuple(Field(name, value) for name, value in fields))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", tree()),
        ("a: 1", tree(("a", number("1")))),
        ("a: 1, b: -2; c: .2", tree(("a", number("1")), ("b", number("-2")), ("c", number(".2")))),
        ("a: 1e-08 a: 1. a: 0x1F", tree(*[("a", number(n)) for n in ("1e-08", "1.", "0x1F")])),
        ("a: -inf a: nan a: 1.5f", tree(*[("a", number(n)) for n in ("-inf", "nan", "1.5f")])),
        ("a: true b: RELU_6,", tree(("a", word("true")), ("b", word("RELU_6")))),
        ("a: '1'", tree(("a", string("1")))),
        ("a { b: 1 }", tree(("a", tree(("b", number("1")))))),
        ("a: { b: < c: 1 > }", tree(("a", tree(("b", tree(("c", number("1")))))))),
        ("a { } a { }", tree(("a", tree()), ("a", tree()))),
        ("a: [1.0, 2.0]", tree(("a", number("1.0")), ("a", number("2.0")))),
        ("a: []", tree()),
        ("a: [{ b: 1 }, { }]", tree(("a", tree(("b", number("1")))), ("a", tree()))),
        ("[my.extension] { b: 1 }", tree(("[my.extension]", tree(("b", number("1")))))),
        (r"a: 'E:/demo' ' \303\244\x41\n'", tree(("a", string("E:/demo äA\n")))),
        ("a: 'one' # and\n 'two'", Message((Field("a", string("onetwo")), Comment("and")))),
    ],
)
def test_texts_and_their_trees(text: str, expected: Message) -> None:
    assert parse(text, "config") == expected
    assert parse(write(expected), "config") == expected


def test_every_field_knows_its_lines() -> None:
    fields = parse("a: 1\nb {\n  c: [\n    1,\n    2\n  ]\n}\n", "config")
    assert [(field.line, field.end) for field in fields.fields] == [(1, 1), (2, 7)]
    assert [field.line for field in fields.find("b.c")] == [4, 5]
    assert fields.find("*.c") == fields.find("b.c")
    assert fields.find("b.d") == fields.find("a.c") == fields.find("x") == []


def test_text_comes_back_as_it_was_but_for_signs_without_meaning() -> None:
    text = """\
# A config.

model {
  # the first
  name: 'one'  # beside it
  path: "E:\\demo\\new"
  ratio: [0.3333, 1.]

  empty {
  }  # nothing in it
}
train: {
  rate: .2, // of learning
  more: <deep: RELU_6,>
  // the last
}
"""
    assert (
        write(parse(text, "config"))
        == """\
# A config.

model {
  # the first
  name: 'one'  # beside it
  path: "E:\\demo\\new"
  ratio: 0.3333
  ratio: 1.

  empty {
  }  # nothing in it
}
train {
  rate: .2  # of learning
  more {
    deep: RELU_6
  }
  # the last
}
"""
    )


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a: 1\nb {\n  c: 2\n", 4, "the bracket opened in line 2 is not closed"),
        ("a {\n}\n}\n", 3, "'}' closes no bracket"),
        ("a {\n  b: 1 >", 2, "'>' closes no bracket"),
        ("a:\nb: 1", 2, "name is missing before ':'"),
        ("a\n", 2, "ends in the middle"),
        ("a: 1\n: 2", 2, "name is missing before ':'"),
        ("a: 1\n'b': 2", 2, "name is missing before 'b'"),
        ("a: ]", 1, "value is missing before ']'"),
        ("a: 1\nb: 'two\n", 2, "string does not end on its line"),
        ("a: 1\n\nb: ‘two’", 3, "typographic quotation mark"),
        ("a: 1\nb: E:\\demo\\train.record", 2, "put the path in quotation marks"),
        ("a: 1\nb: /home/me/train.record", 2, "put the path in quotation marks"),
        ("a: 1\nb: 5 %", 2, "'%' is not config text"),
        ("a: [1, 2", 1, "ends in the middle"),
        ("a: [1, [2]]", 1, "value is missing"),
        ("a: [1: 2]", 1, "':' is in square brackets"),
        ("a: 1\n[b: 1", 2, "name is missing"),
        ("\n" + "a {" * 30, 2, "nested more than 20 levels deep"),
    ],
)
def test_each_fault_has_its_line(text: str, line: int, reason: str) -> None:
    with pytest.raises(TextFormatError, match=reason) as caught:
        parse(text, "config")
    assert caught.value.line == line


NAMES = st.from_regex(r"[a-z_][a-z0-9_]{0,5}", fullmatch=True)
VALUES = st.one_of(
    st.from_regex(r"-?[0-9]{1,5}(\.[0-9]{0,3})?(e-?[0-9]{1,2})?", fullmatch=True).map(number),
    st.from_regex(r"(true|false|[A-Z][A-Z_]{3,9})", fullmatch=True).map(word),
    st.text(st.characters(codec="utf-8"), max_size=12).map(string),
)
COMMENTS = st.text(st.characters(codec="utf-8", exclude_characters="\n"), max_size=12).map(
    lambda text: Comment(text.strip())
)


def messages(values: st.SearchStrategy[Value | Message]) -> st.SearchStrategy[Message]:
    entries = st.one_of(st.builds(Field, NAMES, values), COMMENTS)
    return st.lists(entries, max_size=6).map(lambda found: Message(tuple(found)))


TREES = messages(st.recursive(VALUES, messages, max_leaves=12))


@given(TREES)
def test_what_is_written_is_read_as_the_same_tree(made: Message) -> None:
    text = write(made)
    again = parse(text, "config")
    assert again == made
    assert write(again) == text


@given(st.text(st.sampled_from("ab1.-{}<>[]:,;'\"\\#/ \n\r")))
def test_any_text_is_a_tree_that_stays_or_a_fault_with_a_line(text: str) -> None:
    line, made = 1, Message()
    try:
        made = parse(text, "config")
    except TextFormatError as error:
        line = error.line
    assert 1 <= line <= text.count("\n") + 1
    assert parse(write(made), "config") == made


@given(st.text(st.characters(codec="utf-8")))
def test_quoted_text_is_read_as_it_was(text: str) -> None:
    assert parse(f"a: {quoted(text)}", "config") == tree(("a", string(text)))


@pytest.mark.parametrize(
    "text",
    [
        "# c\n" * 40_000,
        "a: 'b'" + " 'c'" * 40_000,
        "a: 'b' # c\n" * 20_000,
        "a: [" + "1, " * 40_000 + "1]",
        "a { }" * 20_000,
        "a: 'b'" + "\n# c" * 40_000 + "\n'd'",
        "'" * 40_001,
        "a" * 200_000,
    ],
    ids=lambda text: text[:8],
)
def test_time_grows_with_the_text_and_not_with_its_square(text: str) -> None:
    start = time.process_time()
    with contextlib.suppress(TextFormatError):
        write(parse(text, "config"))
    assert time.process_time() - start < 3
