"""OpenCV 4 opens frozen graphs by way of its own program, tf_text_graph_ssd.py.

`make test-opencv` runs this, with OpenCV 4 and its sources in an environment of its own.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from boxwright.io.protobuf_text import write
from boxwright.tfod.config import parse_config, sample_config
from boxwright.tfod.graphs import inference_graph
from boxwright.tfod.mapping.network import nms_config_of, spec_of
from exporting import random_network, run_graph

GIVEN = os.environ.get("BOXWRIGHT_OPENCV")
if not GIVEN:
    pytest.skip("make test-opencv runs them", allow_module_level=True)

OPENCV = Path(GIVEN)
pytestmark = pytest.mark.usefixtures("small_network")
(PYTHON,) = [path for path in OPENCV.glob("*/python*") if path.stem == "python"]
(SOURCES,) = OPENCV.glob("sources/*.tar.gz")
PROGRAMS = re.compile(r".*/samples/dnn/(tf_text_graph_(?:ssd|common)\.py)")
PROGRAM = """
import json, sys
import cv2, numpy as np

network = cv2.dnn.readNetFromTensorflow(sys.argv[1], sys.argv[2])
image = np.load(sys.argv[3])
network.setInput(cv2.dnn.blobFromImage(image))
print(json.dumps([cv2.__version__, network.forward()[0, 0].tolist()]))
"""
SAMPLES = {  # sample and side
    "ssd_mobilenet_v1_coco": 300,
    "ssdlite_mobilenet_v2_coco": 300,
    "ssd_mobilenet_v1_fpn_640x640_coco17_tpu-8": 128,
    "ssd_mobilenet_v2_fpnlite_640x640_coco17_tpu-8": 128,
}


@pytest.fixture(scope="module")
def text_graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """OpenCV's program, beside the one that it imports."""
    folder = tmp_path_factory.mktemp("programs")
    with tarfile.open(SOURCES) as archive:
        for member in archive:
            if found := PROGRAMS.fullmatch(member.name):
                content = archive.extractfile(member)
                assert content is not None
                (folder / found[1]).write_bytes(content.read())
    return folder / "tf_text_graph_ssd.py"


@pytest.mark.parametrize("sample", SAMPLES)
def test_it_finds_what_the_graph_finds(sample: str, text_graph: Path, tmp_path: Path) -> None:
    side = SAMPLES[sample]
    config = parse_config(
        sample_config(sample),
        override=f"""model {{ ssd {{
          num_classes: 2
          image_resizer {{ fixed_shape_resizer {{ height: {side} width: {side} }} }}
          post_processing {{ batch_non_max_suppression {{
            score_threshold: 0.3 iou_threshold: 1  # which of two similar boxes stays is rounding
          }} }}
        }} }}""",
    )
    (tmp_path / "pipeline.config").write_text(write(config.tree), encoding="utf-8")
    from boxwright.models.weights.network import PREPROCESSING
    from boxwright.tfod.mapping.network import family_of

    model = random_network(spec_of(config), family_of(config.pipeline))
    preprocessing = replace(PREPROCESSING, size=side)
    graph = inference_graph(model, preprocessing, nms_config_of(config))
    frozen, text = tmp_path / "frozen_inference_graph.pb", tmp_path / "graph.pbtxt"
    frozen.write_bytes(graph.SerializeToString())
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    np.save(tmp_path / "image.npy", image)

    words = ("--input", frozen, "--config", tmp_path / "pipeline.config", "--output", text)
    ran(text_graph, *words)
    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    version, rows = json.loads(ran(tmp_path / "program.py", frozen, text, tmp_path / "image.npy"))
    assert version.startswith("4.")
    found = np.array(rows)  # image, class, score, xmin, ymin, xmax, ymax

    expected = run_graph(tmp_path, "image_tensor", image[None])
    best = int(min(expected["num_detections"][0], 20))
    assert best > 5
    boxes = expected["detection_boxes"][0, :best][:, [1, 0, 3, 2]]
    ours = np.column_stack(
        [expected["detection_classes"][0, :best], expected["detection_scores"][0, :best], boxes]
    )
    theirs = np.clip(found[:, 1:], [0, 0, 0, 0, 0, 0], [9, 1, 1, 1, 1, 1])
    apart = np.abs(ours[:, None] - theirs).max(axis=2).min(axis=1)
    assert apart.max() < 1e-3


def ran(*words: str | Path) -> str:
    """What OpenCV's Python prints."""
    command = [str(word) for word in (PYTHON, *words)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]
