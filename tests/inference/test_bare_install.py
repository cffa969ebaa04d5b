"""A Raspberry Pi with nothing but numpy, pillow and ai-edge-litert."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.shared

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
