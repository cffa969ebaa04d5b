"""Command lines in the style of absl and argparse, like those of the Object Detection API.

A command's flags are the fields of a frozen dataclass, which declares types and defaults once.
The parser accepts common mistakes of tutorials and gives a hint with the correct spelling. A flag
that another version of the script has and that changes nothing here is ignored, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from difflib import SequenceMatcher
from inspect import cleandoc
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from boxwright.errors import FlagError
from boxwright.structures.labels import closest_name

HELP = frozenset({"-h", "-help", "--help", "--helpshort", "-helpfull", "--helpfull"})
LOGGING = {"logtostderr", "alsologtostderr"}  # flags of absl: where and how much to log
LOGGING_WITH_VALUE = {"verbosity", "v", "stderrthreshold", "log_dir"}
MISSPELT = {  # in the tutorials
    "pipline_config_path": "pipeline_config_path",
    "trained_checkpoing_prefix": "trained_checkpoint_prefix",
    "alow_custom_ops": "allow_custom_ops",
}
MISSPELT_VALUES = {"QUATIZED_UINT8": "QUANTIZED_UINT8"}
TRUE, FALSE = {"true", "t", "1", "yes", "y"}, {"false", "f", "0", "no", "n"}
METAVARS = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH", tuple: "TEXT ..."}
TYPES = {"str": str, "int": int, "float": float, "bool": bool, "Path": Path}
TYPES["tuple[str, ...]"] = tuple  # all words up to the next flag
OVERRIDE = "Text in the language of pipeline.config. Its fields override the config's."
NESTED = re.compile(r"--?(\w+)=(.+)", re.DOTALL)
GLUED = re.compile(r"(?<=[^=-])--(?=(?P<name>\w+))")  # a flag that follows without a space
DASHES = re.compile(r"[\u2010-\u2015\u2212]+(?=\w)")  # typographic, from a web page
QUOTES = "\u2018\u2019\u201c\u201d\u201e"
FLAG = re.compile(r"-(?!\.?[0-9])")  # a word that starts with it is a flag, not a negative number
TYPO = 0.75  # similarity of two words of which one may be a misprint of the other


class FlagClass(Protocol):
    """Interface of a dataclass of flags. Its docstring is the help of the command.

    A class attribute `IGNORED` may have the flags that are accepted without effect, and why.
    """

    NAME: ClassVar[str]
    EXAMPLE: ClassVar[str]  # a working set of flags
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=FlagClass)


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """A parsed command line.

    Attributes:
        flags: values of the flags.
        hints: a sentence for each mistake that was corrected.
        words: the corrected command line, without the command's name.
    """

    flags: T
    hints: tuple[str, ...]
    words: tuple[str, ...]


def flag(
    text: str,
    default: Any = MISSING,
    *,
    also: str = "",
    choices: Sequence[str] = (),
    bare: bool = False,
) -> Any:
    """Declare a dataclass field as a flag. It is required if it has no default.

    Args:
        text: help text, a sentence.
        default: value if the flag is not given.
        also: other names, with spaces between, such as the `i` of `-i`. One letter takes one dash.
        choices: the allowed values; all if empty.
        bare: True for a positional argument.
    """
    metadata = {"text": text, "also": also.split(), "choices": choices, "bare": bare}
    return field(default=default, metadata=metadata)


def wants_help(words: Sequence[str]) -> bool:
    """Return True if the command line asks for help."""
    return not HELP.isdisjoint(words)


def parse(kind: type[T], words: Sequence[str]) -> Parsed[T]:
    """Parse a command line.

    Args:
        kind: dataclass of the command's flags.
        words: the arguments after the command's name.

    Raises:
        FlagError: BW702 unknown flag, BW703 required flags are missing, BW704 invalid value.
    """
    return _Line(kind, list(words)).parsed()


def help_text(kind: type[FlagClass]) -> str:
    """Return the output of `--help`."""
    lines = [f"{cleandoc(kind.__doc__ or '')}\n", f"  {example(kind)}\n"]
    for one in fields(kind):
        lines += [f"  {written(one)}", f"      {one.metadata['text']}{_notes(one)}"]
    for reason, names in ignored(kind).items():
        lines += [f"  {', '.join(names)}", f"      Ignored: {reason}."]
    return "\n".join(lines)


def ignored(kind: type[FlagClass]) -> dict[str, list[str]]:
    """Return the flags that are accepted without effect, by the reason."""
    by_reason: dict[str, list[str]] = {}
    for name, reason in _ignored(kind).items():
        by_reason.setdefault(reason, []).append(_dashed(name))
    return by_reason


def example(kind: type[FlagClass]) -> str:
    """Return a working command line."""
    return f"boxwright tfod {kind.NAME} {kind.EXAMPLE}".strip()


def written(one: Field[Any]) -> str:
    """Return the usage of a flag, such as `-i, --input=PATH`."""
    also = "".join(f"{_dashed(other)}, " for other in one.metadata["also"])
    if _type_of(one) is bool:
        return f"{also}--[no]{one.name}"
    values = "|".join(one.metadata["choices"]) or METAVARS[_type_of(one)]
    if one.metadata["bare"]:
        return one.name.upper()
    between = " " if _type_of(one) is tuple else "="
    return f"{also}--{one.name}{between}{values}"


def default_of(one: Field[Any]) -> str:
    """Return the default of a flag as text; empty if it is required or the default is None."""
    if one.default is MISSING or one.default in (None, ()):
        return ""
    if isinstance(one.default, Path):
        return one.default.as_posix()
    return str(one.default).lower() if _type_of(one) is bool else str(one.default)


def _ignored(kind: type[FlagClass]) -> Mapping[str, str]:
    return getattr(kind, "IGNORED", {})


def _dashed(name: str) -> str:
    return f"-{name}" if len(name) == 1 else f"--{name}"


def _notes(one: Field[Any]) -> str:
    if one.default is MISSING:
        return " Required."
    return f" Default: {default_of(one)}." if default_of(one) else ""


@dataclass
class _Line(Generic[T]):
    """Parser of one command line, from left to right."""

    kind: type[T]
    words: list[str]
    given: dict[str, Any] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known = {one.name: one for one in fields(self.kind)}
        others = {other: one for one in self.known.values() for other in one.metadata["also"]}
        self.by_name = {**self.known, **others}
        self.ignored = _ignored(self.kind)
        self.words = [part for word in self.words for part in self._parts(self._plain(word))]

    def parsed(self) -> Parsed[T]:
        while self.words:
            self._read(self.words.pop(0))
        missing = [
            name.upper() if one.metadata["bare"] else f"--{name}"
            for name, one in self.known.items()
            if one.default is MISSING and name not in self.given
        ]
        if missing:
            raise FlagError(
                "BW703",
                f"{self.kind.NAME} needs {' and '.join(missing)}.",
                example=example(self.kind),
            )
        return Parsed(self.kind(**self.given), tuple(self.hints), tuple(self._canonical()))

    def _plain(self, word: str) -> str:
        """Return a word with the dashes and quotation marks of a keyboard."""
        plain = DASHES.sub("--", word, count=1) if DASHES.match(word) else word
        name, equals, value = plain.partition("=")
        plain = f"{name.strip(QUOTES)}{equals}{value.strip(QUOTES)}"
        if plain != word:
            self.hints.append(f"'{word}' has typographic signs: read as {plain}.")
        return plain

    def _parts(self, word: str) -> list[str]:
        """Split a word in which a flag follows without a space."""
        cuts = [each.start() for each in GLUED.finditer(word) if self._is_flag(each["name"])]
        for cut in cuts:
            name = word[cut:].partition("=")[0]
            self.hints.append(f"'{word}' has no space before {name}: read as two flags.")
        return [word[i:j] for i, j in zip([0, *cuts], [*cuts, None], strict=True)]

    def _is_flag(self, name: str) -> bool:
        others = {*LOGGING, *LOGGING_WITH_VALUE, *self.ignored}
        return self._find(name) is not None or name in others

    def _read(self, word: str) -> None:
        name, equals, value = word.lstrip("-").partition("=")
        dashed = word.startswith("-")
        one = self._find(name)
        if one is None and dashed and self._passed_over(name, stated=bool(equals)):
            return
        off = self._find(name.removeprefix("no")) if one is None and not equals else None
        if dashed and off is not None and _type_of(off) is bool:
            self.given[off.name] = False
            return
        if not dashed and one is None and (bare := self._bare()):
            self.given[bare.name] = self._converted(bare, word)
            return
        if one is None or not (dashed or equals):
            what = f"has no flag --{name}" if dashed else f"does not expect the argument '{word}'"
            raise FlagError("BW702", f"{self.kind.NAME} {what}.", **self._choose(name))
        if not dashed:
            self.hints.append(f"'{word}' needs two dashes: read as --{word}.")
        if name not in self.by_name:
            self.hints.append(f"--{name} is misspelled: read as --{one.name}.")
        if (content := self._value(one, value.strip(), stated=bool(equals))) is not None:
            self.given[one.name] = content

    def _passed_over(self, name: str, *, stated: bool) -> bool:
        """Drop a flag without effect, with its value; return False if it is another flag."""
        if name in LOGGING:
            return True
        known = {*LOGGING_WITH_VALUE, *self.ignored}
        own = name if name in known else name.removeprefix("no")
        if own not in known:
            return False
        if reason := self.ignored.get(own):
            self.hints.append(f"{_dashed(own)} is ignored: {reason}.")
        if not stated and own == name and self.words and self._may_be_value(self.words[0]):
            self.words.pop(0)
        return True

    def _may_be_value(self, word: str) -> bool:
        """True if a word belongs to the ignored flag before it: no flag, no positional argument."""
        return not FLAG.match(word) and self._bare() is None

    def _bare(self) -> Field[Any] | None:
        """Return the positional argument that has no value yet, or None."""
        waiting = (one for one in self.known.values() if one.metadata["bare"])
        return next((one for one in waiting if one.name not in self.given), None)

    def _find(self, name: str) -> Field[Any] | None:
        return self.by_name.get(MISSPELT.get(name, name))

    def _value(self, one: Field[Any], text: str, *, stated: bool) -> Any:
        """Return the value of a flag in its type; None if it is empty, which means not given."""
        if _type_of(one) is bool:
            if not stated and self.words and self.words[0].lower() in {"true", "false"}:
                text, stated = self.words.pop(0), True
            return self._truth(one, text) if stated else True
        if _type_of(one) is tuple:
            return self._several(one, text)
        if not text and self.words and not FLAG.match(self.words[0]):
            text = self.words.pop(0).strip()
            if stated:
                self.hints.append(
                    f"--{one.name}= has a space before its value: the space is ignored."
                )
        elif not text and not stated:
            raise FlagError("BW704", f"--{one.name} has no value.", example=example(self.kind))
        if (nested := NESTED.fullmatch(text)) and self._find(nested[1]) is not None:
            self.hints.append(
                f"--{one.name} repeats the name of a flag in its value '{text}': "
                f"read as --{one.name}={nested[2]}."
            )
            text = nested[2]
        return self._converted(one, text) if text else None

    def _several(self, one: Field[Any], text: str) -> tuple[str, ...]:
        """Return the values of a flag that takes several: all words up to the next flag."""
        values = [text] if text else []
        while self.words and not FLAG.match(self.words[0]):
            values.append(self.words.pop(0))
        if not values:
            raise FlagError("BW704", f"--{one.name} has no value.", example=example(self.kind))
        return tuple(values)

    def _converted(self, one: Field[Any], text: str) -> Any:
        choices = one.metadata["choices"]
        if text in MISSPELT_VALUES and text not in choices:
            self.hints.append(f"{text} is misspelled: read as {MISSPELT_VALUES[text]}.")
            text = MISSPELT_VALUES[text]
        if choices and text not in choices:
            near = closest_name(text, choices)
            raise FlagError(
                "BW704",
                f"--{one.name} cannot be '{text}'.",
                nearest=near,
                choices=", ".join(choices),
            )
        try:
            return _type_of(one)(text)
        except ValueError:
            what = "a whole number" if _type_of(one) is int else "a number"
            raise FlagError(
                "BW704",
                f"--{one.name} is '{text}', which is not {what}.",
                help=one.metadata["text"],
            ) from None

    def _truth(self, one: Field[Any], text: str) -> bool:
        if text.lower() not in TRUE | FALSE:
            raise FlagError(
                "BW704",
                f"--{one.name} is '{text}', which is not true or false.",
                wanted=f"--{one.name} or --no{one.name}",
            )
        return text.lower() in TRUE

    def _choose(self, name: str) -> dict[str, str]:
        near = _meant(name, [*self.by_name, *self.ignored])
        listed = ", ".join(f"--{each}" for each in self.known) or "none"
        return {"nearest": _dashed(near) if near else "", "choices": listed}

    def _canonical(self) -> Iterator[str]:
        """Yield the words of the corrected command line."""
        for name, value in self.given.items():
            one = self.known[name]
            if isinstance(value, bool):
                yield f"--{name}" if value else f"--no{name}"
            elif isinstance(value, tuple):
                yield from (f"--{name}", *value)
            elif one.metadata["bare"]:
                yield str(value)
            else:
                yield f"--{name}={value}"


def _meant(name: str, names: Sequence[str]) -> str | None:
    """Return the flag of which `name` is a misprint, word by word: --num_eval_steps is none of
    --num_train_steps, though most of their letters agree."""
    words = re.split(r"[-_]", name.lower())
    likeness = {}
    for known in names:
        others = known.lower().split("_")
        if "".join(words) == "".join(others):
            return known
        if len(words) == len(others):
            pairs = zip(words, others, strict=True)
            likeness[known] = min(SequenceMatcher(None, *pair).ratio() for pair in pairs)
    best = max(likeness, key=lambda known: likeness[known], default="")
    return best if likeness.get(best, 0) >= TYPO else None


def _type_of(one: Field[Any]) -> type:
    """Return the type of a flag's value; `Path | None` gives Path."""
    return TYPES[str(one.type).removesuffix(" | None")]
