"""docs/how-to/serve-elsewhere.md: its files are those that are written, and its clients find what
Boxwright finds, with servers that do what TensorFlow Serving and Triton do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from test_triton import as_triton, config_of, shape, tensors, values
from test_versions import served

from boxwright.export.dockerfile import write_dockerfile
from boxwright.export.triton import config_text
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.contract import of_openvino
from boxwright.inference.detector import Detector
from boxwright.inference.onnx_file import OnnxFile

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "serve-elsewhere.md"
Answers = dict[str, Callable[[Any], Any]]


def blocks(language: str) -> list[str]:
    """The blocks of a language in the page."""
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


@pytest.mark.tiny
def test_the_dockerfile_is_the_one_that_is_written(tmp_path: Path) -> None:
    model = tmp_path / "run" / "detector-int8.tflite"
    model.parent.mkdir()
    model.write_bytes(b"....TFL3")
    assert blocks("dockerfile") == [write_dockerfile(model).dockerfile.read_text("utf-8")]


@pytest.mark.tiny
def test_the_config_is_the_one_that_is_written() -> None:
    (interface,) = of_openvino(Artifact({}, ("cat",), Preprocessing(320))).interfaces
    file = OnnxFile(interface.inputs, interface.outputs, {}, 13, 7)
    assert blocks("protobuf") == [config_text(file)]


@contextmanager
def serving(answers: Answers) -> Iterator[str]:
    """The address of a server that answers requests of these paths with JSON."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            said = json.dumps(answers[self.path](body)).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)

        do_GET = do_POST = _answer  # noqa: N815 - names of http.server

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def client(number: int, folder: Path, *words: str | Path) -> list[tuple[str, float, list[float]]]:
    """What a program of the page prints: name, score and box of each detection."""
    program = folder / "client.py"
    program.write_text(blocks("python")[number], "utf-8")
    command = [sys.executable, "-X", "utf8", str(program), *map(str, words)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    found = (line.rsplit(" ", 5) for line in done.stdout.splitlines())
    return [(name, float(score), [*map(float, box)]) for name, score, *box in found]


def assert_found(found: list[tuple[str, float, list[float]]], image: Path, model: Path) -> None:
    """The page's program prints all that Boxwright detects with the same file, best first."""
    detector = Detector.load(model)
    with Image.open(image) as picture:
        width, height = picture.size
    ours = list(detector.predict(image, threshold=0))
    assert len(found) == len(ours) > 0
    for (_, score, box), own in zip(found, ours, strict=True):
        assert score == pytest.approx(own.score, abs=0.006)
        sides = np.array(box)[[1, 0, 3, 2]] * [width, height, width, height]
        np.testing.assert_allclose(sides, own.box, atol=0.3)
    assert [name for name, _, _ in found][:3] == [own.name for own in ours][:3]


@pytest.fixture
def image(written: Path, random_inputs: NDArray[np.uint8]) -> Path:
    """An image of the input's size, so that no resizing differs."""
    Image.fromarray(random_inputs[0]).save(written / "image.png")
    return written / "image.png"


def test_the_client_of_tensorflow_serving(
    image: Path, tiny_file: Callable[..., Path], written: Path
) -> None:
    version = tiny_file("savedmodel")
    names = Detector.load(version).classes

    def predict(body: Any) -> Any:
        (pixels,) = body["inputs"]
        boxes, scores, labels = served(version, np.asarray(pixels, np.uint8))
        return {
            "outputs": {
                "detection_boxes": [boxes.tolist()],
                "detection_scores": [scores.tolist()],
                "detection_classes": [(labels + 1.0).tolist()],
                "num_detections": [float(len(scores))],
            }
        }

    (written / "labels.txt").write_text("\n".join(names), "utf-8")
    with serving({"/v1/models/helmets:predict": predict}) as address:
        found = client(0, written, address, "helmets", written / "labels.txt", image)
    assert_found(found, image, version)


def test_the_client_of_triton(image: Path, tiny_file: Callable[..., Path], written: Path) -> None:
    folder = tiny_file("triton")
    ((name, source),) = tensors(config_of(folder), "input").items()
    about = {"name": name, "datatype": values(source, "data_type")[0].removeprefix("TYPE_")}

    def metadata(body: Any) -> Any:
        return {"name": "helmets", "inputs": [{**about, "shape": list(shape(source, -1))}]}

    def infer(body: Any) -> Any:
        (given,) = body["inputs"]
        assert (given["name"], given["datatype"]) == (name, about["datatype"])
        pixels = np.asarray(given["data"], np.uint8).reshape(given["shape"])
        outputs = as_triton(folder, pixels).items()
        return {
            "outputs": [
                {"name": each, "shape": list(array.shape), "data": array.ravel().tolist()}
                for each, array in outputs
            ]
        }

    paths: Answers = {"/v2/models/helmets": metadata, "/v2/models/helmets/infer": infer}
    with serving(paths) as address:
        found = client(1, written, address, "helmets", folder / "labels.txt", image)
    assert_found(found, image, folder)
