"""Whatever a body is, the answer is 200, or a refusal with a sentence; never a failure."""

from __future__ import annotations

import base64
import copy
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_host import CONFIG, asked
from red_server import CLASSES, Client, png

from boxwright.serving.dialects.label_studio import control_in
from boxwright.serving.dialects.tf_serving import images_in
from boxwright.serving.dialects.v2 import request_in
from boxwright.serving.refusals import Refusal

TEXT = base64.b64encode(png()).decode()
PREDICT, INFER = "/v1/models/colors:predict", "/v2/models/colors/infer"
PARAMETERS = {"binary_data_size": 4, "binary_data": True, "binary_data_output": False}
VALID: dict[str, list[Any]] = {
    PREDICT: [
        {"signature_name": "serving_default", "instances": [{"b64": TEXT}]},
        {"instances": [{"x": [[[1, 2, 3]]]}]},
        {"inputs": {"x": [{"b64": TEXT}]}},
    ],
    INFER: [
        {
            "id": "1",
            "parameters": PARAMETERS,
            "inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": [TEXT]}],
            "outputs": [{"name": "num_detections", "parameters": PARAMETERS}],
        },
        {"inputs": [{"shape": [1, 1, 1, 3], "datatype": "UINT8", "data": [1, 2, 3]}]},
        {"inputs": [{"shape": [1], "datatype": "BYTES", "parameters": PARAMETERS}]},
    ],
    "/predict": [asked("/a.png")],
    "/setup": [{"project": "1.1", "schema": CONFIG}],
}
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([-1, 0, 2**31, 2**63, 2**64, 10**400, 1e300, float("nan"), float("inf")]),
    st.text(max_size=8),
    st.sampled_from(["\ud800", "\0", "BYTES", "UINT8", TEXT, CONFIG]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=12,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """All places in a body, as container and key."""
    keys = (
        value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    )
    return [place for key in keys for place in [(value, key), *places(value[key])]]


@st.composite
def bodies(draw: st.DrawFn, path: str) -> bytes:
    """A valid body of a path with one or two values replaced or left out, or cut short."""
    body = copy.deepcopy(draw(st.sampled_from(VALID[path])))
    for _ in range(draw(st.integers(1, 2))):
        container, key = draw(st.sampled_from(places(body) or [({"": 0}, "")]))
        if draw(st.booleans()):
            container[key] = draw(VALUES)
        else:
            del container[key]
    text = json.dumps(body).encode()
    return text[: draw(st.integers(0, len(text)))] if draw(st.integers(0, 9)) == 0 else text


def expect_sentence(refusal: Refusal) -> None:
    assert refusal.status in {400, 413}
    assert refusal.message.endswith(".")
    assert len(refusal.message) < 300


@settings(max_examples=150, deadline=None)
@given(bodies(PREDICT) | st.binary(max_size=40))
def test_tensorflow_serving(content: bytes) -> None:
    try:
        _, images = images_in(content)
    except Refusal as refusal:
        expect_sentence(refusal)
    else:
        assert images


@settings(max_examples=150, deadline=None)
@given(bodies(INFER) | st.binary(max_size=40), st.none() | st.integers(), st.binary(max_size=12))
def test_open_inference(content: bytes, offset: int | None, binary: bytes) -> None:
    length = None if offset is None else str(len(content) + offset % 3)
    try:
        parsed = request_in(content + binary, length)
    except Refusal as refusal:
        expect_sentence(refusal)
    else:
        assert parsed.images


@settings(max_examples=80, deadline=None)
@given(VALUES | st.text(alphabet="<>/=\"'$ ViewImagrectLbs", max_size=40))
def test_labeling_configurations(config: Any) -> None:
    try:
        control = control_in(config, CLASSES)
    except Refusal as refusal:
        expect_sentence(refusal)
    else:
        assert control.labels


@pytest.mark.parametrize("path", VALID)
def test_the_server_never_fails(path: str, client: Client) -> None:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(bodies(path))
    def answered(content: bytes) -> None:
        answer = client.ask("POST", path, content)
        assert answer.status in {200, 400, 413, 415}, answer.body
        if answer.status != 200:
            assert answer.json["error"].endswith(".")

    answered()


DEEP = 200_000


@pytest.mark.parametrize("path", [PREDICT, INFER])
@pytest.mark.parametrize(
    "body",
    [
        b"[" * DEEP,
        b'{"instances": ' + b"[" * DEEP + b"]" * DEEP + b"}",
        b'{"instances": ' + b"[" * 70 + b"]" * 70 + b"}",
        b'{"inputs": ' + b'{"a":' * DEEP,
        b'{"instances": [' + b"9" * 5000 + b"]}",
        b'{"instances": [' + b"[]," * 100_000 + b"[]]}",
        b'{"inputs": [{"shape": [1], "datatype": "BYTES", "data": [' + b'"",' * 100_000 + b'""]}]}',
    ],
    ids=["open", "deep", "dimensions", "objects", "number", "many lists", "many files"],
)
def test_bodies_that_are_large_or_deep(path: str, body: bytes, client: Client) -> None:
    answer = client.ask("POST", path, body)
    assert answer.status in {400, 413}
    assert answer.json["error"]
