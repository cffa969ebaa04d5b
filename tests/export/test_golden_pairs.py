"""Every kind of exported file carries a drawn pattern, and is told from a faulty one by it."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.backend.framework import keras
from boxwright.errors import DataError, DetectorError
from boxwright.export.export import write_verified
from boxwright.export.targets import TARGETS
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.detector import Detector
from boxwright.inference.engines import network_of
from boxwright.inference.golden import SAME_RAW, RawSample
from boxwright.structures.dataset import Dataset
from exporting import copied

KINDS = tuple(kind for kind in TARGETS if kind != "triton")  # which has an .onnx file inside
# The threshold decides what is checked: five detections of the tiny detector's are above the lower
# one in some pattern, and never above the higher.
THRESHOLDS = {"detections": 0.6, "raw tensors": 0.99}


@pytest.mark.parametrize("checks", THRESHOLDS)
@pytest.mark.parametrize("kind", KINDS)
def test_a_pattern_is_drawn_and_told(kind: str, checks: str, exported: Any) -> None:
    file = exported(kind, THRESHOLDS[checks])
    golden = file.artifact.golden
    assert golden.seed == 0
    assert f"golden image: {golden}; " in " ".join(file.lines)
    assert "drawn from seed 0" in str(golden)
    assert ("raw tensors" in str(golden)) == (checks == "raw tensors") == (golden.raw is not None)
    if golden.raw is None:
        (_, scores, _), threshold = Detector.load(file.path).engine(golden.image[None])[0], 0.6
        assert (scores > threshold).sum() >= 5
        assert (np.abs(scores - threshold) >= 0.02).all()


# ---- Faults: each gives another model, and how its file scales pixels ---------------------------


def with_weights(tiny: Any, change: Callable[[str, Any], Any]) -> Any:
    """The model with the weights that `change` makes of a path and an array."""
    model, network = copy(tiny.model), tiny.model.network
    model.network = keras().models.clone_model(network)
    model.network.set_weights([change(each.path, np.array(each)) for each in network.weights])
    return model, tiny.artifact.preprocessing


def with_boxes(tiny: Any, anchors: Any) -> Any:
    model = copy(tiny.model)
    model.anchors = anchors.astype(np.float32)
    return model, tiny.artifact.preprocessing


def is_first_layer(values: Any) -> bool:
    return bool(values.ndim == 4 and values.shape[2] == 3)


def blue_first(tiny: Any) -> Any:
    return with_weights(tiny, lambda _, v: v[:, :, ::-1] if is_first_layer(v) else v)


def another_range(tiny: Any) -> Any:
    """Pixels scaled to [0, 1] for a network that expects [-1, 1]."""
    return tiny.model, Preprocessing(tiny.artifact.preprocessing.size, 1 / 255, 0.0)


def classes_swapped(tiny: Any) -> Any:
    def change(path: str, values: Any) -> Any:
        if "class_logits" not in path:
            return values
        by_shape = values.reshape(*values.shape[:-1], -1, 3)
        return by_shape[..., ::-1].reshape(values.shape)

    return with_weights(tiny, change)


def boxes_shifted(tiny: Any) -> Any:
    return with_boxes(tiny, tiny.model.anchors + 0.06)


def boxes_shrunken(tiny: Any) -> Any:
    return with_boxes(tiny, tiny.model.anchors * 0.9)


def x_and_y_swapped(tiny: Any) -> Any:
    return with_boxes(tiny, tiny.model.anchors[:, [1, 0, 3, 2]])


def a_filter_lost(tiny: Any) -> Any:
    return with_weights(tiny, lambda _, v: v * (np.arange(8) > 0) if is_first_layer(v) else v)


def weights_noisy(tiny: Any) -> Any:
    random = np.random.default_rng(5)
    return with_weights(tiny, lambda _, v: v + random.normal(0, 0.3 * v.std(), v.shape))


def a_class_mute(tiny: Any) -> Any:
    def change(path: str, values: Any) -> Any:
        return values - 9 * (np.arange(6) % 3 == 0) if "class_logits/bias" in path else values

    return with_weights(tiny, change)


FAULTS = (
    blue_first,
    another_range,
    classes_swapped,
    boxes_shifted,
    boxes_shrunken,
    x_and_y_swapped,
    a_filter_lost,
    weights_noisy,
    a_class_mute,
)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_a_fault_is_found_when_the_file_is_loaded(
    kind: str, fault: Callable[[Any], Any], tiny_detector: Any, exported: Any, written: Path
) -> None:
    """A faulty network in a file that describes itself as the sound one does."""
    path, tiny = written / "out", tiny_detector(3)
    model, scaling = fault(tiny)
    TARGETS[kind].write(path, model, replace(tiny.artifact, preprocessing=scaling))
    for checks, threshold in THRESHOLDS.items():
        if checks == "detections" and fault is a_class_mute:
            continue  # no detection of that class is in the pattern
        TARGETS[kind].describe(path, exported(kind, threshold).artifact)
        with pytest.raises(DetectorError) as caught:
            Detector.load(path)
        assert caught.value.code == "BW508", f"{checks}: {caught.value}"


@pytest.mark.parametrize("kind", KINDS)
def test_a_sound_file_is_loaded(
    kind: str, tiny_file: Callable[..., Path], exported: Any, written: Path
) -> None:
    """On any number of threads, and where the same network is written once more."""
    again = copied(tiny_file(kind), written)
    for threshold in THRESHOLDS.values():
        file = exported(kind, threshold)
        for threads in (1, 2, 4):
            Detector.load(file.path, threads=threads)
        TARGETS[kind].describe(again, file.artifact)
        Detector.load(again)


@pytest.mark.parametrize("kind", KINDS)
def test_raw_tensors_are_those_of_any_kernels(kind: str, exported: Any) -> None:
    """The float files of all kinds compute the same, far within what is allowed."""
    file = exported(kind, THRESHOLDS["raw tensors"])
    first = exported("tflite", THRESHOLDS["raw tensors"]).artifact.golden.raw
    own = file.artifact.golden
    assert own.raw is not None
    assert own.raw.scores.std() > 0.01
    network = network_of(Detector.load(file.path).engine)
    assert network is not None
    assert own.raw.distance(RawSample.of(network, own.image, 3)) < 0.01 * SAME_RAW
    if kind != "tflite":  # whose boxes are encodings
        assert first is not None
        assert first.scores.shape == own.raw.scores.shape


def test_an_image_is_inside_only_if_it_is_named(
    tiny_detector: Callable[..., Any], labeled: Callable[..., Dataset], written: Path
) -> None:
    tiny = tiny_detector(3)
    dataset = labeled(tiny.detector)
    named, path, lines = Path(str(dataset.image(0))), written / "d.tflite", list[str]()
    parts = (path, "tflite", tiny.model, tiny.artifact, dataset)
    write_verified(*parts, golden_image=named, say=lines.append)
    golden = Detector.load(path).artifact.golden
    assert golden is not None
    assert golden.seed is None
    with Image.open(named) as image:
        expected = tiny.artifact.preprocessing.resize(image.convert("RGB"))
    np.testing.assert_array_equal(golden.image, expected)
    assert "your own image, stored in the file" in " ".join(lines)
    path.unlink()
    with pytest.raises(DataError) as caught:
        write_verified(*parts, golden_image=written / "none.jpg")
    assert caught.value.code == "BW101"
    assert not path.exists()
