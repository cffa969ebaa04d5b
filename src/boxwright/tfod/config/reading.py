"""Read a pipeline.config as typed messages, and report ignored and unsupported fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import MISSING, dataclass, replace
from pathlib import Path
from typing import Any

from boxwright.errors import BoxwrightError, TfodError
from boxwright.io.protobuf_text import (
    Field,
    Message,
    TextFormatError,
    Value,
    parse,
    write,
)
from boxwright.structures.labels import closest_name
from boxwright.tfod.config.fixes import (
    Fix,
    fix_of_value,
    nearest_value,
    needs_nothing,
    sample_command,
    shown,
    written,
)
from boxwright.tfod.config.overriding import overridden
from boxwright.tfod.config.pipeline import Pipeline
from boxwright.tfod.config.schema import ConfigMessage, Instead, Spec, schema
from boxwright.tfod.config.values import BadValueError, converted, is_literal_path

# Where the nearest sample helps: another network, or a part that has no twin.
BY_SAMPLE = re.compile(
    r"model\.(?!ssd\.)|model\.ssd\.(feature_extractor\.type\b|image_resizer\.)"
    r"|train_config\.data_augmentation_options\."
)


@dataclass(frozen=True)
class Note:
    """A remark on a line of a config.

    Attributes:
        line: the line.
        text: the remark.
        stops: the config cannot be used.
        fix: the nearest thing to write, if it is known.
    """

    line: int
    text: str
    stops: bool = False
    fix: Fix | None = None

    @property
    def by_sample(self) -> bool:
        """True if the nearest sample helps."""
        return self.stops and bool(BY_SAMPLE.match(self.text))


@dataclass(frozen=True)
class Problem:
    """What is wrong with a config, with the nearest thing to write if it is known."""

    error: BoxwrightError
    fix: Fix | None = None


@dataclass(frozen=True)
class Config:
    """A parsed pipeline.config.

    Attributes:
        path: the file, or a name for it in errors.
        tree: the syntax tree, to write it back.
        notes: remarks on its lines, in line order.
        messages: the typed messages; None for unsupported ones.
    """

    path: Path
    tree: Message
    notes: tuple[Note, ...]
    messages: Pipeline

    @property
    def pipeline(self) -> Pipeline:
        """The typed messages, if everything in them is supported.

        Raises:
            TfodError: BW724 something is not supported; the message lists everything.
        """
        stopping = [note for note in self.notes if note.stops]
        if not stopping:
            return self.messages
        first, *others = stopping
        more = "".join(f" Line {note.line}: {note.text}." for note in others)
        by_sample = any(note.by_sample for note in stopping)
        raise TfodError(
            "BW724",
            f"{first.text}.{more}",
            where=at(self.path, first.line),
            sample=sample_command(self.tree, self.path) if by_sample else None,
        )

    def place(self, path: str) -> str:
        """Return file and line of the first field at a dotted path; only the file if none."""
        found = self.tree.find(path)
        return at(self.path, found[0].line) if found else str(self.path)


def read_config(path: str | Path, override: str = "") -> Config:
    """Read a pipeline.config.

    Args:
        path: the file.
        override: text in the same language; its fields replace those of the file.

    Raises:
        TfodError: BW721 it cannot be read, BW722 a field does not accept its value, BW723
            something is missing, BW733 two fields exclude each other.
    """
    return parse_config(text_of(Path(path)), path, override)


def parse_config(text: str, where: str | Path = "pipeline.config", override: str = "") -> Config:
    """Read the text of a pipeline.config; see `read_config`."""
    config, problems = examined(text, where, override)
    if problems:
        raise problems[0].error
    return config


def text_of(path: Path) -> str:
    """Return the text of a file.

    Raises:
        TfodError: BW721 it cannot be read.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise _unreadable(path.absolute(), f"{error.strerror}") from error
    except UnicodeDecodeError as error:
        raise _unreadable(path.absolute(), "it is not UTF-8 text") from error


def examined(
    text: str, where: str | Path = "pipeline.config", override: str = ""
) -> tuple[Config, list[Problem]]:
    """Read a text, and return what `parse_config` would raise: values that cannot be read are None
    in the messages.

    Raises:
        TfodError: BW721 it is not the text of a config.
    """
    path = Path(where)
    tree = overridden(_parsed(text, path), _parsed(override, "the config's override"))
    reader = _Reader(path)
    messages: Pipeline = reader.message(Pipeline, tree, "", 1)
    notes = sorted(reader.notes, key=lambda note: note.line)
    return Config(path, tree, tuple(notes), messages), reader.problems


