"""SavedModel: TensorFlow's folder, for servers and for further conversion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from boxwright.boxes import coder
from boxwright.export import graph
from boxwright.files import write_json
from boxwright.models.postprocess import Suppression, box_scales
from boxwright.runtime.artifact import Artifact
from boxwright.runtime.detector import SAVED_ARTIFACT


def write_savedmodel(
    folder: Path, model: Any, anchors: NDArray[np.float32], artifact: Artifact
) -> None:
    """Write a detector as a SavedModel with one signature, `serving_default`.

    Input: `images` `(B, S, S, 3)` uint8, RGB photos resized as `artifact.preprocessing` says.
    Outputs, for each photo best first and padded with zeros to 100 rows:
    `detection_boxes` `(B, 100, 4)` float32, normalised yxyx within [0, 1];
    `detection_scores` `(B, 100)` float32; `detection_classes` `(B, 100)` int32, 0-based;
    `num_detections` `(B,)` int32. They are what `models.postprocess` gives.

    Args:
        folder: where to; it must not exist yet.
        model: Keras model of `models.ssd.build`'s interface.
        anchors: `(A, 4)` normalised yxyx.
        artifact: written to `assets.extra/boxwright.json`.
    """
    tf = graph.tensorflow_for(model)
    how = Suppression(box_scales(model))

    def serve(images: Any) -> dict[str, Any]:
        encodings, scores = graph.raw_outputs(tf, model, artifact.preprocessing, images)
        boxes = coder.decode(encodings, tf.constant(anchors), tf, how.scales)
        boxes, scores, labels, counts = tf.image.combined_non_max_suppression(
            boxes[:, :, None],
            scores,
            max_output_size_per_class=how.max_per_class,
            max_total_size=how.max_total,
            iou_threshold=how.iou_threshold,
            score_threshold=how.score_threshold,
            clip_boxes=False,  # overlaps are measured on whole boxes, which are clipped afterwards
        )
        return {
            "detection_boxes": tf.clip_by_value(boxes, 0.0, 1.0),
            "detection_scores": scores,
            "detection_classes": tf.cast(labels, tf.int32),
            "num_detections": counts,
        }

    side = artifact.preprocessing.size
    graph.save(tf, folder, model, serve, (None, side, side, 3))
    describe_savedmodel(folder, artifact)


def describe_savedmodel(folder: Path, artifact: Artifact) -> None:
    """Write what a SavedModel's folder says about itself, or replace it."""
    write_json(folder / SAVED_ARTIFACT, artifact.to_json())
