"""`export --serving`: the folder of a model that TensorFlow Serving serves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.backend.framework import tensorflow
from boxwright.errors import ArgumentError, BoxwrightError, ExportError
from boxwright.export.export import destination, export, write_verified
from boxwright.export.versions import next_version
from boxwright.inference.detector import Detector
from boxwright.ops.postprocess import RawDetections
from exporting import assert_same


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("there", "version"),
    [
        ([], "1"),
        (["1"], "2"),
        (["1", "2", "10"], "11"),
        (["3"], "4"),
        (["labels.txt", ".hidden", "old", "2 (copy)"], "1"),
    ],
)
def test_a_version_is_one_above_the_highest(there: list[str], version: str, tmp_path: Path) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    path = next_version("savedmodel", tmp_path, None)
    assert path == tmp_path / version
    assert destination(tmp_path / "run", "savedmodel", path) == path


@pytest.mark.tiny
def test_a_new_model_begins_with_1(tmp_path: Path) -> None:
    assert next_version("savedmodel", tmp_path / "helmets", None) == tmp_path / "helmets" / "1"


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("options", "error", "code"),
    [
        ({"to": "savedmodel", "out": "other"}, ArgumentError, "BW802"),
        ({"to": "tflite"}, ExportError, "BW411"),
        ({"to": "triton"}, ExportError, "BW411"),
    ],
)
def test_what_contradicts_it_is_refused(
    options: dict[str, str], error: type[BoxwrightError], code: str, tmp_path: Path
) -> None:
    with pytest.raises(error) as caught:
        export(tmp_path, serving=tmp_path / "helmets", **options)  # type: ignore[arg-type]
    assert caught.value.code == code


def test_no_version_is_written_into_a_saved_model(tiny_file: Callable[..., Path]) -> None:
    saved = tiny_file("savedmodel")
    with pytest.raises(ExportError, match="itself a detector") as caught:
        next_version("savedmodel", saved, None)
    assert caught.value.code == "BW411"
    assert caught.value.where == str(saved)


def served(version: Path, image: NDArray[np.uint8]) -> RawDetections:
    """What TensorFlow Serving answers to `{"inputs": [image]}`: it calls the default signature."""
    call = tensorflow().saved_model.load(str(version)).signatures["serving_default"]
    answer = {name: values.numpy()[0] for name, values in call(inputs=image[None]).items()}
    count = int(answer["num_detections"])
    labels = answer["detection_classes"].astype(int) - 1
    return answer["detection_boxes"][:count], answer["detection_scores"][:count], labels[:count]


def test_a_version_is_served_and_the_next_one_leaves_it(
    tiny_detector: Callable[..., Any],
    labeled: Callable[..., Any],
    random_inputs: NDArray[np.uint8],
    written: Path,
) -> None:
    tiny, model = tiny_detector(3), written / "helmets"
    version = next_version("savedmodel", model, None)
    write_verified(version, "savedmodel", tiny.model, tiny.artifact, labeled(tiny.detector))
    names = sorted(path.name for path in model.iterdir())
    assert names == ["1", "label_map.pbtxt", "labels.txt"], "a server ignores what is no number"
    expected = tiny.detector.engine(random_inputs[:1])
    assert_same(expected, [served(version, random_inputs[0])])
    assert Detector.load(version).classes == tiny.artifact.classes
    assert next_version("savedmodel", model, None) == model / "2"
