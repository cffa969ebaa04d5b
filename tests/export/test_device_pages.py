"""docs/how-to/android.md and raspberry-pi-camera.md: their Python runs on an exported file."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from boxwright.inference.detector import Detector

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
# What a Raspberry Pi does not have, and what MediaPipe would import for nothing.
ABSENT = ("tensorflow", "keras", "typer", "rich", "yaml", "defusedxml", "google_crc32c")
RUN = f"import runpy, sys; sys.modules.update(dict.fromkeys({ABSENT})); del sys.argv[0]; \
runpy.run_path(sys.argv[0])"
FAKE_CAMERA = """
import numpy as np

class Picamera2:
    def create_video_configuration(self, main):
        assert main["format"] == "BGR888"
        return main

    def configure(self, main):
        self.size, self.left = main["size"], 3

    def start(self):
        print("started")

    def stop(self):
        print("stopped")

    def capture_array(self):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        width, height = self.size
        coarse = np.random.default_rng(self.left).integers(0, 256, (4, 4, 3), np.uint8)
        return coarse.repeat(height // 4, axis=0).repeat(width // 4, axis=1)
"""


def python_in(page: str) -> list[str]:
    text = (HOW_TO / page).read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.fixture
def folder(tiny_file: Callable[..., Path], tmp_path: Path) -> Path:
    """A folder with an image and `detector-int8.tflite`, which here computes in floats."""
    shutil.copyfile(tiny_file("tflite", 1), tmp_path / "detector-int8.tflite")
    coarse = np.random.default_rng(0).integers(0, 256, (4, 4, 3), np.uint8)
    smooth = Image.fromarray(coarse).resize((64, 64), Image.Resampling.BICUBIC)
    smooth.save(tmp_path / "image.jpg", quality=95)
    return tmp_path


def run(folder: Path, code: str, *words: str) -> list[str]:
    """The lines that a script prints where `ABSENT` cannot be imported."""
    (folder / "script.py").write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", RUN, "script.py", *words],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_script_for_mediapipe_finds_what_predict_finds(folder: Path) -> None:
    (script,) = python_in("android.md")
    lines = run(folder, script, "detector-int8.tflite", "image.jpg")
    ours = Detector.load(folder / "detector-int8.tflite").predict(folder / "image.jpg")
    theirs = [(name, score) for name, score, *_ in (line.rsplit(" ", 5) for line in lines)]
    assert len(ours) > 5
    assert sorted(theirs) == sorted((name, f"{score:.2f}") for name, score, _ in ours)


def test_the_scripts_for_a_raspberry_pi_run(folder: Path) -> None:
    (folder / "picamera2.py").write_text(FAKE_CAMERA, encoding="utf-8")
    one, watch = python_in("raspberry-pi-camera.md")
    ours = Detector.load(folder / "detector-int8.tflite").predict(folder / "image.jpg")
    assert len(run(folder, one)) == len(ours) > 5
    assert (folder / "found.jpg").is_file()
    lines = run(folder, f"import sys; sys.path.insert(0, '.')\n{watch}")
    assert (lines[0], lines[-1]) == ("started", "stopped")
    assert sum(line.endswith(" images/s") for line in lines) == 3
    assert any(line.startswith("Klasse ü0 ") for line in lines)
