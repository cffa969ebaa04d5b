"""The TensorFlow engine: one step is Adam's, on what the recipe trains, in either precision."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from boxwright.augment.transforms import count_draws
from boxwright.backend import framework
from boxwright.errors import TrainingError
from boxwright.ops.anchors import AnchorSpec
from boxwright.training.optimizers import Averaging
from boxwright.training.recipe import Recipe

FINE_TUNING = Recipe(64, depth_multiplier=0.1, frozen_through=1, train_norm=False)
FROM_SCRATCH = replace(
    FINE_TUNING,
    frozen_through=-1,
    train_depthwise=True,
    train_norm=True,
    averaging=Averaging(0.15),
)
SCALE, OFFSET, FULL_IMAGE = 1 / 128, -1.0, 5  # of pixels; of the random draws

Batch = tuple[NDArray[Any], ...]  # photos, boxes, labels, sizes, draws


@dataclass
class Bench:
    """A small network on an engine, and what it was like at first."""

    recipe: Recipe
    precision: str = "float32"

    def __post_init__(self) -> None:
        from boxwright.models.ssd.detector import SsdModel
        from boxwright.training import start
        from boxwright.training.step_tensorflow import Engine

        begin = start.from_scratch(self.recipe, ("cat", "dog"), self.precision)
        self.model = begin.model.network
        spec = replace(begin.model.spec, anchors=AnchorSpec())  # small enough for every map
        self.detector = SsdModel(spec, self.model, begin.model.objective)
        if not self.recipe.train_norm:
            self.layers = [layer for layer in self.model.layers if hasattr(layer, "absorb_scale")]
            for layer in self.layers:
                layer.absorb_scale()
        self.trained = start.trained_variables(self.detector, self.recipe)
        self.statistics = start.statistics_of(self.detector, self.recipe)
        self.anchors = self.detector.anchors
        self.engine = Engine(
            self.detector,
            self.trained,
            self.statistics,
            self.recipe,
            scale=SCALE,
            offset=OFFSET,
        )
        self._weights, self._state = self.model.get_weights(), self.engine.state()

    def reset(self) -> Bench:
        self.model.set_weights(self._weights)
        self.engine.restore(self._state)
        return self

    def steps(self, *rates: float, first: int = 0) -> Any:
        for number, rate in enumerate(rates, start=first):
            loss = self.engine.step(*batch(number), number=number, learning_rate=rate)
        return loss


@pytest.fixture(scope="module")
def tuned_bench(small_network: None) -> Bench:
    return Bench(FINE_TUNING)


@pytest.fixture
def tuning(tuned_bench: Bench) -> Bench:
    """Pretrained layers are spared and batch norm is folded, as when weights are fine-tuned."""
    return tuned_bench.reset()


@pytest.fixture(scope="module")
def scratch_bench(small_network: None) -> Bench:
    return Bench(FROM_SCRATCH)


@pytest.fixture
def scratch(scratch_bench: Bench) -> Bench:
    """Everything trains."""
    return scratch_bench.reset()


def anchors_of_every_map() -> NDArray[np.float32]:
    """Anchors small enough for every map to have some within the photo."""
    from boxwright.models.ssd.spec import ModelSpec
    from boxwright.models.ssd.spec import anchors as anchors_of

    return anchors_of(ModelSpec(2, input_size=64))


def batch(seed: int = 0) -> Batch:
    """Four photos, the first two seen whole, with an object of each map's size."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (4, 12, 12, 3), np.uint8).repeat(8, axis=1).repeat(8, axis=2)
    first_of_map = [20, 48, 72, 78, 84, 90]  # maps of 4 x 4 x 3, 2 x 2 x 6 and four of 6 anchors
    boxes = np.stack([anchors_of_every_map()[first_of_map]] * 4)
    labels = np.array([[0, 1] * 3, [1] * 6, [-1] * 6, [0] * 5 + [-1]], np.int32)
    draws = rng.random((4, count_draws(FINE_TUNING.augmentation)), np.float32)
    draws[:2, FULL_IMAGE] = 0
    return images, boxes, labels, np.ones((4, 2), np.float32), draws


# ---- One step ----------------------------------------------------------------------------------


