"""Pascal VOC: one xml per photo, as LabelImg writes them and as VoTT exports them.

The xml may lie beside its photo or in another folder (Annotations and JPEGImages, annotations
and images). Coordinates are taken as they stand: absolute pixels xmin, ymin, xmax, ymax, as the
Object Detection API takes them too. Folders, `<path>` and the depth of a photo are ignored.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from boxwright.data.dataset import DIFFICULT, TRUNCATED, Dataset, Photo, Split
from boxwright.data.findings import Finding
from boxwright.data.geometry import as_boxes
from boxwright.data.images import Header, read_header
from boxwright.data.labels import read_label_map, write_label_map
from boxwright.errors import DataError
from boxwright.files import write_text, writing
from boxwright.formats.folder import Folder, join, split_path, stem
from boxwright.formats.frames import into_photo, uncertain
from boxwright.formats.marks import split_marks
from boxwright.formats.pairing import Pairing, Stated
from boxwright.formats.voc_xml import Annotation, UnusableError, read_annotation

LISTED = 10  # how many broken files an error names
ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML 1.0, 2.2
LABEL_MAPS = (".pbtxt", ".pbtext")
UNSURE = (
    "{} photos are turned by EXIF in a way that their annotation's size cannot show; their boxes "
    "are taken as drawn on the upright photo"
)


def detect(folder: Folder) -> bool:
    """Whether the folder holds xml files that are, or were meant to be, VOC annotations."""
    return any(_may_be_voc(folder.root / path) for path in folder.with_suffix(".xml"))


def read(folder: Folder) -> Dataset:
    """The folder's labelled photos, with what was odd about them in `findings`.

    Raises:
        DataError: BW110 to BW112 annotations are unreadable, hostile or lead out of the folder
            (all of them are named, up to ten); BW101 none of the photos is there.
    """
    annotations = _read_annotations(folder)
    photos, findings = _pair(folder, annotations)
    headers = _read_headers(folder, photos, findings)
    kept = [path for path, photo in photos.items() if photo in headers]
    if not kept:
        raise _no_photos(folder, len(annotations), findings)
    marks, odd_lists = split_marks(folder, [photos[path] for path in kept])
    labelled, unsure = [], []
    for path, mark in zip(kept, marks, strict=True):
        annotation, name, header = annotations[path], photos[path], headers[photos[path]]
        boxes, odd = into_photo(as_boxes(annotation.boxes), annotation.size, header, name)
        findings.extend(odd)
        if annotation.names and uncertain(annotation.size, header):
            unsure.append(name)
        labels, flags = annotation.names, annotation.flags
        labelled.append(Photo(name, header.width, header.height, boxes, labels, flags, mark))
    findings.extend(odd_lists)
    if unsure:
        findings.append(Finding("BW104", unsure[0], UNSURE.format(len(unsure))))
    _note_unlabelled(folder, set(photos.values()), findings)
    names = {name for photo in labelled for name in photo.class_names}
    return Dataset.of(folder.root, labelled, _classes(folder, names, findings), findings)


def write(dataset: Dataset, target: str | Path) -> None:
    """Write a data set as VoTT exports it: Annotations, JPEGImages, ImageSets/Main, label map.

    Photos that do not lie below `target` are copied into JPEGImages. VOC has no place for CROWD.

    Raises:
        DataError: BW110 a name holds a control character, which XML cannot hold.
    """
    target = Path(target)
    names = [_bring(dataset.path(i), dataset.names[i], target) for i in range(len(dataset))]
    below = [re.sub(r"^JPEGImages/", "", name) for name in names]
    taken = Counter(stem(name) for name in below)
    listed = [stem(name) if taken[stem(name)] == 1 else name for name in below]
    for i, (name, entry) in enumerate(zip(names, listed, strict=True)):
        write_text(target / "Annotations" / f"{entry}.xml", _xml(dataset, i, name))
    if (dataset.splits != Split.UNMARKED).any():
        for split in (Split.TRAIN, Split.VAL, Split.TEST):
            lines = [listed[i] + "\n" for i in np.flatnonzero(dataset.splits == split)]
            path = target / "ImageSets" / "Main" / f"{split.name.lower()}.txt"
            write_text(path, "".join(lines))
    if dataset.classes:
        write_label_map(target / "pascal_label_map.pbtxt", dataset.classes)


def _may_be_voc(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            head = file.read(4096).replace(b"\0", b"")
    except OSError:
        return True  # reading it will say what is wrong with it
    first = re.search(rb"<([A-Za-z_][\w.:-]*)", head)
    return first is None or first.group(1) == b"annotation"


def _read_annotations(folder: Folder) -> dict[str, Annotation]:
    annotations: dict[str, Annotation] = {}
    broken: list[UnusableError] = []
    root = str(folder.root)
    for path in folder.with_suffix(".xml"):
        try:
            annotation = read_annotation(f"{root}/{path}", path)
        except UnusableError as error:
            broken.append(error)
        else:
            if annotation is not None:
                annotations[path] = annotation
    if broken:
        raise _all_broken(folder.root, broken)
    return annotations


def _all_broken(root: Path, broken: Sequence[UnusableError]) -> DataError:
    first = broken[0]
    remedy = "Repair or remove them; LabelImg writes them anew when you save the photo again."
    if len(broken) == 1:
        return DataError(
            first.code, first.message, where=root / first.where, remedy=remedy.replace("them", "it")
        )
    listed = "; ".join(f"{error.where}: {error.message}" for error in broken[:LISTED])
    more = f"; and {len(broken) - LISTED} more" if len(broken) > LISTED else ""
    return DataError(
        max(error.code for error in broken),
        f"{len(broken)} annotation files cannot be used: {listed}{more}.",
        where=root,
        remedy=remedy,
    )


def _pair(
    folder: Folder, annotations: dict[str, Annotation]
) -> tuple[dict[str, str], list[Finding]]:
    """The annotations that have a photo to themselves, with it, and findings about the others."""
    stated = [Stated(path, annotation.filename) for path, annotation in annotations.items()]
    pairing = Pairing(folder)
    leaving = [
        UnusableError(
            "BW112", one.path, f"its <filename> '{one.photo}' leads out of the data folder"
        )
        for one in stated
        if pairing.leaves_folder(one)
    ]
    if leaving:
        raise _all_broken(folder.root, leaving)
    found = dict(zip(annotations, pairing.photos_of(stated), strict=True))
    owner: dict[str, str] = {}
    for path in sorted(found, key=lambda path: not _beside(path, found[path])):
        owner.setdefault(found[path] or "", path)
    photos: dict[str, str] = {}
    findings = []
    for path, photo in found.items():
        if photo is None:
            name = annotations[path].filename or stem(split_path(path)[1])
            message = f"its photo '{name}' is not here"
            findings.append(Finding("BW101", path, message, "left out"))
        elif owner[photo] != path:
            message = f"{photo} already has the annotation {owner[photo]}"
            findings.append(Finding("BW113", path, message, "left out"))
        else:
            photos[path] = photo
    return photos, findings


def _beside(path: str, photo: str | None) -> bool:
    return photo is not None and split_path(path)[0] == split_path(photo)[0]


def _read_headers(
    folder: Folder, photos: dict[str, str], findings: list[Finding]
) -> dict[str, Header]:
    headers = {}
    root = str(folder.root)
    for photo in photos.values():
        try:
            headers[photo] = read_header(f"{root}/{photo}")
        except DataError as error:
            findings.append(Finding(error.code, photo, error.message, "left out"))
    return headers


def _no_photos(folder: Folder, annotations: int, findings: list[Finding]) -> DataError:
    first = "".join(f": {finding.where}: {finding.message}" for finding in findings[:1])
    return DataError(
        "BW101",
        f"of the {annotations} annotations here not one has a photo that can be opened{first}.",
        where=folder.root.absolute(),
        remedy="Give the folder that holds both the photos and the annotations.",
    )


def _note_unlabelled(folder: Folder, labelled: set[str], findings: list[Finding]) -> None:
    for parent in sorted({split_path(photo)[0] for photo in labelled}):
        names = folder.photos[parent]
        bare = [name for name in names if join(parent, name) not in labelled]
        if bare:
            message = f"{len(bare)} of {len(names)} photos have no annotation, such as {bare[0]}"
            findings.append(Finding("BW109", parent or ".", message, "not used"))


def _classes(folder: Folder, names: set[str], findings: list[Finding]) -> list[str]:
    """The class names in the order of the first label map that knows them all."""
    for path in sorted(folder.with_suffix(*LABEL_MAPS), key=lambda path: path.count("/")):
        try:
            known = list(read_label_map(folder.root / path).values())
        except DataError as error:
            findings.append(Finding(error.code, path, error.message, "not used"))
            continue
        missing = sorted(names.difference(known))
        if not missing:
            return [name for name in known if name in names]
        message = f"the label map does not know the class '{missing[0]}'"
        findings.append(Finding("BW116", path, message, "not used"))
    return sorted(names)


def _bring(photo: Path, name: str, target: Path) -> str:
    """Copy a photo into `target` unless it lies there; its path below `target`."""
    inside = photo.absolute().as_posix().removeprefix(f"{target.absolute().as_posix()}/")
    if not Path(inside).is_absolute():
        return inside
    last = name if not Path(name).is_absolute() else Path(name).name
    copied = "JPEGImages/" + last.removeprefix("JPEGImages/")
    with writing(target / copied) as draft:
        shutil.copyfile(photo, draft)
    return copied


def _xml(dataset: Dataset, index: int, name: str) -> str:
    width, height = dataset.sizes[index]
    parent, filename = split_path(name)
    rows = dataset.rows(index)
    objects = "".join(
        f"""\
  <object>
    <name>{_text(dataset.classes[label])}</name>
    <pose>Unspecified</pose>
    <truncated>{int(bool(flags & TRUNCATED))}</truncated>
    <difficult>{int(bool(flags & DIFFICULT))}</difficult>
    <bndbox>
      <xmin>{_number(box[0])}</xmin>
      <ymin>{_number(box[1])}</ymin>
      <xmax>{_number(box[2])}</xmax>
      <ymax>{_number(box[3])}</ymax>
    </bndbox>
  </object>
"""
        for box, label, flags in zip(
            dataset.boxes[rows], dataset.labels[rows], dataset.flags[rows], strict=True
        )
    )
    return f"""\
<annotation>
  <folder>{_text(split_path(parent)[1])}</folder>
  <filename>{_text(filename)}</filename>
  <size>
    <width>{width}</width>
    <height>{height}</height>
    <depth>3</depth>
  </size>
  <segmented>0</segmented>
{objects}</annotation>
"""


def _number(value: np.float32) -> str:
    """The shortest decimal that reads back as the same float32; whole pixels without a point."""
    return np.format_float_positional(value, unique=True, trim="-")


def _text(value: str) -> str:
    if ILLEGAL.search(value):
        raise DataError(
            "BW110",
            f"the name {value!r} holds a character that XML cannot hold.",
            remedy="Rename the class or the photo.",
        )
    return escape(value, {"\r": "&#13;", "\n": "&#10;", "\t": "&#9;"})
