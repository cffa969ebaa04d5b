"""The colour control is an honest detector: good where colour is enough, poor on the scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.demo.controls import _patches, learn_colors
from boxwright.demo.dataset import write_dataset
from boxwright.evaluation.bootstrap import constant_box
from boxwright.evaluation.coco import evaluate
from boxwright.structures.dataset import Dataset, LabeledImage, Split


def colored_blocks(folder: Path, images: int) -> Dataset:
    """Red blocks on noise in other colours: the task that colour alone solves."""
    rng = np.random.default_rng(0)
    columns = []
    for i in range(images):
        pixels = rng.integers(0, 160, (120, 160, 3)).astype(np.uint8)
        pixels[..., 0] //= 3
        x, y = rng.integers(5, 110), rng.integers(5, 80)
        pixels[y : y + 30, x : x + 40] = (220, 30, 30)
        Image.fromarray(pixels).save(folder / f"{i}.png")
        box = [[x, y, x + 40, y + 30]]
        split = Split.TEST if i % 2 else Split.TRAIN
        columns.append(LabeledImage(f"{i}.png", 160, 120, box, ["block"], split=split))
    return Dataset.of(folder, columns)


@pytest.mark.tiny
def test_it_finds_what_color_tells_apart(tmp_path: Path) -> None:
    dataset = colored_blocks(tmp_path, 12)
    detector = learn_colors(dataset.split("train"))
    test = dataset.split("test")
    ap50 = evaluate(test, detector.predict_all(test), resamples=0).ap50
    assert ap50 == pytest.approx(1.0)


def test_drawn_scenes_are_worth_learning(tmp_path: Path) -> None:
    dataset = write_dataset(tmp_path / "data", train=80, test=60, seed=5)
    train, test = dataset.split("train"), dataset.split("test")
    by_color = evaluate(test, learn_colors(train).predict_all(test), resamples=0).ap50
    by_position = evaluate(test, constant_box(train, test), resamples=0).ap50
    assert by_color is not None
    assert by_position is not None
    assert 0.02 < by_color < 0.3
    assert by_position < 0.3


@pytest.mark.tiny
def test_patches_are_connected_and_of_one_hue() -> None:
    hues = np.array(
        [
            [1, 1, -1, 2, 2],
            [-1, 1, -1, -1, 2],
            [3, 1, 1, -1, 2],
            [3, -1, 1, 1, 1],
            [-1, 1, -1, -1, -1],
        ]
    )
    found = [
        {(int(row), int(column)) for row, column in zip(*patch, strict=True)}
        for patch in _patches(hues, smallest=1)
    ]
    snake = {(0, 0), (0, 1), (1, 1), (2, 1), (2, 2), (3, 2), (3, 3), (3, 4)}
    assert sorted(map(sorted, found)) == sorted(
        map(sorted, [snake, {(0, 3), (0, 4), (1, 4), (2, 4)}, {(2, 0), (3, 0)}, {(4, 1)}])
    )
