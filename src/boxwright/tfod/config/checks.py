"""Checks before training: the files that a config names exist and match it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from boxwright.errors import BoxwrightError, TfodError
from boxwright.formats.tfrecord.framing import HEAD, starts_record
from boxwright.io.compressed import compression
from boxwright.io.protobuf_text import Field, Message, quoted
from boxwright.structures.labels import read_label_map
from boxwright.tfod.config.fixes import PLACEHOLDER, Fix, sample_command
from boxwright.tfod.config.model import fixed_square, square_like
from boxwright.tfod.config.paths import (
    elsewhere,
    existing,
    folders_in,
    matching,
    of_zoo,
    weights,
)
from boxwright.tfod.config.pipeline import (
    CosineDecay,
    ExponentialDecay,
    InputReader,
    ManualSteps,
    Pipeline,
)
from boxwright.tfod.config.reading import Config, Problem, at
from boxwright.tfod.config.schema import ConfigMessage
from boxwright.tfod.config.values import BadValueError, converted

if TYPE_CHECKING:
    from boxwright.models.weights.published import Published

RATE = "train_config.optimizer.*.learning_rate"
RESIZER = "model.ssd.image_resizer.fixed_shape_resizer"
START = "train_config.fine_tune_checkpoint"
DEAD = {"BW726", "BW728"}  # codes of paths that lead nowhere
T = TypeVar("T")


@dataclass(frozen=True)
class Checked:
    """A checked config.

    Attributes:
        pipeline: its messages.
        classes: names of the label map by id, from 1; empty if no data is needed.
        train_records, eval_records: files of the two readers.
        checkpoint: what `fine_tune_checkpoint` names: a checkpoint's prefix, a .tflite file or a
            model of the zoo; None to train from scratch.
    """

    pipeline: Pipeline
    classes: dict[int, str] = field(default_factory=dict)
    train_records: tuple[Path, ...] = ()
    eval_records: tuple[Path, ...] = ()
    checkpoint: Path | Published | None = None


class Examined(NamedTuple):
    """The result of all checks. Without problems, `checked` can be used."""

    checked: Checked
    problems: list[Problem]


def checked(config: Config, *, train: bool = True, evaluate: bool = True) -> Checked:
    """Check that the config can be used to train, to evaluate, or else to export.

    Relative paths start in the current folder, as in the Object Detection API.

    Raises:
        TfodError: BW723 a part is missing, BW724 something is not supported, BW725 a path is still
            a placeholder, BW726 paths do not exist, BW727 num_classes does not match the label
            map, BW728 invalid checkpoint, BW729 invalid steps of the learning rate, BW730 a file
            contains no records.
        DataError: BW116 a label map cannot be used.
    """
    _ = config.pipeline  # raises what is not supported
    result, problems = check_all(config, train=train, evaluate=evaluate)
    if problems:
        raise _first(config, [problem.error for problem in problems])
    return result


def check_all(config: Config, *, train: bool = True, evaluate: bool = True) -> Examined:
    """Make all checks of `checked`, and return the problems that it would raise."""
    checks = _Checks(config)
    parts = ["train_config", "train_input_reader"] * train + ["eval_input_reader"] * evaluate
    return Examined(checks.run([part for part in parts if checks.has(part)]), checks.problems)


def _first(config: Config, errors: Sequence[BoxwrightError]) -> BoxwrightError:
    """Return the first error. If it is a path that leads nowhere, it names all such paths."""
    first = errors[0]
    others = [error for error in errors[1:] if error.code in DEAD]
    if first.code not in DEAD or not others:
        return first
    more = "".join(
        f" {(error.where or '').replace(f'{config.path}:', 'Line ')}: {error.message}"
        for error in others
    )
    return TfodError(first.code, f"{first.message}{more}", where=first.where, **first.facts)


class _Checks:
    """The checks of a config, and the problems that they have found."""

    def __init__(self, config: Config) -> None:
        self.config, self.problems = config, list[Problem]()

    def has(self, part: str) -> bool:
        if not self.config.tree.find(part):
            self._add(_missing(f"the config has no {part}", str(self.config.path)))
        return bool(self.config.tree.find(part))

    def run(self, parts: Sequence[str]) -> Checked:
        """Check the model, and parts that the config has."""
        config, pipeline = self.config, self.config.messages
        self._placeholders(parts)
        self._input_size()
        if "train_config" in parts:
            self._schedule()
        readers = {part: getattr(pipeline, part) for part in parts if part.endswith("reader")}
        classes = [self._classes(name, reader) for name, reader in readers.items()]
        records = {name: self._records(name, reader) for name, reader in readers.items()}
        start = None
        if "train_config" in parts and (given := config.tree.find(START)):
            start = self._path(given[-1], weights, None, self._checkpoint_instead)
        return Checked(
            pipeline=pipeline,
            classes=classes[0] if classes else {},
            train_records=records.get("train_input_reader", ()),
            eval_records=records.get("eval_input_reader", ()),
            checkpoint=start,
        )

    def _placeholders(self, parts: Sequence[str]) -> None:
        """Find placeholders in the required parts."""
        config = self.config
        left = [each for part in parts for each in _strings(config.tree.find(part)[:1]) if each[1]]
        if left:
            lines = ", ".join(f"{name} in line {line}" for name, line in left)
            message = f"found the placeholder {PLACEHOLDER}: {lines}."
            self._add(TfodError("BW725", message, where=at(config.path, left[0][1])))

    def _input_size(self) -> None:
        config, model = self.config, self.config.messages.model
        resizer = model and model.image_resizer
        if not resizer or not resizer.height or not resizer.width:
            return  # not supported or not readable, which is reported already
        given = config.tree.find(RESIZER)
        if resizer.height != resizer.width:
            near = fixed_square(square_like(resizer.height, resizer.width))
            self._add(
                TfodError(
                    "BW724",
                    f"an input size of {resizer.width} x {resizer.height} pixels is not supported: "
                    "the network's input is square.",
                    where=config.place(RESIZER),
                    wanted=f"{near}, which has about as many pixels,",
                    sample=sample_command(config.tree, config.path),
                ),
                Fix(given[0], near) if given else None,
            )
        multiple = model.feature_extractor and model.feature_extractor.pad_to_multiple
        if multiple and resizer.height % multiple:
            near = fixed_square(-(-resizer.height // multiple) * multiple)  # as the API pads it
            self._add(
                TfodError(
                    "BW724",
                    f"pad_to_multiple: {multiple} is not supported: inputs are not padded, and "
                    f"{resizer.height} pixels is not a multiple of it.",
                    where=config.place(RESIZER),
                    wanted=near,
                ),
                Fix(given[0], near) if given else None,
            )

    def _classes(self, name: str, reader: InputReader) -> dict[int, str]:
        """Return the label map of a reader. It must have as many classes as the model."""
        config = self.config
        given = self._in(name, "label_map_path")
        if not given or reader.label_map_path == "":
            self._add(_missing(f"{name} has no label_map_path", config.place(name)))
            return {}
        path = self._path(given[-1], existing, None, self._file_instead)
        nothing: dict[int, str] = {}
        classes = self._tried(partial(read_label_map, path), nothing) if path else nothing
        stated = config.messages.model and config.messages.model.num_classes
        highest = max(classes, default=stated)
        if stated and stated != highest:
            count = config.tree.find("model.ssd.num_classes")[-1]
            self._add(
                TfodError(
                    "BW727",
                    f"num_classes is {stated}, but the highest id in {path} is {highest} "
                    f"({_listed(classes)}).",
                    where=config.place("model.ssd.num_classes"),
                    highest=highest,
                ),
                Fix(count, f"num_classes: {highest}"),
            )
        return classes

    def _records(self, name: str, reader: InputReader) -> tuple[Path, ...]:
        """Return the files of a reader, with patterns expanded. Some shards may be empty."""
        config = self.config
        fields = self._in(name, "tf_record_input_reader.input_path")
        if not fields:
            message = f"{name} has no tf_record_input_reader {{ input_path }}"
            self._add(_missing(message, config.place(name)))
        files: list[Path] = []
        nothing: list[Path] = []
        for each in fields:
            found = self._path(each, matching, nothing, self._file_instead)
            files += self._tried(partial(_full, found, self._at(each)), nothing)
        return tuple(files)

    def _in(self, name: str, path: str) -> list[Field]:
        """Return the fields at a path in the first reader of that name."""
        readers = (each.value for each in self.config.tree.find(name))
        reader = next(readers, None)
        return reader.find(path) if isinstance(reader, Message) else []

    def _path(
        self,
        given: Field,
        find: Callable[[str, str], T],
        default: T,
        instead: Callable[[str], str],
    ) -> T:
        """Return what a path leads to; `default` if it leads nowhere, which is a problem."""
        text = _path_in(given)
        if not text or PLACEHOLDER in text:
            return default
        try:
            return find(text, self._at(given))
        except BoxwrightError as error:
            other = error.facts.get("prefixes", "") or instead(text)
            usable = other and " or " not in other
            fix = Fix(given, f"{given.name}: {quoted(other)}") if usable else None
            self._add(error, fix)
            return default

    def _file_instead(self, given: str) -> str:
        return elsewhere(given, self._folders)

    @cached_property
    def _folders(self) -> list[Path]:
        """The folders in which a lost file is looked for."""
        return [*folders_in(Path()), *folders_in(self.config.path.parent)]

    def _checkpoint_instead(self, given: str) -> str:
        return self._file_instead(given) or of_zoo(given)

    def _schedule(self) -> None:
        """Check that the steps of the learning rate are ascending and within limits."""
        optimizer = self.config.messages.train_config and (
            self.config.messages.train_config.optimizer
        )
        algorithm = optimizer and optimizer.algorithm
        if algorithm and _is_readable(algorithm.learning_rate):
            self._tried(partial(_check_rate, self.config, algorithm.learning_rate), None)

    def _tried(self, call: Callable[[], T], default: T) -> T:
        try:
            return call()
        except BoxwrightError as error:
            self._add(error)
            return default

    def _at(self, given: Field) -> str:
        return at(self.config.path, given.line)

    def _add(self, error: BoxwrightError, fix: Fix | None = None) -> None:
        """Add a problem, unless the other reader has the same."""
        if str(error) not in [str(problem.error) for problem in self.problems]:
            self.problems.append(Problem(error, fix))


def _missing(message: str, where: str) -> TfodError:
    return TfodError("BW723", f"{message}.", where=where)


def _is_readable(value: Any) -> bool:
    """True if no value in a message could not be read."""
    if isinstance(value, ConfigMessage):
        return all(map(_is_readable, vars(value).values()))
    return all(map(_is_readable, value)) if isinstance(value, tuple) else value is not None


def _path_in(given: Field) -> str:
    """Return the path in a field; empty if it is none."""
    try:
        return str(converted(given.value, str, is_path=True))
    except BadValueError:
        return ""


def _strings(fields: list[Field]) -> Iterator[tuple[str, int]]:
    """Yield field name and line of each value with a placeholder."""
    for each in fields:
        if isinstance(each.value, Message):
            yield from _strings(each.value.fields)
        elif PLACEHOLDER in each.value.text:
            yield each.name, each.line


def _listed(classes: dict[int, str]) -> str:
    first = [f"{number} {name}" for number, name in list(classes.items())[:3]]
    return ", ".join([*first, "..."] if len(classes) > len(first) else first)


def _full(paths: Sequence[Path], place: str) -> list[Path]:
    """Return the files that have records. Raises BW730 if none has."""
    full = [path for path in paths if _holds_records(path, place)]
    if paths and not full:
        raise _no_records(paths[0], place, "is empty")
    return full


def _holds_records(path: Path, place: str) -> bool:
    """Return True if the file has records, False if it is empty. Raises BW730 otherwise."""
    if path.is_dir():
        raise _no_records(
            path, place, "is a folder, not a file; use a pattern such as *.record in it"
        )
    with path.open("rb") as file:
        head = file.read(HEAD.size)
    if packed := compression(head):
        raise _no_records(path, place, f"is compressed ({packed})")
    if head and not starts_record(head):
        raise _no_records(path, place, "is not a TFRecord file")
    return bool(head)


def _no_records(path: Path, place: str, why: str) -> TfodError:
    return TfodError("BW730", f"found no records in {path.absolute()}: it {why}.", where=place)


def _check_rate(config: Config, rate: Any) -> None:
    """Check that the steps of a learning rate schedule are ascending and within limits."""
    match rate:
        case ExponentialDecay(decay_steps=0):
            raise _bad_steps(config, f"{RATE}.*.decay_steps", "decay_steps is 0")
        case ManualSteps(schedule=()):
            raise _bad_steps(config, f"{RATE}.*", "manual_step_learning_rate has no schedule")
        case ManualSteps():
            _check_ascending(config, rate)
        case CosineDecay() if rate.total_steps <= rate.warmup_steps + rate.hold_base_rate_steps:
            reason = (
                f"warmup_steps {rate.warmup_steps} and hold_base_rate_steps "
                f"{rate.hold_base_rate_steps} take all of total_steps {rate.total_steps}"
            )
            raise _bad_steps(config, f"{RATE}.*.total_steps", reason)
        case CosineDecay() if rate.learning_rate_base < rate.warmup_learning_rate:
            reason = "learning_rate_base is below warmup_learning_rate"
            raise _bad_steps(config, f"{RATE}.*.learning_rate_base", reason)


def _check_ascending(config: Config, rate: ManualSteps) -> None:
    before = 0
    entries = config.tree.find(f"{RATE}.*.schedule")
    for entry, each in zip(entries, rate.schedule, strict=True):
        if each.step > before:
            before = each.step
            continue
        inner = entry.value.named("step") if isinstance(entry.value, Message) else []
        reason = f"step {each.step} comes after step {before}"
        if each.step == 0:
            reason = "a step of the schedule is 0; initial_learning_rate already starts at step 0"
        raise _bad_steps(config, "", reason, (inner or [entry])[0].line)


def _bad_steps(config: Config, path: str, reason: str, line: int | None = None) -> TfodError:
    return TfodError(
        "BW729",
        f"invalid steps of the learning rate: {reason}.",
        where=config.place(path) if line is None else at(config.path, line),
    )
