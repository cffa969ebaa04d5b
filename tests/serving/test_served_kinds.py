"""Every kind of detector file behind HTTP: the boxes are those that the file has always found."""

from __future__ import annotations

import base64
import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from detecting import in_threads, running
from image_host import Studio
from other_protocols import PROTOCOLS
from red_server import Client

from boxwright.serving.model import Model, load
from boxwright.serving.settings import Settings

FILES = Path(__file__).parents[1] / "earlier" / "files"
IMAGE = FILES / "squares" / "000.png"
EXPECTED = json.loads((FILES / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("detector.tflite", ".tflite"),
        ("detector-int8.tflite", ".tflite"),
        ("detector.onnx", ".onnx"),
        ("openvino", "OpenVINO"),
        ("saved_model", "SavedModel"),
        ("frozen_inference_graph.pb", "frozen graph"),
        ("", "run folder"),
    ],
)
def test_boxes_are_those_of_the_detector(file: str, kind: str, studio: Studio) -> None:
    expected = EXPECTED[f"run/{file}".rstrip("/")]["squares/000.png"]
    assert expected
    content = base64.b64encode(IMAGE.read_bytes()).decode()
    studio.images["/data/square.png"] = IMAGE.read_bytes()
    model = Model("d", FILES / "run" / file, partial(load, workers=2, max_pixels=1_000_000))
    with running([model], Settings(workers=2, label_studio_url=studio.url)) as server:
        for protocol in PROTOCOLS:
            box = np.multiply(protocol(Client(server), content), [80, 96, 80, 96])
            np.testing.assert_allclose(box[[1, 0, 3, 2]], expected[0][1:], atol=1)
        threads, answers = in_threads(
            6, lambda: server.detect(IMAGE.read_bytes(), "?score=0.1").json["detections"]
        )
        for thread in threads:
            thread.join(60)
        (about,) = server.ask("GET", "/models").json["models"]
    assert (about["kind"], about["classes"]) == (kind, ["square"])
    assert len(answers) == 6
    for found in answers:
        assert len(found) >= len(expected)
        for each, (score, *box) in zip(found, expected, strict=False):
            assert each["class"] == "square"
            assert each["box"] == pytest.approx(box, abs=1)
            assert each["score"] == pytest.approx(score, abs=0.02)
