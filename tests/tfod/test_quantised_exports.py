"""Ranges that a network learnt, from a checkpoint into its graphs and a .tflite of bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.models import framework
from boxwright.tfod import export_inference_graph, export_tflite_ssd_graph, toco
from exporting import said

CONFIG = Path(__file__).parent / "configs" / "quantised.config"
RAW = ("raw_outputs/box_encodings", "raw_outputs/class_predictions")
RANGES = 4  # of each layer: the ends of its kernel's, and of its outputs'


@pytest.fixture(scope="module")
def photos() -> NDArray[np.uint8]:
    return np.random.default_rng(4).integers(0, 256, (8, 64, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def network(small_network: None) -> Any:
    """A network of the config's kind, four blocks deep."""
    framework.keras()
    from boxwright.models import ssd

    model = ssd.build(ssd.ModelSpec(2, 1.0, 64, background=True))
    rng = np.random.default_rng(3)
    for variable in model.weights:
        if variable.name == "bias":
            variable.assign(rng.normal(size=variable.shape))
    return model


def learnt(model: Any, photos: NDArray[np.uint8]) -> dict[str, NDArray[np.float32]]:
    """The ranges of all layers on some photos, under the names that the API gives them."""
    from boxwright.models.norm import EPSILON
    from boxwright.models.variables import place_of, variables_by_name

    keras = framework.keras()
    outputs = {layer.name: layer.output for layer in model.layers if layer.weights}
    found = keras.Model(model.input, outputs)(photos.astype(np.float32) / 128 - 1)
    ranges = {}
    for name in variables_by_name(model):
        place = place_of(name)
        assert place
        if place.variable != "kernel":
            continue
        layer = model.get_layer(place.layer)
        kernel = layer.kernel.numpy()
        if hasattr(layer, "gamma"):
            scale = layer.gamma.numpy() / np.sqrt(layer.moving_variance.numpy() + EPSILON)
            kernel = kernel * scale.reshape((1, 1, -1, 1) if layer.depthwise else (1, 1, 1, -1))
        scope = name.rpartition("/")[0]
        for of, values in (("weights", kernel), ("act", found[place.layer].numpy())):
            ranges[f"{scope}/{of}_quant/min"] = np.array(min(0, values.min()), np.float32)
            ranges[f"{scope}/{of}_quant/max"] = np.array(max(0, values.max()), np.float32)
    return ranges


@pytest.fixture(scope="module")
def export(
    network: Any, photos: NDArray[np.uint8], tmp_path_factory: pytest.TempPathFactory
) -> Any:
    """A function that runs an export command on a checkpoint with ranges."""
    from boxwright.tfod.checkpoint import save

    folder = tmp_path_factory.mktemp("quantised")
    config = folder / "pipeline.config"
    text = CONFIG.read_text(encoding="utf-8")
    config.write_text(text.replace("height: 300", "height: 64").replace("width: 300", "width: 64"))
    prefix = save(folder / "training", network, 40, learnt(network, photos))

    def run(command: Any, to: Path, *words: str, checkpoint: Path = prefix) -> list[str]:
        return said(
            command,
            f"--pipeline_config_path={config}",
            f"--trained_checkpoint_prefix={checkpoint}",
            f"--output_directory={to}",
            "--config_override=model { ssd { num_classes: 2 } } "
            "eval_config { use_moving_averages: false }",
            *words,
        )

    return run


def fake_quant_nodes(path: Path) -> list[Any]:
    graph = framework.tensorflow().compat.v1.GraphDef.FromString(path.read_bytes())
    return [node for node in graph.node if node.op == "FakeQuantWithMinMaxVars"]


def test_both_graphs_hold_the_ranges(network: Any, export: Any, tmp_path: Path) -> None:
    from boxwright.models.checkpoint_weights import read_variables

    export(export_inference_graph, tmp_path)
    export(export_tflite_ssd_graph, tmp_path)
    layers = sum(bool(layer.weights) for layer in network.layers)
    for name in ("frozen_inference_graph.pb", "tflite_graph.pb"):
        nodes = fake_quant_nodes(tmp_path / name)
        assert len(nodes) == 2 * layers
        assert {node.attr["num_bits"].i for node in nodes} == {8}
        narrow = {node.name.split("/")[-2] for node in nodes if node.attr["narrow_range"].b}
        assert narrow == {"weights_quant"}
    ranges = [name for name in read_variables(tmp_path) if "_quant/" in name]
    assert len(ranges) == RANGES * layers


def test_toco_makes_a_file_of_bytes(
    network: Any, photos: NDArray[np.uint8], export: Any, tmp_path: Path
) -> None:
    """Its raw outputs are the network's but for the steps of 8 bits."""
    from ai_edge_litert.interpreter import Interpreter

    export(export_tflite_ssd_graph, tmp_path, "--noadd_postprocessing_op")
    target = tmp_path / "bytes.tflite"
    said(
        toco,
        f"--graph_def_file={tmp_path / 'tflite_graph.pb'}",
        f"--output_file={target}",
        "--input_shapes=1,64,64,3",
        "--input_arrays=normalized_input_image_tensor",
        f"--output_arrays={','.join(RAW)}",
        "--inference_type=QUANTIZED_UINT8",
        "--mean_values=128",
        "--std_dev_values=128",
    )
    interpreter = Interpreter(model_path=str(target))
    interpreter.allocate_tensors()
    details = interpreter.get_tensor_details()
    assert {each["dtype"] for each in details} <= {np.uint8, np.int8, np.int32}, "no floats"
    (image,) = interpreter.get_input_details()
    assert image["dtype"] == np.uint8
    assert image["quantization"] == (1 / 128, 128)
    interpreter.set_tensor(image["index"], photos[:1])
    interpreter.invoke()
    raw = network(photos[:1].astype(np.float32) / 128 - 1)
    logits = np.concatenate([raw["background_logits"], raw["class_logits"]], axis=-1)
    expected = (raw["box_encodings"].numpy(), 1 / (1 + np.exp(-logits)))
    for each, wanted in zip(interpreter.get_output_details(), expected, strict=True):
        scale, zero = each["quantization"]
        found = (interpreter.get_tensor(each["index"]).astype(np.float32) - zero) * scale
        assert np.abs(found - wanted).mean() < 0.02 * np.ptp(wanted)
        assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.99


def test_a_checkpoint_without_ranges_gives_a_graph_of_floats(
    network: Any, export: Any, tmp_path: Path
) -> None:
    from boxwright.tfod.checkpoint import save

    checkpoint = save(tmp_path, network, 2)
    lines = export(export_tflite_ssd_graph, tmp_path / "of", checkpoint=checkpoint)
    assert "holds no ranges" in lines[-1]
    assert not fake_quant_nodes(tmp_path / "of" / "tflite_graph.pb")
