"""Installation test, named after the API's builders/model_builder_test.py."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
from PIL import Image

from boxwright import formats
from boxwright.backend import framework
from boxwright.errors import BoxwrightError, TfodError
from boxwright.images.preprocessing import Preprocessing
from boxwright.io.scratch import scratch_folder
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.tfod.commands import Say, main

PACKAGES = (
    ("boxwright",),
    ("numpy",),
    ("pillow",),
    ("ai-edge-litert",),
    ("keras",),
    ("tensorflow", "tensorflow-cpu"),
    ("tensorboard",),
)
SIDE, CLASSES = 300, 90


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Test the installation: versions, the network, TFRecord and TFLite."""

    NAME = "model_builder_test"
    EXAMPLE = ""


def run(flags: Flags, say: Say) -> None:
    """Run the checks and print a line after each.

    Raises:
        TfodError: BW707 a check failed.
        SystemFaultError: BW901 Keras or TensorFlow is not installed.
    """
    begin = time.perf_counter()
    say(", ".join(_versions()))
    checks = (_network, _records, _tflite)
    with scratch_folder() as scratch:
        for check in checks:
            say(f"[ OK ] {_passed(check, scratch)}")
    say(f"{len(checks)} checks in {time.perf_counter() - begin:.1f} s\n\nOK")


def _passed(check: Callable[[Path], str], scratch: Path) -> str:
    """Run a check and return its result. Every failure becomes an error with a code."""
    try:
        return check(scratch)
    except BoxwrightError:
        raise
    except Exception as error:
        raise _failed(f"{type(error).__name__}: {error}") from error


def _versions() -> Iterator[str]:
    yield f"Python {platform.python_version()}"
    for names in PACKAGES:
        found = [f"{name} {installed}" for name in names if (installed := _version(name))]
        yield found[0] if found else f"no {names[0]}"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _network(scratch: Path) -> str:
    from boxwright.models.ssd.detector import SsdModel
    from boxwright.models.ssd.spec import ModelSpec

    model = SsdModel.build(ModelSpec(CLASSES))
    outputs = model.network(np.zeros((1, SIDE, SIDE, 3), np.float32))
    shapes = {name: tuple(values.shape) for name, values in outputs.items()}
    anchors = len(model.anchors)
    expected = {"box_encodings": (1, anchors, 4), "class_logits": (1, anchors, CLASSES)}
    finite = all(np.isfinite(np.asarray(values)).all() for values in outputs.values())
    if shapes != expected or not finite:
        raise _failed(f"the network's outputs are {shapes}, or are not finite")
    weights = f"{model.network.count_params():,} weights"
    return f"ssd_mobilenet_v1, {weights}, detects in an image: {anchors} boxes"


def _records(scratch: Path) -> str:
    tf = framework.tensorflow()
    Image.new("RGB", (40, 30)).save(scratch / "photo.jpg")
    image = LabeledImage("photo.jpg", 40, 30, [(4, 3, 20, 15)], ["raccoon"])
    formats.write(Dataset.of(scratch, [image]), scratch / "records", "tfrecord")
    (raw,) = tf.data.TFRecordDataset(str(scratch / "records" / "data.record"))
    feature = tf.train.Example.FromString(raw.numpy()).features.feature
    encoded = feature["image/encoded"].bytes_list.value[0]
    sides = feature["image/object/bbox/xmax"].float_list.value[:]
    if encoded != (scratch / "photo.jpg").read_bytes() or not np.allclose(sides, [0.5]):
        raise _failed("TensorFlow reads other values from a TFRecord than were written")
    return "TensorFlow reads a TFRecord that Boxwright wrote"


def _tflite(scratch: Path) -> str:
    from boxwright.export.tflite import write_tflite
    from boxwright.inference.artifact import Artifact
    from boxwright.inference.detector import Detector
    from boxwright.models.ssd.detector import SsdModel
    from boxwright.models.ssd.spec import ModelSpec

    spec = ModelSpec(1, depth_multiplier=0.25)
    artifact = Artifact(spec.to_json(), ("raccoon",), Preprocessing(SIDE))
    path = scratch / "detector.tflite"
    write_tflite(path, SsdModel.build(spec), artifact)
    found = Detector.load(path).predict(np.zeros((30, 40, 3), np.uint8), threshold=0.0)
    if not np.isfinite(found.boxes).all():
        raise _failed("a .tflite file returns boxes that are not finite")
    return f"LiteRT runs a .tflite file of {path.stat().st_size / 1e6:.1f} MB that Boxwright wrote"


def _failed(reason: str) -> TfodError:
    return TfodError("BW707", f"the installation test failed: {reason}.")


if __name__ == "__main__":
    main(Flags.NAME)
