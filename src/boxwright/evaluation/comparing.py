"""Open the sides of a comparison, detect with each, and compare them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import PathLike
from pathlib import Path
from string import ascii_uppercase
from typing import TypeAlias

from boxwright.datasets.class_choice import ClassChoice
from boxwright.datasets.evaluation_set import evaluation_data
from boxwright.datasets.source import choice_of, known_paths, paths_of
from boxwright.errors import ArgumentError
from boxwright.evaluation.comparison import Comparison, Member, Side, compare_sides
from boxwright.evaluation.foreign import holds_detections
from boxwright.evaluation.measuring import Detected, Options, Source, detect, foreign
from boxwright.evaluation.threshold import Aim
from boxwright.formats import ReadOptions
from boxwright.inference.detector import Detector
from boxwright.structures.dataset import Dataset

OTHER_DATA = (
    "The detectors were trained on different images or labels. A detector that was trained on "
    "some of these images has an unfair advantage."
)
One: TypeAlias = str | PathLike[str] | Detector


def compare(
    *sides: One | Sequence[One],
    data: str | Path | Dataset | Sequence[str | Path] = (),
    split: str = "test",
    classes: Sequence[str] = (),
    exclude: Sequence[str] = (),
    rename: Mapping[str, str] | None = None,
    form: str | ReadOptions | None = None,
    labels: Sequence[str] | None = None,
    aim: str | None = None,
    trust: bool = False,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Comparison:
    """Compare detectors on the same images: is one of them better?

        >>> comparison = boxwright.compare("run", "run/detector.tflite")
        >>> print(comparison.contrasts[0].verdict)
        >>> print(comparison.contrasts[0].differences["AP50"].interval)

    Every other side is compared with the first one. The verdict is about AP, by a paired bootstrap
    over images; near-duplicates are drawn together. A side may be a list of trainings of one
    recipe with different seeds: then the verdict is about recipes.

    Args:
        sides: at least two. Each is a run, an exported file, a loaded detector, or detections of
            any tool, or a list of these.
        data: a folder or file of labeled images, several of them, or a dataset; that of the runs
            by default.
        split: `test`, `val`, `train` or `all` images.
        classes: the classes to compare on; those of the training by default.
        exclude: classes to ignore.
        rename: old class names to new ones.
        form: the name of the data's format, or all options of `read`.
        labels: class names in id order, for files of other tools.
        aim: what to choose every threshold for on the validation images, as in `evaluate`; the
            detectors' own thresholds by default, and 0.5 for detections.
        trust: as in `Detector.load`.
        progress: called with the number of images done and the total.

    Raises:
        ArgumentError: BW802 there are fewer than two sides, a side has a training twice, or the
            runs have different data or classes and none are given; BW803, BW807 `split` or `aim`
            is unknown.
        DataError: BW193 the split is empty; as `load`.
        DetectorError: as `Detector.load`.
        EvaluationError: BW601 a side has no class of the data, BW602 a box or score is NaN, BW604,
            BW605 detections cannot be read.
    """
    if not 2 <= len(sides) <= len(ascii_uppercase):
        raise ArgumentError("BW802", f"a comparison needs 2 to {len(ascii_uppercase)} sides.")
    options = Options(None if aim is None else Aim.parse(aim))
    opened = [
        [(_name(one), _opened(one, labels, trust)) for one in _members(side)] for side in sides
    ]
    detectors = [one for side in opened for _, one in side if isinstance(one, Detector)]
    paths, choice = paths_of(data), ClassChoice.of(classes, exclude, rename)
    _require_common(detectors, chosen=bool(choice), known=isinstance(paths, Dataset) or bool(paths))
    provenance = next((one.artifact.provenance for one in detectors), {})
    read = None if form is None else ReadOptions.of(form)
    dataset = evaluation_data(provenance, paths, choice, read)
    count = sum(map(len, opened))
    found: list[Detected] = []

    def step(done: int, total: int) -> None:
        progress(len(found) * total + done, count * total)

    annotations = () if isinstance(paths, Dataset) else paths or known_paths(provenance)
    compared, notes = [], list[str]()
    for letter, side in zip(ascii_uppercase, opened, strict=False):
        members = []
        for name, one in side:
            source: Source
            if isinstance(one, Path):
                source = given = foreign(one, dataset, annotations, labels or ())
                notes += filter(None, [given.note()])
            else:
                source = one
            found.append(detect(source, dataset, split, options, step))
            members.append(Member(name, found[-1].detections, found[-1].threshold))
        compared.append(Side(letter, members))
    fingerprints = {one.artifact.fingerprint for one in detectors} - {None}
    notes += [OTHER_DATA] if len(fingerprints) > 1 else []
    return compare_sides(found[0].images, compared, groups=found[0].seen.groups, notes=notes)


def _members(side: One | Sequence[One]) -> Sequence[One]:
    """The members of a side, no training twice: trainings would seem to differ less than they
    do."""
    members = [side] if isinstance(side, str | PathLike | Detector) else side
    paths = [Path(one).resolve() for one in members if not isinstance(one, Detector)]
    if twice := next((path for i, path in enumerate(paths) if path in paths[:i]), None):
        raise ArgumentError(
            "BW802", f"{twice.name} is twice in one side: its trainings must differ."
        )
    return members


def _name(one: One) -> str:
    return "detector" if isinstance(one, Detector) else str(Path(one))


def _opened(one: One, labels: Sequence[str] | None, trust: bool) -> Detector | Path:
    """A detector, or the path of detections, which are read when the data is known."""
    if isinstance(one, Detector):
        return one
    path = Path(one)
    return path if holds_detections(path) else Detector.load(path, classes=labels, trust=trust)


def _require_common(detectors: Sequence[Detector], *, chosen: bool, known: bool) -> None:
    """Refuse detectors of different classes or data, unless the caller says which to take."""
    described = [one.artifact.provenance for one in detectors]
    choices = [choice_of(one) for one in described]
    if not chosen and any(one != choices[0] for one in choices):
        raise ArgumentError(
            "BW802", "the detectors were trained with different choices of classes: choose some."
        )
    recorded = {paths for one in described if (paths := known_paths(one))}
    if not known and len(recorded) != 1:
        which = "the runs have different data" if recorded else "none of them records its data"
        raise ArgumentError("BW802", f"{which}: give the labeled images to compare on.")
