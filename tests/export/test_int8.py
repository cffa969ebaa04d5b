"""Files of fewer bits: what they are made of, what the gate lets through, and what it says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import flatbuffers
import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from boxwright.errors import DetectorError, ExportError
from boxwright.export import int8_search
from boxwright.export.calibrate import Calibration
from boxwright.export.conversion import Quantization
from boxwright.export.diagnose import diagnose
from boxwright.export.export import write_verified
from boxwright.export.int8_search import layer_of
from boxwright.export.targets import TARGETS
from boxwright.export.tflite import quantization_errors, write_tflite
from boxwright.export.verify import TOLERANCES, Reference
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference import litert
from boxwright.inference.detector import Detector
from boxwright.inference.inspection import inspect
from boxwright.structures.dataset import Dataset, Split
from exporting import copied


@pytest.fixture(scope="module")
def tiny(tiny_detector: Callable[..., Any]) -> Any:
    return tiny_detector(3)


@pytest.fixture(scope="module")
def dataset(tiny: Any, labeled: Callable[..., Dataset]) -> Dataset:
    images = labeled(tiny.detector)
    return replace(images, splits=np.array([Split.TRAIN] * 5 + [Split.TEST] * 3, np.int8))


@pytest.fixture(scope="module")
def int8_file(tiny: Any, dataset: Dataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("acht Bit") / "d.tflite"
    how = Quantization("int8", Calibration.of(dataset, tiny.artifact.preprocessing))
    write_tflite(path, tiny.model, tiny.artifact, how)
    return path


@pytest.mark.parametrize("bits", ["int8", "fp16", "dynamic"])
def test_files_of_fewer_bits_are_proven(
    bits: Any, tiny: Any, dataset: Dataset, written: Path
) -> None:
    lines: list[str] = []
    target = written / f"{bits}.tflite"
    comparison = write_verified(
        target, "tflite", tiny.model, tiny.artifact, dataset,
        quantize=bits, accept_loss=bits == "int8", say=lines.append,
    )  # fmt: skip
    said = Detector.load(target).artifact.provenance
    assert said["quantize"] == bits
    assert said["comparison"]["loss"] == comparison.loss
    assert comparison.tolerance == TOLERANCES[bits].loss
    assert comparison.agreeing >= comparison.wanted > 0
    left = sorted(path.name for path in written.iterdir())  # no attempt
    assert left == sorted([target.name, "labels.txt"])
    assert ("int8, calibrated on 5 images" in " ".join(lines)) == (bits == "int8")


def test_only_the_post_processing_computes_in_floats(int8_file: Path) -> None:
    content = int8_file.read_bytes()
    file = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    (network,) = file.subgraphs
    codes = [file.operatorCodes[op.opcodeIndex] for op in network.operators]
    (last,) = [i for i, code in enumerate(codes) if code.customCode]
    names = {value: name for name, value in vars(schema.BuiltinOperator).items()}
    in_floats = {
        names[code.builtinCode]
        for op, code in zip(network.operators[:last], codes, strict=False)
        if network.tensors[op.outputs[0]].type == schema.TensorType.FLOAT32
    }
    assert in_floats <= {"DEQUANTIZE"}
    assert network.tensors[network.inputs[0]].type == schema.TensorType.UINT8


def test_the_input_is_the_pixels_themselves(int8_file: Path) -> None:
    interpreter = Interpreter(model_content=int8_file.read_bytes())
    (pixels,) = interpreter.get_input_details()
    assert pixels["dtype"] == np.uint8
    assert pixels["quantization"] == (1 / 128, 128)


def test_boxes_and_scores_have_scales_of_their_own(int8_file: Path) -> None:
    content = int8_file.read_bytes()
    network = schema.Model.GetRootAs(content).Subgraphs(0)
    (last,) = [op for op in litert.custom_operators(content) if op.name == litert.POSTPROCESS]
    operators = [network.Operators(i) for i in range(network.OperatorsLength())]
    written_by = {op.Outputs(0): op for op in operators}
    (post,) = [op for op in operators if op.Outputs(0) == last.outputs[0]]
    scales = [
        network.Tensors(written_by[post.Inputs(i)].Inputs(0)).Quantization().Scale(0)
        for i in range(2)
    ]
    assert scales[1] == 1 / 256  # of a sigmoid
    assert scales[0] != scales[1]


def test_a_layer_can_stay_in_floats(tiny: Any, dataset: Dataset, written: Path) -> None:
    calibration = Calibration.of(dataset, tiny.artifact.preprocessing)
    parts = (tiny.model, tiny.artifact)
    worst = quantization_errors(*parts, Quantization("int8", calibration))[0]
    assert worst.steps > 0
    path = written / "d.tflite"
    write_tflite(path, *parts, Quantization("int8", calibration, (worst.tensor,)))
    said = inspect(path)
    assert said.graph is not None
    in_floats = {each.name for each in said.graph.operators if each.arithmetic == "float"}
    assert in_floats == {worst.operator}
    assert said.input_range == (-1, 127 / 128)
    comparison = Reference.of(tiny.detector, dataset).compare(
        Detector.load(path), TOLERANCES["int8"]
    )
    assert comparison.agreeing >= comparison.wanted


def wrong_range(tiny: Any, dataset: Dataset) -> Quantization:
    """Calibrated on photos in [0, 1], which this network has never seen."""
    other = Preprocessing(tiny.artifact.preprocessing.size, 1 / 255, 0.0)
    return Quantization("int8", Calibration.of(dataset, other))


def one_image(tiny: Any, dataset: Dataset) -> Quantization:
    """Calibrated on a single photo, and a black one."""
    return Quantization("int8", Calibration(np.zeros((1, 64, 64, 3), np.uint8), Preprocessing(64)))


def swap_outputs(path: Path) -> None:
    """Call the scores classes and the classes scores."""
    content = path.read_bytes()
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
    (network,) = model.subgraphs
    classes, scores = (network.tensors[network.outputs[i]] for i in (1, 2))
    classes.name, scores.name = scores.name, classes.name
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), litert.MAGIC)
    path.write_bytes(bytes(builder.Output()) + content[content.index(b"PK\3\4") :])


@pytest.mark.parametrize(
    ("fault", "after", "says"),
    [
        (wrong_range, None, r"scaled to \[0, 1\], but the network expects \[-1, 0.99\]"),
        (one_image, None, "its int8 ranges are of too few images"),
        (None, swap_outputs, "its boxes are right, but its scores or classes are wrong"),
    ],
)
def test_planted_bad_files_are_refused_and_diagnosed(
    fault: Any,
    after: Any,
    says: str,
    tiny: Any,
    dataset: Dataset,
    written: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    good = TARGETS["tflite"]

    def write(draft: Path, model: Any, artifact: Any) -> None:
        how = fault(tiny, dataset) if fault else None
        good.write(draft, model, artifact, how)
        if after:
            after(draft)

    monkeypatch.setitem(TARGETS, "tflite", replace(good, write=write))
    parts = (tiny.model, tiny.artifact, dataset)
    with pytest.raises(ExportError, match=says) as caught:
        write_verified(written / "d.tflite", "tflite", *parts)
    assert caught.value.code == "BW401"
    assert list(written.iterdir()) == []

    comparison = write_verified(written / "d.tflite", "tflite", *parts, accept_loss=True)
    assert not comparison.passed
    said = Detector.load(written / "d.tflite").artifact.provenance["comparison"]
    assert (said["accepted"], said["passed"]) == (True, False)


@pytest.mark.parametrize("threshold", [0.6, 0.99])  # the second has no detections to check
def test_outputs_that_are_swapped_later_are_found_when_it_is_loaded(
    threshold: float, exported: Callable[..., Any], written: Path
) -> None:
    path = copied(exported("tflite", threshold).path, written)
    swap_outputs(path)
    with pytest.raises(DetectorError) as caught:
        Detector.load(path)
    assert caught.value.code == "BW508"


def test_a_good_file_needs_no_diagnosis(tiny: Any, dataset: Dataset, int8_file: Path) -> None:
    reference = Reference.of(tiny.detector, dataset)
    assert diagnose(reference, Detector.load(int8_file), int8_file) == []


@pytest.mark.shared
def test_a_real_faulty_calibration_is_named(shared: Path) -> None:
    path = shared / "weights" / "fpnlite320_plate_int8.tflite"
    said = inspect(path)
    assert said.input_range == pytest.approx((0, 1))
    assert "scaled to [0, 1], but the network expects [-1, 0.99]" in str(said.mismatch)
    good = inspect(shared / "weights" / "ssd_mobilenet_v1_coco_quant.tflite")
    assert good.mismatch is None


def test_remedies_go_on_until_little_is_lost(
    tiny: Any, dataset: Dataset, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(int8_search, "AIM", -1.0)  # nothing is good enough
    monkeypatch.setattr(int8_search, "EXACT_FROM", 0.0)
    lines: list[str] = []
    retrained: list[int] = []

    def retrain() -> Any:
        retrained.append(1)
        return tiny.model

    attempts = int8_search.write_best_int8(
        written / "d.tflite", tiny.model, tiny.artifact, dataset, tiny.detector,
        lines.append, retrain,
    )  # fmt: skip
    tried = [line.split(":")[0] for line in lines]
    assert [words[:12] for words in tried] == ["int8, calibr", "int8, worst ", "int8, after "]
    assert "steps" in tried[1]
    assert retrained
    assert attempts[-1].loss == min(attempt.loss for attempt in attempts)
    assert [path.name for path in written.iterdir()] == ["d.tflite"]


def test_a_remedy_that_cannot_be_run_is_passed_over(
    tiny: Any, dataset: Dataset, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keeping layers in float32 can give a file that XNNPACK refuses."""
    monkeypatch.setattr(int8_search, "AIM", -1.0)
    monkeypatch.setattr(int8_search, "EXACT_FROM", 0.0)
    seen: list[Path] = []

    class Loading(Detector):
        @classmethod
        def load(cls, path: Any, *options: Any, **named: Any) -> Any:
            seen.append(path)
            if len(seen) > 1:
                raise DetectorError("BW502", "it cannot be loaded.", where=path)
            return Detector.load(path, *options, **named)

    monkeypatch.setattr(int8_search, "Detector", Loading)
    lines: list[str] = []
    attempts = int8_search.write_best_int8(
        written / "d.tflite", tiny.model, tiny.artifact, dataset, tiny.detector, lines.append
    )
    assert len(seen) == 2
    assert [attempt.name[:10] for attempt in attempts] == ["calibrated"]
    assert lines[1].endswith("XNNPACK refuses the file")
    assert [path.name for path in written.iterdir()] == ["d.tflite"]


LAYERS = {"Conv2d_2_depthwise", "BoxPredictor_0_ClassPredictor"}


@pytest.mark.tiny
@pytest.mark.parametrize(
    ("tensor", "layer"),
    [
        (
            "net/Conv2d_2_depthwise_1/Relu6;net/Conv2d_2_depthwise_1/Sub1",
            "Conv2d_2_depthwise",
        ),
        (
            "ssd_mobilenet_v1_1/BoxPredictor_0_ClassPredictor_1/Squeeze1",
            "BoxPredictor_0_ClassPredictor",
        ),
        ("something/else", "else"),
    ],
)
def test_tensors_are_named_by_their_layer(tensor: str, layer: str) -> None:
    assert layer_of(tensor, LAYERS) == layer
