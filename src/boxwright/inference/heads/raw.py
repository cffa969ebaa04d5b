"""The outputs of `boxwright export --raw`: decoded boxes and scores."""

from __future__ import annotations

from boxwright.inference.heads.head import BOXES_YXYX, Arrays, Facts, Head, suppressed
from boxwright.models.model import Candidates
from boxwright.ops.postprocess import NmsConfig

# Names of the post-processing's inputs in .onnx files and OpenVINO folders: boxes `(N, A, 4)`
# normalized yxyx, and scores `(N, A, C)`.
CANDIDATES = ("candidate_boxes", "candidate_scores")


def recognize(facts: Facts) -> Head | None:
    """The head with the names that `export.onnx` gives to boxes and scores."""
    positions = {each.name: i for i, each in enumerate(facts.outputs)}
    if not set(CANDIDATES) <= positions.keys():
        return None
    boxes, scores = (positions[name] for name in CANDIDATES)

    def decode(outputs: Arrays) -> Candidates:
        return Candidates(outputs[boxes], outputs[scores])

    return Head(
        "Boxwright, raw boxes and scores",
        BOXES_YXYX,
        facts.outputs[scores].shape[-1],
        suppressed(decode, NmsConfig()),
        mean=(0.0,),
        std=(1.0,),
    )
