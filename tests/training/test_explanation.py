"""A recipe in words: what people can use, its path beside it, and why it is so."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.training.deciding import checked
from boxwright.training.explanation import explained, shown
from boxwright.training.learning_rates import Constant
from boxwright.training.optimizers import Momentum
from boxwright.training.recipe import Recipe, recipe_for
from boxwright.training.settings import with_settings

pytestmark = pytest.mark.tiny

SMALL = Dataset.of("data", [LabeledImage("a.jpg", 900, 900, [(0, 0, 100, 100)], ["cat"])] * 9)


@pytest.mark.parametrize("pretrained", [True, False])
def test_every_reason_is_said_with_its_field(pretrained: bool) -> None:
    recipe = recipe_for(SMALL, pretrained=pretrained, seconds=60)
    said = {line.path: line.reason for line in explained(recipe) if line.reason}
    assert said == dict(recipe.reasons)
    assert len(said) >= 3


@pytest.mark.parametrize("pretrained", [True, False])
def test_a_line_can_be_set_as_it_is_shown(pretrained: bool) -> None:
    recipe = recipe_for(SMALL, pretrained=pretrained, steps=9)
    settings = {line.path: line.value for line in explained(recipe)}
    # A part's name stands for its usual fields, which are set after it.
    assert with_settings(recipe, settings) == recipe


@pytest.mark.parametrize(
    ("setting", "line"),
    [
        ("learning_rate.peak=5e-4", "the peak learning rate is 0.0005: set by you"),
        ("learning_rate=constant", "the learning rate schedule is Constant: set by you"),
        ("optimizer=momentum", "the optimizer is Momentum: set by you"),
        ("frozen_through=-1", "the whole backbone is trained: set by you"),
        ("frozen_through=3", "blocks 0 to 3 of the backbone are frozen: set by"),
        ("augmentation.horizontal_flip=0", "no horizontal flip: set by you"),
        ("augmentation.horizontal_flip=0.3", "30 % of images are flipped horizontally: set by"),
        ("augmentation.vertical_flip=0.3", "vertical flip probability 0.3: set by you"),
        ("averaging=none", "no averaging: set by you"),
        ("objective.mining.max_anchors=7", "objective mining max anchors 7: set by you"),
        ("held_out=0", "no images are held out for validation: set by you"),
        ("held_out=0.25", "25 % of the images are the validation set: set by you"),
    ],
)
def test_what_is_set_is_said(setting: str, line: str) -> None:
    path, _, value = setting.partition("=")
    lines = [str(each) for each in explained(checked({path: value}, pretrained=True))]
    assert [each for each in lines if each.startswith(line)]


def test_without_a_budget_it_says_when_training_ends() -> None:
    ends = {line.path: line for line in explained(Recipe(300))}["seconds"]
    assert (ends.value, str(ends)) == ("none", "training ends when the validation AP stops rising")
    assert "seconds" not in {line.path for line in explained(Recipe(300, steps=9))}


def test_what_is_not_there_has_no_line() -> None:
    recipe = replace(Recipe(300), augmentation=(), learning_rate=Constant(), averaging=None)
    paths = {line.path for line in explained(recipe)}
    assert not [path for path in paths if path.startswith(("augmentation.", "averaging."))]
    assert "learning_rate.peak" not in paths
    assert "learning_rate.rate" in paths


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "none"),
        ((), "none"),
        (True, "yes"),
        (False, "no"),
        (0.0017, "0.0017"),
        (1e-9, "1e-09"),
        (300, "300"),
        ((0.4, 1.3), "0.4,1.3"),
        (("a", "b"), "a,b"),
        (Momentum(), "momentum"),
    ],
)
def test_values_are_shown_as_they_are_set(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_recipe_is_explained_without_keras() -> None:
    program = (
        "import sys\n"
        "from boxwright.training.deciding import checked\n"
        "from boxwright.training.explanation import explained\n"
        "explained(checked({'learning_rate.peak': '1e-3'}, pretrained=True))\n"
        "assert 'keras' not in sys.modules and 'tensorflow' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
