"""`suspects`: labels that may be wrong, by detectors that did not learn from them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from boxwright.datasets.checks.measure import hash_images
from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.near_duplicates import groups
from boxwright.datasets.source import paths_of
from boxwright.errors import ArgumentError
from boxwright.evaluation.measuring import foreign
from boxwright.formats import ReadOptions
from boxwright.io.files import write_json, write_text
from boxwright.report.html import check_pair
from boxwright.structures.dataset import Dataset
from boxwright.suspects.agreement import Agreement, agreement
from boxwright.suspects.page import page
from boxwright.suspects.queue import FORMAT, SCHEMA
from boxwright.suspects.scoring import KINDS, Suspect, rank
from boxwright.training.folds import Tell, Training, detect_in_folds
from boxwright.training.recipe import Recipe
from boxwright.training.request import TrainingRequest

FOLDS = 4


class Written(NamedTuple):
    """The page and the queue that were written, and the page's size in bytes."""

    page: Path
    queue: Path
    size: int


@dataclass(frozen=True, eq=False)
class Suspects:
    """Labels that may be wrong.

    Attributes:
        images: the labeled images.
        ranked: the suspects, the most suspicious first.
        agreement: how well people agree; None unless enough images were labeled twice.
        notes: what was assumed.
    """

    images: Dataset = field(repr=False)
    ranked: Sequence[Suspect] = field(repr=False)
    agreement: Agreement | None
    notes: Sequence[str] = ()

    def of_kind(self, kind: str) -> list[Suspect]:
        """The suspects of one of KINDS, the most suspicious first."""
        return [one for one in self.ranked if one.kind == kind]

    def to_json(self) -> dict[str, Any]:
        """The queue, as JSON values."""
        return {
            "format": FORMAT,
            "schema": SCHEMA,
            "root": str(self.images.root),
            "images": len(self.images),
            "labels": len(self.images.boxes),
            "counts": {kind: len(self.of_kind(kind)) for kind in KINDS},
            "agreement": self.agreement.to_json() if self.agreement else None,
            "notes": list(self.notes),
            "items": [one.to_json(self.images) for one in self.ranked],
        }

    def write(self, target: str | Path = "suspects.html") -> Written:
        """Write a page with pictures, and the queue as JSON beside it.

        Raises:
            ArgumentError: BW804 `target` is no name of a page, or the JSON would replace a file.
            SystemFaultError: BW902, BW903 it cannot be written.
        """
        target = Path(target)
        check_pair(target, FORMAT)
        text = "\n".join(page(self.images, self.ranked, self.agreement))
        write_text(target, text)
        queue = target.with_suffix(".json")
        write_json(queue, self.to_json())
        return Written(target, queue, len(text.encode("utf-8")))


def suspects(
    data: str | Path | Dataset | Sequence[str | Path],
    *,
    budget: str | float | None = None,
    steps: int | None = None,
    weights: str | Path | None = None,
    from_scratch: bool = False,
    model: str | None = None,
    recipe: Recipe | Mapping[str, Any] | None = None,
    detections: str | Path | None = None,
    classes: Sequence[str] = (),
    exclude: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    form: str | ReadOptions | None = None,
    labels: Sequence[str] | None = None,
    seed: int = 0,
    tell: Tell = lambda text: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Suspects:
    """Find labels that may be wrong: objects without a label, wrong classes, loose boxes.

        >>> found = boxwright.suspects("images", budget="1m")
        >>> for one in found.ranked[:10]:
        ...     print(found.images.names[one.image], one.kind, one.suspicion, one.box)
        >>> print(found.write("suspects.html").queue)
        suspects.json

    All images are divided into four folds, near-duplicates together, and a detector is trained
    without each: no detector judges labels that it learned from. `scoring.rank` says how labels
    are ranked.

    Args:
        data: a folder or file of labeled images, several of them, or a dataset; images of all
            splits are judged.
        budget: wall time of each of the four trainings; one minute by default.
        steps: the number of steps of each instead.
        weights: as for `train`.
        from_scratch: as for `train`.
        model: as for `train`.
        recipe: as for `train`.
        detections: detections of another tool in these images instead of trainings, by detectors
            that did not learn from them.
        classes: the classes to judge; all by default.
        exclude: classes to leave out.
        rename: old class names to new ones.
        form: the name of the data's format, or all options of `read`.
        labels: class names in id order, for detections with class ids.
        seed: random seed of folds and trainings.
        tell: gets the cost first, then a line for each training.
        progress: called with the number of decoded images and the total.

    Raises:
        ArgumentError: BW801 `budget` is not a time, BW802 arguments contradict each other.
        DataError, WeightsError, TrainingError: as `train`.
        EvaluationError: BW601 detections have no class of the data, BW604, BW605 they cannot be
            read.
    """
    paths = paths_of(data)
    if detections is not None and isinstance(paths, Dataset):
        raise ArgumentError("BW802", "with a file of detections, give the data's paths.")
    asked = TrainingRequest(
        paths,
        Path(),
        budget="1m" if budget is None and steps is None else budget,
        steps=steps,
        weights=weights,
        from_scratch=from_scratch,
        model=model,
        recipe=recipe,
        choice=ClassChoice.of(classes, exclude, rename),
        options=None if form is None else ReadOptions.of(form),
        seed=seed,
    )
    images, hashes = hash_images(asked.dataset(), progress)
    near_duplicates = groups(hashes)
    notes: list[str] = []
    if detections is not None:
        given = foreign(Path(detections), images, asked.source.paths, labels or ())
        notes += filter(None, [given.note()])
        found = list(given.detections_in(images))
    else:
        training = Training.of(asked, asked.recipe_for(images))
        tell(training.cost("judging all labels", FOLDS))
        found = detect_in_folds(training, images, near_duplicates, FOLDS, tell)
    twice = agreement(images, hashes, near_duplicates)
    return Suspects(images, rank(images, found), twice, notes)
