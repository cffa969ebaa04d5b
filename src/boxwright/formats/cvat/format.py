"""CVAT's own XML: "CVAT for images 1.1" and the tracks of "CVAT for video 1.1".

Boxes are pixels xtl, ytl, xbr, ybr of the upright image. The images of a project are in a folder
for each subset, and their names do not include it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree.ElementTree import Element

import numpy as np

from boxwright.errors import DataError
from boxwright.formats.about import About
from boxwright.formats.annotations import BadEntryError, Broken, Holds, Labeled, Labels, size_of
from boxwright.formats.coordinates import Size
from boxwright.formats.cvat.clips import Clip, frame_images
from boxwright.formats.cvat.frames import FrameImages, Task
from boxwright.formats.cvat.shapes import (
    ATTRIBUTES,
    BOX,
    SIDES,
    TAG,
    box_of,
    flags_of,
    kind_of,
)
from boxwright.formats.cvat.tracks import shown_in
from boxwright.formats.folder import Folder
from boxwright.formats.shapes import shapes_finding
from boxwright.formats.splits import WORDS
from boxwright.formats.xml_file import SUFFIX, decimal, first_tag, read_tree, text
from boxwright.io.files import write_text
from boxwright.structures.dataset import OCCLUDED, Dataset, Split
from boxwright.structures.findings import Finding

TITLE = "CVAT"
HOLDS = (
    Holds.DIFFICULT
    | Holds.TRUNCATED
    | Holds.CROWD
    | Holds.OCCLUDED
    | Holds.SPLITS
    | Holds.EMPTY_IMAGES
    | Holds.CLASS_ORDER
    | Holds.UNUSED_CLASSES
    | Holds.FRACTIONS
)
BY_STEM = False
ABOUT = About(
    sources="CVAT and Datumaro.",
    files=(
        "`annotations.xml` with the folder `images`, as CVAT exports tasks and projects: "
        "*CVAT for images 1.1* and *CVAT for video 1.1*."
    ),
    detected="By the root `<annotations>` of an XML file.",
    written=("annotations.xml",),
    quirks=(
        "Polygons, masks, ellipses, cuboids, skeletons and rotated boxes become boxes. Tags of "
        "whole images are not used (`BW165`).",
        "A subset named train, val or test is the split.",
        "Tracks become boxes in frames: between keyframes a box moves evenly, and it ends where "
        "the object is outside. If the file has keyframes only, the last one holds until the end "
        "of the video, as in CVAT. A single shape in one of the last two frames is only there, "
        "because CVAT does not write its end.",
        "Tasks may have frames of the same numbers. Those of each are then in a folder called "
        "after its file, the task or the video. Two tasks that could have the same images are "
        "refused (`BW157`); jobs of one task share them.",
        "Frames are images whose stem is `frame_000000` as in CVAT, or has another prefix if they "
        "are numbered from the first frame of the task. Frames of the task without boxes have no "
        "objects.",
        "The attributes `difficult`, `truncated` and `is_crowd` are flags.",
    ),
)
ROOT = "annotations"  # the first element
FILE = "annotations.xml"
IMAGES = "images"


def detect(folder: Folder) -> bool:
    """True if there is an XML file with CVAT's first element."""
    return bool(_files(folder))


def read(folder: Folder) -> Labels:
    """Read all images and tracks; an image without shapes has no objects.

    Raises:
        DataError: BW166 there are tracks, but no images of frames.
    """
    labels = Labels()
    classes: list[str] = []
    files: list[_File] = []
    for path in _files(folder):
        tree = read_tree(str(folder.root), path)
        if isinstance(tree, Broken):
            labels.broken.append(tree)
            continue
        if tree.find("track") is not None and not folder.images:
            source = tree.findtext(".//meta//source") or "the video"
            message = f"it has tracks of {source}, but no frame of it is here as an image."
            raise DataError("BW166", message, where=folder.root / path)
        files.append(_File(path, tree, labels))
        classes += _classes(tree)
    images = frame_images(folder, [clip for file in files for clip in file.clips])
    for file in files:
        file.read(images)
    labels.classes = list(dict.fromkeys(classes))
    return labels


