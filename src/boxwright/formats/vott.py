"""VoTT: its JSON export, its files of single images, and the files of version 1.

Boxes are pixels: in VoTT 2 left, top, width and height in the image, in VoTT 1 the corners in the
displayed image.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Container, Sequence
from pathlib import Path
from urllib.parse import unquote

from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Holds, Labeled, Labels
from boxwright.formats.folder import Folder, folded, split_path, with_slashes
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.shapes import box_around, decimals, shapes_finding
from boxwright.formats.splits import folder_split
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding, counted

TITLE = "VoTT"
KIND = "vott"  # in `json_kinds`
HOLDS = (
    Holds.SPLITS | Holds.EMPTY_IMAGES | Holds.CLASS_ORDER | Holds.UNUSED_CLASSES | Holds.FRACTIONS
)
BY_STEM = False
ABOUT = About(
    sources="VoTT 1 and 2.",
    files=(
        "The export *VoTT JSON*, VoTT's own `*-asset.json` files, and the `.json` of version 1. A "
        "`.vott` file is only the project and has no boxes."
    ),
    detected="By `assets`, `asset` with `regions`, or `frames` in a JSON file.",
    written=("*/boxwright-export.json",),
    quirks=(
        "Images that were not visited are left out; a visited image without regions has no "
        "objects.",
        "An image's own file is newer than an export, so it is used; boxes that only the export "
        "has are counted (`BW159`). Exports in one folder are combined (`BW113`).",
        "Version 1 measures boxes in the image as it was shown, which is scaled back.",
        "A region with several tags becomes a box for each.",
    ),
)
FILE = "boxwright-export.json"
VERSION = "2.2.0"  # VoTT version whose format is written
NOT_VISITED, VISITED, TAGGED = range(3)  # states of an asset
IMAGE, VIDEO = 1, 2  # types of an asset
BOXES = frozenset({"RECTANGLE", "SQUARE"})
LED_BY = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*:|/+)+")  # schemes, drives and roots of paths
COLORS = ("#5db300", "#e81123", "#6917aa", "#015cda", "#4894fe", "#257ffd", "#ffaa1d", "#e3008c")

image_folder = json_file.image_folder


def detect(folder: Folder) -> bool:
    """True if a JSON file has assets or frames with regions."""
    return json_kinds.holds(folder, KIND)


def read(folder: Folder) -> Labels:
    """Read all visited images; a visited image without regions has no objects."""
    labels, shapes = Labels(), Counter[str]()
    here = json_file.image_names(folder)
    images: list[tuple[str, bool, Labeled]] = []
    classes: list[str] = []
    for path, content in json_file.read_all(folder, KIND, dict, labels.broken):
        own = "asset" in content
        try:
            assets = _assets(content)
            classes += _classes(content)
        except UnusableError as error:
            labels.broken.append(error.in_file(path))
            continue
        for place, asset in assets.items():
            try:
                key, image = _image(asset, path, place, here, shapes)
            except UnusableError as error:
                labels.broken.append(error.in_file(path))
                continue
            if image is not None:
                images.append((key, own, image))
    labels.images = _newest(images, labels.findings)
    if labels.images:
        labels.findings += shapes_finding(labels.images[0].path, shapes)
    labels.classes = list(dict.fromkeys(classes))
    return labels


def _newest(images: Sequence[tuple[str, bool, Labeled]], findings: list[Finding]) -> list[Labeled]:
    """Each image once, if several files have its id.

    VoTT's own file of an image is newer than an export. The boxes of several exports in one folder
    are combined; those in several folders may be of images with the same path on two computers.
    """
    newest = {key: one for key, own, one in images if own}
    kept: dict[tuple[str, str], Labeled] = {}
    lost: Counter[str] = Counter()
    for key, own, one in images:
        if not own and key in newest:
            lost[one.path] += newest[key].lacks(one)
            continue
        known = kept.setdefault((key, split_path(one.path)[0]), one)
        if known is not one and (count := known.add_missing(one)):
            more = counted(count, "box is", "boxes are")
            message = f"{known.where} has the same image; {more} only here"
            findings.append(Finding("BW113", one.where, message, "boxes combined"))
    for path, count in lost.items():
        if count:
            message = f"{counted(count, 'box is', 'boxes are')} not in VoTT's own, newer files"
            findings.append(Finding("BW159", path, message, "not used"))
    return list(kept.values())


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write one export per split, beside the images."""
    tags = [
        {"name": name, "color": COLORS[i % len(COLORS)]} for i, name in enumerate(dataset.classes)
    ]
    for folder, indices in json_file.by_folder(dataset):
        assets = {}
        for i in indices:
            key = hashlib.sha256(names[i].encode(errors="surrogatepass")).hexdigest()[:32]
            assets[key] = _asset(dataset, i, names[i], key)
        content = {"name": "boxwright", "tags": tags, "version": VERSION, "assets": assets}
        json_file.write(target / folder / FILE, content)


