"""Runs and exported files of commit 0d3614b still load, find the same, resume and export."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.cli.main import main
from boxwright.inference.detector import Detector

FILES = Path(__file__).parent / "files"
EXPECTED: dict[str, dict[str, Any]] = json.loads((FILES / "expected.json").read_text("utf-8"))


@pytest.mark.parametrize("file", EXPECTED)
def test_it_finds_what_it_found_when_it_was_written(file: str) -> None:
    detector = Detector.load(FILES / file)
    assert detector.classes == ("square",)
    for image, rows in EXPECTED[file].items():
        found = detector.predict(FILES / image, threshold=0.0)
        wanted = np.array(rows)
        np.testing.assert_allclose(found.scores[: len(wanted)], wanted[:, 0], atol=0.02)
        np.testing.assert_allclose(found.boxes[: len(wanted)], wanted[:, 1:], atol=1.0)


@pytest.mark.usefixtures("op_by_op")
def test_a_stopped_run_goes_on(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    run = shutil.copytree(FILES / "stopped", tmp_path / "stopped")
    with pytest.raises(SystemExit) as ended:
        main(["train", str(FILES / "squares"), "--out", str(run), "--resume", "--steps", "15"])
    assert ended.value.code == 0, capfd.readouterr().err
    steps = [
        json.loads(line)["step"]
        for line in (run / "log.jsonl").read_text("utf-8").split("\n")
        if line
    ]
    assert max(steps) >= 10
    assert Detector.load(run).classes == ("square",)
    with np.load(run / "checkpoint.npz") as checkpoint:
        assert json.loads(checkpoint["description"].tobytes())["step"] == 15


def test_an_earlier_run_is_exported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "detector.tflite"
    data = str(FILES / "squares")
    with pytest.raises(SystemExit) as ended:
        main(["export", str(FILES / "run"), "--out", str(out), "--data", data])
    assert ended.value.code == 0, capfd.readouterr().err
    earlier, now = (Detector.load(path) for path in (FILES / "run" / "detector.tflite", out))
    image = FILES / "squares" / "002.png"
    np.testing.assert_allclose(
        now.predict(image, threshold=0).scores,
        earlier.predict(image, threshold=0).scores,
        atol=1e-4,
    )
