"""A pipeline.config as a recipe: every number of it arrives where the trainer looks."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
from api_folder import instead_of

from boxwright.augment.transforms import SSD_CROP, HorizontalFlip
from boxwright.models.ssd.objective import Focal, Matching, Mining, Objective
from boxwright.tfod.config import parse_config
from boxwright.tfod.mapping.recipe import FOREVER, recipe_of
from boxwright.training.config import LayerGroupValues, Quantization
from boxwright.training.learning_rates import Constant, CosineDecay, ExponentialDecay, ManualSteps
from boxwright.training.optimizers import Adam, Averaging, Momentum, RmsProp
from boxwright.training.recipe import Recipe

pytestmark = pytest.mark.tiny

CONFIGS = Path(__file__).parent / "configs"
HELMET = (CONFIGS / "helmet.config").read_text(encoding="utf-8")
QUANTIZED = (CONFIGS / "quantized.config").read_text(encoding="utf-8")
RATE = "exponential_decay_learning_rate { initial_learning_rate: 0.004 }"


def recipe(text: str, override: str = "", steps: int | None = None) -> Recipe:
    return recipe_of(parse_config(text, override=override).pipeline, steps)


def close(one: Any, other: Any) -> bool:
    """Whether two parts are equal but for float32's rounding."""
    if isinstance(one, float):
        return bool(other == pytest.approx(one, rel=1e-6))
    if isinstance(one, tuple):
        return len(one) == len(other) and all(map(close, one, other))
    if hasattr(one, "__dataclass_fields__"):
        same = type(one) is type(other)
        return same and all(close(v, getattr(other, k)) for k, v in vars(one).items())
    return bool(one == other)


def test_the_helmet_detector() -> None:
    expected = Recipe(
        300,
        depth_multiplier=1.0,
        batch_size=12,
        objective=Objective(
            classification_loss=None,
            background=1.0,
            mining=Mining("classes", 3000, 0.99, negatives_per_positive=3),
        ),
        l2=LayerGroupValues(4e-5, 4e-5, 4e-5),
        optimizer=RmsProp(),
        learning_rate=ExponentialDecay(0.004, 800_720, 0.95),
        averaging=Averaging(0.9999, warm_up=False, statistics=False, kept=False),
        frozen_through=-1,
        train_depthwise=True,
        train_norm=True,
        absorb_scale=False,
        norm_decay=LayerGroupValues(0.9997, 0.9997, 0.9997),
        class_head_init=False,
        augmentation=(HorizontalFlip(), SSD_CROP),
        cache_side=400,
        held_out=0.0,
        steps=200_000,
    )
    assert close(expected, recipe(HELMET))


def test_the_quantized_detector() -> None:
    decided = recipe(QUANTIZED)
    assert close(Focal(0.75, 2.0), decided.objective.classification_loss)
    assert decided.objective.background == 0.0
    assert decided.objective.normalize_by_code_size
    assert decided.objective.mining is None
    assert close(Momentum(0.9), decided.optimizer)
    assert close(CosineDecay(0.2, 50_000, 0.06, 2000), decided.learning_rate)
    assert decided.averaging is None
    assert close(LayerGroupValues(0.97, 0.97, 0.97), decided.norm_decay)
    assert decided.quantization == Quantization(48_000, 8, 8)
    assert decided.batch_size == 128


