"""Keys of JSON files that earlier versions wrote, by the names that they have today."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

GOLDEN = {"photo": "image"}
COUNTS = {"photos": "images"}  # of metrics, and of an export's comparison with its run
PROVENANCE = {"licence": "license"}
LAYERS = {"centre": "center"}
RECIPE = {
    "most_photos": "max_images",
    "optimiser": "optimizer",
    "quantisation": "quantization",
}
KINDS = {"Quantisation": "Quantization"}  # of the objects that a recipe is made of


def renamed(value: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """An object with today's keys; what is in it stays as it is."""
    return {names.get(key, key): item for key, item in value.items()}


def renamed_provenance(value: Mapping[str, Any]) -> dict[str, Any]:
    """The provenance of a detector with today's keys."""
    known = renamed(value, PROVENANCE)
    inner = {"metrics": COUNTS, "proof": COUNTS, "recipe": RECIPE}
    return known | {
        key: renamed(known[key], names)
        for key, names in inner.items()
        if isinstance(known.get(key), Mapping)
    }
