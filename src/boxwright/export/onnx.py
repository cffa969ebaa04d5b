"""ONNX export: one file for ONNX Runtime and other programs that read the open format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from boxwright.backend import framework
from boxwright.export.graph import INPUT_NAME
from boxwright.export.onnx_graph import Graph, OnnxOperations, Tensor
from boxwright.export.onnx_network import network
from boxwright.export.targets import Target
from boxwright.inference.artifact import Artifact
from boxwright.inference.heads.raw import CANDIDATES
from boxwright.inference.onnx_file import ARTIFACT_KEY
from boxwright.models.model import DetectionModel


def write_onnx(path: Path, model: DetectionModel, artifact: Artifact) -> None:
    """Write a detector as a float32 .onnx file with a dynamic batch size.

    Input: `images` `(N, S, S, 3)` uint8, RGB images resized as in `artifact.preprocessing`.
    Outputs, for each image best first and padded with zeros to R = `artifact.max_detections` rows:
    `detection_boxes` `(N, R, 4)` float32, normalized yxyx within [0, 1]; `detection_scores`
    `(N, R)` float32; `detection_classes` `(N, R)` int32, 0-based; `num_detections` `(N,)` int32.
    They equal the results of `ops.postprocess`.

    Args:
        path: the file to write.
        model: of any family.
        artifact: description to store, the entry `boxwright` of the metadata.

    Raises:
        ExportError: BW404 the network has a layer that cannot be exported.
        SystemFaultError: BW901 the package `onnx` is not installed.
    """
    path.write_bytes(onnx_content(model, artifact))


def write_raw_onnx(path: Path, model: DetectionModel, artifact: Artifact) -> None:
    """Write a detector as a float32 .onnx file that ends before suppression, of one image, for
    programs without `NonMaxSuppression`, such as OpenCV 4, and for TensorRT.

    Input: `images` `(1, 3, S, S)` float32, an RGB image resized as in `artifact.preprocessing`,
    values 0 to 255. Outputs, float32: `candidate_boxes` `(1, A, 4)` normalized yxyx, not clipped;
    `candidate_scores` `(1, A, C)` from 0 to 1. Arguments and errors as `write_onnx`.
    """
    graph, scaling = Graph(), artifact.preprocessing
    pixels = Tensor(graph, INPUT_NAME) * scaling.scale + scaling.offset
    raw = network(graph, model.network, pixels, channels_first=True)
    graph.scope = "candidates"
    boxes, scores = model.decode(raw, OnnxOperations(graph))
    rows, classes = model.candidates, len(artifact.classes)
    done = graph.model(
        {INPUT_NAME: ("FLOAT", (1, 3, scaling.size, scaling.size))},
        {
            CANDIDATES[0]: (boxes, "FLOAT", (1, rows, 4)),
            CANDIDATES[1]: (scores, "FLOAT", (1, rows, classes)),
        },
        {ARTIFACT_KEY: artifact.to_text()},
    )
    path.write_bytes(done.SerializeToString())


def describe_onnx(path: Path, artifact: Artifact) -> None:
    """Replace the artifact in a file that `write_onnx` wrote."""
    onnx = framework.onnx()
    model = onnx.load_model(path)
    onnx.helper.set_model_props(model, {ARTIFACT_KEY: artifact.to_text()})
    path.write_bytes(model.SerializeToString())


def onnx_content(model: DetectionModel, artifact: Artifact) -> bytes:
    """The content of the file that `write_onnx` writes; raises the same errors."""
    graph, scaling = Graph(), artifact.preprocessing
    pixels = graph.cast(Tensor(graph, INPUT_NAME), "FLOAT")
    raw = network(graph, model.network, pixels * scaling.scale + scaling.offset)
    graph.scope = "detections"
    boxes, scores = model.decode(raw, OnnxOperations(graph))
    found = _best(graph, boxes, scores, model.candidates, artifact)
    done = graph.model(
        {INPUT_NAME: ("UINT8", ("N", scaling.size, scaling.size, 3))},
        found,
        {ARTIFACT_KEY: artifact.to_text()},
        dict(zip(CANDIDATES, (boxes, scores), strict=True)),
    )
    return bytes(done.SerializeToString())


def _best(
    graph: Graph,
    boxes: Tensor,
    scores: Tensor,
    candidates: int,
    artifact: Artifact,
) -> dict[str, tuple[Tensor, str, tuple[Any, ...]]]:
    """The outputs, of boxes `(N, A, 4)` and scores `(N, A, C)`; `candidates` is `A`.

    `NonMaxSuppression` returns one list of the kept boxes of all images. All other scores are set
    to zero, so every image has the same number of scores for `TopK`. Of equal scores `TopK` takes
    the first: the lower class, then the lower index.
    """
    how, classes = artifact.nms_config, len(artifact.classes)
    by_class = graph("Transpose", scores, perm=(0, 2, 1))
    left = graph(
        "NonMaxSuppression",
        boxes,
        by_class,
        np.array([how.max_per_class]),
        np.array([how.iou_threshold], np.float32),
        np.array([how.score_threshold], np.float32),
    )
    nothing = graph("ConstantOfShape", graph("Shape", by_class), value=graph.tensor(np.zeros(1)))
    ranks = graph("ScatterND", nothing, left, graph("GatherND", by_class, left))
    ranks = graph("Flatten", ranks)
    rows, count = how.max_total, candidates * classes
    if count < rows:
        ranks = graph("Pad", ranks, np.array([0, 0, 0, rows - count]))
    ranks, index = graph.outputs(2, "TopK", ranks, np.array([rows]))
    found, a = graph("Greater", ranks, 0.0), np.array(candidates)
    labels = graph("Where", found, index / a, np.array(0))
    each, place = (graph("Unsqueeze", x, np.array([2])) for x in (found, graph("Mod", index, a)))
    boxes = graph("Clip", graph("GatherND", boxes, place, batch_dims=1), 0.0, 1.0)
    counts = graph("ReduceSum", graph.cast(found, "INT32"), np.array([1]), keepdims=0)
    return {
        "detection_boxes": (graph("Where", each, boxes, 0.0), "FLOAT", ("N", rows, 4)),
        "detection_scores": (ranks, "FLOAT", ("N", rows)),
        "detection_classes": (graph.cast(labels, "INT32"), "INT32", ("N", rows)),
        "num_detections": (counts, "INT32", ("N",)),
    }


TARGET = Target("detector.onnx", write_onnx, describe_onnx, write_raw=write_raw_onnx)