def image_folder(split: Split) -> str:
    """A folder below images for each subset, as in CVAT's projects."""
    return IMAGES if split is Split.UNASSIGNED else f"{IMAGES}/{split.name.lower()}"


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write annotations.xml as "CVAT for images 1.1".

    Raises:
        DataError: BW141 a name has a control character, which XML cannot contain.
    """
    images = "".join(_image_text(dataset, i, name) for i, name in enumerate(names))
    content = f"""\
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta>
    <task>
      <name>boxwright</name>
      <size>{len(names)}</size>
      <mode>annotation</mode>
      <labels>
{"".join(map(_label_text, dataset.classes))}\
      </labels>
    </task>
  </meta>
{images}</annotations>
"""
    write_text(target / FILE, content)


@dataclass
class _File:
    """Reader of one file; adds to `labels`."""

    path: str
    tree: Element
    labels: Labels
    shapes: Counter[str] = field(default_factory=Counter)
    tags: int = 0
    clips: list[Clip] = field(init=False)

    def __post_init__(self) -> None:
        self.clips = self._clips()

    def read(self, images: Mapping[Clip, FrameImages | Broken]) -> None:
        found: list[Labeled] = []
        for index, one in enumerate(self.tree.iterfind("image")):
            try:
                found.append(self._image(one, f", image {index}"))
            except BadEntryError as error:
                self._report(f"image {index}", error)
        for clip in self.clips:
            there = images[clip]
            if isinstance(there, Broken):
                self.labels.broken.append(there)
            else:
                found += self._frames(clip, there)
        self.labels.images += _told_apart(found)
        self.labels.findings += shapes_finding(self.path, self.shapes)
        if self.tags:
            message = f"it has {self.tags} tags, which are of whole images"
            self.labels.findings.append(Finding("BW165", self.path, message, "not used"))

    def _image(self, one: Element, place: str) -> Labeled:
        name, subset = one.get("name", ""), one.get("subset", "")
        if not name:
            raise BadEntryError("has no name")
        sized = "width" in one.attrib or "height" in one.attrib
        size = size_of(one.get("width"), one.get("height")) if sized else None
        image = self._labeled(name, place, size, subset)
        for shape in one:
            if shape.tag == TAG:
                self.tags += 1
                continue
            image.add(_label(shape), box_of(shape), flags_of(shape))
            if kind_of(shape) != BOX:
                self.shapes[kind_of(shape)] += 1
        return image

    def _clips(self) -> list[Clip]:
        """The tracks by task; none if one cannot be used, whose object the frames would lack."""
        tasks = _tasks(self.tree)
        held = all(one.get("keyframe") != "0" for one in self.tree.iterfind("track/*"))
        clips: dict[str, Clip] = {}
        usable = True
        for index, track in enumerate(self.tree.iterfind("track")):
            try:
                one = (_label(track), shown_in(track, self.shapes))
            except BadEntryError as error:
                self._report(f"track {index}", error)
                usable = False
                continue
            key = track.get("task_id", "")
            task = tasks.get(key) or next(iter(tasks.values()), Task())
            clips.setdefault(key, Clip(self.path, task, held)).tracks.append(one)
        return list(clips.values()) if usable else []

    def _frames(self, clip: Clip, images: FrameImages) -> Iterator[Labeled]:
        task, here = clip.task, images.of(clip.task)
        frames: dict[int, Labeled] = {}
        for name, one in clip.shown(here):
            if one.frame not in frames:
                frames[one.frame] = self._frame(one.frame, task, images)
            frames[one.frame].add(name, one.box, one.flags)
        yield from (frames[frame] for frame in sorted(frames))
        for frame in here if len(self.clips) == 1 and task.stop is not None else ():
            paths = images.paths[frame]
            if frame not in frames and len(paths) == 1:
                self.labels.assumed[paths[0]] = self._frame(frame, task, images)

    def _frame(self, frame: int, task: Task, images: FrameImages) -> Labeled:
        return self._labeled(images.name(frame), f", frame {frame}", task.size, task.subset)

    def _labeled(self, name: str, place: str, size: Size | None, subset: str) -> Labeled:
        split, below = _split(subset), f"{subset}/{name}" if subset else name
        return Labeled(self.path, name, size=size, place=place, split=split, hint=below)

    def _report(self, place: str, error: BadEntryError) -> None:
        self.labels.broken.append(Broken("BW110", f"{self.path}, {place}", str(error)))


def _told_apart(images: Sequence[Labeled]) -> Sequence[Labeled]:
    """The images, with the subset in the names that several have."""
    names = Counter(image.image for image in images)
    for image in images:
        if names[image.image] > 1:
            image.image = image.hint
    names = Counter(image.image for image in images)
    for image in images:
        image.repeated = names[image.image] > 1
    return images


def _files(folder: Folder) -> list[str]:
    return [p for p in folder.with_suffix(SUFFIX) if first_tag(folder.root / p) == ROOT]


def _tasks(tree: Element) -> dict[str, Task]:
    """The tasks and jobs in the file's description by their ids."""
    metas = [one for tag in ("task", "job") for one in tree.iterfind(f".//meta//{tag}")]
    return {(one.findtext("id") or "").strip(): Task.of(one) for one in metas}


