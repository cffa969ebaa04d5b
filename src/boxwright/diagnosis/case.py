"""The detector that is diagnosed, the images it is held against, and what several rungs need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.source import source_of
from boxwright.diagnosis.agreement import Agreement, finite, nameless, unnamed
from boxwright.errors import DetectorError
from boxwright.evaluation.matching import gather, match
from boxwright.evaluation.outcomes import Outcomes
from boxwright.inference.detector import Detector
from boxwright.inference.run import Run
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections

if TYPE_CHECKING:
    from boxwright.training.recipe import Recipe

IMAGES = 64  # that are detected in: AP50 is then known to about a tenth
PIXELS = 160  # whose pixels are compared with labels


@dataclass(frozen=True, eq=False)
class Case:
    """What is diagnosed.

    Attributes:
        path: the run or file.
        detector: it, loaded.
        data: all labeled images that it is held against.
        rows: those of them that it is run on: test images, if there are any, evenly spread.
        own: all images that a run records; None for a file, or if they are gone.
        unknown: why there are none.
    """

    path: Path
    detector: Detector
    data: Dataset
    rows: NDArray[np.int64]
    own: Dataset | None = None
    unknown: str = ""

    @classmethod
    def of(cls, path: Path, detector: Detector, data: Dataset | None) -> Case:
        """A case with other data than the run's own, or with that.

        Raises:
            DataError: as `datasets.load.load`.
        """
        own, unknown = None, "a file has no training images"
        if Run(path).exists():
            source = source_of(detector.artifact.provenance)
            gone = [each for each in source.paths if not each.exists()] if source else []
            unknown = f"the training images are no longer at {gone[0]}" if gone else ""
            unknown = unknown if source else "the run does not record its training images"
            if source and not gone:
                own = source.load(strict=False)
        if data is None:
            data = Dataset.of(path, [], detector.classes) if own is None else own
        return cls(path, detector, data, _chosen(data), own, unknown)

    @cached_property
    def training(self) -> Dataset | None:
        """The images that a run was trained on; None for a file, or if they are gone."""
        return None if self.own is None else self.own.split(Split.TRAIN)

    @property
    def run(self) -> Run | None:
        """The run folder, if it is one."""
        run = Run(self.path)
        return run if run.exists() else None

    @cached_property
    def recipe(self) -> Recipe | None:
        """The recipe of a run."""
        from boxwright.training.recipe import Recipe

        value = self.detector.artifact.provenance.get("recipe")
        return Recipe.from_json(value) if self.run and isinstance(value, dict) else None

    @cached_property
    def images(self) -> Dataset:
        """The labeled images that it is run on."""
        return self.data.select(self.rows)

    @cached_property
    def _ran(self) -> tuple[list[Detections], DetectorError | None]:
        try:
            return [*map(finite, self.detector.detections_in(self.images))], None
        except DetectorError as error:
            nothing = np.zeros(0, np.float32)
            none = Detections(nothing, nothing, nothing.astype(np.int32), self.detector.classes)
            return [none] * len(self.images), error

    @property
    def found(self) -> list[Detections]:
        """All detections in each of `images`; none if the detector cannot be run."""
        return self._ran[0]

    @property
    def failure(self) -> DetectorError | None:
        """Why the detector cannot be run on them; None if it can."""
        return self._ran[1]

    @cached_property
    def agreement(self) -> Agreement:
        """How well they agree with the labels, whatever their classes."""
        return Agreement.of(self.images, self.found)

    @cached_property
    def outcomes(self) -> Outcomes:
        """Right and wrong detections, whatever their classes."""
        return outcomes(self.images, self.found)

    @cached_property
    def trained(self) -> tuple[Dataset, list[Detections]] | None:
        """Some training images, and the detections in them."""
        if self.training is None or not len(self.training) or self.failure:
            return None
        images = self.training.select(_spread(np.arange(len(self.training)), IMAGES))
        return images, [*map(finite, self.detector.detections_in(images))]

    @cached_property
    def learned(self) -> Agreement | None:
        """How well detections in training images agree with their labels."""
        return Agreement.of(*self.trained) if self.trained else None

    def labeled(self) -> Iterator[tuple[Dataset, NDArray[np.int64]]]:
        """Datasets, with the rows of some of their images: the given one, then that of the run, of
        which only training images count."""
        yield self.data, _spread(_with_boxes(self.data), PIXELS)
        if self.own is not None and self.own is not self.data:
            rows = _with_boxes(self.own)
            yield self.own, _spread(rows[self.own.splits[rows] == Split.TRAIN], PIXELS)


def outcomes(truth: Dataset, found: Sequence[Detections]) -> Outcomes:
    """Right and wrong detections in labeled images, whatever their classes."""
    matches = match(nameless(truth), gather(nameless(truth), unnamed(found)), ("all",))["all"]
    return Outcomes.together([Outcomes.of(one) for one in matches], len(truth))


def _chosen(data: Dataset) -> NDArray[np.int64]:
    """Test images, or others if there are none, with and without objects."""
    for split in (Split.TEST, Split.VAL):
        rows = np.flatnonzero(data.splits == split)
        if np.isin(rows, _with_boxes(data)).any():
            return _spread(rows, IMAGES)
    return _spread(np.arange(len(data)) if len(data.boxes) else np.arange(0), IMAGES)


def _with_boxes(data: Dataset) -> NDArray[np.int64]:
    return np.flatnonzero(np.diff(data.offsets) > 0)


def _spread(rows: NDArray[np.int64], max_count: int) -> NDArray[np.int64]:
    """At most `max_count` of `rows`, spread evenly."""
    count = min(len(rows), max_count)
    return rows[np.linspace(0, len(rows) - 1, count).astype(np.int64)] if count else rows[:0]
