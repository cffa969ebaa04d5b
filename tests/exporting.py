"""Running an export's command, and what it wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from boxwright.models import framework
from boxwright.tfod.flags import parse


def said(command: Any, *words: str) -> list[str]:
    """What a command prints, of which nothing may be a hint."""
    parsed = parse(command.Flags, words)
    assert parsed.hints == ()
    lines: list[str] = []
    command.run(parsed.flags, lines.append)
    return lines


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
