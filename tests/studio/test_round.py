"""A round of the assistant really trains, and the next one goes on from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from boxwright.errors import WeightsError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
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


def texts(told: list[dict[str, Any]]) -> list[str]:
    return [one["text"] for one in told if "text" in one]


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
        "seconds": 3,
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


@pytest.mark.usefixtures("centers", "op_by_op")
def test_a_round_goes_on_from_the_last_one_measures_and_proposes(
    request_of_squares: dict[str, Any], tmp_path: Path
) -> None:
    from toy_family import CenterModel, CenterSpec

    last, side = Run(tmp_path / "round-0"), 64
    network = CenterModel.build(CenterSpec(1, side))
    last.save(Artifact(network.to_json(), ("square",), Preprocessing(side)), network)
    told = rounds({**request_of_squares, "before": str(last.folder)})
    assert any(text.startswith("start: the weights of a run;") for text in texts(told))
    assert any("step" in one for one in told)
    [quality] = [one["quality"] for one in told if "quality" in one]
    assert quality["images"] == 4
    proposals = [image for one in told for image in one.get("proposals", ())]
    assert [image["index"] for image in proposals] == [16, 17, 18, 19]
    run = Run(request_of_squares["out"]).artifact
    assert (run.model["family"], run.preprocessing.size) == ("centers", side)
    assert "held_out" not in run.provenance


@pytest.mark.usefixtures("centers", "op_by_op")
def test_images_that_cannot_be_decoded_are_left_out(
    request_of_squares: dict[str, Any], tmp_path: Path
) -> None:
    from toy_family import CenterModel, CenterSpec

    last = Run(tmp_path / "round-0")
    network = CenterModel.build(CenterSpec(1, 64))
    last.save(Artifact(network.to_json(), ("square",), Preprocessing(64)), network)
    for part in ("train", "test", "unlabeled"):
        path = Path(request_of_squares["root"]) / request_of_squares[part][1]["name"]
        content = path.read_bytes()
        path.write_bytes(content[: len(content) // 2])
    told = rounds({**request_of_squares, "before": str(last.folder)})
    [quality] = [one["quality"] for one in told if "quality" in one]
    assert quality["images"] == 3
    proposals = [image for one in told for image in one.get("proposals", ())]
    assert [image["index"] for image in proposals] == [16, 18, 19]


@pytest.mark.parametrize("classes", [("cat",), ("square", "cat")])
def test_a_round_with_other_classes_begins_anew(
    request_of_squares: dict[str, Any], classes: tuple[str, ...], tmp_path: Path
) -> None:
    last = Run(tmp_path / "round-0")
    last.describe(Artifact({}, classes, Preprocessing(64)))
    request = {**request_of_squares, "before": str(last.folder), "weights": "no such weights"}
    with pytest.raises(WeightsError) as error:
        rounds(request)
    assert error.value.code == "BW201"


def test_weights_that_cannot_be_had_are_an_error(
    request_of_squares: dict[str, Any], tmp_path: Path
) -> None:
    request = {**request_of_squares, "weights": str(tmp_path / "nowhere.param")}
    with pytest.raises(WeightsError) as error:
        rounds(request)
    assert error.value.code == "BW201"
