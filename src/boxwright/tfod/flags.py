"""Command lines in the manner of absl and argparse, as the original's scripts take them.

A command's flags are the fields of a frozen dataclass, so that their types and defaults are said
once. What tutorials print wrong is understood all the same, and each time a hint says how it is
spelled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from inspect import cleandoc
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from boxwright.errors import FlagError
from boxwright.structures.labels import closest_name

HELP = frozenset({"-h", "-help", "--help", "--helpshort", "-helpfull", "--helpfull"})
LOGGING = {"logtostderr", "alsologtostderr"}  # absl's own, of where to log to, and how much
LOGGING_WITH_VALUE = {"verbosity", "v", "stderrthreshold", "log_dir"}
MISSPELT = {  # in the tutorials
    "pipline_config_path": "pipeline_config_path",
    "trained_checkpoing_prefix": "trained_checkpoint_prefix",
    "alow_custom_ops": "allow_custom_ops",
}
MISSPELT_VALUES = {"QUATIZED_UINT8": "QUANTIZED_UINT8"}
TRUE, FALSE = {"true", "t", "1", "yes", "y"}, {"false", "f", "0", "no", "n"}
METAVARS = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH"}
TYPES = {"str": str, "int": int, "float": float, "bool": bool, "Path": Path}
ONE_MACHINE = "the training runs on one machine, in one process"
WHOLE_CONFIG = "a training is described by one pipeline.config"
OVERRIDE = "Text of a pipeline.config whose fields go before the config's own."
NESTED = re.compile(r"--?(\w+)=(.+)", re.DOTALL)


class FlagClass(Protocol):
    """What a dataclass of flags says about its command, beside its docstring."""

    NAME: ClassVar[str]
    EXAMPLE: ClassVar[str]  # its flags in a line that works
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=FlagClass)


@dataclass(frozen=True)
class Parsed(Generic[T]):
    """A command line that was understood.

    Attributes:
        flags: its values.
        hints: what was wrong with it all the same.
        words: the line as it should be, after the command's name.
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
    unused: str = "",
    bare: bool = False,
) -> Any:
    """A field that is a flag; without a default it must be given.

    Args:
        text: what it is for, a sentence.
        default: its value if it is not given.
        also: another name for it, such as the `i` of `-i`; one letter takes one dash.
        choices: the only values that it may have.
        unused: why it changes nothing, if it does not.
        bare: whether its value may stand by itself, without the flag.
    """
    metadata = {"text": text, "also": also, "choices": choices, "unused": unused, "bare": bare}
    return field(default=default, metadata=metadata)


def wants_help(words: Sequence[str]) -> bool:
    """Whether a command line asks for help."""
    return not HELP.isdisjoint(words)


def parse(kind: type[T], words: Sequence[str]) -> Parsed[T]:
    """The values of a command line.

    Args:
        kind: the dataclass of the command's flags.
        words: what stands after the command's name.

    Raises:
        FlagError: BW702 a flag that there is not, BW703 flags are missing, BW704 a value that a
            flag cannot have.
    """
    return _Line(kind, list(words)).parsed()


def help_text(kind: type[FlagClass]) -> str:
    """What `--help` prints."""
    lines = [f"{cleandoc(kind.__doc__ or '')}\n", f"  {example(kind)}\n"]
    for one in fields(kind):
        lines += [f"  {written(one)}", f"      {one.metadata['text']}{_notes(one)}"]
    return "\n".join(lines)


def example(kind: type[FlagClass]) -> str:
    """A line that works."""
    return f"boxwright tfod {kind.NAME} {kind.EXAMPLE}".strip()


def written(one: Field[Any]) -> str:
    """How a flag is written: `-i, --input=PATH`."""
    other = one.metadata["also"]
    also = f"{'-' if len(other) == 1 else '--'}{other}, " if other else ""
    if _type_of(one) is bool:
        return f"{also}--[no]{one.name}"
    values = "|".join(one.metadata["choices"]) or METAVARS[_type_of(one)]
    if one.metadata["bare"]:
        return one.name.upper()
    return f"{also}--{one.name}={values}"


def default_of(one: Field[Any]) -> str:
    """What a flag is if it is not given; empty if it must be, or is nothing then."""
    if one.default is MISSING or one.default is None:
        return ""
    if isinstance(one.default, Path):
        return one.default.as_posix()
    return str(one.default).lower() if _type_of(one) is bool else str(one.default)


