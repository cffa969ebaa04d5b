"""A detector small enough to export in a second, photos that it finds things in, and its files,
which all tests of a process share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boxwright.backend.framework import keras
from boxwright.export.export import write_verified
from boxwright.export.targets import TARGETS
from boxwright.export.verify import Comparison
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import KerasEngine
from boxwright.models.model import DetectionModel
from boxwright.structures.dataset import Dataset, LabeledImage

SIDE, CELLS, SHAPES = 64, 8, 2


@dataclass(frozen=True)
class TinyDetector:
    """An SSD of one feature map, two anchors a cell."""

    model: DetectionModel
    artifact: Artifact

    @cached_property
    def detector(self) -> Detector:
        engine = KerasEngine(self.model, self.artifact.preprocessing)
        return Detector(engine, self.artifact)


@pytest.fixture(scope="session")
def own_detector() -> Callable[..., TinyDetector]:
    """`own_detector(classes=1, seed=0, extra=layer)` builds one with random weights, which may be
    changed."""

    keras()
    from boxwright.models.ssd.detector import SsdModel
    from boxwright.models.ssd.spec import ModelSpec

    def build(classes: int = 1, seed: int = 0, extra: Any = None) -> TinyDetector:
        random = np.random.default_rng(seed)
        layers = keras().layers
        images = keras().Input((SIDE, SIDE, 3))
        features = layers.Conv2D(8, 5, strides=4, padding="same", activation="relu6")(images)
        features = layers.DepthwiseConv2D(3, strides=2, padding="same")(features)
        features = features if extra is None else extra(features)
        outputs = {
            name: layers.Reshape((-1, columns))(
                layers.Conv2D(SHAPES * columns, 1, name=name)(features)
            )
            for name, columns in (("box_encodings", 4), ("class_logits", classes))
        }
        network = keras().Model(images, outputs, name="tiny")
        for weight in network.weights:
            spread = 0.15 if "class_logits" in weight.path else 0.5  # scores away from 0 and 1
            weight.assign(random.normal(0, spread, weight.shape))
        model = SsdModel(ModelSpec(classes, input_size=SIDE), network)
        centers = (np.arange(CELLS) + 0.5) / CELLS
        y, x = np.repeat(centers, CELLS * SHAPES), np.tile(np.repeat(centers, SHAPES), CELLS)
        half = np.tile([0.08, 0.15], CELLS * CELLS)
        corners = np.stack([y - half, x - half, y + half, x + half], axis=1)
        model.anchors = corners.astype(np.float32)
        artifact = Artifact(
            model={"name": "tiny", "num_classes": classes},
            classes=tuple(f"Klasse ü{i}" for i in range(classes)),
            preprocessing=Preprocessing(SIDE),
        )
        return TinyDetector(model, artifact)

    return build


@pytest.fixture(scope="session")
def tiny_detector(own_detector: Callable[..., TinyDetector]) -> Callable[..., TinyDetector]:
    """`tiny_detector(classes=1, seed=0)`: one with random weights that nobody changes."""
    built = cache(own_detector)
    return lambda classes=1, seed=0: built(classes, seed)


@pytest.fixture(scope="session")
def tiny_file(
    tiny_detector: Callable[..., TinyDetector], tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """`tiny_file(kind, classes=3, seed=0)`: a file of a `tiny_detector`, only to be read."""
    root = tmp_path_factory.mktemp("modèles écrits")

    def write(kind: str, classes: int = 3, seed: int = 0) -> Path:
        path = root / f"{classes} classes, {seed}" / Path(TARGETS[kind].default_name).name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            tiny = tiny_detector(classes, seed)
            TARGETS[kind].write(path, tiny.model, tiny.artifact)
        return path

    return write


@pytest.fixture(scope="session")
def labeled(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Detector], Dataset]:
    """`labeled(detector)`: eight photos of coloured blocks, with what it finds as the truth."""
    root = tmp_path_factory.mktemp("photos of blocks")
    random = np.random.default_rng(7)
    for i in range(8):
        blocks = random.integers(0, 256, (6, 8, 3), np.uint8)
        image = Image.fromarray(blocks).resize((80 + 10 * i, 120 - 5 * i), Image.Resampling.NEAREST)
        image.save(root / f"{i}.png")

    def label(detector: Detector) -> Dataset:
        paths = sorted(root.glob("*.png"))
        images = []
        for path, found in zip(paths, detector.predict_many(paths, threshold=0), strict=True):
            best = list(found)[:12]
            with Image.open(path) as picture:
                width, height = picture.size
            images.append(
                LabeledImage(
                    path.name, width, height, [b.box for b in best], [b.name for b in best]
                )
            )
        return Dataset.of(root, images, detector.classes)

    return cache(label)


@dataclass(frozen=True)
class Exported:
    """A file that `write_verified` kept.

    Attributes:
        path: the file or folder, alone in its folder.
        tiny: what was exported.
        dataset: the photos that both were compared on.
        comparison: the result.
        lines: what was said.
        artifact: what the file says of itself.
    """

    path: Path
    tiny: TinyDetector
    dataset: Dataset
    comparison: Comparison
    lines: list[str]
    artifact: Artifact


@pytest.fixture(scope="session")
def exported(
    tiny_detector: Callable[..., TinyDetector],
    labeled: Callable[[Detector], Dataset],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Exported]:
    """`exported(kind, threshold=0.6)`: a `tiny_detector` of three classes, exported by a user whose
    data lie beside it; only to be read."""
    home, tiny = tmp_path_factory.mktemp("secret home"), tiny_detector(3)
    data = {"path": (home / "my images").as_posix(), "fingerprint": "5e857f9b32036c20"}
    artifact = replace(tiny.artifact, provenance={"data": data, "weights": None})
    dataset = labeled(tiny.detector)

    @cache
    def export(kind: str, threshold: float) -> Exported:
        own = TinyDetector(tiny.model, replace(artifact, threshold=threshold))
        path = home / f"{kind} {threshold}" / Path(TARGETS[kind].default_name).name
        lines = list[str]()
        comparison = write_verified(path, kind, own.model, own.artifact, dataset, say=lines.append)
        described = Detector.load(path).artifact
        return Exported(path, own, dataset, comparison, lines, described)

    return lambda kind, threshold=0.6: export(kind, threshold)


@pytest.fixture(scope="session")
def random_inputs() -> NDArray[np.uint8]:
    """Four resized photos `(4, S, S, 3)` uint8: smooth noise, so that boxes vary."""
    random = np.random.default_rng(3)
    coarse = random.integers(0, 256, (4, 8, 8, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(each).resize((SIDE, SIDE))) for each in coarse])


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """A folder for exports whose name has a space and letters beyond ASCII."""
    folder = tmp_path / "écrit à part"
    folder.mkdir()
    return folder
