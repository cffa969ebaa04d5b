"""Optimisers and averages: equal to TensorFlow 1's, step by step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from boxwright.training.optimizers import Adam, Averaging, Momentum, Optimizer, RmsProp

GRADIENTS = np.random.default_rng(0).normal(size=(12, 5, 4)).astype(np.float32)


def walk(optimizer: Optimizer, start: Any, gradients: Any, rate: float) -> list[dict[str, Any]]:
    """The variable and its slots after each step."""
    from boxwright.backend import framework
    from boxwright.training.step_tensorflow import apply_gradient

    tf = framework.tensorflow()
    variable = tf.Variable(start)
    slots = {name: tf.Variable(tf.fill(start.shape, v)) for name, v in optimizer.slots.items()}
    betas = (optimizer.beta_1, optimizer.beta_2) if isinstance(optimizer, Adam) else (0.0, 0.0)
    walked = []
    for number, gradient in enumerate(gradients):
        bias = (betas[0] ** (number + 1), betas[1] ** (number + 1))
        apply_gradient(optimizer, variable, [*slots.values()], gradient, rate, bias)
        values = {name: slot.numpy() for name, slot in slots.items()}
        walked.append({"variable": variable.numpy(), **values})
    return walked


@pytest.mark.shared
def test_rms_prop_and_the_average_of_the_object_detection_api(shared: Path) -> None:
    golden = np.load(shared / "golden/optimizer.npz")
    averaging = Averaging(float(golden["ema_decay"]), warm_up=False, statistics=False)
    average = golden["v0"]
    steps = walk(RmsProp(decay=0.9, momentum=0.9, epsilon=1.0), golden["v0"], golden["grads"], 4e-3)
    for number, step in enumerate(steps):
        assert golden["after_step/global_step"][number] == number + 1
        average = average - (average - step["variable"]) * np.float32(
            1 - averaging.decay_at(number)
        )
        for name, value in {
            "v": step["variable"],
            "v/RMSProp": step["RMSProp"],
            "v/RMSProp_1": step["RMSProp_1"],
            "v/ExponentialMovingAverage": average,
        }.items():
            expected = golden[f"after_step/{name}"][number]
            np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-7, err_msg=name)


@pytest.mark.parametrize(
    ("optimizer", "theirs"),
    [
        pytest.param(
            Momentum(0.9), lambda v1: v1.train.MomentumOptimizer(0.01, 0.9), id="momentum"
        ),
        pytest.param(
            Adam(beta_2=0.999, epsilon=1e-8), lambda v1: v1.train.AdamOptimizer(0.01), id="adam"
        ),
        pytest.param(
            RmsProp(0.95, 0.8, 0.1),
            lambda v1: v1.train.RMSPropOptimizer(0.01, 0.95, 0.8, 0.1),
            id="rms_prop",
        ),
    ],
)
def test_variables_and_slots_are_those_of_tensorflow_1(optimizer: Optimizer, theirs: Any) -> None:
    """Also by name: the optimiser makes the slots, we name them."""
    from boxwright.backend import framework

    tf = framework.tensorflow()
    start = GRADIENTS[0]
    walked = walk(optimizer, start, GRADIENTS, 0.01)
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        variable = tf.compat.v1.get_variable("v", initializer=start, use_resource=True)
        gradient = tf.compat.v1.placeholder(tf.float32, start.shape)
        train = theirs(tf.compat.v1).apply_gradients([(gradient, variable)])
        session.run(tf.compat.v1.global_variables_initializer())
        made = {other.op.name: other for other in tf.compat.v1.global_variables()}
        slots = {name: made.pop(f"v/{name}") for name in optimizer.slots}
        assert set(made) <= {"v", "beta1_power", "beta2_power"}
        for number, ours in enumerate(walked):
            session.run(train, {gradient: GRADIENTS[number]})
            for name, value in session.run({"variable": variable, **slots}).items():
                np.testing.assert_allclose(ours[name], value, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    ("averaging", "step", "decay"),
    [
        (Averaging(0.99), 0, 0.1),
        (Averaging(0.99), 10**6, 0.99),
        (Averaging(0.9999, warm_up=False), 0, 0.9999),
    ],
)
def test_how_much_of_an_average_stays(averaging: Averaging, step: int, decay: float) -> None:
    assert averaging.decay_at(step) == decay
    assert replace(averaging, kept=False).decay_at(step) == decay