def _assets(content: Object) -> dict[str, object]:
    """Asset and regions of each image by their position in the file, for both versions."""
    if "asset" in content:
        return {"": content}
    first_version = "assets" not in content
    name = "frames" if first_version else "assets"
    entries = content.get(name)
    if not isinstance(entries, dict):
        raise UnusableError(name, json_file.unlike(entries, "an object"))
    if first_version:
        visited = content.get("visitedFrames", [])
        seen = set(map(str, visited)) if isinstance(visited, list) else set()
        entries = {key: _as_asset(key, one, key in seen) for key, one in entries.items()}
    return {f"{name}.{key}": one for key, one in entries.items()}


def _as_asset(name: str, regions: object, visited: bool) -> Object:
    """A frame of VoTT 1, converted to VoTT 2."""
    if not isinstance(regions, list):
        return {"asset": {"name": name}, "regions": regions}
    state = TAGGED if regions else VISITED if visited else NOT_VISITED
    shown = next((one for one in regions if isinstance(one, dict)), None)
    size = shown and {side: shown.get(side) for side in ("width", "height")}
    return {
        "asset": {"name": name, "size": size, "state": state},
        "regions": [_as_region(one) if isinstance(one, dict) else one for one in regions],
    }


def _as_region(one: Object) -> Object:
    corners = [{"x": one.get(f"x{i}"), "y": one.get(f"y{i}")} for i in (1, 2)]
    return {"type": "RECTANGLE", "tags": one.get("tags"), "points": corners}


def _image(
    entry: object, path: str, place: str, here: Container[str], shapes: Counter[str]
) -> tuple[str, Labeled | None]:
    """The id and the labels of an image; None if it was not visited or is a video."""
    asset = entry.get("asset") if isinstance(entry, dict) else None
    if not isinstance(entry, dict) or not isinstance(asset, dict):
        raise UnusableError(place, "has no asset")
    regions = entry.get("regions") or []
    if asset.get("type") == VIDEO or (asset.get("state") == NOT_VISITED and not regions):
        return "", None
    name = _image_name(asset, place, here)
    image = Labeled(
        path, name, place=place and f", {place}", split=folder_split(split_path(path)[0])
    )
    image.hint = _path(asset)
    if isinstance(asset.get("size"), dict):
        image.size = json_file.stated_size(asset["size"], "width", "height")
    for where, region in json_file.objects(regions, f"{place}.regions".lstrip(".")):
        box, kind = _box(region, where), region.get("type")
        if isinstance(kind, str) and kind not in BOXES:
            shapes[kind.lower()] += 1
        tags = region.get("tags")
        for tag in tags if isinstance(tags, list) and tags else [None]:
            image.add(json_file.class_name(tag, where), box)
    return str(asset.get("id") or f"{path}, {place}"), image


def _box(region: Object, place: str) -> list[float]:
    if region.get("boundingBox") is None:
        return box_around(json_file.points(region.get("points"), f"{place}.points"))
    left, top, width, height = json_file.coordinates(
        region["boundingBox"], ("left", "top", "width", "height"), f"{place}.boundingBox"
    )
    return [left, top, left + width, top + height]


def _path(asset: Object) -> str:
    url = asset.get("path")
    return LED_BY.sub("", with_slashes(unquote(url))) if isinstance(url, str) else ""


def _image_name(asset: Object, place: str, here: Container[str]) -> str:
    """The path or name of the image; a path is a URL, a name is not."""
    name, path = asset.get("name"), _path(asset)
    last = split_path(path)[1]
    if not isinstance(name, str) or not name:
        name = last
    if not name:
        raise UnusableError(place, "names no image")
    return path if last == name or (folded(name) not in here and folded(last) in here) else name


def _classes(content: Object) -> list[str]:
    """The class names in VoTT's order; version 1 stores them as one text."""
    if isinstance(content.get("inputTags"), str):
        return [tag for tag in content["inputTags"].split(",") if tag.strip()]
    tags = content.get("tags") or []
    return [
        json_file.class_name(tag.get("name"), place)
        for place, tag in json_file.objects(tags, "tags")
    ]


def _asset(dataset: Dataset, index: int, name: str, key: str) -> Object:
    width, height = dataset.sizes[index].tolist()
    rows = dataset.rows(index)
    regions = [
        _region(decimals(box), dataset.classes[label], f"box{i + 1}")
        for i, (box, label) in enumerate(
            zip(dataset.boxes[rows], dataset.labels[rows], strict=True)
        )
    ]
    last = split_path(name)[1]
    return {
        "asset": {
            "format": last.rpartition(".")[2],
            "id": key,
            "name": last,
            "path": f"file:{json_file.url_path(name)}",
            "size": {"width": width, "height": height},
            "state": TAGGED if regions else VISITED,
            "type": IMAGE,
        },
        "regions": regions,
        "version": VERSION,
    }


def _region(box: Sequence[float], tag: str, key: str) -> Object:
    xmin, ymin, xmax, ymax = box
    return {
        "id": key,
        "type": "RECTANGLE",
        "tags": [tag],
        "boundingBox": {
            "left": xmin,
            "top": ymin,
            "width": round(xmax - xmin, 9),
            "height": round(ymax - ymin, 9),
        },
        "points": [
            {"x": x, "y": y} for x, y in ((xmin, ymin), (xmax, ymin), (xmax, ymax), (xmin, ymax))
        ],
    }
