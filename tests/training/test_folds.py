"""Without validation images, trainings on folds choose the threshold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import boxwright
from boxwright.errors import ArgumentError
from boxwright.evaluation.measuring import Options, measure
from boxwright.evaluation.threshold import FOLDS, Aim
from boxwright.inference.detector import Detector
from boxwright.models import registry
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections
from boxwright.training import folds, loop
from boxwright.training.recipe import recipe_for
from eagerly import op_by_op
from squares import Squares
from toy_family import CenterModel


@pytest.mark.tiny
@pytest.mark.parametrize("sizes", [[1] * 9, [4, 3, 1, 1], [6, 1, 1, 1], [2]])
def test_groups_stay_together_in_folds_of_about_equal_size(sizes: list[int]) -> None:
    groups = np.repeat(np.arange(len(sizes)), sizes)
    fold = folds.divided(groups, 3, seed=0)
    assert all(len(set(fold[groups == group])) == 1 for group in range(len(sizes)))
    assert np.ptp(np.bincount(fold, minlength=3)) <= max(sizes)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[boxwright.Run, Dataset]:
    """A run of two steps, and its nine training images and three test images."""
    monkeypatch.setattr(registry, "FAMILIES", dict(registry.FAMILIES))
    registry.register(CenterModel)
    drawn = Squares(tmp_path / "images")
    splits = [Split.TRAIN] * 9 + [Split.TEST] * 3
    data = Dataset.of(drawn.root, [drawn.image(split) for split in splits])
    recipe = recipe_for(
        data.split("train"), pretrained=False, steps=2, input_size=64, model="centers"
    )
    with op_by_op():
        trained = boxwright.train(data, out=tmp_path / "run", from_scratch=True, recipe=recipe)
    return trained, data


def test_no_detector_judges_what_it_learned_from(
    run: tuple[boxwright.Run, Dataset], monkeypatch: pytest.MonkeyPatch
) -> None:
    trained, data = run
    learned, said = [], []

    def watched(images: Dataset, **options: Any) -> loop.Outcome:
        learned.append(set(images.split("train").names))
        return loop.train(images, **options)

    def found(detector: Detector, images: Dataset) -> Any:
        assert learned[-1].isdisjoint(images.names)
        for i in range(len(images)):
            rows = images.rows(i)
            yield Detections(images.boxes[rows], [0.4], images.labels[rows], images.classes)

    monkeypatch.setattr(Detector, "detections_in", found)
    with op_by_op():
        detections = folds.out_of_fold(
            trained, data.split("train"), tell=said.append, train=watched
        )
    assert [len(names) for names in learned] == [6, 6, 6]
    assert said[0] == "choosing the threshold trains 3 times, 2 steps each"
    rows = data.split("train")
    assert np.concatenate([one.boxes for one in detections]) == pytest.approx(rows.boxes)

    monkeypatch.setattr(Detector, "detections_in", found_by_run)
    options = Options(Aim.parse("f1"), folds=lambda images: detections)
    threshold = measure(Detector.load(trained), data, "test", options).threshold
    assert (threshold.source, threshold.images, threshold.validated) == (FOLDS, 9, True)
    assert threshold.value == pytest.approx(0.25)
    with pytest.raises(ArgumentError, match=r"BW802.*train images"):
        boxwright.evaluate(trained, data, aim="f1", folds=True, split="all")


def found_by_run(detector: Detector, images: Dataset, watch: object) -> list[Detections]:
    return [Detections([], [], [], images.classes) for _ in range(len(images))]


def test_a_stopped_fold_stops_all(run: tuple[boxwright.Run, Dataset]) -> None:
    trained, data = run
    stopped = loop.Outcome(trained, None, 1, interrupted=True)
    with pytest.raises(KeyboardInterrupt):
        folds.out_of_fold(trained, data.split("train"), train=lambda *_, **__: stopped)


@pytest.mark.tiny
def test_only_a_run_has_folds(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="BW802"):
        folds.out_of_fold(tmp_path, Dataset.of(tmp_path, []))