CASES: dict[str, tuple[str, Any]] = {  # what is said in the config: the recipe's part, its value
    "model { ssd { freeze_batchnorm: true } }": ("train_norm", False),
    "model { ssd { normalize_loss_by_num_matches: false } }": (
        "objective.normalize_by_num_matches",
        False,
    ),
    "model { ssd { matcher { argmax_matcher { matched_threshold: 0.7 unmatched_threshold: 0.3 "
    "negatives_lower_than_unmatched: false } } } }": (
        "objective.matching",
        Matching(0.7, 0.3, ignore_between=False, force_match=True),
    ),
    "model { ssd { matcher { argmax_matcher { ignore_thresholds: true } } } }": (
        "objective.matching",
        Matching(0.0, 0.0),
    ),
    "model { ssd { loss { hard_example_miner { num_hard_examples: 0 loss_type: LOCALIZATION "
    "min_negatives_per_image: 3 } } } }": (
        "objective.mining",
        Mining("boxes", None, 0.99, negatives_per_positive=3, min_negatives=3),
    ),
    "model { ssd { loss { localization_weight: 2 classification_weight: 3 } } }": (
        "objective.box_weight",
        2.0,
    ),
    "model { ssd { loss { localization_loss { weighted_smooth_l1 { delta: 0.5 } } } } }": (
        "objective.huber_delta",
        0.5,
    ),
    "train_config { gradient_clipping_by_norm: 10 }": ("clip_norm", 10.0),
    "train_config { bias_grad_multiplier: 2 }": ("bias_gradients", 2.0),
    "train_config { update_trainable_variables: 'BoxPredictor' freeze_variables: ['a', 'b'] }": (
        "frozen_names",
        ("a", "b"),
    ),
    "train_config { update_trainable_variables: 'BoxPredictor' }": (
        "trained_names",
        ("BoxPredictor",),
    ),
    "train_config { add_regularization_loss: false }": ("l2", LayerGroupValues()),
    "train_config { num_steps: 0 }": ("steps", FOREVER),
    "train_config { optimizer { moving_average_decay: 0.99 } } "
    "eval_config { use_moving_averages: true }": (
        "averaging",
        Averaging(0.99, warm_up=False, statistics=False, kept=True),
    ),
    "train_input_reader { shuffle: false }": ("shuffle", False),
    "graph_rewriter { quantization { delay: 5 weight_bits: 4 activation_bits: 6 } }": (
        "quantization",
        Quantization(5, 4, 6),
    ),
}


@pytest.mark.parametrize("said", CASES)
def test_what_is_said_arrives(said: str) -> None:
    name, value = CASES[said]
    assert close(value, attrgetter(name)(recipe(HELMET, said)))
    assert not close(value, attrgetter(name)(recipe(HELMET)))


OPTIMIZERS: dict[str, Any] = {
    f"rms_prop_optimizer {{ learning_rate {{ {RATE} }} decay: 0.8 epsilon: 0.5 "
    "momentum_optimizer_value: 0.7 }": RmsProp(0.8, 0.7, 0.5),
    f"momentum_optimizer {{ learning_rate {{ {RATE} }} momentum_optimizer_value: 0.7 }}": Momentum(
        0.7
    ),
    f"adam_optimizer {{ learning_rate {{ {RATE} }} }}": Adam(0.9, 0.999, 1e-8),
}


@pytest.mark.parametrize("said", OPTIMIZERS)
def test_optimizers(said: str) -> None:
    assert close(OPTIMIZERS[said], recipe(instead_of("rms_prop_optimizer", said, HELMET)).optimizer)


RATES: dict[str, Any] = {
    "constant_learning_rate { learning_rate: 0.1 }": Constant(0.1),
    "exponential_decay_learning_rate { initial_learning_rate: 1 decay_steps: 2 decay_factor: 0.5 "
    "staircase: false burnin_learning_rate: 3 burnin_steps: 4 min_learning_rate: 0.25 }": (
        ExponentialDecay(1.0, 2, 0.5, False, 3.0, 4, 0.25)
    ),
    "manual_step_learning_rate { initial_learning_rate: 0.1 warmup: true "
    "schedule { step: 5 learning_rate: 0.2 } schedule { step: 9 learning_rate: 0.05 } }": (
        ManualSteps((5, 9), (0.1, 0.2, 0.05), warm_up=True)
    ),
    "cosine_decay_learning_rate { learning_rate_base: 1 total_steps: 9 warmup_learning_rate: 0.5 "
    "warmup_steps: 2 hold_base_rate_steps: 3 }": CosineDecay(1.0, 9, 0.5, 2, 3),
}


@pytest.mark.parametrize("said", RATES)
def test_learning_rates(said: str) -> None:
    text = instead_of("exponential_decay_learning_rate", said, HELMET)
    assert close(RATES[said], recipe(text).learning_rate)


def test_steps_given_go_before_the_config() -> None:
    assert recipe(HELMET, steps=7).steps == 7


@pytest.mark.parametrize("text", [HELMET, QUANTIZED], ids=["helmet", "quantised"])
def test_the_recipe_of_a_config_is_written_and_read(text: str) -> None:
    decided = recipe(text)
    assert Recipe.from_json(decided.to_json()) == replace(decided)
