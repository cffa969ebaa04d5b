"""SavedModel export: TensorFlow's folder format, for servers and further conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxwright.export import graph
from boxwright.export.targets import Target
from boxwright.inference.artifact import Artifact
from boxwright.inference.engines.savedmodel import BATCHED, SAVED_ARTIFACT
from boxwright.io.files import write_json
from boxwright.models.model import DetectionModel


def write_savedmodel(folder: Path, model: DetectionModel, artifact: Artifact) -> None:
    """Write a detector as a SavedModel with two signatures.

    `serving_default` has the interface of the Object Detection API: `inputs` `(B, H, W, 3)` uint8,
    RGB images of any size, to float32 rows, best first and padded with zeros to
    N = `artifact.max_detections`: `detection_boxes` `(B, N, 4)`, normalized yxyx within [0, 1];
    `detection_scores` and `detection_classes`, 1-based, `(B, N)`; `num_detections` `(B,)`.

    `batched` expects images that the caller has resized as in `artifact.preprocessing`: `images`
    `(B, S, S, 3)` uint8, to the same rows. They equal the results of `ops.postprocess`.

    Args:
        folder: the folder to write, which must not exist yet.
        model: of any family.
        artifact: written to `assets.extra/boxwright.json`.
    """
    tf, side = graph.tensorflow_for(model), artifact.preprocessing.size

    def compute(images: Any) -> dict[str, Any]:
        found = graph.candidates(tf, model, artifact.preprocessing, images)
        return graph.as_api(tf, graph.detections(tf, *found, artifact.nms_config))

    # Both signatures call one graph, since tracing the network takes a second.
    spec = tf.TensorSpec((None, side, side, 3))
    detect = tf.function(compute, input_signature=[spec], autograph=False)

    def batched(images: Any) -> dict[str, Any]:
        return dict(detect(tf.cast(images, tf.float32)))

    def serving_default(inputs: Any) -> dict[str, Any]:
        images = tf.image.resize(tf.cast(inputs, tf.float32), (side, side), antialias=True)
        return dict(detect(images))

    signatures = {
        "serving_default": graph.Signature(serving_default, (None, None, None, 3), "inputs"),
        BATCHED: graph.Signature(batched, (None, side, side, 3)),
    }
    graph.save(tf, folder, model, signatures)
    describe_savedmodel(folder, artifact)


def describe_savedmodel(folder: Path, artifact: Artifact) -> None:
    """Write or replace the artifact in a SavedModel folder."""
    write_json(folder / SAVED_ARTIFACT, artifact.to_json())


TARGET = Target(
    "saved_model",
    write_savedmodel,
    describe_savedmodel,
    label_map=True,
    versions=True,
    inside=frozenset({"saved_model.pb", "variables", "assets", "assets.extra", "fingerprint.pb"}),
)
