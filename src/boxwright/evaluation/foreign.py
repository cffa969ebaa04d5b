"""Detections that another tool wrote: COCO results, VOC XML with scores, YOLO text with confidence.

Images are named by an integer id, a path, a file name or a stem.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import numpy as np

from boxwright.errors import BoxwrightError, EvaluationError
from boxwright.formats.annotations import Broken
from boxwright.formats.coco.boxes import any_box
from boxwright.formats.folder import with_slashes
from boxwright.formats.json_file import UnusableError
from boxwright.formats.xml_file import read_tree
from boxwright.inference.file_kinds import is_detector
from boxwright.io.text import read_text
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections

ENOUGH = 0.9  # of the images with detections must be in the data
SIDES = ("xmin", "ymin", "xmax", "ymax")
SCORES = ("score", "confidence", "conf")
Key = int | str


class Row(NamedTuple):
    """One detection as written: its image and class by id or name, score, and box xyxy in pixels,
    or relative to the image."""

    image: Key
    label: Key
    score: float
    box: Sequence[float]
    relative: bool = False


@dataclass(frozen=True)
class Ids:
    """Ids of a COCO file: of images to file names, and of categories to class names."""

    images: Mapping[int, str]
    classes: Mapping[int, str]

    @classmethod
    def of(cls, paths: Iterable[Path]) -> Ids:
        """The ids of all COCO annotation files among the paths and directly in or below folders."""
        images: dict[int, str] = {}
        classes: dict[int, str] = {}
        for path in paths:
            for file in [path] if path.is_file() else sorted(path.rglob("*.json")):
                content = _annotations(file)
                images |= {one["id"]: one["file_name"] for one in content.get("images", ())}
                classes |= {one["id"]: one["name"] for one in content.get("categories", ())}
        return cls(images, classes)


@dataclass(frozen=True)
class ForeignDetections:
    """Detections of all images of a dataset, which a file of another tool holds.

    Attributes:
        images, detections: one for each image.
        assumed: class ids whose names were assumed from the order of the data's classes.
    """

    images: Dataset
    detections: Sequence[Detections]
    assumed: Mapping[int, str]

    def note(self) -> str | None:
        """What was assumed, in words."""
        if not self.assumed:
            return None
        listed = ", ".join(f"{number} is {name}" for number, name in sorted(self.assumed.items()))
        return (
            f"The detections have class ids without names. By the order of the data, {listed}. "
            "If that is wrong, name the classes with --labels."
        )

    def detections_in(self, images: Dataset) -> Iterator[Detections]:
        """The detections in some of the images, as `Detector.detections_in`."""
        positions = {key: i for i, key in enumerate(_keys_of(self.images))}
        return (self.detections[positions[key]] for key in _keys_of(images))


def _keys_of(images: Dataset) -> list[tuple[str, int]]:
    return list(zip(images.names, images.byte_ranges[:, 0].tolist(), strict=True))


def holds_detections(path: Path) -> bool:
    """True for a file or folder that `read_detections` may read and that is no detector."""
    if path.suffix.lower() == ".json":
        return True
    if not path.is_dir() or is_detector(path):
        return False
    return any(one.suffix.lower() in {".xml", ".txt"} for one in path.rglob("*"))


def read_detections(
    path: str | Path,
    images: Dataset,
    *,
    names: Sequence[str] = (),
    ids: Ids | None = None,
) -> ForeignDetections:
    """Read detections of the images of a dataset.

    Args:
        path: a JSON file of COCO results, or a folder of VOC XML or YOLO text files.
        images: the labeled images of all splits.
        names: class names in id order, for files with class ids; those of the COCO annotations by
            default, else those of `images`.
        ids: ids of the COCO annotations that the results are for.

    Raises:
        EvaluationError: BW604 it cannot be read, or it is unclear which classes its ids are; BW605
            fewer than 90 % of its images are in `images`.
    """
    path, ids = Path(path), ids or Ids({}, {})
    rows = _read(path, images)
    found = _matched(path, rows, images, ids)
    classes = _Classes.of(path, rows, images.classes, ids, tuple(names))
    per_image: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        if row.image in found:
            per_image[found[row.image]].append(row)
    detections = [_detections(per_image[i], images, i, classes) for i in range(len(images))]
    return ForeignDetections(images, detections, classes.assumed)


def _read(path: Path, images: Dataset) -> list[Row]:
    """All rows of the file or folder."""
    if not path.exists():
        raise _unreadable(path, "it does not exist")
    if path.is_file():
        return list(_coco_rows(path))
    xml, text = sorted(path.rglob("*.xml")), sorted(path.rglob("*.txt"))
    if xml:
        return list(chain.from_iterable(_voc_rows(path, file) for file in xml))
    if text:
        return list(chain.from_iterable(_yolo_rows(path, file) for file in text))
    raise _unreadable(path, "it has neither .xml nor .txt files")


def _coco_rows(path: Path) -> Iterator[Row]:
    try:
        content = json.loads(read_text(path))
    except (ValueError, RecursionError) as error:
        raise _unreadable(path, f"it is not JSON ({error})") from error
    if isinstance(content, dict):
        content = content.get("annotations")
    if not isinstance(content, list):
        raise _unreadable(path, "it is not a list of detections")
    for number, one in enumerate(content):
        try:
            label = next(one[key] for key in ("category_name", "category_id") if key in one)
            box, _ = any_box({"bbox": one["bbox"]}, str(number))
            score = float(one["score"])
            if not isinstance(one["image_id"], Key) or not isinstance(label, Key):
                raise ValueError("an id is neither a number nor a text")
        except (UnusableError, KeyError, StopIteration, TypeError, ValueError) as error:
            reason = f"detection {number} has no usable image_id, category_id, bbox and score"
            raise _unreadable(path, f"{reason} ({error})") from error
        name = one.get("file_name")
        yield Row(name if isinstance(name, str) else one["image_id"], label, score, box)


def _voc_rows(folder: Path, file: Path) -> Iterator[Row]:
    where = file.relative_to(folder).as_posix()
    tree = read_tree(str(folder), where)
    if tree is None or isinstance(tree, Broken):
        raise _unreadable(file, "it is not XML")
    image = tree.findtext("filename") or PurePosixPath(where).stem
    for part in tree.iter("object"):
        score = next((text for key in SCORES if (text := part.findtext(key))), None)
        sides = [part.findtext(f"bndbox/{side}") for side in SIDES]
        try:
            box = [float(side or "") for side in sides]
            yield Row(image, part.findtext("name") or "", float(score or ""), box)
        except ValueError as error:
            raise _unreadable(file, "an object has no score, or no box of four numbers") from error


def _yolo_rows(folder: Path, file: Path) -> Iterator[Row]:
    image = file.relative_to(folder).with_suffix("").as_posix()
    for number, line in enumerate(read_text(file).splitlines(), start=1):
        if not line.strip():
            continue
        try:
            label, x, y, width, height, score = map(float, line.split())
        except ValueError as error:
            reason = f"line {number} is not class, x, y, width, height and confidence"
            raise _unreadable(file, reason) from error
        box = (x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        yield Row(image, int(label), score, box, relative=True)


def _matched(path: Path, rows: Sequence[Row], images: Dataset, ids: Ids) -> dict[Key, int]:
    """The index of each image that the rows name."""
    index = _index(images)
    by_path = {name: i for i, name in enumerate(images.names)}
    keys = list(dict.fromkeys(row.image for row in rows))
    found: dict[Key, int] = {}
    for key in keys:
        named = ids.images.get(key, key) if isinstance(key, int) else key
        place = next((index[form] for form in _forms(named) if form in index), None)
        place = by_path.get(_in_root(str(key), images.root), place)
        if place is not None:
            found[key] = place
    if len(found) < ENOUGH * len(keys):
        shown = ", ".join([str(key) for key in keys if key not in found][:3])
        raise EvaluationError(
            "BW605",
            f"{len(found)} of {len(keys)} images with detections are in the data; not in it: "
            f"{shown}.",
            where=path,
        )
    return found


def _index(images: Dataset) -> dict[Key, int]:
    """Every form of an image's name that belongs to no other image."""
    index: dict[Key, int] = {}
    ambiguous: set[Key] = set()
    for i, name in enumerate(images.names):
        for form in dict.fromkeys(_forms(name)):
            if index.setdefault(form, i) != i:
                ambiguous.add(form)
    return {form: i for form, i in index.items() if form not in ambiguous}


