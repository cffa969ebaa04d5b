"""Every kind of detector file through every protocol: the boxes are those of the detector."""

from __future__ import annotations

import base64
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from detecting import running
from image_host import Studio
from numpy.typing import ArrayLike
from red_server import Client

from boxwright.inference.detector import Detector
from boxwright.serving.model import Model, load
from boxwright.serving.settings import Settings

FILES = Path(__file__).parents[1] / "earlier" / "files"
IMAGE = FILES / "squares" / "000.png"
CONFIG = """<View><Image name="i" value="$image"/>
<RectangleLabels name="l" toName="i"><Label value="square"/></RectangleLabels></View>"""


def by_rows(client: Client, content: str) -> ArrayLike:
    """The best box by TensorFlow Serving's protocol, from 0 to 1."""
    answer = client.post("/v1/models/d:predict", {"instances": [{"b64": content}]})
    return answer.json["predictions"][0]["detection_boxes"][0]


def by_tensors(client: Client, content: str) -> ArrayLike:
    """The same by the Open Inference Protocol."""
    tensor = {"name": "images", "datatype": "BYTES", "shape": [1], "data": [content]}
    answer = client.post("/v2/models/d/infer", {"inputs": [tensor]}).json
    outputs: dict[str, Any] = {each["name"]: each for each in answer["outputs"]}
    boxes = outputs["detection_boxes"]
    return np.reshape(boxes["data"], boxes["shape"])[0, 0]


def by_tasks(client: Client, content: str) -> ArrayLike:
    """The same by Label Studio's, which is in percent."""
    body = {"tasks": [{"data": {"image": "/data/square.png"}}], "label_config": CONFIG}
    value = client.post("/predict", body).json["results"][0]["result"][0]["value"]
    x, y, width, height = (value[name] / 100 for name in ("x", "y", "width", "height"))
    return [y, x, y + height, x + width]


@pytest.mark.parametrize(
    "file",
    [
        *("detector.tflite", "detector.onnx", "openvino"),
        *("saved_model", "frozen_inference_graph.pb", ""),
    ],
)
def test_the_best_box(file: str, studio: Studio) -> None:
    path = FILES / "run" / file
    best = Detector.load(path).predict(IMAGE).resized((1, 1)).boxes[0]
    content = base64.b64encode(IMAGE.read_bytes()).decode()
    studio.images["/data/square.png"] = IMAGE.read_bytes()
    model = Model("d", path, partial(load, workers=1, max_pixels=1_000_000))
    with running([model], Settings(workers=1, label_studio_url=studio.url)) as server:
        for protocol in (by_rows, by_tensors, by_tasks):
            found = protocol(Client(server), content)
            np.testing.assert_allclose(found, best[[1, 0, 3, 2]], atol=1e-3)
