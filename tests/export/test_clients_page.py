"""docs/how-to/clients.md: its programs run on exported files and find what Boxwright finds."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf.json_format import MessageToDict
from numpy.typing import NDArray
from PIL import Image

from boxwright.backend.framework import tensorflow
from boxwright.export.frozen import OUTPUTS
from boxwright.export.labels import write_labels
from boxwright.export.onnx import write_raw_onnx
from boxwright.inference.contract import of_openvino
from boxwright.inference.detector import Detector
from boxwright.inference.inspection import inspect

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "clients.md"
PACKAGES = Path(__file__).parent / "clients" / "node_modules"
PROGRAM = """
import { readFileSync } from "node:fs";
import { detect, load } from "./detect.mjs";

const [model, labels, pixels, side] = process.argv.slice(2);
const names = readFileSync(labels, "utf8").trim().split("\\n");
const session = await load(readFileSync(model));
console.log(JSON.stringify(await detect(session, readFileSync(pixels), +side, names, 0.5)));
"""

PROGRAM_OF_TFJS = """
import { readFileSync } from "node:fs";
import { detect, load } from "./detect-tfjs.mjs";

const [labels, pixels, side] = process.argv.slice(2);
const names = readFileSync(labels, "utf8").trim().split("\\n");
const data = new Uint8Array(readFileSync(pixels));
const model = await load({ load: async () => ({
  ...JSON.parse(readFileSync("model.json", "utf8")),
  weightData: new Uint8Array(readFileSync("weights.bin")).buffer,
}) });
console.log(JSON.stringify(await detect(model, { data, width: +side, height: +side }, names)));
"""


def code(file: str) -> str:
    """The block of the page that begins with the name of a file."""
    text = PAGE.read_text(encoding="utf-8")
    (found,) = re.findall(
        rf"^```\w+\n((?:#|//) {re.escape(file)}\n.*?)^```", text, re.DOTALL | re.MULTILINE
    )
    return found


@pytest.fixture
def folder(
    tiny_detector: Callable[..., Any], random_inputs: NDArray[np.uint8], written: Path
) -> Path:
    """A folder with a raw .onnx, labels and an image of the input's size."""
    tiny = tiny_detector(3)
    write_raw_onnx(written / "detector-raw.onnx", tiny.model, tiny.artifact)
    write_labels(written / "detector-raw.onnx", tiny.artifact.classes, label_map=False)
    Image.fromarray(random_inputs[0]).save(written / "image.png")
    return written


