"""Raw outputs of SSDs: box encodings relative to anchors, and scores.

MediaPipe Model Maker writes the anchors into the metadata. The Object Detection API's files without
post-processing lack them; they have its standard anchors if their number is that of the input size.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from boxwright.inference.heads.head import Arrays, Facts, Head, as_scores, suppressed, yxyx
from boxwright.inference.litert import RawSsd
from boxwright.inference.tflite_graph import Tensor
from boxwright.models.model import Candidates
from boxwright.ops import box_coder
from boxwright.ops.anchors import AnchorSpec, grid_anchors
from boxwright.ops.operations import NUMPY
from boxwright.ops.postprocess import NmsConfig

MODEL_MAKER = "SSD of MediaPipe Model Maker, with its anchors in the metadata"
API = "SSD of the Object Detection API without post-processing, with its standard anchors"
UNKNOWN = "SSD without post-processing; its anchors are not in the file"
BOXES = "center y, center x, height, width, relative to anchors"
RAW = "raw_outputs/"  # the API's names of such outputs begin with it


def recognize(facts: Facts) -> Head | None:
    """The head with box encodings `(1, A, 4)` and scores `(1, A, K)`."""
    tensors = facts.of_rank(3)
    pairs = [
        (boxes, scores)
        for boxes in tensors
        for scores in tensors
        if boxes[0] != scores[0] and _are_pair(boxes[1], scores[1], facts)
    ]
    if len(facts.outputs) != 2 or not pairs:
        return None
    (at, boxes), (scored, scores) = pairs[0]
    count, columns = boxes.shape[1], scores.shape[2]
    if facts.ssd and len(facts.ssd.anchors) == count:
        return _decoded(MODEL_MAKER, facts.ssd, at, scored, columns, 0)
    standard = grid_anchors(AnchorSpec(), facts.side)
    if len(standard) != count:
        return Head(UNKNOWN, BOXES)
    named = boxes.name.startswith(RAW) and facts.classes != columns
    background = int(columns > 1 and (named or facts.classes == columns - 1))
    how = RawSsd(box_coder.centered(standard), box_coder.SCALES)
    return _decoded(API, how, at, scored, columns, background)


def _are_pair(boxes: Tensor, scores: Tensor, facts: Facts) -> bool:
    """Of a network with four classes, the scores are named so, or come second."""
    if boxes.shape[1] != scores.shape[1] or boxes.shape[2] != 4:
        return False
    return scores.shape[2] != 4 or not any(word in boxes.name for word in ("class", "score"))


def _decoded(family: str, how: RawSsd, at: int, scored: int, columns: int, background: int) -> Head:
    def decode(outputs: Arrays) -> Candidates:
        scores = outputs[scored][..., background:]
        scores = NUMPY.sigmoid(scores) if how.sigmoid else as_scores(scores)
        return Candidates(_boxes(outputs[at], how), scores)

    ids = f"number {background} of the scores of a box is the first class"
    return Head(family, BOXES, columns - background, suppressed(decode, NmsConfig()), ids=ids)


def _boxes(encodings: NDArray[np.float32], how: RawSsd) -> NDArray[np.float32]:
    """Boxes `(B, A, 4)` normalized yxyx, as MediaPipe's TensorsToDetectionsCalculator computes
    them."""
    y, x, height, width = (encodings[..., i] / how.scales[i] for i in range(4))
    anchor_y, anchor_x, anchor_height, anchor_width = how.anchors.T
    if how.exponential:
        height, width = np.exp(height), np.exp(width)
    return yxyx(
        y * anchor_height + anchor_y,
        x * anchor_width + anchor_x,
        height * anchor_height,
        width * anchor_width,
    )
