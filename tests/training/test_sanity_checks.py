"""What stops a run, and what it says then."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest

from boxwright.errors import DataError, TrainingError
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.training.sanity_checks import (
    SUSTAINED,
    LossWatch,
    check_loss,
    check_state,
    check_trainable,
)

pytestmark = pytest.mark.tiny

UNLABELED = LabeledImage("a.jpg", 8, 8)
LABELED = LabeledImage("b.jpg", 8, 8, [(0, 0, 4, 4)], ["cat"])


@pytest.mark.parametrize(
    ("images", "code", "said"),
    [
        pytest.param([], "BW301", "the training set is empty", id="no photo"),
        pytest.param([UNLABELED] * 3, "BW302", "none of the 3 training images", id="no box"),
    ],
)
def test_data_that_teach_nothing_are_refused(
    images: list[LabeledImage], code: str, said: str
) -> None:
    with pytest.raises(TrainingError, match=said) as caught:
        check_trainable(Dataset.of("photos", images))
    assert caught.value.code == code
    assert caught.value.where == "photos"


def test_half_a_character_in_a_class_is_refused_before_the_training() -> None:
    image = LabeledImage("b.jpg", 8, 8, [(0, 0, 4, 4)], ["cat\ud83d"])
    with pytest.raises(DataError) as caught:
        check_trainable(Dataset.of("photos", [image]))
    assert caught.value.code == "BW141"


def test_one_box_is_enough_to_begin() -> None:
    check_trainable(Dataset.of("photos", [UNLABELED, LABELED]))


@pytest.mark.parametrize(
    ("classes", "boxes", "part"),
    [(math.nan, 1.0, "class"), (1.0, math.inf, "box"), (math.inf, math.nan, "class")],
)
def test_a_loss_that_is_no_number_names_its_images(classes: float, boxes: float, part: str) -> None:
    loss = SimpleNamespace(total=classes + boxes, classes=classes, boxes=boxes)
    with pytest.raises(TrainingError) as caught:
        check_loss(loss, 41, ["a.jpg", "b.jpg"])
    assert caught.value.code == "BW303"
    assert f"the {part} loss" in caught.value.message
    assert "at step 41, on the images a.jpg, b.jpg" in caught.value.message


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_weights_that_are_no_numbers_name_the_last_images(number: float) -> None:
    arrays = {"weight/0": np.ones(3, np.float32), "Adam/0": np.array([1, number], np.float32)}
    with pytest.raises(TrainingError, match="after 42 steps") as caught:
        check_state(arrays, 42, ["a.jpg", "b.jpg"])
    assert caught.value.code == "BW303"
    assert "on the images a.jpg, b.jpg" in caught.value.message
    check_state({"weight/0": np.array([1e30, -0.0, 1e-45], np.float32)}, 42, ["a.jpg"])


@pytest.mark.parametrize("total", [0.0, 1e30])
def test_any_number_will_do(total: float) -> None:
    check_loss(SimpleNamespace(total=total, classes=total, boxes=0.0), 0, [])


def watch(losses: list[float]) -> None:
    own = LossWatch()
    for step, total in enumerate(losses):
        own.check(SimpleNamespace(total=total), step, 80.0)  # type: ignore[arg-type]


def test_a_loss_that_explodes_names_its_learning_rate_and_the_next_to_try() -> None:
    with pytest.raises(TrainingError) as caught:
        watch([7.0, *[1e13] * SUSTAINED])
    assert caught.value.code == "BW314"
    assert f"from 7 to 1e+13 at step {SUSTAINED}, with a learning rate of 80." in str(caught.value)
    assert "lower learning rate, such as 8," in caught.value.remedy


@pytest.mark.parametrize(
    "losses",
    [
        pytest.param([7.0, *([1e13] * (SUSTAINED - 1) + [8.0]) * 3], id="it leaps and comes back"),
        pytest.param([0.01, *[60.0] * 3 * SUSTAINED], id="it was tiny at first"),
        pytest.param([7.0, *[690.0] * 3 * SUSTAINED], id="it is high"),
    ],
)
def test_other_losses_are_no_explosion(losses: list[float]) -> None:
    watch(losses)
