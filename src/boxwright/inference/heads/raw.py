"""The outputs of `boxwright export --raw`: decoded boxes and scores."""

from __future__ import annotations

from boxwright.inference.engines.engine import CANDIDATES
from boxwright.inference.heads.head import BOXES_YXYX, Arrays, Facts, Head, suppressed
from boxwright.models.model import Candidates
from boxwright.ops.postprocess import NmsConfig


def recognize(facts: Facts) -> Head | None:
    """The head with the names that `export.onnx` gives to boxes and scores."""
    places = {each.name: i for i, each in enumerate(facts.outputs)}
    if not set(CANDIDATES) <= places.keys():
        return None
    boxes, scores = (places[name] for name in CANDIDATES)

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
