"""What a report was asked for, and the command that asks for the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.evaluation_set import evaluation_data, images_of_split, validation_images
from boxwright.datasets.source import known_paths
from boxwright.datasets.stats import PRETRAINED_SIZE
from boxwright.errors import ArgumentError
from boxwright.evaluation.measuring import Source, foreign
from boxwright.formats import ReadOptions
from boxwright.inference.class_names import read_names
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.io.shell import quoted
from boxwright.report.facts import FORMAT
from boxwright.report.html import check_pair
from boxwright.structures.dataset import Dataset

Labels = str | Path | Sequence[str]
VAL, TEST = "val", "test"
READ_OPTIONS = {
    "form": "--format",
    "unlabeled": "--unlabelled",
    "units": "--units",
    "max_pixels": "--max-pixels",
}


class Subject(NamedTuple):
    """Where detections are from, what is known about their detector, and labeled images of all
    splits."""

    source: Source
    provenance: Mapping[str, Any]
    dataset: Dataset

    @property
    def input_size(self) -> int:
        """Side of the detector's input in pixels; a usual one if there is no detector."""
        if isinstance(self.source, Detector):
            return self.source.artifact.preprocessing.size
        return PRETRAINED_SIZE


@dataclass(frozen=True)
class Request:
    """The arguments of `report`; see there."""

    detector: str | PathLike[str] | Detector
    data: Dataset | tuple[Path, ...]
    out: Path | None
    asked_split: str | None
    detections: Path | None
    choice: ClassChoice
    options: ReadOptions | None
    labels: Labels | None
    slices: Path | None
    trust: bool

    @property
    def path(self) -> Path | None:
        """The run, the exported file, or the file of detections; None for a loaded detector."""
        if self.detections is not None:
            return self.detections
        return None if isinstance(self.detector, Detector) else Path(self.detector)

    @property
    def name(self) -> str:
        return self.path.absolute().name if self.path else "detector"

    @property
    def paths(self) -> tuple[Path, ...]:
        """The paths of the data that was named."""
        given = () if isinstance(self.data, Dataset) else self.data
        if self.detections is None or isinstance(self.detector, Detector):
            return given
        return Path(self.detector), *given

    @property
    def split(self) -> str:
        """The split to measure; without data that of the validation images.

        Raises:
            ArgumentError: BW802 test images without data.
        """
        named = bool(self.paths) or isinstance(self.data, Dataset)
        split = self.asked_split or (TEST if named else VAL)
        if not named and split != VAL:
            raise ArgumentError(
                "BW802", f"{split} images are reported only with data: boxwright report MODEL DATA."
            )
        return split

    def target(self) -> Path:
        """The page to write.

        Raises:
            ArgumentError: BW804 it, or the JSON beside it, would replace another file.
        """
        in_run = self.path is not None and Run(self.path).exists()
        usual = Run(self.path).report if self.path and in_run else Path("report.html")
        target = self.out or usual
        check_pair(target, FORMAT)
        return target

    def subject(self) -> Subject:
        """Load detector and data.

        Raises:
            ArgumentError: BW802 there is no data.
            DataError, DetectorError, EvaluationError: as `evaluate`.
        """
        names = self.labels
        if isinstance(names, str | Path):
            names = read_names(Path(names))
        if self.detections is not None:
            if isinstance(self.detector, Detector) or isinstance(self.data, Dataset):
                raise ArgumentError("BW802", "with a file of detections, give the data's paths.")
            dataset = evaluation_data({}, self.paths, self.choice, self.options)
            source = foreign(self.detections, dataset, self.paths, names or ())
            return Subject(source, {}, dataset)
        opened = (
            self.detector
            if isinstance(self.detector, Detector)
            else Detector.load(Path(self.detector), classes=names, trust=self.trust)
        )
        provenance = opened.artifact.provenance
        dataset = evaluation_data(provenance, self.data, self.choice, self.options)
        return Subject(opened, provenance, dataset)

    def images(self, subject: Subject) -> Dataset:
        """The images to measure. Only a run's own validation images may be none.

        Raises:
            DataError: BW193 the split is empty.
        """
        if self.split == VAL and not self.paths:
            return validation_images(subject.provenance, subject.dataset)
        return images_of_split(subject.dataset, self.split)

    def command(self) -> str:
        """The command that writes the report again; empty for a loaded detector."""
        if self.path is None:
            return ""
        named = [] if self.detections else [self.path]
        words: list[str | Path] = [*named, *self.paths]
        words += ["--detections", self.detections] if self.detections else []
        words += ["--split", self.split] if self.split != (TEST if self.paths else VAL) else []
        words += ["--slices", self.slices] if self.slices else []
        if not isinstance(self.data, Dataset):  # whose classes are chosen already
            words += ["--classes", ",".join(self.choice.classes)] if self.choice.classes else []
            words += [word for name in self.choice.exclude for word in ("--exclude-class", name)]
            renamed = [f"{old}={new}" for old, new in self.choice.rename.items()]
            words += [word for pair in renamed for word in ("--rename", pair)]
        known = self.options.to_json() if self.options else {}
        for key, option in READ_OPTIONS.items():
            words += [option, known[key]] if key in known else []
        words += ["--labels", self.labels] if isinstance(self.labels, str | Path) else []
        words += ["--trust"] if self.trust else []
        words += ["--out", self.out] if self.out else []
        return _command("boxwright report", words)

    def next_step(self, subject: Subject) -> tuple[str, str] | tuple[()]:
        """What to do to measure on test images, and its command; empty if these are some."""
        if self.split != VAL or self.path is None:
            return ()
        data = known_paths(subject.provenance) or (Path("DATA"),)
        if len(subject.dataset.split(TEST)):
            said = "Measure on test images, which decided nothing:"
            return said, _command("boxwright report", [self.path, *data])
        said = "There are no test images. Set some aside, and train again:"
        return said, _command("boxwright split", [*data, "--anew"])


def _command(verb: str, words: Sequence[str | Path]) -> str:
    return " ".join([verb, *(quoted(word) for word in words)])
