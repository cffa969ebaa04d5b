"""Quantisation-aware training: from the first step that rounds to a file of bytes that agrees."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.augment.transforms import CropAroundObject, count_draws, default_transforms
from boxwright.models.ssd.objective import Objective
from boxwright.tfod import export_tflite_ssd_graph
from boxwright.training.config import Quantization
from boxwright.training.learning_rates import BudgetCosine
from boxwright.training.optimizers import Averaging
from boxwright.training.recipe import Recipe
from exporting import said, write_int8

if TYPE_CHECKING:
    from squares import Squares

DELAY = 2
QUANTIZED = Recipe(
    64,
    depth_multiplier=0.1,
    objective=Objective(background=1.0),
    averaging=Averaging(0.5, warm_up=False),
    frozen_through=-1,
    train_depthwise=True,
    train_norm=True,
    augmentation=default_transforms(CropAroundObject((0.8, 1.1))),
    quantization=Quantization(DELAY),
)
CONFIG = Path(__file__).parents[1] / "tfod" / "configs" / "quantized.config"

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_network")]


@dataclass
class Bench:
    """A small network on an engine."""

    recipe: Recipe

    def __post_init__(self) -> None:
        from boxwright.training import start
        from boxwright.training.step_tensorflow import Engine

        begin = start.from_scratch(self.recipe, ("cat", "dog"), "float32")
        self.model = begin.model
        trained = start.trained_variables(self.model, self.recipe)
        self.changing = [*trained, *start.statistics_of(self.model, self.recipe)]
        self.engine = Engine(
            self.model,
            trained,
            self.changing[len(trained) :],
            self.recipe,
            scale=1 / 128,
            offset=-1.0,
        )

    def steps(self, *numbers: int) -> list[float]:
        """The losses of the classes before these steps."""
        return [
            self.engine.step(*batch(number), number=number, learning_rate=1e-2).classes
            for number in numbers
        ]

    @property
    def ranges(self) -> NDArray[np.float32]:
        """`(n, 2)`, least and largest."""
        from boxwright.models.layers.quantized import ranges

        return np.array([variable.numpy() for variable in ranges(self.model.network)]).reshape(
            -1, 2
        )


def batch(seed: int) -> tuple[NDArray[Any], ...]:
    """Four photos with an object each."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (4, 12, 12, 3), np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    corners = rng.uniform(0, 0.4, (4, 1, 2))
    boxes = np.concatenate([corners, corners + 0.5], axis=-1).astype(np.float32)
    draws = rng.random((4, count_draws(QUANTIZED.augmentation)), np.float32)
    return images, boxes, np.ones((4, 1), np.int32), np.full((4, 2), 96, np.float32), draws


@pytest.fixture(scope="module")
def benches(small_network: None) -> tuple[Bench, Bench, list[float], list[float]]:
    """A network that rounds after two steps, one of floats, and their losses in three steps."""
    quantized, floats = Bench(QUANTIZED), Bench(replace(QUANTIZED, quantization=None))
    return quantized, floats, quantized.steps(0, 1, 2), floats.steps(0, 1, 2)


def test_until_the_delay_it_trains_as_a_network_of_floats(benches: Any) -> None:
    _, _, quantized, floats = benches
    assert quantized[:DELAY] == pytest.approx(floats[:DELAY], rel=3e-6)
    assert quantized[DELAY] != pytest.approx(floats[DELAY], rel=3e-6)


def test_every_kernel_and_every_map_has_a_range(benches: Any) -> None:
    """Under the names that TensorFlow 1's rewriter gave them, zero always within."""
    from boxwright.models.weights.variables import variables_by_name

    quantized, floats, *_ = benches
    scopes = {name.rpartition("/")[0] for name in variables_by_name(floats.model.network)}
    scopes = {scope.removesuffix("/BatchNorm") for scope in scopes}
    kinds = ("weights_quant", "act_quant")
    expected = {f"{s}/{kind}/{end}" for s in scopes for kind in kinds for end in ("min", "max")}
    own = set(variables_by_name(quantized.model.network)) - set(
        variables_by_name(floats.model.network)
    )
    assert own == expected
    assert (quantized.ranges[:, 0] <= 0).all()
    assert (quantized.ranges[:, 1] >= 0).all()
    assert (np.ptp(quantized.ranges, axis=1) > 0).all()


