"""Pascal VOC: one XML file per image, as written by LabelImg and VoTT.

The XML file may be beside its image or in another folder (Annotations and JPEGImages, annotations
and images). Coordinates are used unchanged, as in the Object Detection API: absolute pixels xmin,
ymin, xmax, ymax. Folders, `<path>` and the depth of an image are ignored.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from boxwright.formats.about import About
from boxwright.formats.annotations import Broken, Holds, Labels
from boxwright.formats.folder import Folder, split_path, stem
from boxwright.formats.shapes import shapes_finding
from boxwright.formats.voc.xml_file import TAG, Seen, read_annotation
from boxwright.formats.xml_file import SUFFIX, decimal, first_tag, text
from boxwright.io.files import write_text
from boxwright.structures.dataset import DIFFICULT, OCCLUDED, TRUNCATED, Dataset, Split
from boxwright.structures.findings import Finding, counted
from boxwright.structures.labels import write_label_map

TITLE = "Pascal VOC"
HOLDS = (
    Holds.DIFFICULT
    | Holds.TRUNCATED
    | Holds.OCCLUDED
    | Holds.VERIFIED
    | Holds.SPLITS
    | Holds.EMPTY_IMAGES
    | Holds.CLASS_ORDER
    | Holds.FRACTIONS
)
BY_STEM = False  # annotations of two images with one stem are named after the full file name
ABOUT = About(
    sources=(
        "LabelImg, VoTT, CVAT, Label Studio, Roboflow, X-AnyLabeling, the PASCAL VOC data sets and "
        "Stanford Dogs."
    ),
    files=(
        "An `.xml` for each image, beside it or in a folder of its own, such as `Annotations` "
        "beside `JPEGImages`; in Stanford Dogs they have no suffix. Lists in `ImageSets/Main` are "
        "the split."
    ),
    detected="By the root `<annotation>` of an XML file or of a file without a suffix.",
    written=("Annotations/*.xml", "ImageSets/Main/*.txt", "pascal_label_map.pbtxt"),
    quirks=(
        "Coordinates are used unchanged, as in the Object Detection API; 1 is not subtracted.",
        "`<path>`, or else `<folder>`, decides between images of one name. An image may also have "
        "the name of its annotation file. Its depth is ignored.",
        "An object with several boxes, as ybat writes, becomes a box for each. Objects in objects "
        "are read, parts of objects such as heads are not (`BW187`).",
        "CVAT's attribute `rotation` turns a box, and the box around it is used (`BW143`).",
        "LabelImg's `verified` is kept. A file without objects is an image without objects.",
        "A file with a DOCTYPE is parsed by a guarded parser, and one that declares entities is "
        "refused (`BW111`).",
    ),
)
IMAGES = "JPEGImages"
SAMPLED = 50  # files without a suffix that are looked at to detect annotations


def detect(folder: Folder) -> bool:
    """True if the folder has XML files that are VOC annotations, or damaged ones."""
    tags = (first_tag(folder.root / path) for path in folder.with_suffix(SUFFIX))
    damaged = {None, ""}  # damage is of any format
    return any(tag in {TAG, *damaged} for tag in tags) or _has_bare_annotations(folder)


def read(folder: Folder) -> Labels:
    """Read every XML file that is an annotation."""
    labels, root, seen = Labels(), str(folder.root), Seen()
    for path in [*folder.with_suffix(SUFFIX), *_bare_annotations(folder)]:
        annotation = read_annotation(root, path, seen)
        if isinstance(annotation, Broken):
            labels.broken.append(annotation)
        elif annotation is not None:
            labels.images.append(annotation)
    labels.findings += shapes_finding(".", +seen.shapes)
    if seen.parts:
        count = counted(seen.parts.total(), "part")
        message = f"objects have {count}: {', '.join(sorted(seen.parts))}"
        labels.findings.append(Finding("BW187", ".", message, "not used"))
    return labels


def _bare_annotations(folder: Folder) -> list[str]:
    """The annotations without a suffix, as in the data set Stanford Dogs."""
    if not _has_bare_annotations(folder):
        return []
    return [path for path in folder.with_suffix("") if first_tag(folder.root / path) == TAG]


def _has_bare_annotations(folder: Folder) -> bool:
    """True if some files of a sample of those without a suffix are annotations."""
    bare = folder.with_suffix("")
    sample = bare[:: 1 + len(bare) // SAMPLED]
    return any(first_tag(folder.root / path) == TAG for path in sample)


def image_folder(split: Split) -> str:
    """One folder for all images; lists state the splits."""
    return IMAGES


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write Annotations, ImageSets/Main and the label map, in VoTT's layout.

    Raises:
        DataError: BW141 a name has a control character, which XML cannot contain.
    """
    below = [re.sub(rf"^{IMAGES}/", "", name) for name in names]
    taken = Counter(stem(name) for name in below)
    listed = [stem(name) if taken[stem(name)] == 1 else name for name in below]
    for i, (name, entry) in enumerate(zip(names, listed, strict=True)):
        write_text(target / "Annotations" / f"{entry}.xml", annotation_text(dataset, i, name))
    if (dataset.splits != Split.UNASSIGNED).any():
        for split in (Split.TRAIN, Split.VAL, Split.TEST):
            lines = [listed[i] + "\n" for i in np.flatnonzero(dataset.splits == split)]
            path = target / "ImageSets" / "Main" / f"{split.name.lower()}.txt"
            write_text(path, "".join(lines))
    if dataset.classes:
        write_label_map(target / "pascal_label_map.pbtxt", dataset.classes)


def object_text(name: str, box: Sequence[np.float32], flags: int) -> str:
    """The lines of an object, `box` as xyxy. Raises DataError: BW141 as `text`."""
    return f"""\
  <object>
    <name>{text(name)}</name>
    <pose>Unspecified</pose>
    <truncated>{int(bool(flags & TRUNCATED))}</truncated>
    <difficult>{int(bool(flags & DIFFICULT))}</difficult>
    <occluded>{int(bool(flags & OCCLUDED))}</occluded>
    <bndbox>
      <xmin>{decimal(box[0])}</xmin>
      <ymin>{decimal(box[1])}</ymin>
      <xmax>{decimal(box[2])}</xmax>
      <ymax>{decimal(box[3])}</ymax>
    </bndbox>
  </object>
"""


def annotation_text(dataset: Dataset, index: int, name: str) -> str:
    """The XML text of an image at `name` below the data folder."""
    width, height = dataset.sizes[index]
    parent, filename = split_path(name)
    rows = dataset.rows(index)
    objects = "".join(
        object_text(dataset.classes[label], box, int(flags))
        for box, label, flags in zip(
            dataset.boxes[rows], dataset.labels[rows], dataset.flags[rows], strict=True
        )
    )
    verified = ' verified="yes"' if dataset.verified[index] else ""
    return f"""\
<annotation{verified}>
  <folder>{text(split_path(parent)[1])}</folder>
  <filename>{text(filename)}</filename>
  <size>
    <width>{width}</width>
    <height>{height}</height>
    <depth>3</depth>
  </size>
  <segmented>0</segmented>
{objects}</annotation>
"""
