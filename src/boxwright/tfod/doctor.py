"""Examine a pipeline.config and all that it names in one go, and write a corrected copy."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from boxwright.errors import BoxwrightError, TfodError
from boxwright.io.files import write_text
from boxwright.io.protobuf_text import TYPOGRAPHIC, write
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import counted, summary
from boxwright.tfod.commands import Say, main
from boxwright.tfod.config import Checked, Config, Problem, check_all, corrected, examined, text_of
from boxwright.tfod.config.fixes import Fix, sample_command
from boxwright.tfod.config.reading import at
from boxwright.tfod.flags import flag
from boxwright.tfod.readers import READERS, read_images

PLAIN = "# typographic quotation marks were replaced"
KEYBOARD = str.maketrans(dict.fromkeys(TYPOGRAPHIC, '"') | {"\u2018": "'", "\u2019": "'"})


@dataclass(frozen=True, kw_only=True)
class Flags:
    """List all that is wrong with a pipeline.config, its records, label map, checkpoint and paths.

    A corrected copy is written beside it, with the nearest thing that works.
    """

    NAME = "doctor"
    EXAMPLE = "pipeline.config"

    pipeline_config_path: Path = flag("Path of the pipeline.config.", bare=True)


class Report(NamedTuple):
    """What an examination has found: the config, what to mend, and remarks."""

    config: Config
    problems: list[Problem]
    remarks: list[str]


def run(flags: Flags, say: Say) -> None:
    """Print the report and write PATH.corrected.config.

    Raises:
        TfodError: BW721 the config cannot be read, BW740 it has problems.
    """
    path = flags.pipeline_config_path
    text = text_of(path)
    before = _report(text, path)
    for problem in before.problems:
        say(_line(problem))
    for remark in before.remarks:
        say(remark)
    if not before.problems:
        say(f"{path}: nothing is wrong. Train: boxwright tfod model_main "
            f"--pipeline_config_path={path} --model_dir=training")  # fmt: skip
        return
    fixes = [problem.fix for problem in before.problems if problem.fix]
    target = path.with_suffix(f".corrected{path.suffix}") if fixes else None
    left = before.problems
    if target:
        content = write(corrected(before.config.tree, fixes))
        write_text(target, content)
        left = _report(content, target).problems
        say(f"{target}: {counted(len(fixes), 'correction')}, "
            f"{counted(len(left), 'problem')} left")  # fmt: skip
        for problem in left:
            say(f"  {_line(problem)}")
    raise TfodError(
        "BW740",
        f"has {counted(len(before.problems), 'problem')}.",
        where=path,
        corrected=target,
    )


def _report(text: str, path: Path) -> Report:
    """Examine a text, and if it can be read, the files that it names."""
    try:
        config, problems = examined(text, path)
    except TfodError as error:
        plain = text.translate(KEYBOARD)
        if plain == text:
            raise
        config, problems = examined(plain, path)
        problems.insert(0, Problem(error, Fix(config.tree, PLAIN)))  # the tree is the plain text's
    for note in config.notes:
        if note.stops:
            where = at(config.path, note.line)
            problems.append(Problem(TfodError("BW724", f"{note.text}.", where=where), note.fix))
    usable = not problems
    checked, more = check_all(config)
    problems += more
    if usable:
        problems += _of_network(config)
    remarks = list[str]()
    try:
        images = _images(checked)
    except BoxwrightError as error:
        problems.append(Problem(error))
    else:
        remarks += _remarks(config, checked, images)
    if any(note.by_sample for note in config.notes):
        remarks.append(f"the nearest sample with your paths: {sample_command(config.tree, path)}")
    if not problems:
        try:
            remarks += _start(config, checked)
        except BoxwrightError as error:
            problems.append(Problem(error))
    return Report(config, sorted(problems, key=_position), remarks)


def _of_network(config: Config) -> Iterator[Problem]:
    """Find parts of a readable config that do not fit together to a network."""
    from boxwright.tfod.mapping.network import spec_of  # takes seconds: Keras

    try:
        spec_of(config)
    except BoxwrightError as error:
        yield Problem(error)


def _line(problem: Problem) -> str:
    """Return a problem as a line, with the correction."""
    error, fix = problem.error, problem.fix
    place = f"{error.where}: " if error.where else ""
    written = "" if fix is None else f" -> {fix.text.strip() or 'left out'}".splitlines()[0]
    return f"{error.code} {place}{error.message}{written}"


def _position(problem: Problem) -> int:
    """Return the line of a problem; 0 if it is of a whole file."""
    line = (problem.error.where or "").rpartition(":")[2]
    return int(line) if line.isdecimal() else 0


def _images(checked: Checked) -> dict[Split, Dataset]:
    """Return the images of the readers whose files are there."""
    files = {Split.TRAIN: checked.train_records, Split.VAL: checked.eval_records}
    return {
        split: read_images(checked, [split]) for split in files if checked.classes and files[split]
    }


def _remarks(config: Config, checked: Checked, images: dict[Split, Dataset]) -> Iterator[str]:
    """Say what the records hold, and what is odd about them."""
    for split, dataset in images.items():
        boxes = counted(len(dataset.boxes), "box", "boxes")
        yield f"{READERS[split]}: {counted(len(dataset), 'image')}, {boxes}"
        yield from summary(dataset.findings)
    train = images.get(Split.TRAIN)
    if train is None:
        return
    if {*checked.train_records} & {*checked.eval_records}:
        yield "both readers read the same records: the metrics are those of images trained on"
    used = {train.classes[label] for label in train.labels.tolist()}
    if idle := [name for name in train.classes if name not in used]:
        yield f"no box to train on has the class {', '.join(idle)}"
    batch = config.messages.train_config.batch_size
    if batch and batch > len(train):
        yield f"batch_size is {batch}, but there are {counted(len(train), 'image')} to train on"


def _start(config: Config, checked: Checked) -> Iterator[str]:
    """Say how much of the checkpoint fits the network.

    Raises:
        WeightsError: BW202 nothing does.
    """
    if not isinstance(checked.checkpoint, Path):
        yield (
            "fine_tune_checkpoint: none; the training starts from scratch, which takes much longer"
            if checked.checkpoint is None
            else f"fine_tune_checkpoint: {checked.checkpoint.name} of the zoo"
        )
        return
    from boxwright.tfod.mapping.start import fitting

    yield f"fine_tune_checkpoint: {fitting(config, checked.checkpoint)}"


if __name__ == "__main__":
    main(Flags.NAME)
