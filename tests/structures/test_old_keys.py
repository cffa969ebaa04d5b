"""Keys that runs and files of earlier versions have are read as today's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from boxwright.inference.artifact import Artifact
from boxwright.structures import old_keys
from boxwright.training.config import LayerGroupValues
from boxwright.training.recipe import Recipe

pytestmark = pytest.mark.tiny

FILES = Path(__file__).parents[1] / "earlier" / "files" / "run"


def read(name: str) -> dict[str, Any]:
    known: dict[str, Any] = json.loads((FILES / name).read_text("utf-8"))
    return known


@pytest.mark.parametrize("name", ["run.json", "openvino/boxwright.json"])
def test_an_earlier_detector_is_described_by_todays_keys(name: str) -> None:
    artifact = Artifact.from_json(read(name))
    today = Artifact.from_json(artifact.to_json())
    assert (today.model, today.provenance) == (artifact.model, artifact.provenance)
    assert artifact.model["quantization"] is None
    assert artifact.provenance["license"] is None
    assert artifact.provenance["recipe"]["optimizer"]["kind"] == "Adam"


def test_an_earlier_exports_comparison_is_read() -> None:
    before = read("openvino/boxwright.json")
    artifact = Artifact.from_json(before)
    comparison = before["provenance"]["proof"]
    assert artifact.provenance["comparison"]["images"] == comparison["photos"]
    assert artifact.golden is not None
    assert artifact.golden.image.shape == (64, 64, 3)
    assert "image" in artifact.to_json()["golden"]


def test_an_earlier_recipe_is_read() -> None:
    recipe = Recipe.from_json(read("run.json")["provenance"]["recipe"])
    assert recipe.objective.matching.positive_iou == 0.5
    assert recipe.objective.class_weight == 4
    assert recipe.objective.normalize_by_num_matches
    assert recipe.norm_decay == LayerGroupValues(0.97, 0.97, 0.97)
    assert (recipe.max_images, recipe.class_head_init, recipe.quantization) == (None, True, None)
    assert Recipe.from_json(recipe.to_json()) == recipe


@pytest.mark.parametrize(
    "names",
    [old_keys.GOLDEN, old_keys.COUNTS, old_keys.PROVENANCE, old_keys.MODEL, old_keys.LAYERS],
)
def test_todays_keys_stay(names: dict[str, str]) -> None:
    today = dict.fromkeys(names.values(), 1)
    assert old_keys.renamed(today, names) == today
    assert old_keys.renamed(dict.fromkeys(names, 1), names) == today
