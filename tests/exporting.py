"""Running an export's command and what it wrote, and comparing what is found."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np

from boxwright.backend import framework
from boxwright.models.ssd.detector import SsdModel
from boxwright.models.ssd.spec import ModelSpec
from boxwright.ops.postprocess import RawDetections
from boxwright.tfod import toco
from boxwright.tfod.flags import parse

RAW = ("raw_outputs/box_encodings", "raw_outputs/class_predictions")


def random_network(spec: ModelSpec, family: type[SsdModel] = SsdModel) -> SsdModel:
    """A network with random weights that computes nothing too large."""
    model, random = family.build(spec), np.random.default_rng(4)
    for weight in model.network.weights:
        name = weight.path.rpartition("/")[2]
        if name in ("beta", "moving_mean", "bias") or "Predictor" in weight.path:
            weight.assign(random.normal(0, 0.1, weight.shape))
        if name in ("gamma", "moving_variance"):
            weight.assign(random.uniform(0.5, 1.5, weight.shape))
        if name == "kernel":
            fan_in = np.prod(weight.shape[:2]) * (1 if weight.shape[3] == 1 else weight.shape[2])
            weight.assign(random.normal(0, fan_in**-0.5, weight.shape))
        if name in ("min", "max"):
            weight.assign({"min": -2.9, "max": 3.2}[name])
    return model


def said(command: Any, *words: str) -> list[str]:
    """What a command prints, of which nothing may be a hint."""
    parsed = parse(command.Flags, words)
    assert parsed.hints == ()
    lines: list[str] = []
    command.run(parsed.flags, lines.append)
    return lines


def write_int8(folder: Path, target: Path) -> None:
    """Write an int8 .tflite by the tutorials' `toco` from the graph in a folder."""
    said(
        toco,
        f"--graph_def_file={folder / 'tflite_graph.pb'}",
        f"--output_file={target}",
        "--input_shapes=1,64,64,3",
        "--input_arrays=normalized_input_image_tensor",
        f"--output_arrays={','.join(RAW)}",
        "--inference_type=QUANTIZED_UINT8",
        "--mean_values=128",
        "--std_dev_values=128",
    )


def copied(exported: Path, to: Path) -> Path:
    """A copy of an exported file or folder inside another folder, to be changed."""
    copy = to / exported.name
    if exported.is_dir():
        shutil.copytree(exported, copy)
    else:
        shutil.copyfile(exported, copy)
    return copy


def run_graph(folder: Path, feed: str, values: Any) -> dict[str, Any]:
    """The outputs of the frozen graph in a folder, by name, for the input `feed`."""
    tf = framework.tensorflow().compat.v1
    with tf.Graph().as_default(), tf.Session() as session:
        definition = tf.GraphDef.FromString((folder / "frozen_inference_graph.pb").read_bytes())
        tf.import_graph_def(definition, name="")
        names = ("detection_boxes", "detection_scores", "detection_classes", "num_detections")
        found: dict[str, Any] = session.run(
            {name: f"{name}:0" for name in names}, {f"{feed}:0": values}
        )
    return found


def assert_same(expected: list[RawDetections], found: list[RawDetections]) -> None:
    """Equal to 1e-4, photo by photo; only the order of equal scores, and which of those comes in
    as the last, is left to rounding."""
    assert len(expected) == len(found)
    for pair in zip(expected, found, strict=True):
        assert len(pair[0][1]) == len(pair[1][1])
        for (boxes, scores, labels), (others, other_scores, other_labels) in (pair, pair[::-1]):
            assert (np.diff(scores) <= 0).all()
            same = (
                (np.abs(boxes[:, None] - others).max(axis=2) <= 1e-4)
                & (np.abs(scores[:, None] - other_scores) <= 1e-4)
                & (labels[:, None] == other_labels)
            )
            assert (same.any(axis=1) | (scores <= scores[-1] + 1e-4)).all()
