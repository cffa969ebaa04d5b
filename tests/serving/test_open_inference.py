"""The Open Inference Protocol V2, in JSON and with binary tensors."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from detecting import Answer
from numpy.typing import NDArray
from red_server import BLUE, HEIGHT, RED, ROWS, SCORES, WIDTH, Client, loading, pixels, png

from boxwright.inference.file_kinds import FILE_KINDS
from boxwright.serving.dialects.v2 import platform_of

INFER = "/v2/models/colors/infer"
LENGTH = "Inference-Header-Content-Length"
SHAPE = [1, HEIGHT, WIDTH, 3]
NAMES = ["detection_boxes", "detection_classes", "detection_scores", "num_detections"]
TEXT = base64.b64encode(png()).decode()


def element(content: bytes) -> bytes:
    """One element of a tensor of BYTES."""
    return len(content).to_bytes(4, "little") + content


def tensor(datatype: str, shape: list[int], **more: Any) -> dict[str, Any]:
    return {"name": "images", "datatype": datatype, "shape": shape, **more}


def with_binary(body: Mapping[str, Any], binary: bytes) -> tuple[bytes, dict[str, str]]:
    """A body with binary data, and its header."""
    text = json.dumps(body).encode()
    return text + binary, {LENGTH: str(len(text))}


def tensors(answer: Answer) -> dict[str, NDArray[np.float32]]:
    """The outputs of an answer, by name."""
    assert answer.status == 200, answer.body
    length = int(answer.headers.get(LENGTH.lower(), len(answer.body)))
    start, found = length, {}
    for each in json.loads(answer.body[:length])["outputs"]:
        assert each["datatype"] == "FP32"
        if size := each.get("parameters", {}).get("binary_data_size"):
            values = np.frombuffer(answer.body[start : start + size], "<f4")
            start += size
        else:
            values = np.array(each["data"], np.float32)
        found[each["name"]] = values.reshape(each["shape"])
    assert start == len(answer.body)
    return found


def expect_both(found: Mapping[str, NDArray[np.float32]], images: int = 1) -> None:
    assert list(found) == NAMES
    assert found["detection_boxes"].shape == (images, ROWS, 4)
    for i in range(images):
        assert found["num_detections"][i] == 2
        assert found["detection_classes"][i].tolist() == [1, 2, 0, 0, 0]
        np.testing.assert_allclose(found["detection_scores"][i, :2], SCORES, atol=1e-6)
        sides = [HEIGHT, WIDTH, HEIGHT, WIDTH]
        boxes = found["detection_boxes"][i, :2] * sides
        expected = np.array([RED, BLUE])[:, [1, 0, 3, 2]]
        np.testing.assert_allclose(boxes, expected, atol=WIDTH / 64)


@pytest.mark.parametrize(
    "given",
    [
        tensor("UINT8", SHAPE, data=pixels().ravel().tolist()),
        tensor("UINT8", SHAPE, data=pixels()[None].tolist()),
        tensor("BYTES", [1], data=[TEXT]),
        tensor("BYTES", [1, 1], data=[[TEXT]]),
    ],
    ids=["flat pixels", "nested pixels", "file", "nested file"],
)
def test_json(given: dict[str, Any], client: Client) -> None:
    answer = client.post(INFER, {"id": "42", "inputs": [given]})
    expect_both(tensors(answer))
    said = answer.json
    assert (said["id"], said["model_name"], said["model_version"]) == ("42", "colors", "1")


@pytest.mark.parametrize(
    ("datatype", "shape", "binary"),
    [
        ("UINT8", SHAPE, pixels().tobytes()),
        ("UINT8", [2, *SHAPE[1:]], 2 * pixels().tobytes()),
        ("BYTES", [1], element(png())),
        ("BYTES", [3, 1], 3 * element(png())),
    ],
    ids=["pixels", "two images", "file", "three files"],
)
@pytest.mark.parametrize("as_binary", [True, False], ids=["binary", "JSON"])
def test_binary_tensors(
    datatype: str, shape: list[int], binary: bytes, as_binary: bool, client: Client
) -> None:
    given = tensor(datatype, shape, parameters={"binary_data_size": len(binary)})
    asked = {"inputs": [given], "parameters": {"binary_data_output": as_binary}}
    content, headers = with_binary(asked, binary)
    answer = client.ask("POST", INFER, content, headers)
    assert (LENGTH.lower() in answer.headers) == as_binary
    expect_both(tensors(answer), shape[0])


def test_outputs_are_chosen_one_by_one(client: Client) -> None:
    outputs = [
        {"name": "num_detections", "parameters": {"binary_data": True}},
        {"name": "detection_scores"},
    ]
    given = tensor("BYTES", [1], data=[TEXT])
    found = tensors(client.post(INFER, {"inputs": [given], "outputs": outputs}))
    assert list(found) == ["num_detections", "detection_scores"]
    np.testing.assert_allclose(found["detection_scores"], [[*SCORES, 0, 0, 0]], atol=1e-6)
    assert found["num_detections"].tolist() == [2]


def test_metadata_and_health(client: Client) -> None:
    assert client.get("/v2").json["extensions"] == ["binary_tensor_data"]
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/colors/ready"):
        assert client.get(path).status == 200
    for place in ("/v2/models/colors", "/v2/models/colors/versions/1"):
        about = client.get(place).json
        assert (about["name"], about["versions"]) == ("colors", ["1"])
        assert about["inputs"] == [
            {"name": "images", "datatype": "UINT8", "shape": [-1, -1, -1, 3]}
        ]
        assert [each["name"] for each in about["outputs"]] == NAMES
        assert about["parameters"]["classes"] == ["red", "blue"]


@pytest.mark.parametrize("kind", FILE_KINDS)
def test_a_platform_is_one_word(kind: str) -> None:
    assert re.fullmatch("boxwright_[a-z_]+", platform_of(kind))


def test_a_server_that_is_not_ready() -> None:
    with loading() as client:
        assert client.get("/v2/health/live").status == 200
        for path in ("/v2/health/ready", "/v2/models/colors/ready", "/v2/models/colors"):
            assert client.get(path).status == 503, path
        given = tensor("BYTES", [1], data=[TEXT])
        assert client.post(INFER, {"inputs": [given]}).status == 503


FILE = tensor("BYTES", [1], data=[TEXT])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"inputs": []}, "empty list"),
        ({"inputs": [FILE, FILE]}, "2 inputs"),
        ({"inputs": [FILE | {"datatype": "FP32"}]}, "FP32, not UINT8 or BYTES"),
        ({"inputs": [FILE | {"datatype": None}]}, "missing, not UINT8 or BYTES"),
        ({"inputs": [FILE | {"shape": [2]}]}, "1 files, but the shape is [2]"),
        ({"inputs": [FILE | {"shape": [1, 2]}]}, "not [n]"),
        ({"inputs": [FILE | {"shape": [0]}]}, "not at most four sides"),
        ({"inputs": [FILE | {"shape": [True]}]}, "not at most four sides"),
        ({"inputs": [FILE | {"shape": "1"}]}, "not a list but a text"),
        ({"inputs": [FILE | {"data": ["?"]}]}, "not standard base64"),
        ({"inputs": [FILE], "outputs": [{"name": "boxes"}]}, "no output 'boxes'"),
        ({"inputs": [FILE], "outputs": [{}]}, "missing"),
        ({"inputs": [FILE], "id": 42}, '"id" is not a text'),
        ({"inputs": [FILE], "parameters": []}, '"parameters" is not a JSON object'),
        ({"inputs": [tensor("UINT8", SHAPE, data=[1, 2, 3])]}, "There are 3 numbers"),
        ({"inputs": [tensor("UINT8", [1, 1, 1, 3], data=[1, 2, -3])]}, "0 to 255"),
        ({"inputs": [tensor("UINT8", [HEIGHT, WIDTH, 3], data=[1])]}, "[n, height, width, 3]"),
        ({"inputs": [tensor("UINT8", [1, 3, 1, 1], data=[1, 2, 3])]}, "[n, height, width, 3]"),
        (
            {"inputs": [FILE | {"parameters": {"binary_data_size": 9}}]},
            '"binary_data_size" is not 0',
        ),
    ],
)
def test_what_is_refused(body: dict[str, Any], said: str, client: Client) -> None:
    answer = client.post(INFER, body)
    assert answer.status == 400
    assert said in answer.json["error"]


@pytest.mark.parametrize(
    ("size", "binary", "header", "said"),
    [
        (8, element(b"four") + b"?", None, "is not 9"),
        (None, element(b"four"), None, 'no "binary_data_size"'),
        (6, b"\xff\xff\xff\xff12", None, "ends before"),
        (2, b"\x01\x00", None, "ends before"),
        ("8", element(b"four"), None, "is not 8"),
        (8, element(b"four"), "-1", LENGTH),
        (8, element(b"four"), "999", LENGTH),
        (8, element(b"four"), "many", LENGTH),
        (8, element(b"four"), "3", "not JSON"),
    ],
)
def test_binary_data_that_does_not_fit(
    size: Any, binary: bytes, header: str | None, said: str, client: Client
) -> None:
    given = tensor("BYTES", [1], parameters={"binary_data_size": size})
    content, headers = with_binary({"inputs": [given]}, binary)
    if header:
        headers[LENGTH] = header
    answer = client.ask("POST", INFER, content, headers)
    assert answer.status == 400
    assert said in answer.json["error"]


def test_many_small_images_are_refused(client: Client) -> None:
    binary = bytes(3 * 1001)
    given = tensor("UINT8", [1001, 1, 1, 3], parameters={"binary_data_size": len(binary)})
    content, headers = with_binary({"inputs": [given]}, binary)
    assert client.ask("POST", INFER, content, headers).status == 413
