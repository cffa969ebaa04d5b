"""Faults of the studio and of editing labels in place: BW170, BW179, BW180 and BW185."""

from __future__ import annotations

from place import Place, Plant, raised

from boxwright.studio.keys import read_keys
from boxwright.studio.store import LabeledBox, Labels, LabelStore

LINE = "0 0.5 0.5 0.25 0.25\n"


def in_kitti(place: Place) -> object:
    place.folder.image("a.jpg")

    place.folder.text("a.txt", "cat 0 0 0 1 2 30 40 0 0 0 0 0 0 0\n")
    return LabelStore.open(place.root, format="kitti")


def difficult_in_yolo(place: Place) -> object:
    place.folder.image("a.jpg")
    place.folder.text("a.txt", LINE)
    store = LabelStore.open(place.root, ["cat"])
    box = LabeledBox("new", (1, 2, 30, 40), "cat", difficult=True)
    return store.write(0, Labels((box,), False, ""), store.read(0).etag)


def in_a_viewer(place: Place) -> object:
    place.folder.image("a.jpg")
    store = LabelStore.open(place.root, ["cat"], read_only=True)
    box = LabeledBox("new", (1, 2, 30, 40), "cat")
    return store.write(0, Labels((box,), False, ""), store.read(0).etag)


def keys_without_list(place: Place) -> object:
    place.folder.text("keys.json", '{"next": 7}')
    return read_keys(place.root / "keys.json")


PLANTS: dict[str, Plant] = {
    "BW170": raised(keys_without_list),
    "BW179": raised(in_kitti),
    "BW180": raised(difficult_in_yolo),
    "BW185": raised(in_a_viewer),
}