def reference_step(bench: Bench, optimizer: Any, number: int) -> None:
    """A step of Keras' own Adam, its gradients found without the engine."""
    from boxwright.augment import pipeline
    from boxwright.models.ssd.losses import detection_loss
    from boxwright.training.step_tensorflow import crop, suppress

    images, *truth = pipeline.apply(
        bench.recipe.augmentation, *batch(number), side=64, crop_and_resize=crop
    )
    with framework.tensorflow().GradientTape() as tape:
        outputs = bench.model(images * SCALE + OFFSET, training=True)
        loss = detection_loss(outputs, *truth, bench.anchors, bench.detector.objective, suppress)
    gradients = tape.gradient(loss.total, [variable.value for variable in bench.trained])
    optimizer.apply(gradients, bench.trained)


def test_three_steps_are_those_of_keras_adam(tuning: Bench) -> None:
    rates = (1e-3, 3e-3, 2e-3)
    before = tuning.model.get_weights()
    tuning.steps(*rates)
    ours = tuning.model.get_weights()
    tuning.reset()
    optimizer = framework.keras().optimizers.Adam(beta_2=0.99, epsilon=1e-7)
    for number, rate in enumerate(rates):
        optimizer.learning_rate = rate
        reference_step(tuning, optimizer, number)
    for variable, value in zip(tuning.model.weights, ours, strict=True):
        np.testing.assert_allclose(value, variable, atol=6e-5, err_msg=variable.path)
    farthest = max(np.abs(b - a).max() for a, b in zip(before, ours, strict=True))
    assert farthest == pytest.approx(sum(rates), rel=0.1), "where gradients agree, rates add up"


