"""One round of the assistant, in a child: train on what is labeled, measure, propose."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from boxwright.backend import framework
from boxwright.errors import BoxwrightError, DataError
from boxwright.evaluation.coco import evaluate
from boxwright.inference.detector import Detector
from boxwright.inference.engines import KerasEngine
from boxwright.inference.run import Run
from boxwright.models.model import FAMILY_KEY
from boxwright.models.registry import DEFAULT
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.structures.detections import Detections
from boxwright.studio.assist.plan import SEEN
from boxwright.studio.assist.voting import VotingEngine
from boxwright.studio.work import EVERY, notes, progress_json
from boxwright.training.deciding import recipe_for_run
from boxwright.training.loop import train_by_recipe
from boxwright.training.preparation import Begin, Plan
from boxwright.training.progress import Meter
from boxwright.training.request import TrainingRequest

if TYPE_CHECKING:
    from boxwright.training.cache import Cache
    from boxwright.training.recipe import Recipe
    from boxwright.training.start import Start

SIDE = 320  # pixels of the network's input: boxes that need no correction need pixels
BATCH = 16  # images whose proposals are told together
DECIMALS = 1  # of a proposal's pixels

Tell = Callable[..., None]


class Beginning(NamedTuple):
    """The network that a round begins with.

    Attributes:
        family: its detector family.
        input_size: side of its input, pixels.
        begin: makes it, see `Plan`.
    """

    family: str
    input_size: int
    begin: Begin


def run(request: Mapping[str, Any], tell: Tell) -> dict[str, Any]:
    """Train on labeled images, measure on the blind ones, and propose boxes for others.

    The request has `root`, `classes`, `seconds`, `out`, the run folder to write, `weights`, the
    name or file to start the first round from, `before`, the run folder of the last round, and
    lists of images: `train`, `test` and `unlabeled`. It tells the progress, the `quality`, and
    `proposals` as they are found.
    """
    began = time.monotonic()
    framework.importing()  # takes seconds, in which images are read
    train = dataset_of(request, "train", Split.TRAIN)
    out = Path(request["out"])
    before = _same_classes(request["before"], train.classes)
    start = _warm(before) if before else _first(train, out, request["weights"], tell)
    recipe = recipe_for_run(
        train,
        None,
        {"held_out": 0.0},
        pretrained=True,
        seconds=request["seconds"],
        input_size=start.input_size,
        model=start.family,
    )
    meter = Meter(lambda progress: tell(**progress_json(progress)), every=EVERY)
    plan = Plan(recipe, train, Run(out), start.begin, request["root"])
    train_by_recipe(plan, on_event=[meter, notes(tell)], started=began)
    detector = Detector.load(out)
    if quality := _quality(detector, dataset_of(request, "test", Split.TEST)):
        tell(quality=quality)
    voting = VotingEngine(cast(KerasEngine, detector.engine))
    detector = replace(detector, engine=voting)
    unlabeled = dataset_of(request, "unlabeled", Split.UNASSIGNED)
    indices = [image["index"] for image in request["unlabeled"]]
    for proposals in _proposals(detector, unlabeled, indices):
        tell(proposals=proposals)
    return {"result": str(out)}


def dataset_of(request: Mapping[str, Any], name: str, split: Split) -> Dataset:
    """The images of a request's list."""
    images = [
        LabeledImage(
            image["name"],
            image["width"],
            image["height"],
            boxes=image.get("boxes", ()),
            class_names=image.get("labels", ()),
            flags=image.get("flags", ()),
            split=split,
        )
        for image in request[name]
    ]
    return Dataset.of(request["root"], images, request["classes"])


def _same_classes(folder: str | None, classes: tuple[str, ...]) -> Run | None:
    """The run of the last round, if its network has these classes."""
    if folder is None:
        return None
    run = Run(folder)
    try:
        return run if run.artifact.classes == classes else None
    except BoxwrightError:  # it is damaged, or was deleted
        return None


def _warm(before: Run) -> Beginning:
    """Begin with the weights of the last round."""
    artifact = before.artifact

    def begin(recipe: Recipe, precision: str, images: Cache) -> Start:
        from boxwright.training import start

        weights = before.build_model().network.get_weights()
        return start.from_run(artifact, recipe, weights, precision)

    family = artifact.model.get(FAMILY_KEY, DEFAULT)
    return Beginning(family, artifact.preprocessing.size, begin)


def _first(train: Dataset, out: Path, weights: str | None, tell: Tell) -> Beginning:
    """Begin with pretrained weights. Raises WeightsError if they cannot be had."""
    asked = TrainingRequest(train, out, weights=weights)
    family, file = asked.fetch_start(lambda event: tell(text=str(event)))

    def begin(recipe: Recipe, precision: str, images: Cache) -> Start:
        from boxwright.training import start

        return start.from_weights(cast(Path, file), recipe, train.classes, precision, images)

    return Beginning(family, SIDE, begin)


def _quality(detector: Detector, blind: Dataset) -> dict[str, Any] | None:
    """AP50 with its interval on images that were labeled without proposals."""
    found = dict(_found(detector, blind))
    blind = blind.select([*found])
    if not len(blind.labels):
        return None
    result = evaluate(blind, [*found.values()], sizes=False)
    low, high = result.ap50_interval or (None, None)
    return {"ap50": result.ap50, "low": low, "high": high, "images": result.images}


def _proposals(
    detector: Detector, unlabeled: Dataset, indices: Sequence[int]
) -> Iterator[list[dict[str, Any]]]:
    """Detections of each image that can be opened, some images at a time."""
    found = _found(detector, unlabeled)
    while some := list(islice(found, BATCH)):
        yield [{"index": indices[row], "boxes": _told(one)} for row, one in some]


def _found(detector: Detector, images: Dataset) -> Iterator[tuple[int, Detections]]:
    """The row and the detections of each image that can be opened."""
    for start in range(0, len(images), BATCH):
        rows = range(start, min(start + BATCH, len(images)))
        try:
            found = list(detector.detections_in(images.select(rows)))
        except DataError:  # one of them is damaged
            for row in rows:
                with suppress(DataError):
                    yield row, next(detector.detections_in(images.select([row])))
        else:
            yield from zip(rows, found, strict=True)


def _told(detections: Detections) -> list[list[Any]]:
    """`[xmin, ymin, xmax, ymax, label, score]` of each detection that says something."""
    return [
        [*(round(float(side), DECIMALS) for side in box), name, round(float(score), 4)]
        for name, score, box in detections.above(SEEN)
    ]
