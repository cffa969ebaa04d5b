"""Checks before training: the files that a config names exist and match it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from boxwright.errors import TfodError
from boxwright.formats.tfrecord.framing import HEAD, starts_record
from boxwright.io.compressed import compression
from boxwright.io.protobuf_text import Field, Message
from boxwright.structures.labels import read_label_map
from boxwright.tfod.config.paths import checkpoint, existing, matching
from boxwright.tfod.config.pipeline import (
    CosineDecay,
    ExponentialDecay,
    InputReader,
    ManualSteps,
    Pipeline,
)
from boxwright.tfod.config.reading import Config, at

PLACEHOLDER = "PATH_TO_BE_CONFIGURED"
RATE = "train_config.optimizer.*.learning_rate"


@dataclass(frozen=True)
class Checked:
    """A checked config.

    Attributes:
        pipeline: its messages.
        classes: names of the label map by id, from 1; empty if no data is needed.
        train_records, eval_records: files of the two readers.
        checkpoint: prefix of the files of `fine_tune_checkpoint`; None to train from scratch.
    """

    pipeline: Pipeline
    classes: dict[int, str] = field(default_factory=dict)
    train_records: tuple[Path, ...] = ()
    eval_records: tuple[Path, ...] = ()
    checkpoint: Path | None = None


def checked(config: Config, *, train: bool = True, evaluate: bool = True) -> Checked:
    """Check that the config can be used to train, to evaluate, or else to export.

    Relative paths start in the current folder, as in the Object Detection API.

    Raises:
        TfodError: BW723 a part is missing, BW724 something is not supported, BW725 a path is still
            a placeholder, BW726 a path does not exist, BW727 num_classes does not match the label
            map, BW728 invalid checkpoint, BW729 invalid steps of the learning rate, BW730 a file
            contains no records.
        DataError: BW116 a label map cannot be used.
    """
    pipeline = config.pipeline
    parts = ["train_config", "train_input_reader"] * train + ["eval_input_reader"] * evaluate
    for part in parts:
        if not config.tree.find(part):
            raise _missing(config, f"the config has no {part}", str(config.path))
    _filled_in(config, parts)
    _check_square(config)
    if train:
        _check_schedule(config)
    readers = {"train_input_reader": pipeline.train_input_reader} if train else {}
    readers |= {"eval_input_reader": pipeline.eval_input_reader} if evaluate else {}
    classes = [_classes(config, name, reader) for name, reader in readers.items()]
    records = {name: _records(config, name, reader) for name, reader in readers.items()}
    start = pipeline.train_config.fine_tune_checkpoint if train else ""
    place = config.place("train_config.fine_tune_checkpoint")
    return Checked(
        pipeline=pipeline,
        classes=classes[0] if classes else {},
        train_records=records.get("train_input_reader", ()),
        eval_records=records.get("eval_input_reader", ()),
        checkpoint=checkpoint(start, place) if start else None,
    )


def _missing(config: Config, message: str, where: str) -> TfodError:
    return TfodError("BW723", f"{message}.", where=where)


def _filled_in(config: Config, parts: list[str]) -> None:
    """Check that the required parts contain no placeholder."""
    left = [each for part in parts for each in _strings(config.tree.find(part)) if each[1]]
    if left:
        lines = ", ".join(f"{name} in line {line}" for name, line in left)
        raise TfodError(
            "BW725",
            f"found the placeholder {PLACEHOLDER}: {lines}.",
            where=at(config.path, left[0][1]),
        )


def _check_square(config: Config) -> None:
    resizer = config.pipeline.model.image_resizer
    if resizer.height != resizer.width:
        raise TfodError(
            "BW724",
            f"an input size of {resizer.width} x {resizer.height} pixels is not supported: the "
            "network's input is square.",
            where=config.place("model.ssd.image_resizer.fixed_shape_resizer"),
        )
    multiple = config.pipeline.model.feature_extractor.pad_to_multiple
    if resizer.height % multiple:
        raise TfodError(
            "BW724",
            f"pad_to_multiple: {multiple} is not supported: inputs are not padded, and "
            f"{resizer.height} pixels is not a multiple of it.",
            where=config.place("model.ssd.feature_extractor.pad_to_multiple"),
        )


def _strings(fields: list[Field]) -> Iterator[tuple[str, int]]:
    """Yield field name and line of each value with a placeholder."""
    for each in fields:
        if isinstance(each.value, Message):
            yield from _strings(each.value.fields)
        elif PLACEHOLDER in each.value.text:
            yield each.name, each.line


def _classes(config: Config, name: str, reader: InputReader) -> dict[int, str]:
    """Return the label map of a reader. It must have as many classes as the model."""
    place = config.place(f"{name}.label_map_path")
    if not reader.label_map_path:
        raise _missing(config, f"{name} has no label_map_path", config.place(name))
    path = existing(reader.label_map_path, place)
    classes = read_label_map(path)
    stated, highest = config.pipeline.model.num_classes, max(classes)
    if stated != highest:
        raise TfodError(
            "BW727",
            f"num_classes is {stated}, but the highest id in {path} is {highest} "
            f"({_listed(classes)}).",
            where=config.place("model.ssd.num_classes"),
            highest=highest,
        )
    return classes


def _listed(classes: dict[int, str]) -> str:
    first = [f"{number} {name}" for number, name in list(classes.items())[:3]]
    return ", ".join([*first, "..."] if len(classes) > len(first) else first)


def _records(config: Config, name: str, reader: InputReader) -> tuple[Path, ...]:
    """Return the files of a reader, with patterns expanded. Some shards may be empty."""
    fields = config.tree.find(f"{name}.tf_record_input_reader.input_path")
    if not fields:
        raise _missing(
            config, f"{name} has no tf_record_input_reader {{ input_path }}", config.place(name)
        )
    files: list[Path] = []
    for given, each in zip(reader.tf_record_input_reader.input_path, fields, strict=True):
        place = at(config.path, each.line)
        found = matching(given, place)
        full = [path for path in found if _holds_records(path, place)]
        if not full:
            raise _no_records(found[0], place, "is empty")
        files += full
    return tuple(files)


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


def _check_schedule(config: Config) -> None:
    """Check that the steps of the learning rate schedule are ascending and within limits."""
    rate = config.pipeline.train_config.optimizer.algorithm.learning_rate
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