def ran(folder: Path, *command: str) -> str:
    done = subprocess.run(
        command, cwd=folder, capture_output=True, encoding="utf-8", check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_opencv_finds_the_best_object(folder: Path) -> None:
    pytest.importorskip("cv2", reason="OpenCV, which MediaPipe needs, is not installed")
    (folder / "script.py").write_text(code("opencv_detect.py"), encoding="utf-8")
    words = ("detector-raw.onnx", "labels.txt", "image.png", "64")
    lines = ran(folder, sys.executable, "-X", "utf8", "script.py", *words).splitlines()
    found = [re.fullmatch(r"(.+) (0\.\d\d)((?: -?\d+){4})", line) for line in lines]
    ours = Detector.load(folder / "detector-raw.onnx").predict(folder / "image.png")
    assert len(ours) > 0
    best = max((match for match in found if match), key=lambda match: match[2])
    assert (best[1], best[2]) == (ours[:1].classes[ours.labels[0]], f"{ours.scores[0]:.2f}")
    corners = np.clip([int(side) for side in best[3].split()], 0, 64)
    np.testing.assert_allclose(corners, ours.boxes[0], atol=0.6)


def in_node(folder: Path, file: str, program: str, pixels: NDArray[np.uint8], *words: str) -> Any:
    """What a program finds that uses a block of the page."""
    node = shutil.which("node")
    if node is None or not PACKAGES.is_dir():
        pytest.skip("Node or its packages are missing: `make checkers` installs them with npm")
    (folder / "node_modules").symlink_to(PACKAGES)
    (folder / file).write_text(code(file), encoding="utf-8")
    (folder / "program.mjs").write_text(program, encoding="utf-8")
    (folder / "pixels").write_bytes(Image.fromarray(pixels).convert("RGBA").tobytes())
    return json.loads(ran(folder, node, "program.mjs", *words))


def assert_found(found: Any, file: Path, image: Path) -> None:
    """Equal to what we find in an image of 64 px with the file."""
    ours = Detector.load(file).predict(image, threshold=0.5)
    assert len(found) == len(ours) > 0
    assert [each["name"] for each in found][:3] == [each.name for each in ours][:3]
    for theirs, own in zip(found[:3], list(ours)[:3], strict=True):
        assert theirs["score"] == pytest.approx(own.score, abs=1e-3)
        sides = [theirs[side] * 64 for side in ("xmin", "ymin", "xmax", "ymax")]
        np.testing.assert_allclose(sides, own.box, atol=0.1)


def test_onnx_runtime_web_finds_the_same(
    folder: Path, tiny_file: Callable[..., Path], random_inputs: NDArray[np.uint8]
) -> None:
    shutil.copyfile(tiny_file("onnx"), folder / "detector.onnx")
    words = ("detector.onnx", "labels.txt", "pixels", "64")
    found = in_node(folder, "detect.mjs", PROGRAM, random_inputs[0], *words)
    assert_found(found, folder / "detector.onnx", folder / "image.png")


def test_tensorflow_js_finds_the_same(
    folder: Path, tiny_file: Callable[..., Path], random_inputs: NDArray[np.uint8]
) -> None:
    write_for_tfjs(tiny_file("frozen"), folder)
    words = ("labels.txt", "pixels", "64")
    found = in_node(folder, "detect-tfjs.mjs", PROGRAM_OF_TFJS, random_inputs[0], *words)
    assert_found(found, tiny_file("frozen"), folder / "image.png")


def write_for_tfjs(frozen: Path, folder: Path) -> None:
    """Write what TensorFlow.js's converter makes of a graph, without its optimizations."""
    tf = tensorflow()
    graph = tf.compat.v1.GraphDef.FromString(frozen.read_bytes())
    numbers = tf.compat.v1.graph_util.extract_sub_graph(graph, list(OUTPUTS))
    weights, data = [], b""
    for node in numbers.node:
        if node.op == "Const":
            values = tf.make_ndarray(node.attr["value"].tensor)
            kind = {"name": node.name, "shape": values.shape, "dtype": values.dtype.name}
            weights.append(kind)
            data += values.tobytes()
            node.attr["value"].tensor.ClearField("tensor_content")
    model = {"modelTopology": MessageToDict(numbers), "weightSpecs": weights}
    (folder / "model.json").write_text(json.dumps(model), encoding="utf-8")
    (folder / "weights.bin").write_bytes(data)


def test_the_table_of_contracts_is_that_of_the_files(
    tiny_file: Callable[..., Path], folder: Path
) -> None:
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("| `.") or line.startswith("| frozen") or line.startswith("| Saved")
    ]
    kinds = ("tflite", "onnx", "raw", "frozen", "serving_default", "batched")
    by_kind = dict(zip(kinds, rows, strict=True))
    for kind in kinds:
        row = " ".join(by_kind[kind])
        file = {"raw": "onnx", "serving_default": "savedmodel", "batched": "savedmodel"}
        path = folder / "detector-raw.onnx" if kind == "raw" else tiny_file(file.get(kind, kind))
        contract = inspect(path).contract
        assert contract is not None
        (interface,) = (each for each in contract.interfaces if each.signature in ("", kind))
        for tensor in (*interface.inputs, *interface.outputs):
            assert kind in ("serving_default", "batched") or f"`{tensor.name}`" in row, tensor
            assert tensor.dtype in row
        first = interface.first_class
        assert by_kind[kind][3] == (
            "column 0 is the first class" if first is None else f"from {first}"
        )
    artifact = Detector.load(tiny_file("onnx")).artifact
    onnx = inspect(tiny_file("onnx")).contract
    assert onnx is not None
    assert of_openvino(artifact).interfaces == onnx.interfaces  # one row for both
