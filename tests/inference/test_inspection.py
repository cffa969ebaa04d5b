"""What detector files say about themselves: real ones, foreign ones, damaged ones."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.errors import DetectorError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference import litert, tflite_graph
from boxwright.inference.artifact import Artifact
from boxwright.inference.inspection import inspect

EARLIER = Path(__file__).parents[1] / "earlier" / "files" / "run"
COCO = "ssd_mobilenet_v1_coco_quant.tflite"
ORIGIN = {
    "boxwright": "0.1.0",
    "data": {"path": "photos", "fingerprint": "c0ffee"},
    "weights": None,
    "recipe": {"batch_size": 16, "optimizer": {"kind": "Adam"}, "seconds": 60.0, "seed": 3},
    "step": 27,
    "metrics": {"AP": 0.5},
    "comparison": {
        "passed": True,
        "says": "it loses little",
        "split": "test",
        "table": {"AP": {"run": 0.61, "file": 0.6}},
    },
}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    artifact = Artifact(
        {"name": "ssd_mobilenet_v1", "depth_multiplier": 0.75},
        ("cat", "[bold]dog"),
        Preprocessing(224),
        provenance=ORIGIN,
    )
    (tmp_path / "run.json").write_text(json.dumps(artifact.to_json()), encoding="utf-8")
    return tmp_path


@pytest.mark.tiny
def test_a_run_says_where_it_comes_from(run: Path) -> None:
    result = CliRunner().invoke(app, ["inspect", str(run)])
    assert result.exit_code == 0, result.output
    said = " ".join(result.stdout.split())
    for fact in (
        "run folder",
        "ssd_mobilenet_v1, depth 0.75",
        "224 x 224 pixels",
        "cat, [bold]dog",
        "Boxwright 0.1.0",
        "photos (fingerprint c0ffee)",
        "27 steps of 16 images with Adam, in a budget of 60 s, seed 3",
        "from scratch: yours",
        "AP 0.500",
        "passed: it loses little",
        "AP 0.600 (run 0.610)",
        "boxwright export",
    ):
        assert fact in said, fact


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "size", "arithmetic", "operators", "classes"),
    [
        (COCO, 300, "integer", {"CONV_2D": 34, "DEPTHWISE_CONV_2D": 13, litert.POSTPROCESS: 1}, 90),
        ("fpnlite320_plate_int8.tflite", 320, "integer", {"CONV_2D": 72, "DEQUANTIZE": 2}, 2),
        ("mobilenet_v1_0.25_128_quant.tflite", 128, "integer", {"SOFTMAX": 1}, None),
    ],
)
def test_a_foreign_tflite_is_described(
    name: str,
    size: int,
    arithmetic: str,
    operators: dict[str, int],
    classes: int | None,
    shared: Path,
) -> None:
    description = inspect(shared / "weights" / name)
    assert description.artifact is None
    graph = description.graph
    assert graph is not None
    assert (graph.inputs[0].dtype, graph.inputs[0].shape) == ("uint8", (1, size, size, 3))
    assert graph.inputs[0].scale == pytest.approx(1 / 128 if size != 320 else 1 / 255)
    assert graph.arithmetic == arithmetic
    counts = {each.name: each.count for each in graph.operators}
    assert counts.items() >= operators.items()
    assert description.postprocessing.get("num_classes") == classes
    answer = CliRunner().invoke(app, ["inspect", str(description.path), "--json"])
    assert json.loads(answer.stdout) == json.loads(json.dumps(description.to_json()))


@pytest.mark.shared
def test_what_to_do_with_a_file_without_names(shared: Path) -> None:
    result = CliRunner().invoke(app, ["inspect", str(shared / "weights" / COCO)])
    assert "no names inside" in result.stdout
    assert "--labels labels.txt" in result.stdout


@pytest.mark.shared
@pytest.mark.parametrize("share", [0.001, 0.3, 0.99])
def test_a_file_that_is_cut_off(share: float, shared: Path, tmp_path: Path) -> None:
    content = (shared / "weights" / COCO).read_bytes()
    (tmp_path / "cut.tflite").write_bytes(content[: int(share * len(content))])
    with pytest.raises(DetectorError) as caught:
        inspect(tmp_path / "cut.tflite")
    assert caught.value.code == "BW502"


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.tflite", b"", "BW502"),
        ("a.tflite", b"\0\0\0\0TFL3 and no more", "BW502"),
        ("a.txt", b"hello", "BW501"),
        ("run.json", b"{}", "BW502"),
        (
            "saved_model.pb",
            b"",
            None,
        ),
    ],
)
def test_no_detector(name: str, content: bytes, code: str | None, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    path = tmp_path if name in {"run.json", "saved_model.pb"} else tmp_path / name
    if code is None:
        assert inspect(path).kind == "SavedModel"
        return
    with pytest.raises(DetectorError) as caught:
        inspect(path)
    assert caught.value.code == code


@pytest.mark.shared
@pytest.mark.parametrize("name", [COCO, "fpnlite320_plate_int8.tflite"])
def test_the_network_without_its_postprocessing_computes_the_same(name: str, shared: Path) -> None:
    content = (shared / "weights" / name).read_bytes()
    cut = tflite_graph.without_postprocessing(content)
    assert cut is not None
    assert len(cut) == len(content)
    whole, network = litert.interpreter(content, 1), litert.interpreter(cut, 1)
    source = whole.get_input_details()[0]
    image = np.random.default_rng(0).integers(0, 256, source["shape"]).astype(np.uint8)
    best = []
    for each in (whole, network):
        each.set_tensor(source["index"], image)
        each.invoke()
        best.append(each.get_output_details())
    boxes, scores = best[1]
    assert boxes["shape"][2] == 4
    assert [each["shape"][1] for each in (boxes, scores)] == [boxes["shape"][1]] * 2
    scale, zero = scores["quantization"]
    found = network.get_tensor(scores["index"]).astype(np.float32)
    found = (found - zero) * scale if scale else found
    score_output = [d for d in best[0] if len(d["shape"]) == 2]
    given = [whole.get_tensor(each["index"]) for each in score_output]
    assert min(abs(each.max() - found[..., 1:].max()) for each in given) < 1e-5


@pytest.mark.shared
def test_a_classifier_has_no_postprocessing(shared: Path) -> None:
    content = (shared / "weights" / "mobilenet_v1_0.25_128_quant.tflite").read_bytes()
    assert tflite_graph.without_postprocessing(content) is None


@pytest.mark.tiny
@pytest.mark.parametrize("name", ["detector", "detector-int8", "detector-fp16", "detector-dynamic"])
def test_operators_that_xnnpack_leaves_are_listed(name: str) -> None:
    path = EARLIER / f"{name}.tflite"
    description = inspect(path)
    assert description.graph
    counts: Counter[str] = Counter()
    for each in description.graph.operators:
        counts[each.name] += each.count
    assert description.slower
    assert description.slower[litert.POSTPROCESS] == 1
    assert all(counts[each] >= count for each, count in description.slower.items())
    assert not {"CONV_2D", "DEPTHWISE_CONV_2D"} & description.slower.keys()
    said = CliRunner().invoke(app, ["inspect", str(path)]).stdout
    listed = ", ".join(f"{count} {each}" for each, count in description.slower.items())
    assert f"not in XNNPACK {listed}" in " ".join(said.split())


@pytest.mark.tiny
def test_a_file_that_cannot_be_loaded_has_unknown_kernels() -> None:
    assert litert.slower_operators(b"no network") is None
