"""TensorBoard itself, started on what a training and an evaluation wrote, shows it."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

import numpy as np
import pytest
from PIL import Image

from boxwright.inference.run import Run
from boxwright.training.event_file import EventFile

NUMBERS = {
    "Loss/total_loss": 2.5,
    "DetectionBoxes_Precision/mAP (small)": 0.25,
    "PascalBoxes_PerformanceByCategory/AP@0.5IOU/hard hat": 0.75,
}
PICTURE = "Detections_Left_Groundtruth_Right/0/0"
COLORS = {10: (200, 40, 40), 20: (40, 40, 200)}  # of the picture at these steps
SECONDS = 60  # that TensorBoard may take to start and to read; it takes three


@dataclass
class TensorBoard:
    """A TensorBoard that runs, by its HTTP API."""

    url: str

    def get(self, path: str, **query: Any) -> bytes:
        with urlopen(f"{self.url}/data/plugin/{path}?{urlencode(query)}") as answer:  # noqa: S310
            read: bytes = answer.read()
        return read

    def get_json(self, path: str, **query: Any) -> Any:
        return json.loads(self.get(path, **query))


@pytest.fixture(scope="module")
def tensorboard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TensorBoard]:
    """On a folder with a run and, in eval_0, an evaluation."""
    folder = tmp_path_factory.mktemp("training")
    with EventFile(Run(folder).tensorboard) as run, EventFile(folder / "eval_0") as evaluation:
        for step, color in COLORS.items():
            for writer in (run, evaluation):
                writer.write(step, {tag: value + step for tag, value in NUMBERS.items()})
                writer.pictures(step, {PICTURE: Image.new("RGB", (64, 32), color)})
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder)]
    command += ["--host", "127.0.0.1", "--port", "0"]
    said = folder / "said.txt"
    with said.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT)
    try:
        yield started(process, said)
    finally:
        process.terminate()
        process.wait()


def started(process: subprocess.Popen[bytes], said: Path) -> TensorBoard:
    """Once it answers and has read all there is."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        address = re.search(r"http://127\.0\.0\.1:\d+", said.read_text(encoding="utf-8"))
        if address:
            board = TensorBoard(address[0])
            if len(board.get_json("images/tags")) == 2:
                return board
        time.sleep(0.1)
    raise AssertionError(f"TensorBoard did not start: {said.read_text(encoding='utf-8')}")


@pytest.mark.parametrize("run", ["tensorboard", "eval_0"])
def test_it_shows_every_number_by_its_name(tensorboard: TensorBoard, run: str) -> None:
    assert tensorboard.get_json("scalars/tags")[run].keys() == NUMBERS.keys()
    for tag, value in NUMBERS.items():
        points = tensorboard.get_json("scalars/scalars", run=run, tag=tag)
        assert [(step, shown) for _, step, shown in points] == [
            (step, value + step) for step in COLORS
        ]


@pytest.mark.parametrize("run", ["tensorboard", "eval_0"])
def test_it_shows_a_picture_of_every_step(tensorboard: TensorBoard, run: str) -> None:
    assert tensorboard.get_json("images/tags")[run].keys() == {PICTURE}
    shown = tensorboard.get_json("images/images", run=run, tag=PICTURE, sample=0)
    assert [one["step"] for one in shown] == list(COLORS)
    for one, color in zip(shown, COLORS.values(), strict=True):
        (key,) = re.findall("blob_key=(.+)", one["query"])
        picture = Image.open(io.BytesIO(tensorboard.get("images/individualImage", blob_key=key)))
        assert picture.size == (64, 32)
        np.testing.assert_allclose(picture.getpixel((32, 16)), color, atol=8)
