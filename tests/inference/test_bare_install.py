"""A Raspberry Pi with nothing but numpy, pillow and ai-edge-litert."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ALLOWED = {"boxwright", "numpy", "PIL", "ai_edge_litert", "flatbuffers"}
CODE = """
import sys, importlib.abc

class Refuse(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names and top not in ALLOWED and not top.startswith("_"):
            asked.add(top)
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

asked = set()
ALLOWED = set(sys.argv[3].split(","))
sys.meta_path.insert(0, Refuse())
import boxwright

model, photo = sys.argv[1:3]
names = [str(i) for i in range(90)]
detector = boxwright.Detector.load(model, classes=names)
print([name for name, _, _ in detector.predict(photo)][:2])
print(len(list(detector.predict_many([photo, photo]))))
print(sorted(asked))
"""


@pytest.mark.shared
def test_a_tflite_runs_where_nothing_else_is_installed(shared: Path) -> None:
    model = shared / "weights" / "ssd_mobilenet_v1_coco_quant.tflite"
    image = shared / "images" / "image1.jpg"
    done = subprocess.run(
        [sys.executable, "-c", CODE, str(model), str(image), ",".join(sorted(ALLOWED))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["['17', '17']", "2"]


COMMAND = """
import runpy, sys
from importlib import metadata

sys.modules["typer"] = None  # how Python blocks an import
version = metadata.version

def without_typer(name):
    if name == "typer":
        raise metadata.PackageNotFoundError(name)
    return version(name)

metadata.version = without_typer
sys.argv = ["boxwright", "check", "images"]
runpy.run_module("boxwright", run_name="__main__")
"""


def test_the_command_line_says_what_is_missing() -> None:
    done = subprocess.run(
        [sys.executable, "-c", COMMAND], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    first, second, third = done.stderr.splitlines()
    assert first == "BW901 the command line needs typer, which is not installed."
    assert second == "Install it with: pip install typer"
    assert "boxwright.Detector.load" in third
