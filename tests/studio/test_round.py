"""A round of the assistant really trains, and the next one goes on from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from boxwright.errors import WeightsError
from boxwright.inference.run import Run
from boxwright.structures.dataset import LabeledImage
from boxwright.studio.assist import round as one_round
from squares import Squares


def image_json(index: int, image: LabeledImage, *, labeled: bool = True) -> dict[str, Any]:
    about = {"index": index, "name": image.name, "width": image.width, "height": image.height}
    if not labeled:
        return about
    boxes = [list(box) for box in image.boxes]  # type: ignore[union-attr]
    return {**about, "boxes": boxes, "labels": list(image.class_names), "flags": [0]}


@pytest.fixture
def request_of_squares(tmp_path: Path) -> dict[str, Any]:
    squares = Squares(tmp_path / "images")
    images = [image_json(i, squares.image(), labeled=i < 16) for i in range(20)]
    return {
        "root": str(squares.root),
        "classes": ["square"],
        "weights": None,
        "before": None,
        "out": str(tmp_path / "round-1"),
        "seconds": 8,
        "train": images[:12],
        "test": images[12:16],
        "unlabeled": images[16:],
    }


def rounds(request: dict[str, Any]) -> list[dict[str, Any]]:
    """What a round tells."""
    told: list[dict[str, Any]] = []
    result = one_round.run(request, lambda **about: told.append(about))
    assert result == {"result": request["out"]}
    return told


@pytest.mark.slow
@pytest.mark.shared
def test_a_round_trains_measures_and_proposes(
    request_of_squares: dict[str, Any],
    shared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(one_round, "SIDE", 96)
    weights = next((shared / "weights" / "nanodet_plus").glob("*.param"))
    request = {**request_of_squares, "weights": str(weights)}
    told = rounds(request)
    assert any("step" in one for one in told)
    [quality] = [one["quality"] for one in told if "quality" in one]
    assert quality["images"] == 4
    proposals = [image for one in told for image in one.get("proposals", ())]
    assert [image["index"] for image in proposals] == [16, 17, 18, 19]
    assert Run(request["out"]).artifact.provenance["held_out"] == []

    second = {**request, "before": request["out"], "out": str(tmp_path / "round-0")}
    texts = [one["text"] for one in rounds(second) if "text" in one]
    assert any("the weights of a run" in text for text in texts)


def test_weights_that_cannot_be_had_are_an_error(
    request_of_squares: dict[str, Any], tmp_path: Path
) -> None:
    request = {**request_of_squares, "weights": str(tmp_path / "nowhere.param")}
    with pytest.raises(WeightsError) as error:
        rounds(request)
    assert error.value.code == "BW201"
