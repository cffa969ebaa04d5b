"""The REST protocol of TensorFlow Serving, with the bodies of its documentation."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import pytest
from red_server import BLUE, HEIGHT, RED, ROWS, SCORES, WIDTH, Client, loading, pixels, png

PREDICT = "/v1/models/colors:predict"
FILE = {"b64": base64.b64encode(png()).decode()}
WRAPPED = {"b64": base64.encodebytes(png()).decode()}  # in lines, as the command base64 does
PIXELS = pixels().tolist()
OTHER = np.full((7, 9, 3), 50).tolist()  # another size, with nothing in it


def expect_both(row: dict[str, Any]) -> None:
    """Both rectangles, as an exported model of the Object Detection API gives them."""
    assert row.keys() == {
        *("detection_boxes", "detection_scores", "detection_classes", "num_detections")
    }
    assert row["num_detections"] == 2
    assert row["detection_classes"] == [1, 2, 0, 0, 0]
    assert row["detection_scores"] == pytest.approx([*SCORES, 0, 0, 0], abs=1e-6)
    assert len(row["detection_boxes"]) == ROWS
    normalized = [
        [ymin / HEIGHT, xmin / WIDTH, ymax / HEIGHT, xmax / WIDTH]
        for xmin, ymin, xmax, ymax in (RED, BLUE)
    ]
    np.testing.assert_allclose(row["detection_boxes"][:2], normalized, atol=1 / 64)
    assert row["detection_boxes"][2:] == [[0, 0, 0, 0]] * 3


@pytest.mark.parametrize(
    "instance",
    [FILE, WRAPPED, {"image_bytes": FILE}, PIXELS, {"input_tensor": PIXELS}],
    ids=["file", "lines", "named file", "pixels", "named pixels"],
)
def test_rows(instance: Any, client: Client) -> None:
    answer = client.post(PREDICT, {"signature_name": "serving_default", "instances": [instance]})
    assert answer.status == 200, answer.body
    (row,) = answer.json["predictions"]
    expect_both(row)


@pytest.mark.parametrize(
    "inputs",
    [[FILE], {"image_bytes": [FILE]}, [PIXELS], {"inputs": [PIXELS]}],
    ids=["file", "named file", "pixels", "named pixels"],
)
def test_columns(inputs: Any, client: Client) -> None:
    answer = client.post(PREDICT, {"inputs": inputs})
    assert answer.status == 200, answer.body
    expect_both({name: column[0] for name, column in answer.json["outputs"].items()})


def test_images_of_several_sizes(client: Client) -> None:
    answer = client.post(PREDICT, {"instances": [OTHER, FILE, {"x": PIXELS}]})
    nothing, *rest = answer.json["predictions"]
    assert nothing["num_detections"] == 0
    for row in rest:
        expect_both(row)


def test_a_version_may_be_named(client: Client) -> None:
    body = {"instances": [FILE]}
    assert client.post("/v1/models/colors/versions/1:predict", body).status == 200
    answer = client.post("/v1/models/colors/versions/2:predict", body)
    assert answer.status == 404
    assert "version 1" in answer.json["error"]


def test_status_and_metadata(client: Client) -> None:
    for place in ("/v1/models/colors", "/v1/models/colors/versions/1"):
        (status,) = client.get(place).json["model_version_status"]
        assert (status["version"], status["state"]) == ("1", "AVAILABLE")
        about = client.get(f"{place}/metadata").json
        assert about["model_spec"] == {"name": "colors", "signature_name": "", "version": "1"}
        signature = about["metadata"]["signature_def"]["signature_def"]["serving_default"]
        sizes = {
            name: [int(side["size"]) for side in tensor["tensor_shape"]["dim"]]
            for name, tensor in {**signature["inputs"], **signature["outputs"]}.items()
        }
        assert sizes == {
            "inputs": [-1, -1, -1, 3],
            "detection_boxes": [-1, ROWS, 4],
            "detection_classes": [-1, ROWS],
            "detection_scores": [-1, ROWS],
            "num_detections": [-1],
        }


def test_a_model_that_is_not_ready() -> None:
    with loading() as client:
        (status,) = client.get("/v1/models/colors").json["model_version_status"]
        assert status["state"] == "LOADING"
        answer = client.post(PREDICT, {"instances": [FILE]})
        assert answer.status == 503
        assert answer.headers["retry-after"] == "1"


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        (b"{", 400, "not JSON"),
        ([], 400, "not a JSON object but a list"),
        ({}, 400, '"instances" or "inputs"'),
        ({"instances": [FILE], "inputs": [FILE]}, 400, "not both"),
        ({"instances": []}, 400, "empty list"),
        ({"instances": FILE}, 400, "not a list but an object"),
        ({"instances": [FILE], "signature_name": "other"}, 400, "no signature 'other'"),
        ({"instances": [{"b64": "a-_b"}]}, 400, "for addresses"),
        ({"instances": [{"b64": 7}]}, 400, "not a text but a number"),
        ({"instances": [{"b64": "AAAA"}]}, 400, "not an image"),
        ({"instances": ["text"]}, 400, "neither"),
        ({"instances": [[[[1, 2, 3]], [[4, 5]]]]}, 400, "different lengths"),
        ({"instances": [[[[1, 2, 256]]]]}, 400, "0 to 255"),
        ({"instances": [[[[1, 2, 0.5]]]]}, 400, "0 to 255"),
        ({"instances": [[[[1, 2, float("nan")]]]]}, 400, "0 to 255"),
        ({"instances": [[[[1, 2]]]]}, 400, "[n, height, width, 3]"),
        ({"instances": [[]]}, 400, "not a list of pixels"),
        ({"inputs": [[[1, 2, 3]]]}, 400, "[n, height, width, 3]"),
        ({"inputs": [FILE] * 1001}, 413, "1,001 images"),
    ],
)
def test_what_is_refused(body: Any, status: int, said: str, client: Client) -> None:
    answer = client.post(PREDICT, body)
    assert answer.status == status
    assert said in answer.json["error"]


def test_an_unknown_model_is_named(client: Client) -> None:
    answer = client.post("/v1/models/half:predict", {"instances": [FILE]})
    assert (answer.status, list(answer.json)) == (404, ["error"])
    assert "'half', but colors" in answer.json["error"]
