"""Build a dataset from annotations: find the images and move boxes to oriented pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.annotations import Broken, Labeled, Labels
from boxwright.formats.coordinates import from_stored, in_pixels, into_image, orientation_is_unclear
from boxwright.formats.folder import Folder
from boxwright.formats.name_lists import LABEL_MAPS, name_lists
from boxwright.formats.options import UnitChoice, Unlabeled
from boxwright.formats.ownership import Ownership
from boxwright.formats.splits import find_splits
from boxwright.formats.units import settle_units
from boxwright.images.decoding import ByteRange, Header, read_header
from boxwright.images.options import DecodeOptions
from boxwright.ops.boxes import Boxes
from boxwright.structures.dataset import WHOLE_FILE, Dataset, LabeledImage, Split
from boxwright.structures.findings import Finding, counted
from boxwright.structures.labels import read_label_map

LOST = frozenset({"BW101", "BW102", "BW167", "BW168"})  # an image that cannot be used
LISTED = 10  # broken annotations listed in an error
UNSURE = (
    "EXIF turns {}, and the annotated size does not show whether the boxes were turned; "
    "the boxes are taken as drawn on the upright image"
)


def assemble(
    folder: Folder,
    labels: Labels,
    *,
    unlabeled: Unlabeled | None = None,
    units: UnitChoice | None = None,
    unused: int = 0,
    decoding: DecodeOptions | None = None,
    tolerant: bool = False,
) -> Dataset:
    """Build the dataset of a folder, with its problems in `findings`.

    Args:
        folder: the folder of the images.
        labels: the result of a format's reader.
        unlabeled: what images without annotation are, see `Ownership.add_unlabeled`.
        units: the unit of all boxes; None tests each file, see `settle_units`.
        unused: number of annotations in other formats, which are not in `labels`.
        decoding: how the images are decoded, now and later.
        tolerant: report unusable annotations as findings instead of raising an error.

    Raises:
        DataError: BW110 to BW112 and BW153 annotations are unreadable, hostile, lead out of the
            folder or fit several images (all of them are named, up to ten); BW101 all images are
            missing; BW161 a unit is unclear; BW120 a list of images, or BW146 the split file,
            cannot be used.
    """
    decoding = decoding or DecodeOptions()
    own = Ownership(folder, labels)
    broken = [*labels.broken, *own.broken]
    if broken and not tolerant:
        raise _unusable(folder.root, broken)
    own.add_unlabeled(unlabeled, own.orphans + unused)
    paired, findings = own.paired, [*labels.findings]
    findings += [Finding(one.code, one.where, one.message, "left out") for one in broken]
    findings += own.findings
    found = _headers(folder, paired, decoding.max_pixels, findings)
    if labels.images and not found:
        raise _no_images(folder, len(labels.images), findings)
    unclear, converted = settle_units(paired, found, units)
    if unclear and not tolerant:
        raise _unusable(folder.root, unclear)
    findings += [Finding(one.code, one.where, one.message, "left out") for one in unclear]
    findings += converted
    files = {one.where for one in unclear}
    found = {name: header for name, header in found.items() if paired[name].path not in files}
    names = list(found)
    splits = _splits(folder, {name: paired[name].split for name in names}, findings, tolerant)
    images, unsure = [], []
    for name, split in zip(names, splits, strict=True):
        one, header = paired[name], found[name]
        boxes = _oriented_boxes(one, header, name, findings)
        if (
            (one.names or one.ignored)
            and not one.as_stored
            and orientation_is_unclear(one.size, header)
        ):
            unsure.append(name)
        count = len(one.names)
        images.append(
            LabeledImage(
                name,
                header.width,
                header.height,
                boxes[:count],
                one.names,
                one.flags,
                split,
                one.byte_range,
                ignored=boxes[count:],
                verified=one.verified,
            )
        )
    if unsure:
        message = UNSURE.format(counted(len(unsure), "image"))
        findings.append(Finding("BW104", unsure[0], message, images=tuple(unsure)))
    used = {name for image in images for name in image.class_names}
    classes = labels.classes or _classes(folder, used, findings)
    if used and all(name.isdecimal() for name in used):
        for known in name_lists(folder):
            if used.isdisjoint(known.names.values()):
                named = f"names {counted(len(known.names), 'class', 'classes')}"
                message = known.problem or f"{named}; those of the annotations are only numbers"
                findings.append(Finding("BW158", known.path, message, "not used"))
    return replace(Dataset.of(folder.root, images, classes, findings), decoding=decoding)


def _oriented_boxes(one: Labeled, header: Header, name: str, findings: list[Finding]) -> Boxes:
    """The boxes and then the ignored regions of an annotation, in pixels of the oriented image."""
    drawn = [*one.boxes, *one.ignored]
    if one.size and min(one.size) <= 0:
        message = f"the annotated image size is {one.size}"
        findings.append(Finding("BW139", name, message, "the image's own size is used", (name,)))
        one.size = None
    if one.as_stored:
        return from_stored(drawn, one.size, header)
    if one.relative:
        return in_pixels(drawn, header.width, header.height)
    boxes, odd = into_image(drawn, one.size, header, name)
    findings += odd
    return boxes


def _unusable(root: Path, broken: Sequence[Broken]) -> DataError:
    first = broken[0]
    if len(broken) == 1:
        return DataError(first.code, f"{first.message}.", where=root / first.where)
    listed = "; ".join(f"{one.where}: {one.message}" for one in broken[:LISTED])
    more = f"; and {len(broken) - LISTED} more" if len(broken) > LISTED else ""
    message = f"{len(broken)} annotations cannot be used: {listed}{more}."
    kinds = {one.code for one in broken}
    return DataError(kinds.pop() if len(kinds) == 1 else "BW110", message, where=root)


def _headers(
    folder: Folder, paired: dict[str, Labeled], max_pixels: int, findings: list[Finding]
) -> dict[str, Header]:
    headers = {}
    root = str(folder.root)
    for name, one in paired.items():
        path = f"{root}/{name}"
        try:
            if one.byte_range == WHOLE_FILE:
                headers[name] = read_header(path, max_pixels)
            else:
                headers[name] = read_header(
                    ByteRange(Path(path).parent, *one.byte_range), max_pixels
                )
        except DataError as error:
            findings.append(Finding(error.code, name, error.message, "left out"))
    return headers


def _splits(
    folder: Folder, stated: dict[str, Split], findings: list[Finding], tolerant: bool
) -> list[Split]:
    try:
        splits, odd = find_splits(folder, list(stated), list(stated.values()))
    except DataError as error:
        if not tolerant:
            raise
        where = error.where or "."
        findings.append(Finding(error.code, where, error.message, "no split is used"))
        return [Split.UNASSIGNED] * len(stated)
    findings += odd
    return splits


def _no_images(folder: Folder, annotations: int, findings: list[Finding]) -> DataError:
    lost = [finding for finding in findings if finding.code in LOST]
    first = f": {lost[0].where}: {lost[0].message.rstrip('.')}" if lost else ""
    codes = {finding.code for finding in lost}
    return DataError(
        codes.pop() if len(codes) == 1 else "BW101",
        f"no image of {counted(annotations, 'annotation')} can be opened{first}.",
        where=folder.root.absolute(),
    )


def _classes(folder: Folder, names: set[str], findings: list[Finding]) -> list[str]:
    """The class names in the order of the first label map that has them all."""
    for path in sorted(folder.with_suffix(*LABEL_MAPS), key=lambda path: path.count("/")):
        try:
            known = list(read_label_map(folder.root / path).values())
        except DataError as error:
            findings.append(Finding(error.code, path, error.message, "not used"))
            continue
        missing = sorted(names.difference(known))
        if not missing:
            return [name for name in known if name in names]
        message = f"the label map lacks the class '{missing[0]}'"
        findings.append(Finding("BW116", path, message, "not used"))
    return sorted(names)
