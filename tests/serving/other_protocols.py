"""The best box of an image by each protocol but our own, as ymin, xmin, ymax, xmax from 0 to 1."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from red_server import Client

CONFIG = """<View><Image name="i" value="$image"/>
<RectangleLabels name="l" toName="i"><Label value="square"/></RectangleLabels></View>"""


def by_rows(client: Client, content: str) -> ArrayLike:
    """By rows of TensorFlow Serving."""
    answer = client.post("/v1/models/d:predict", {"instances": [{"b64": content}]})
    return answer.json["predictions"][0]["detection_boxes"][0]


def by_tensors(client: Client, content: str) -> ArrayLike:
    """By the Open Inference Protocol."""
    tensor = {"name": "images", "datatype": "BYTES", "shape": [1], "data": [content]}
    answer = client.post("/v2/models/d/infer", {"inputs": [tensor]}).json
    outputs: dict[str, Any] = {each["name"]: each for each in answer["outputs"]}
    boxes = outputs["detection_boxes"]
    return np.reshape(boxes["data"], boxes["shape"])[0, 0]


def by_tasks(client: Client, content: str) -> ArrayLike:
    """By a task of Label Studio, whose boxes are in percent."""
    body = {"tasks": [{"data": {"image": "/data/square.png"}}], "label_config": CONFIG}
    value = client.post("/predict", body).json["results"][0]["result"][0]["value"]
    x, y, width, height = (value[name] / 100 for name in ("x", "y", "width", "height"))
    return [y, x, y + height, x + width]


PROTOCOLS = (by_rows, by_tensors, by_tasks)
