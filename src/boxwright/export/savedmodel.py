"""SavedModel: TensorFlow's folder, for servers and for further conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxwright.export import graph
from boxwright.export.targets import Target
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines.savedmodel import BATCHED, SAVED_ARTIFACT
from boxwright.io.files import write_json
from boxwright.models.model import DetectionModel
from boxwright.ops.postprocess import NmsConfig


def write_savedmodel(folder: Path, model: DetectionModel, artifact: Artifact) -> None:
    """Write a detector as a SavedModel with two signatures.

    `serving_default` is the Object Detection API's: `inputs` `(B, H, W, 3)` uint8, RGB photos of
    any size, to float32 rows, best first and padded with zeros to 100: `detection_boxes`
    `(B, 100, 4)`, normalised yxyx within [0, 1]; `detection_scores` and `detection_classes`,
    1-based, `(B, 100)`; `num_detections` `(B,)`.

    `batched` leaves the resizing to who calls it, as `artifact.preprocessing` says: `images`
    `(B, S, S, 3)` uint8, to the same rows but `detection_classes` and `num_detections` int32, the
    classes 0-based. They are what `ops.postprocess` gives.

    Args:
        folder: where to; it must not exist yet.
        model: of any family.
        artifact: written to `assets.extra/boxwright.json`.
    """
    tf = graph.tensorflow_for(model)

    def batched(images: Any) -> dict[str, Any]:
        found = graph.candidates(tf, model, artifact.preprocessing, images)
        return graph.detections(tf, *found, NmsConfig())

    side = artifact.preprocessing.size

    def serving_default(inputs: Any) -> dict[str, Any]:
        images = tf.image.resize(tf.cast(inputs, tf.float32), (side, side), antialias=True)
        return graph.as_api(tf, batched(images))

    signatures = {
        "serving_default": graph.Signature(serving_default, (None, None, None, 3), "inputs"),
        BATCHED: graph.Signature(batched, (None, side, side, 3)),
    }
    graph.save(tf, folder, model, signatures)
    describe_savedmodel(folder, artifact)


def describe_savedmodel(folder: Path, artifact: Artifact) -> None:
    """Write what a SavedModel's folder says about itself, or replace it."""
    write_json(folder / SAVED_ARTIFACT, artifact.to_json())


TARGET = Target(
    "saved_model",
    write_savedmodel,
    describe_savedmodel,
    inside=frozenset({"saved_model.pb", "variables", "assets", "assets.extra", "fingerprint.pb"}),
)