def test_averages_follow_weights_and_statistics(scratch: Bench) -> None:
    """Average after step t: d a + (1 - d) w, d = min(recipe's, (1 + t) / (10 + t))."""
    followed = [*scratch.trained, *scratch.statistics]
    expected = [variable.numpy() for variable in followed]
    for number, decay in enumerate([1 / 10, 0.15, 0.15]):  # 2 / 11 and 3 / 12 would be more
        scratch.steps(1e-3, first=number)
        expected = [
            decay * average + (1 - decay) * variable.numpy()
            for average, variable in zip(expected, followed, strict=True)
        ]
    for variable, ours, theirs in zip(followed, scratch.engine.kept(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6, err_msg=variable.path)


def changed_variables(bench: Bench) -> set[str]:
    before = bench.model.get_weights()
    bench.steps(1e-2, 1e-2)
    pairs = zip(bench.model.weights, before, strict=True)
    return {variable.path for variable, first in pairs if (variable.numpy() != first).any()}


def test_fine_tuning_spares_lower_blocks_depthwise_kernels_and_statistics(tuning: Bench) -> None:
    spared = re.compile(r"Conv2d_[01](_\w+wise)?/|_depthwise/kernel|/gamma|/moving_")
    every = {variable.path for variable in tuning.model.weights}
    assert changed_variables(tuning) == {path for path in every if not spared.search(path)}


def test_from_scratch_everything_changes(scratch: Bench) -> None:
    assert changed_variables(scratch) == {variable.path for variable in scratch.model.weights}


def test_a_step_means_the_same_whatever_gamma_was(tuning: Bench) -> None:
    """Layers whose gamma is 50 deviations, and twins that have the 50 in their kernels: once the
    scale is absorbed, a step of the optimiser changes what they do by the same amount."""
    from boxwright.models.layers.conv_norm import EPSILON

    images = batch()[0][:, :64, :64] * np.float32(SCALE) + np.float32(OFFSET)

    def trained(gamma_over_deviation: float) -> NDArray[np.float32]:
        tuning.reset()
        for layer in tuning.layers:
            layer.kernel.assign(layer.kernel.numpy() / gamma_over_deviation)
            layer.gamma.assign(np.full(layer.gamma.shape, gamma_over_deviation / 10))
            layer.moving_variance.assign(np.full(layer.gamma.shape, 0.01 - EPSILON))
            layer.absorb_scale()
        before = tuning.model(images)["box_encodings"].numpy()
        tuning.steps(1e-3)
        return np.stack([before, tuning.model(images)["box_encodings"].numpy()])

    plain, steep = trained(1.0), trained(50.0)
    np.testing.assert_allclose(steep[0], plain[0], atol=1e-5)
    change = np.abs(plain[1] - plain[0]).max()
    assert change > 1e-3
    np.testing.assert_allclose(steep[1], plain[1], atol=change / 100)


def test_a_restored_engine_goes_on_as_it_would_have(tuning: Bench) -> None:
    tuning.steps(1e-3)
    state, weights = tuning.engine.state(), tuning.model.get_weights()
    tuning.steps(1e-3, first=1)
    expected = tuning.engine.state()
    tuning.reset().model.set_weights(weights)
    tuning.engine.restore(state)
    tuning.steps(1e-3, first=1)
    for name, value in tuning.engine.state().items():
        np.testing.assert_array_equal(value, expected[name], err_msg=name)


def test_the_state_of_another_network_is_refused(tuning: Bench) -> None:
    state = tuning.engine.state()
    name = next(iter(state))
    for other in ({**state, name: state[name][..., None]}, {**state, name: None}):
        with pytest.raises(TrainingError, match=rf"BW305 .*does not fit .*{name}"):
            tuning.engine.restore(other)
    tuning.engine.restore(state)


@pytest.mark.parametrize("shape", [(4, 5, 5, 8), (16, 1, 1, 8)])
def test_the_fused_batch_norm_is_the_plain_one(shape: tuple[int, ...]) -> None:
    """Outputs, statistics and gradients."""
    from boxwright.models.layers.conv_norm import batch_norm
    from boxwright.training.step_tensorflow import fused_batch_norm

    tf, rng = framework.tensorflow(), np.random.default_rng(0)
    outputs, upstream = (rng.normal(2, 3, shape).astype(np.float32) for _ in range(2))
    gamma, beta = (rng.normal(size=8).astype(np.float32) for _ in range(2))
    results = []
    for function in (batch_norm, fused_batch_norm):
        arguments = [tf.constant(value) for value in (outputs, gamma, beta)]
        with tf.GradientTape() as tape:
            tape.watch(arguments)
            normalized, mean, variance = function(*arguments, 1e-3)
            pulled = tf.reduce_sum(normalized * upstream)
        results.append([normalized, mean, variance, *tape.gradient(pulled, arguments)])
    plain, fused = results
    for one, other in zip(plain, fused, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-3, atol=1e-3)


# ---- Loss and precision ------------------------------------------------------------------------


def test_the_loss_is_per_positive_anchor_and_finite_without_any(tuning: Bench) -> None:
    images, boxes, labels, sizes, draws = batch()
    loss = tuning.steps(0.0)
    assert loss.total == pytest.approx(loss.classes + loss.boxes)
    order = [3, 0, 2, 1]
    shuffled = [part[order] for part in (images, boxes, labels, sizes, draws)]
    again = tuning.engine.step(*shuffled, number=1, learning_rate=0.0)
    assert tuple(again) == pytest.approx(tuple(loss), rel=1e-4)
    nothing = np.full_like(labels, -1)
    empty = tuning.engine.step(images, boxes, nothing, sizes, draws, number=2, learning_rate=0.0)
    assert empty.total == empty.classes
    assert 0 < empty.total < np.inf


def test_bfloat16_finds_the_gradients_of_float32(tuning: Bench) -> None:
    """On maps of one cell oneDNN leaves parts of some bfloat16 gradients as memory happens to be,
    which shows in some steps only."""

    def gradients(bench: Bench) -> list[NDArray[np.float32]]:
        bench.steps(*[0.0] * 12)
        moments = {k: v for k, v in bench.engine.state().items() if k.startswith("Adam/")}
        return [moments[f"Adam/{i}"] for i in range(len(moments))]

    exact, rounded = gradients(tuning), gradients(Bench(FINE_TUNING, "mixed_bfloat16"))
    for variable, one, other in zip(tuning.trained, exact, rounded, strict=True):
        cosine = (one * other).sum() / (np.linalg.norm(one) * np.linalg.norm(other))
        assert cosine > 0.9, variable.path


def test_the_precision_is_one_of_two() -> None:
    from boxwright.training.step_tensorflow import faster_precision

    assert faster_precision() in {"float32", "mixed_bfloat16"}
