"""Triton's own client: all that it asks of a server of the Open Inference Protocol V2.

It runs in a process of its own: gevent, by which it sends requests, is for whole programs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest
from red_server import ROWS, SCORES, Client, picture

PROGRAM = """
import json, sys
import numpy as np
import tritonclient.http as triton
from PIL import Image
from tritonclient.utils import InferenceServerException

port, path = sys.argv[1:]
client = triton.InferenceServerClient(f"127.0.0.1:{port}")
pixels = np.asarray(Image.open(path).convert("RGB"))[None]
with open(path, "rb") as file:
    files = np.array([file.read()] * 2, np.object_)
found = {}
for name, values, datatype in (("pixels", pixels, "UINT8"), ("files", files, "BYTES")):
    for binary in (True, False):
        tensor = triton.InferInput("images", values.shape, datatype)
        tensor.set_data_from_numpy(values, binary_data=binary or datatype == "BYTES")
        output = triton.InferRequestedOutput("detection_scores", binary_data=binary)
        answer = client.infer("colors", [tensor], "1", outputs=[output], request_id="7")
        scores = answer.as_numpy("detection_scores")
        about = answer.get_response()
        found[f"{name}, {binary}"] = [scores.shape, scores[-1].tolist(), about["id"]]
try:
    client.get_model_metadata("half")
except InferenceServerException as error:
    refused = [error.status(), error.message()]
print(json.dumps({
    "live": client.is_server_live(),
    "ready": [client.is_server_ready(), client.is_model_ready("colors", "1")],
    "not ready": client.is_model_ready("half"),
    "server": client.get_server_metadata()["extensions"],
    "outputs": client.get_model_metadata("colors", "1")["outputs"],
    "found": found,
    "refused": refused,
}))
"""


@pytest.fixture(scope="module")
def said(client: Client, tmp_path_factory: pytest.TempPathFactory) -> Any:
    folder = tmp_path_factory.mktemp("triton")
    (folder / "script.py").write_text(PROGRAM, encoding="utf-8")
    picture().save(folder / "image.png")
    words = (str(client.server.port), "image.png")
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "script.py", *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize(("name", "images"), [("pixels", 1), ("files", 2)])
@pytest.mark.parametrize("binary", [True, False])
def test_images_and_files(name: str, images: int, binary: bool, said: Any) -> None:
    shape, scores, request_id = said["found"][f"{name}, {binary}"]
    assert shape == [images, ROWS]
    assert scores == pytest.approx([*SCORES, 0, 0, 0], abs=1e-6)
    assert request_id == "7"


def test_health_and_metadata(said: Any) -> None:
    assert said["live"]
    assert said["ready"] == [True, True]
    assert not said["not ready"]
    assert said["server"] == ["binary_tensor_data"]
    boxes = said["outputs"][0]
    assert boxes == {"name": "detection_boxes", "datatype": "FP32", "shape": [-1, ROWS, 4]}


def test_a_refusal_has_its_sentence(said: Any) -> None:
    status, message = said["refused"]
    assert status == "404"
    assert "'half'" in message
