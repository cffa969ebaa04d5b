"""Every kind of detector file behind HTTP: the boxes are those of `Detector.predict`."""

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

from boxwright.inference.detector import Detector
from boxwright.serving.model import Model, load
from boxwright.serving.settings import Settings

FILES = Path(__file__).parents[1] / "earlier" / "files"
IMAGE = FILES / "squares" / "000.png"


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
    path = FILES / "run" / file
    detections = Detector.load(path).predict(IMAGE, threshold=0.1)
    expected = json.loads(json.dumps(detections.to_json()))
    assert expected
    model = Model("d", path, partial(load, workers=2, max_pixels=1_000_000))
    studio.images["/data/square.png"] = IMAGE.read_bytes()
    content = base64.b64encode(IMAGE.read_bytes()).decode()
    settings = Settings(workers=2, label_studio_url=studio.url)
    with running([model], settings) as server:
        for protocol in PROTOCOLS:
            best = detections.resized((1, 1)).boxes[0, [1, 0, 3, 2]]
            np.testing.assert_allclose(protocol(Client(server), content), best, atol=1e-3)
        threads, answers = in_threads(
            6, lambda: server.detect(IMAGE.read_bytes(), "?score=0.1").json["detections"]
        )
        for thread in threads:
            thread.join(60)
        (about,) = server.ask("GET", "/models").json["models"]
    assert (about["kind"], about["classes"]) == (kind, ["square"])
    assert len(answers) == 6
    for found in answers:
        assert [each["class"] for each in found] == [each["class"] for each in expected]
        for one, other in zip(found, expected, strict=True):
            assert one["box"] == pytest.approx(other["box"], abs=0.1)
            assert one["score"] == pytest.approx(other["score"], abs=1e-3)