def _in_root(name: str, root: Path) -> str:
    """A path from the data's folder for one from the working directory; empty if it leads
    elsewhere."""
    path, root = Path(name).absolute(), root.absolute()
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else ""


def _forms(name: Key) -> list[Key]:
    """A name as path, path without suffix, file name, stem and number, the most exact first."""
    if isinstance(name, int):
        return [name]
    path = PurePosixPath(with_slashes(name))
    forms: list[Key] = [path.as_posix(), path.with_suffix("").as_posix(), path.name, path.stem]
    return [*forms, int(path.stem)] if path.stem.isascii() and path.stem.isdigit() else forms


@dataclass(frozen=True)
class _Classes:
    """Class names of the rows' labels, and ids whose names were assumed."""

    classes: tuple[str, ...]
    names: Mapping[Key, str]
    assumed: Mapping[int, str]

    @classmethod
    def of(
        cls, path: Path, rows: Sequence[Row], own: Sequence[str], ids: Ids, given: Sequence[str]
    ) -> _Classes:
        """Names by `ids`, unless they are `given` in order; else by the order of the data's `own`
        classes."""
        numbers = {row.label for row in rows if isinstance(row.label, int)}
        known, assumed = ids.classes, False
        if given or not numbers <= known.keys():
            listed = given or own
            first = _first_id(path, numbers, len(listed))
            known, assumed = dict(enumerate(listed, start=first)), not given and len(listed) > 1
        if strange := sorted(numbers - known.keys()):
            reason = f"class {strange[0]} has no name: there are {len(known)} classes"
            raise _unreadable(path, f"{reason}; --labels names them")
        named = {number: known[number] for number in numbers}
        names: dict[Key, str] = {row.label: str(row.label) for row in rows}
        names.update((number, name) for number, name in named.items())
        classes = tuple(dict.fromkeys(names.values())) or tuple(given or own)
        return cls(classes, names, named if assumed else {})

    def label(self, row: Row) -> int:
        return self.classes.index(self.names[row.label])


