"""A detector small enough to export in a second, and photos that it finds things in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from boxwright.backend.framework import keras
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

    @property
    def detector(self) -> Detector:
        engine = KerasEngine(self.model, self.artifact.preprocessing)
        return Detector(engine, self.artifact)


@pytest.fixture(scope="session")
def tiny_detector() -> Callable[..., TinyDetector]:
    """`tiny_detector(classes=1, seed=0, extra=layer)` builds one with random weights."""

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

    return label


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
