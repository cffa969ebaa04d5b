"""What a detector file says about itself: written, read back, and refused when it is wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.errors import DetectorError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact

pytestmark = pytest.mark.tiny

GOOD = Artifact(
    model={"name": "ssd_mobilenet_v1", "num_classes": 2},
    classes=("hard hat", "Schutzhelm ü"),
    preprocessing=Preprocessing(224),
    threshold=0.4,
    provenance={"boxwright": "0.1.0", "metrics": {"AP": None}},
).to_json()


@given(
    classes=st.lists(st.text(min_size=1), min_size=1, unique=True),
    size=st.integers(1, 4096),
    threshold=st.floats(0, 1),
)
def test_round_trip(classes: list[str], size: int, threshold: float) -> None:
    artifact = Artifact(
        {"name": "any", "num_classes": len(classes)},
        tuple(classes),
        Preprocessing(size, 1 / 255, 0.0),
        threshold,
        {"weights": "none"},
    )
    assert Artifact.from_text(json.dumps(artifact.to_json())) == artifact


def test_what_later_versions_may_add_is_passed_over() -> None:
    assert Artifact.from_json(GOOD | {"extra": 1}).classes == ("hard hat", "Schutzhelm ü")


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in GOOD.items() if k != key}


def with_preprocessing(**change: Any) -> dict[str, Any]:
    return GOOD | {"preprocessing": GOOD["preprocessing"] | change}


@pytest.mark.parametrize(
    ("value", "code", "says"),
    [
        ([], "BW502", "format"),
        ({}, "BW502", "format"),
        (without("version"), "BW502", '"version" is missing'),
        (GOOD | {"version": "1"}, "BW502", "whole number but is '1'"),
        (GOOD | {"version": True}, "BW502", "whole number but is True"),
        (GOOD | {"version": 2}, "BW503", "version 2"),
        (GOOD | {"version": 2, "classes": None}, "BW503", "version 2"),
        (without("classes"), "BW504", "no class names"),
        (GOOD | {"classes": []}, "BW504", "no class names"),
        (GOOD | {"classes": "hat"}, "BW502", "list of names"),
        (GOOD | {"classes": ["hat", 3]}, "BW502", "list of names"),
        (GOOD | {"classes": ["hat", "\ud83d"]}, "BW502", "list of names"),
        (GOOD | {"classes": ["hat", ""]}, "BW502", "list of names"),
        (GOOD | {"classes": ["hat", "hat"]}, "BW502", "twice"),
        (GOOD | {"classes": ["hat"]}, "BW502", '1 "classes", but its model has 2'),
        (without("model"), "BW502", '"model" is missing'),
        (GOOD | {"model": "ssd"}, "BW502", "an object but is 'ssd'"),
        (GOOD | {"threshold": "high"}, "BW502", "'high'"),
        (without("preprocessing"), "BW502", '"preprocessing" is missing'),
        (with_preprocessing(resize="crop"), "BW502", "'crop'"),
        (with_preprocessing(size=0), "BW502", "pixels but 0"),
        (with_preprocessing(size=300.5), "BW502", "300.5"),
        (with_preprocessing(scale="small"), "BW502", "preprocessing"),
        (without("provenance"), "BW502", '"provenance" is missing'),
    ],
)
def test_refused(value: Any, code: str, says: str) -> None:
    with pytest.raises(DetectorError) as caught:
        Artifact.from_json(value, where="run/run.json")
    assert caught.value.code == code
    assert says in caught.value.message
    assert caught.value.where == "run/run.json"


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[1, 2"])
def test_text_that_is_not_json_is_refused(text: bytes) -> None:
    with pytest.raises(DetectorError, match="not JSON"):
        Artifact.from_text(text)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        ({"path": "/home/somebody/cats", "fingerprint": "c0ffee"}, "cats"),
        ({"path": "C:/Users/somebody/cats", "fingerprint": "c0ffee"}, "cats"),
        ({"folder": "cats", "fingerprint": "c0ffee"}, "cats"),
        ({"path": ["/home/somebody/cats"]}, None),
        ("/home/somebody/cats", None),
    ],
)
def test_a_file_for_others_names_the_folder_alone(data: object, name: str | None) -> None:
    own = Artifact({}, ("cat",), Preprocessing(32), provenance={"data": data, "weights": None})
    given = Artifact.from_json(own.without_paths().to_json())
    assert (given.data_name, given.data_path) == (name, None)
    assert given.fingerprint == ("c0ffee" if name else None)
    assert "somebody" not in given.to_text()


def test_without_data_there_is_nothing_to_leave_out() -> None:
    own = Artifact({}, ("cat",), Preprocessing(32))
    assert own.without_paths() == own
