"""Faults of downloads: BW177 and BW178."""

from __future__ import annotations

from place import Place, Plant

from boxwright.io import download
from boxwright.openimages import download as openimages
from boxwright.openimages.fetching import Image
from boxwright.openimages.sources import IMAGES_VARIABLE, LISTS_VARIABLE

NOWHERE = "http://127.0.0.1:9"  # where nothing listens


def without_network(place: Place) -> str:
    place.patch.setattr(download, "WAITS", ())
    place.patch.setenv("no_proxy", "*")
    place.patch.setenv("BOXWRIGHT_CACHE", str(place.root / "cache"))
    place.patch.setenv(LISTS_VARIABLE, NOWHERE)
    place.patch.setenv(IMAGES_VARIABLE, NOWHERE)
    return place.cli("download", "openimages", "Apple", "--out", place.root / "fruit")


def without_images(place: Place) -> str:
    plan = openimages.Plan(place.root / "fruit", {}, {}, {}, {}, (Image("train", "0" * 16),), 1)
    place.patch.setattr(openimages, "choose_images", lambda *_, **__: None)
    place.patch.setattr(openimages, "plan", lambda *_: plan)
    return without_network(place)


PLANTS: dict[str, Plant] = {"BW177": without_network, "BW178": without_images}
