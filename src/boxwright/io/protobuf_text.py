"""The text format of protocol buffers, used by label maps and pipeline configs.

`name: value` and `name { ... }`, as in the Text Format Language Specification; scalars without a
colon and comments that begin with // are accepted too. The tree keeps all fields in order, known or
unknown, with their lines and kinds of values, and the comments. Parsing the output of `write` gives
an equal tree; line numbers and quotation marks do not affect equality.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Literal, NamedTuple

DEEPEST = 20  # nested messages; a pipeline config has nine levels
TYPOGRAPHIC = "\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"  # typographic forms of ' and "
CLOSING = {"{": "}", "<": ">"}
SEPARATORS = (",", ";")
OTHERS = {  # what a file of another kind begins with
    r"\s*<(!doctype|html|head|\?xml|!--)": "a web page; download the file itself (raw)",
    r"\s*\{\\rtf": "formatted text (RTF); save it as plain text",
    r"\s*\{\s*(\"|\})": "JSON",
    r"version https://git-lfs": "a pointer of Git LFS; `git lfs pull` brings the file itself",
}
Kind = Literal["number", "word", "string"]

_TOKEN = re.compile(
    r"""(?P<blank>\s+)
      | (?:\#|//)(?P<comment>[^\n]*)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<word>[\w.+-]+)
      | (?P<sign>[{}<>:,;\[\]])""",
    re.VERBOSE,
)
_NUMBER = re.compile(
    r"[+-]?(?:0x[0-9a-f]+|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?f?|inf(?:inity)?f?|nanf?)",
    re.IGNORECASE,
)
_ESCAPE = re.compile(rb"\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|(.))", re.DOTALL)
_ESCAPED = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f"}


class TextFormatError(Exception):
    """The text cannot be parsed; see `line` and `reason`."""

    def __init__(self, line: int, reason: str) -> None:
        self.line, self.reason = line, reason
        super().__init__(f"line {line}: {reason}")


@dataclass(frozen=True, slots=True)
class Value:
    """A number, a word such as `true` or `RELU_6`, or a string.

    Attributes:
        text: its content, a string without quotation marks and escapes.
        kind: one of the three.
        source: its original spelling; empty if it was not parsed.
    """

    text: str
    kind: Kind
    source: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment, on its own line or `beside` the field before it."""

    text: str
    beside: bool = False
    line: int = field(default=0, compare=False)

    @property
    def end(self) -> int:
        """Its last line, equal to its first."""
        return self.line


@dataclass(frozen=True, slots=True)
class Field:
    """A name and its value; a repeated field has several entries of the same name."""

    name: str
    value: Value | Message
    line: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Message:
    """Fields and comments in order."""

    entries: tuple[Field | Comment, ...] = ()

    @property
    def fields(self) -> list[Field]:
        """All fields."""
        return [entry for entry in self.entries if isinstance(entry, Field)]

    def named(self, name: str) -> list[Field]:
        """All fields of this name."""
        return [each for each in self.fields if each.name == name]

    def find(self, path: str) -> list[Field]:
        """All fields at a dotted path such as `model.ssd.num_classes`; `*` matches any name."""
        first, _, rest = path.partition(".")
        found = self.fields if first == "*" else self.named(first)
        if not rest:
            return found
        inner = (each.value for each in found)
        return [deep for each in inner if isinstance(each, Message) for deep in each.find(rest)]


def parse(text: str, what: str) -> Message:
    """Parse a text; errors call it `what`, such as "label map".

    Raises:
        TextFormatError: with the line and the reason.
    """
    for start, kind in OTHERS.items():
        if re.match(start, text, re.IGNORECASE):
            raise TextFormatError(1, f"it is no {what}, but {kind}")
    return _Parser(list(_tokens(text, what))).message()


def write(message: Message) -> str:
    """Text of a tree, indented by two spaces; parsed values and blank lines are unchanged."""
    lines = list(_lines(message))
    return "".join(f"{line}\n" for line in lines)


def quoted(text: str, mark: str = '"') -> str:
    """A string in quotation marks, with escapes where necessary."""
    plain = text.replace("\\", "\\\\").replace(mark, f"\\{mark}")
    escaped = re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\{ord(match.group()):03o}", plain)
    return f"{mark}{escaped}{mark}"


def _lines(message: Message) -> Iterator[str]:
    waiting = ""  # the last line, held back for a comment beside it
    before = 0
    for entry in message.entries:
        if isinstance(entry, Comment) and entry.beside and waiting:
            waiting += f"  # {entry.text}".rstrip()
            continue
        if waiting:
            yield waiting
        if before and entry.line > before + 1:
            yield ""
        before = entry.end
        *others, waiting = _entry_lines(entry)
        yield from others
    if waiting:
        yield waiting


def _entry_lines(entry: Field | Comment) -> Iterator[str]:
    if isinstance(entry, Comment):
        yield f"# {entry.text}".rstrip()
    elif isinstance(entry.value, Message):
        yield f"{entry.name} {{"
        yield from (f"  {line}" if line else "" for line in _lines(entry.value))
        yield "}"
    else:
        value = entry.value
        said = quoted(value.text) if value.kind == "string" else value.text
        yield f"{entry.name}: {value.source or said}"


class _Token(NamedTuple):
    kind: str  # "string", "word", "sign", "comment" or "end"
    text: str
    line: int


def _tokens(text: str, what: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise TextFormatError(line, _not_a_token(text, at, what))
        kind = match.lastgroup or ""
        if kind != "blank":
            yield _Token(kind, match[kind], line)
        line += match.group().count("\n")
        at = match.end()
    yield _Token("end", "", line)


def _not_a_token(text: str, at: int, what: str) -> str:
    if text[at] in TYPOGRAPHIC:
        return f"{text[at]} is a typographic quotation mark; write ' or \""
    shown = text[at : at + 10]
    if text[at] in {"'", '"'}:
        line = text[at:].partition("\n")[0]
        if wrong := next((sign for sign in line if sign in TYPOGRAPHIC), ""):
            return f"the string ends with {wrong}, a typographic quotation mark; write {text[at]}"
        return f"{shown!r} is not {what} text: the string does not end on its line"
    if text[at] in {"\\", "/"}:
        return f"{shown!r} is not {what} text: put the path in quotation marks"
    return f"{shown!r} is not {what} text"


@dataclass
class _Parser:
    tokens: list[_Token]
    at: int = 0
    strays: list[Comment] = field(default_factory=list)  # in the middle of a field

    def message(self, opening: _Token | None = None, depth: int = 0) -> Message:
        """Entries up to the bracket that closes `opening`; without `opening`, up to the end."""
        closing = {CLOSING[opening.text]} if opening else set()
        entries: list[Field | Comment] = []
        while True:
            while (token := self.tokens[self.at]).kind == "comment":
                beside = bool(entries) and isinstance(entries[-1], Field)
                beside = beside and token.line == self.tokens[self.at - 1].line
                entries.append(Comment(token.text.strip(), beside, token.line))
                self.at += 1
            if self._skip(closing):
                return Message(tuple(entries))
            if token.kind == "end":
                if opening is None:
                    return Message(tuple(entries))
                reason = f"the bracket opened in line {opening.line} is not closed"
                raise TextFormatError(token.line, f"it ends in the middle: {reason}")
            entries += self._fields(depth)
            self._skip(SEPARATORS)
            entries += self.strays
            self.strays.clear()

    def _fields(self, depth: int) -> list[Field]:
        """One field, or several of its name if its values are in square brackets."""
        name, line = self._name()
        self._skip({":"})
        if not self._skip({"["}):
            return [Field(name, self._value(depth), line, self.tokens[self.at - 1].line)]
        fields: list[Field] = []
        while not self._skip({"]"}):
            line = self.tokens[self._ahead()].line
            fields.append(Field(name, self._value(depth), line))
            if not self._skip(SEPARATORS) and self.tokens[self._ahead()].text != "]":
                sign = self._next()
                reason = f"{sign.text!r} is in square brackets: write each item there in {{ and }}"
                raise TextFormatError(sign.line, reason)
        end = self.tokens[self.at - 1].line
        return [replace(each, end=end) for each in fields]

    def _name(self) -> tuple[str, int]:
        kind, name, line = self._next()
        if kind == "sign" and name == "[":  # of an extension
            name = f"[{self._next().text}]"
            kind = "word" if self._skip({"]"}) else "sign"
        if kind == "sign" and name in CLOSING.values():
            raise TextFormatError(line, f"{name!r} closes no bracket")
        if kind != "word":
            shown = name if kind == "string" else repr(name)
            raise TextFormatError(line, f"a field's name is missing before {shown}")
        return name, line

    def _value(self, depth: int) -> Value | Message:
        token = self._next()
        if token.kind == "sign" and token.text in CLOSING:
            if depth == DEEPEST:
                raise TextFormatError(token.line, f"it is nested more than {DEEPEST} levels deep")
            return self.message(token, depth + 1)
        if token.kind == "word":
            kind: Kind = "number" if _NUMBER.fullmatch(token.text) else "word"
            return Value(token.text, kind, token.text)
        if token.kind != "string":
            raise TextFormatError(token.line, f"a value is missing before {token.text!r}")
        parts = [token.text]
        while self.tokens[self._ahead()].kind == "string":
            parts.append(self._next().text)  # adjacent strings are one string
        said = "".join(_unescaped(part[1:-1]) for part in parts)
        return Value(said, "string", " ".join(parts))

    def _next(self) -> _Token:
        self._go(self._ahead())
        token = self.tokens[self.at]
        if token.kind == "end":
            raise TextFormatError(token.line, "it ends in the middle of a field")
        self.at += 1
        return token

    def _skip(self, signs: Collection[str]) -> bool:
        ahead = self._ahead()
        token = self.tokens[ahead]
        found = token.kind == "sign" and token.text in signs
        if found:
            self._go(ahead)
            self.at += 1
        return found

    def _ahead(self) -> int:
        """Index of the next token that is not a comment."""
        ahead = self.at
        while self.tokens[ahead].kind == "comment":
            ahead += 1
        return ahead

    def _go(self, ahead: int) -> None:
        comments = self.tokens[self.at : ahead]
        self.strays += [Comment(each.text.strip(), line=each.line) for each in comments]
        self.at = ahead


def _unescaped(said: str) -> str:
    """Decode C escapes to bytes, so that UTF-8 may be written as octal numbers."""

    def byte(match: re.Match[bytes]) -> bytes:
        octal, hexadecimal, sign = match.groups()
        if octal or hexadecimal:
            return bytes([int(octal, 8) & 255 if octal else int(hexadecimal, 16)])
        return _ESCAPED.get(sign, sign)

    if "\\" not in said:
        return said
    return _ESCAPE.sub(byte, said.encode()).decode(errors="replace")