def _first_id(path: Path, numbers: set[int], classes: int) -> int:
    """The id of the first class: 0 in YOLO files; in COCO results 0 or, as in COCO, 1."""
    if path.is_dir() or 0 in numbers:
        return 0
    if classes > 1 and numbers and max(numbers) < classes:
        raise _unreadable(
            path,
            f"its class ids, the highest is {max(numbers)}, may be counted from 0 or from 1; give "
            "the COCO annotations with their names as data, or write category_name",
        )
    return 1


def _detections(rows: Sequence[Row], images: Dataset, index: int, classes: _Classes) -> Detections:
    size = np.tile(images.sizes[index], 2)
    boxes = [np.multiply(row.box, size) if row.relative else row.box for row in rows]
    order = sorted(range(len(rows)), key=lambda i: -rows[i].score)
    return Detections(
        np.array([boxes[i] for i in order], np.float32).reshape(-1, 4),
        np.array([rows[i].score for i in order], np.float32),
        np.array([classes.label(rows[i]) for i in order], np.int32),
        classes.classes,
        (int(size[0]), int(size[1])),
    )


def _annotations(path: Path) -> dict[str, Any]:
    """The content of a COCO annotation file; empty for any other file."""
    if path.suffix.lower() != ".json":
        return {}
    try:
        content = json.loads(read_text(path))
        tables = ((content["images"], "file_name"), (content["categories"], "name"))
        sound = all(
            isinstance(one["id"], int) and isinstance(one[name], str)
            for table, name in tables
            for one in table
        )
    except (BoxwrightError, KeyError, RecursionError, TypeError, ValueError):
        return {}
    return content if sound else {}


def _unreadable(path: Path, reason: str) -> EvaluationError:
    return EvaluationError("BW604", f"the detections cannot be read: {reason}.", where=path)
