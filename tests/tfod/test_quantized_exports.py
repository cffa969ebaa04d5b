"""Ranges that a network learnt, from a checkpoint into its graphs and a .tflite of bytes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.tfod import export_inference_graph, export_tflite_ssd_graph
from exporting import said, write_int8

CONFIG = Path(__file__).parent / "configs" / "quantized.config"
BACKBONES = ("ssd_mobilenet_v1", "ssd_mobilenet_v2")


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (8, 64, 64, 3), np.uint8)


@pytest.fixture(scope="module", params=BACKBONES)
def spec(request: pytest.FixtureRequest, small_network: None) -> Any:
    """Of a network of the config's kind, a few blocks deep; one of MobileNet v2's adds."""
    from boxwright.models.ssd.spec import ModelSpec

    return ModelSpec(2, 0.25, 64, name=request.param, background=True)


@pytest.fixture(scope="module")
def network(spec: Any, images: NDArray[np.uint8]) -> Any:
    """A network that rounds to 8 bits, its ranges watched on some photos."""
    from boxwright.models.layers.quantized import QuantizationSpec
    from boxwright.models.ssd.network import build

    model = build(replace(spec, quantization=QuantizationSpec()))
    rng = np.random.default_rng(3)
    for variable in model.weights:
        if variable.name == "bias":
            variable.assign(rng.normal(size=variable.shape))
    model(images.astype(np.float32) / 128 - 1, training=True)
    return model


@pytest.fixture(scope="module")
def export(spec: Any, network: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A function that runs an export command on a checkpoint with ranges."""
    from boxwright.tfod.checkpoint import save

    folder = tmp_path_factory.mktemp("quantised")
    config = folder / "pipeline.config"
    text = CONFIG.read_text(encoding="utf-8")
    config.write_text(text.replace("height: 300", "height: 64").replace("width: 300", "width: 64"))
    prefix = save(folder / "training", network, 40)

    def run(command: Any, to: Path, *words: str, checkpoint: Path = prefix) -> list[str]:
        return said(
            command,
            f"--pipeline_config_path={config}",
            f"--trained_checkpoint_prefix={checkpoint}",
            f"--output_directory={to}",
            "--config_override=model { ssd { num_classes: 2 feature_extractor { "
            f"type: '{spec.name}' depth_multiplier: {spec.depth_multiplier} }} }} }} "
            "eval_config { use_moving_averages: false }",
            *words,
        )

    return run


def fake_quant_nodes(path: Path) -> list[Any]:
    graph = framework.tensorflow().compat.v1.GraphDef.FromString(path.read_bytes())
    return [node for node in graph.node if node.op == "FakeQuantWithMinMaxVars"]


def test_both_graphs_hold_the_ranges(network: Any, export: Any, tmp_path: Path) -> None:
    from boxwright.models.weights.checkpoint import read_variables

    export(export_inference_graph, tmp_path)
    export(export_tflite_ssd_graph, tmp_path)
    from boxwright.models.layers.quantized import ranges

    ends = len(ranges(network))
    for name in ("frozen_inference_graph.pb", "tflite_graph.pb"):
        nodes = fake_quant_nodes(tmp_path / name)
        assert len(nodes) == ends / 2
        assert {node.attr["num_bits"].i for node in nodes} == {8}
        narrow = {node.name.split("/")[-2] for node in nodes if node.attr["narrow_range"].b}
        assert narrow == {"weights_quant"}
    learnt = [name for name in read_variables(tmp_path) if "_quant/" in name]
    assert len(learnt) == ends


def test_toco_makes_a_file_of_bytes(
    network: Any, images: NDArray[np.uint8], export: Any, tmp_path: Path
) -> None:
    """Its raw outputs are the network's but for the steps of 8 bits."""
    from ai_edge_litert.interpreter import Interpreter

    export(export_tflite_ssd_graph, tmp_path, "--noadd_postprocessing_op")
    target = tmp_path / "bytes.tflite"
    write_int8(tmp_path, target)
    interpreter = Interpreter(model_path=str(target))
    interpreter.allocate_tensors()
    details = interpreter.get_tensor_details()
    assert {each["dtype"] for each in details} <= {np.uint8, np.int8, np.int32}, "no floats"
    (image,) = interpreter.get_input_details()
    assert image["dtype"] == np.uint8
    assert image["quantization"] == (1 / 128, 128)
    interpreter.set_tensor(image["index"], images[:1])
    interpreter.invoke()
    raw = network(images[:1].astype(np.float32) / 128 - 1)
    logits = np.concatenate([raw["background_logits"], raw["class_logits"]], axis=-1)
    expected = (raw["box_encodings"].numpy(), 1 / (1 + np.exp(-logits)))
    for each, wanted in zip(interpreter.get_output_details(), expected, strict=True):
        step, zero = each["quantization"]
        found = (interpreter.get_tensor(each["index"]).astype(np.float32) - zero) * step
        assert np.ptp(wanted) > 20 * step
        assert np.abs(found - wanted).max() <= 4 * step
        assert np.abs(found - wanted).mean() <= step


def test_a_checkpoint_without_ranges_gives_a_graph_of_floats(
    spec: Any, export: Any, tmp_path: Path
) -> None:
    from boxwright.models.ssd.network import build
    from boxwright.tfod.checkpoint import save

    checkpoint = save(tmp_path, build(spec), 2)
    lines = export(export_tflite_ssd_graph, tmp_path / "of", checkpoint=checkpoint)
    assert "has no quantization ranges" in lines[-1]
    assert not fake_quant_nodes(tmp_path / "of" / "tflite_graph.pb")