def report(config: Config) -> list[str]:
    """Return a line for each ignored, unknown or unsupported field."""
    return [f"{at(config.path, note.line)}: {note.text}." for note in config.notes]


def at(path: Path, line: int) -> str:
    """Return the location of a line, for errors. Line 0 means an override."""
    return f"{path}:{line}" if line else f"{path}, as overridden"


def _parsed(text: str, where: str | Path) -> Message:
    try:
        return parse(text, "config")
    except TextFormatError as error:
        raise _unreadable(f"{where}:{error.line}", error.reason) from error


def _unreadable(where: str | Path, reason: str) -> TfodError:
    return TfodError("BW721", f"the pipeline.config cannot be read: {reason}.", where=where)


class _Reader:
    """Converts a syntax tree to the declared messages."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[Note] = []
        self.problems: list[Problem] = []

    def message(self, kind: Any, tree: Message, path: str, line: int) -> Any:
        """Convert a tree at `path` and `line` to a message of this kind."""
        specs = schema(kind)
        given: dict[str, list[Field]] = {spec.attribute: [] for spec in specs.values()}
        for field in tree.fields:
            if field.name in specs:
                given[specs[field.name].attribute].append(field)
            else:
                self._unknown(field, path, specs)
        for spec in specs.values():
            beside = spec.rule.beside
            if beside and given[spec.attribute] and not given[beside]:
                line = given[spec.attribute][0].line
                self._missing(f"{path} has {spec.attribute}, but no {beside}", line)
        values = {
            spec.attribute: self._attribute(spec, given[spec.attribute], path, line, tree)
            for spec in {each.attribute: each for each in specs.values()}.values()
        }
        return kind(**values)

    def _attribute(
        self, spec: Spec, given: Sequence[Field], path: str, line: int, tree: Message
    ) -> Any:
        if not given:
            return self._absent(spec, path, line, tree)
        if spec.rule.first:
            for field in given[1:]:
                self._note(field.line, f"{field.name} is ignored: {spec.rule.reason}")
            given = given[:1]
        if len(given) > 1 and not spec.repeated:
            first, second = given[:2]
            text = f"'{second.name}' conflicts with '{first.name}' of line {first.line}"
            self._twice(f"{text}: only one of them may be given", second.line, first)
        if spec.rule.count not in {0, len(given)}:
            self._fault(
                TfodError(
                    "BW722",
                    f"{_join(path, spec.attribute)} has {len(given)} of {spec.rule.count} values.",
                    where=at(self.path, given[0].line),
                    wanted=f"{spec.rule.count} values, or none for the default",
                )
            )
        values = [self._given(spec, field, path) for field in given]
        return tuple(values) if spec.repeated else values[0]

    def _absent(self, spec: Spec, path: str, line: int, tree: Message) -> Any:
        where = path or "the config"
        if spec.default is MISSING:
            names = spec.rule.choices if spec.rule.inline and spec.rule.choices else ()
            missing = " or ".join(names) or spec.attribute
            self._missing(f"{where} has no {missing}", line)
            return None
        works = spec.rule.works
        if works and not isinstance(spec.default, tuple) and spec.default not in works:
            self._note(
                line,
                f"{where} has no {spec.attribute}, and the default {shown(spec.default)} is not "
                f"supported: {spec.rule.reason}",
                stops=True,
                fix=Fix(tree, f"{spec.attribute}: {written(spec, works[0])}"),
            )
        return spec.default

    def _given(self, spec: Spec, field: Field, path: str) -> Any:
        """Return the value of one field."""
        path, rule = _join(path, field.name), spec.rule
        if rule.refused:
            text = f"{path} is not supported: {rule.reason}"
            self._note(field.line, text, stops=True, fix=Fix(field, ""))
            return None
        if rule.choices is not None and rule.inline:
            return self._alternative(spec, field, path)
        if rule.choices is not None:
            return self._chosen(spec, field, path)
        value = self._converted(spec, field, path)
        if rule.unused:
            self._note(field.line, f"{_says(path, field)} is ignored: {rule.reason}")
        elif rule.ignored and value in rule.ignored:
            self._note(field.line, f"{_says(path, field)} is ignored: {rule.ignored[value]}")
        elif rule.works and value is not None and value not in rule.works:
            text = f"{_says(path, field)} is not supported: {rule.reason}"
            self._note(field.line, text, stops=True, fix=Fix(field, nearest_value(spec, value)))
        return value

    def _chosen(self, spec: Spec, field: Field, path: str) -> Any:
        """Return the one message of a `one_of`."""
        names = spec.rule.choices or {}
        alternatives = self._fields_of(field, path)
        known = [each for each in alternatives if each.name in names]
        if len(known) > 1:
            both = f"'{known[0].name}' and '{known[1].name}'"
            self._twice(f"{path} contains both {both}", known[1].line, known[0])
        for each in alternatives:
            if each.name not in names:
                self._unknown(each, path, names, stops=not known)
        if not alternatives:
            missing = "none of " + ", ".join(names)
            self._missing(f"{path} contains {missing}", field.line)
        if not known:
            return None
        return self._alternative(spec, known[0], _join(path, known[0].name), field)

    def _alternative(self, spec: Spec, field: Field, path: str, outer: Field | None = None) -> Any:
        kind = (spec.rule.choices or {})[field.name]
        if isinstance(kind, str):
            self._refused(spec, field, path, outer or field, kind)
            return None
        if kind.remark:
            self._note(field.line, f"{path} {kind.remark}")
        self._fields_of(field, path)
        return self.message(kind, _message(field), path, field.line)

    def _refused(self, spec: Spec, field: Field, path: str, outer: Field, reason: str) -> None:
        """Note an alternative in a field `outer` that is not supported, with the nearest that
        is."""
        choices = (spec.rule.choices or {}).items()
        if isinstance(reason, Instead):
            made = reason.nearest
            near: str | None = made if isinstance(made, str) else made(_message(field))
        else:
            usable = (name for name, kind in choices if needs_nothing(kind))
            near = next((f"{name} {{ }}" for name in usable), None)
        hint = "" if near is None else f"; the nearest is {near}" if near else "; leave it out"
        fix = None if near is None else Fix(field, near) if near else Fix(outer, "")
        text = f"{path} is not supported: {reason}{hint}"
        self._note(field.line, text, stops=True, fix=fix)

    def _converted(self, spec: Spec, field: Field, path: str) -> Any:
        kind = spec.single
        if isinstance(kind, type) and issubclass(kind, ConfigMessage):
            self._fields_of(field, path)
            return self.message(kind, _message(field), path, field.line)
        try:
            value = converted(field.value, kind, is_path=spec.rule.is_path)
        except BadValueError as error:
            self._fault(
                TfodError(
                    "BW722",
                    f"{path} {error.reason}.",
                    where=at(self.path, field.line),
                    wanted=error.wanted,
                    nearest=error.nearest,
                ),
                fix_of_value(spec, field, error),
            )
            return None
        if spec.rule.is_path and is_literal_path(field.value):
            self._note(
                field.line,
                f"{path} has backslashes, read literally here but as escapes by the Object "
                "Detection API: use / instead",
            )
        return value

    def _fields_of(self, field: Field, path: str) -> list[Field]:
        if isinstance(field.value, Message):
            return field.value.fields
        self._fault(
            TfodError(
                "BW722",
                f"{path} is {field.value.text!r}, not fields between {{ and }}.",
                where=at(self.path, field.line),
                wanted=f"{field.name} {{ ... }}",
            )
        )
        return []

    def _unknown(
        self, field: Field, path: str, known: Iterable[str], *, stops: bool = False
    ) -> None:
        near = closest_name(field.name, known)
        similar = f"; the nearest field is '{near}'" if near else ""
        text = f"unknown field '{field.name}' of {path or 'a config'}{similar}"
        renamed = write(Message((replace(field, name=near),))) if near else ""
        fix = Fix(field, renamed) if renamed else None
        self._note(field.line, text, stops=stops or bool(near), fix=fix)

    def _note(self, line: int, text: str, *, stops: bool = False, fix: Fix | None = None) -> None:
        self.notes.append(Note(line, text, stops, fix))

    def _missing(self, message: str, line: int) -> None:
        self._fault(TfodError("BW723", f"{message}.", where=at(self.path, line)))

    def _twice(self, message: str, line: int, first: Field) -> None:
        """Note two of which one is allowed; the API takes the last."""
        error = TfodError("BW733", f"{message}.", where=at(self.path, line))
        self._fault(error, Fix(first, ""))

    def _fault(self, error: TfodError, fix: Fix | None = None) -> None:
        self.problems.append(Problem(error, fix))


def _message(field: Field) -> Message:
    return field.value if isinstance(field.value, Message) else Message()


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _says(path: str, field: Field) -> str:
    value = field.value
    return f"{path}: {value.source or value.text}" if isinstance(value, Value) else path