def test_ranges_are_kept_as_they_are_and_weights_averaged(benches: Any) -> None:
    quantized, *_ = benches
    kept, ranges = quantized.engine.kept(), quantized.ranges
    np.testing.assert_array_equal(np.reshape(kept[-ranges.size :], (-1, 2)), ranges)
    moved = [
        np.abs(value - np.asarray(variable)).max() > 0
        for variable, value in zip(quantized.changing, kept, strict=True)
    ]
    assert np.mean(moved[: -ranges.size]) > 0.9
    assert not any(moved[-ranges.size :])


def test_it_goes_on_where_it_stopped_bit_for_bit(benches: Any) -> None:
    quantized, *_ = benches
    state, weights = quantized.engine.state(), quantized.model.network.get_weights()
    losses, ranges = quantized.steps(3, 4), quantized.ranges
    quantized.engine.restore(state)
    quantized.model.network.set_weights(weights)
    assert quantized.steps(3, 4) == losses
    np.testing.assert_array_equal(quantized.ranges, ranges)


# ---- To a file of bytes ------------------------------------------------------------------------


def test_what_was_trained_becomes_a_file_of_bytes_that_agrees(
    squares: Squares, tmp_path: Path
) -> None:
    """Train, write the checkpoint, export and convert it, run the file: its raw outputs are those
    of the network that was trained, to a step of 8 bits. A number between two steps may be rounded
    otherwise, and a few of those pass through layers that enlarge the difference."""
    from boxwright.inference.run import Run
    from boxwright.tfod.checkpoint import save
    from boxwright.training import loop

    recipe = replace(
        QUANTIZED, learning_rate=BudgetCosine(1e-2, 5), steps=40, quantization=Quantization()
    )
    loop.train(squares.dataset(32), out=tmp_path / "run", weights=None, recipe=recipe)
    model = Run(tmp_path / "run").build_model().network
    prefix = save(tmp_path / "training", model, 40)
    target, config = tmp_path / "bytes.tflite", tmp_path / "pipeline.config"
    text = CONFIG.read_text(encoding="utf-8")
    config.write_text(text.replace("height: 300", "height: 64").replace("width: 300", "width: 64"))
    said(
        export_tflite_ssd_graph,
        f"--pipeline_config_path={config}",
        f"--trained_checkpoint_prefix={prefix}",
        f"--output_directory={tmp_path}",
        "--config_override=model { ssd { num_classes: 1 feature_extractor { depth_multiplier: 0.1 "
        "} } } eval_config { use_moving_averages: false }",
        "--noadd_postprocessing_op",
    )
    write_int8(tmp_path, target)
    from PIL import Image

    differences: tuple[list[NDArray[np.float32]], ...] = ([], [])
    for path in sorted(squares.root.glob("train*.png")):
        image = np.asarray(Image.open(path).resize((64, 64)))[None]
        outputs = zip(differences, run(target, image), raw_outputs(model, image), strict=True)
        for difference, (found, step), wanted in outputs:
            assert np.ptp(wanted) > 10 * step, "there is something to agree on"
            difference.append(np.abs(found - wanted) / step)
    for steps in map(np.array, differences):
        assert steps.mean() <= 0.4
        assert np.quantile(steps, 0.99) <= 1.5
        assert steps.max() <= 8


def run(path: Path, image: NDArray[np.uint8]) -> list[tuple[NDArray[np.float32], float]]:
    """What a file of bytes gives, and the step between its numbers."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path))
    interpreter.allocate_tensors()
    details = interpreter.get_tensor_details()
    assert {each["dtype"] for each in details} <= {np.uint8, np.int8, np.int32}, "no floats"
    (entry,) = interpreter.get_input_details()
    interpreter.set_tensor(entry["index"], image)
    interpreter.invoke()
    outputs = []
    for each in interpreter.get_output_details():
        step, zero = each["quantization"]
        found = interpreter.get_tensor(each["index"]).astype(np.float32)
        outputs.append(((found - zero) * np.float32(step), step))
    return outputs


def raw_outputs(model: Any, image: NDArray[np.uint8]) -> tuple[Any, Any]:
    """Box encodings and scores of the network."""
    raw = model(image.astype(np.float32) / 128 - 1)
    logits = np.concatenate([raw["background_logits"], raw["class_logits"]], axis=-1)
    return raw["box_encodings"].numpy(), 1 / (1 + np.exp(-logits))
