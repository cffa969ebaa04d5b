"""`boxwright licenses`: what is known of a detector's origin, and what is not."""

from __future__ import annotations

import json
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from boxwright.cli.main import app
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.io.files import write_json
from boxwright.models.weights import zoo

pytestmark = pytest.mark.tiny


def run(folder: Path, *options: str, **provenance: Any) -> Result:
    artifact = Artifact({}, ("cat",), Preprocessing(size=32), provenance=provenance)
    write_json(folder / "run.json", artifact.to_json())
    return CliRunner().invoke(app, ["licenses", str(folder), *options])


@pytest.mark.parametrize(
    ("provenance", "license", "source"),
    [
        (
            {"weights": "ssd_mobilenet_v2_coco"},
            "Apache-2.0",
            zoo.named("ssd_mobilenet_v2_coco").urls[0],
        ),
        ({"weights": None}, "yours", "only on your images"),
        ({"weights": "mine.tflite"}, "unknown", "ask the author of the file"),
        ({}, "unknown", "ask the author of the file"),
    ],
)
def test_weights_have_the_license_of_their_model(
    provenance: dict[str, Any], license: str, source: str, tmp_path: Path
) -> None:
    _, weights, _ = json.loads(run(tmp_path, "--json", **provenance).stdout)
    assert weights["part"] == "weights"
    assert weights["license"] == license
    assert source in weights["source"]


@pytest.mark.parametrize(
    ("version", "expected"),
    [("0.1.0", ("Boxwright 0.1.0", "Apache-2.0")), (None, ("unknown", "unknown"))],
)
def test_the_code_is_boxwrights(
    version: str | None, expected: tuple[str, str], tmp_path: Path
) -> None:
    code, *_ = json.loads(run(tmp_path, "--json", boxwright=version).stdout)
    assert (code["name"], code["license"]) == expected


def test_images_have_a_license_that_only_people_know(tmp_path: Path) -> None:
    data = {"path": tmp_path.as_posix()}
    assert "ask the authors of the images" in run(tmp_path, data=data).stdout
    (tmp_path / "LICENSE.txt").touch()
    assert f"see {tmp_path / 'LICENSE.txt'}" in run(tmp_path, data=data).stdout
    assert "does not record" in run(tmp_path, data="damaged").stdout


def test_every_part_has_its_lines(tmp_path: Path) -> None:
    lines = run(tmp_path, boxwright="0.1.0", weights="net [1]").stdout.splitlines()
    assert [line.split()[0] for line in lines[::2]] == ["code", "weights", "images"]
    assert lines[2] == "weights  net [1]: unknown"


def test_what_is_no_detector_is_said(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["licenses", str(tmp_path / "none")])
    assert result.exit_code == 1
    assert "BW501" in result.stderr


@pytest.mark.parametrize("verb", ["licenses", "licences"])
def test_without_a_detector_the_parts_of_pyav_are_listed(verb: str) -> None:
    parts = json.loads(CliRunner().invoke(app, [verb, "--json"]).stdout)
    licenses = {part["name"]: part["license"] for part in parts}
    assert licenses[f"PyAV {metadata.version('av')}"] == "BSD-3-Clause"
    if sys.platform == "linux":  # where the wheel has a folder of libraries
        assert "GPL version" in licenses["libavcodec"]
        assert licenses["libx264"] == "GPL-2.0-or-later"
        assert "unknown" not in licenses.values()