def _notes(one: Field[Any]) -> str:
    if one.metadata["unused"]:
        return f" Changes nothing here: {one.metadata['unused']}."
    if one.default is MISSING:
        return " Must be given."
    return f" Default: {default_of(one)}." if default_of(one) else ""


@dataclass
class _Line(Generic[T]):
    """A command line as it is read from left to right."""

    kind: type[T]
    words: list[str]
    given: dict[str, Any] = field(default_factory=dict)
    hints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.known = {one.name: one for one in fields(self.kind)}
        short = {one.metadata["also"]: one for one in self.known.values() if one.metadata["also"]}
        self.by_name = {**self.known, **short}

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

    def _read(self, word: str) -> None:
        name, equals, value = word.lstrip("-").partition("=")
        dashed = word.startswith("-")
        one = self._find(name)
        if one is None and dashed and name in LOGGING | LOGGING_WITH_VALUE:
            if name in LOGGING_WITH_VALUE and not equals and self.words:
                self.words.pop(0)
            return
        off = self._find(name.removeprefix("no")) if one is None and not equals else None
        if dashed and off is not None and _type_of(off) is bool:
            self.given[off.name] = False
            return
        if not dashed and one is None and (bare := self._bare()):
            self.given[bare.name] = self._converted(bare, word)
            return
        if one is None or not (dashed or equals):
            what = f"has no flag --{name}" if dashed else f"cannot tell what '{word}' is for"
            raise FlagError("BW702", f"{self.kind.NAME} {what}.", **self._choose(name))
        if not dashed:
            self.hints.append(f"'{word}' lacks its two dashes: taken as --{word}.")
        if name not in self.by_name:
            self.hints.append(f"--{name} is spelled --{one.name}.")
        if one.metadata["unused"]:
            reason = one.metadata["unused"]
            self.hints.append(f"{self.kind.NAME} has no use for --{one.name}: {reason}.")
        if (content := self._value(one, value.strip(), stated=bool(equals))) is not None:
            self.given[one.name] = content

    def _bare(self) -> Field[Any] | None:
        """The flag that a word by itself is the value of, if one still waits for it."""
        waiting = (one for one in self.known.values() if one.metadata["bare"])
        return next((one for one in waiting if one.name not in self.given), None)

    def _find(self, name: str) -> Field[Any] | None:
        return self.by_name.get(MISSPELT.get(name, name))

    def _value(self, one: Field[Any], text: str, *, stated: bool) -> Any:
        """What follows the flag, in its type; None if it is empty, as good as not given."""
        if _type_of(one) is bool:
            if not stated and self.words and self.words[0].lower() in {"true", "false"}:
                text, stated = self.words.pop(0), True
            return self._truth(one, text) if stated else True
        if not text and self.words and not self.words[0].startswith("-"):
            text = self.words.pop(0).strip()
            if stated:
                self.hints.append(f"--{one.name}= has a blank before its value: taken without it.")
        elif not text and not stated:
            raise FlagError("BW704", f"--{one.name} has no value.", example=example(self.kind))
        if (nested := NESTED.fullmatch(text)) and self._find(nested[1]) is not None:
            self.hints.append(
                f"--{one.name} has another flag's name in its value, '{text}': "
                f"taken as --{one.name}={nested[2]}."
            )
            text = nested[2]
        return self._converted(one, text) if text else None

    def _converted(self, one: Field[Any], text: str) -> Any:
        choices = one.metadata["choices"]
        if text in MISSPELT_VALUES and text not in choices:
            self.hints.append(f"{text} is spelled {MISSPELT_VALUES[text]}.")
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
                f"--{one.name} is '{text}', which is neither true nor false.",
                wanted=f"--{one.name} or --no{one.name}",
            )
        return text.lower() in TRUE

    def _choose(self, name: str) -> dict[str, str]:
        names = [one.name for one in self.known.values()]
        near = closest_name(name, names)
        listed = ", ".join(f"--{each}" for each in names) or "none"
        return {"nearest": f"--{near}" if near else "", "choices": listed}

    def _canonical(self) -> Iterator[str]:
        """The words of the line as it should be."""
        for name, value in self.given.items():
            one = self.known[name]
            if isinstance(value, bool):
                yield f"--{name}" if value else f"--no{name}"
            elif one.metadata["bare"]:
                yield str(value)
            elif not one.metadata["unused"]:
                yield f"--{name}={value}"


def _type_of(one: Field[Any]) -> type:
    """The type of a flag's value: of `Path | None` it is Path."""
    return TYPES[str(one.type).removesuffix(" | None")]
