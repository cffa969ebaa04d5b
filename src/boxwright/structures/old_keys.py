"""JSON keys of earlier versions and their current names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GOLDEN = {"photo": "image"}
COUNTS = {"photos": "images"}  # in metrics and in an export's comparison with its run
PROVENANCE = {"licence": "license", "proof": "comparison"}
MODEL = {"bits": "quantization"}
LAYERS = {"centre": "center"}
RECIPE = {
    "augmentation.mirror": "augmentation.horizontal_flip.probability",
    "augmentation.window": "augmentation.crop_around_object.side",
    "head_start": "class_head_init",
    "most_photos": "max_images",
    "optimiser": "optimizer",
    "quantisation": "quantization",
}
OBJECTIVE = {  # in a recipe and its matching and mining
    "delta": "huber_delta",
    "fewest_negatives": "min_negatives",
    "focus": "classification_loss",
    "force": "force_match",
    "matched": "positive_iou",
    "most": "max_anchors",
    "per_coordinate": "normalize_by_code_size",
    "per_match": "normalize_by_num_matches",
    "unmatched": "negative_iou",
}
KINDS = {
    "ByPart": "LayerGroupValues",
    "Quantisation": "Quantization",
}  # in the nested objects of a recipe


def renamed(value: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """Rename the keys of an object; its values are unchanged."""
    return {names.get(key, key): item for key, item in value.items()}


def renamed_provenance(value: Mapping[str, Any]) -> dict[str, Any]:
    """Rename the keys of a detector's provenance."""
    known = renamed(value, PROVENANCE)
    inner = {"metrics": COUNTS, "comparison": COUNTS, "recipe": RECIPE}
    return known | {
        key: renamed(known[key], names)
        for key, names in inner.items()
        if isinstance(known.get(key), Mapping)
    }