def _classes(tree: Element) -> Iterator[str]:
    """The labels in CVAT's order, without the parts of skeletons."""
    for label in tree.iterfind(".//meta//labels/label"):
        name = label.findtext("name") or ""
        if name.strip() and label.find("parent") is None:
            yield name


def _split(subset: str) -> Split:
    return WORDS.get(subset.strip().lower(), Split.UNASSIGNED)


def _label(shape: Element) -> str:
    name = shape.get("label", "")
    if not name.strip():
        raise BadEntryError(f"a <{shape.tag}> has no label")
    return name


def _label_text(name: str) -> str:
    attributes = "".join(
        f"""\
            <attribute>
              <name>{attribute}</name>
              <mutable>True</mutable>
              <input_type>checkbox</input_type>
              <default_value>false</default_value>
              <values>false</values>
            </attribute>
"""
        for attribute in ATTRIBUTES
    )
    return f"""\
        <label>
          <name>{text(name)}</name>
          <type>any</type>
          <attributes>
{attributes}\
          </attributes>
        </label>
"""


def _image_text(dataset: Dataset, index: int, name: str) -> str:
    split = Split(int(dataset.splits[index]))
    width, height = dataset.sizes[index]
    subset = "" if split is Split.UNASSIGNED else f' subset="{split.name.lower()}"'
    below = name.removeprefix(f"{image_folder(split)}/")
    rows = dataset.rows(index)
    boxes = "".join(
        _box_text(dataset.classes[label], box, int(flags))
        for box, label, flags in zip(
            dataset.boxes[rows], dataset.labels[rows], dataset.flags[rows], strict=True
        )
    )
    return f"""\
  <image id="{index}" name="{_quoted(below)}"{subset} width="{width}" height="{height}">
{boxes}  </image>
"""


def _box_text(name: str, box: Sequence[np.float32], flags: int) -> str:
    sides = " ".join(f'{key}="{decimal(side)}"' for key, side in zip(SIDES, box, strict=True))
    attributes = "".join(
        f'      <attribute name="{attribute}">{str(flags & bit > 0).lower()}</attribute>\n'
        for attribute, bit in ATTRIBUTES.items()
    )
    return f"""\
    <box label="{_quoted(name)}" source="manual" occluded="{int(flags & OCCLUDED > 0)}" \
{sides} z_order="0">
{attributes}    </box>
"""


def _quoted(value: str) -> str:
    return text(value).replace('"', "&quot;")
