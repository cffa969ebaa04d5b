"""Build a dataset from annotations: find the images and move boxes to oriented pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.annotations import Broken, Labeled
from boxwright.formats.coordinates import from_stored, in_pixels, into_image, orientation_is_unclear
from boxwright.formats.folder import Folder
from boxwright.formats.name_lists import LABEL_MAPS, label_maps, unused_names
from boxwright.formats.options import UnitChoice, Unlabeled
from boxwright.formats.ownership import Ownership
from boxwright.formats.splits import find_splits
from boxwright.formats.units import settle_units
from boxwright.images.decoding import Header, read_header
from boxwright.images.files import ByteRange
from boxwright.images.options import DecodeOptions
from boxwright.ops.boxes import Boxes
from boxwright.structures.dataset import WHOLE_FILE, Dataset, LabeledImage, Split
from boxwright.structures.findings import Finding, counted
from boxwright.structures.labels import read_label_map

LOST = frozenset({"BW101", "BW102", "BW113", "BW167", "BW168"})  # an image that cannot be used
LISTED = 10  # broken annotations listed in an error
UNSURE = (
    "EXIF turns {}, and the annotated size does not show whether the boxes were turned; "
    "the boxes are taken as drawn on the upright image"
)


def assemble(
    own: Ownership,
    *,
    unlabeled: Unlabeled | None = None,
    units: UnitChoice | None = None,
    unused: int = 0,
    decoding: DecodeOptions | None = None,
    tolerant: bool = False,
) -> Dataset:
    """Build the dataset of a folder, with its problems in `findings`.

    Args:
        own: the annotations of a format's reader, and their images.
        unlabeled: what images without annotation are, see `Ownership.add_unlabeled`.
        units: the unit of all boxes; None tests each file, see `settle_units`.
        unused: number of annotations in other formats.
        decoding: how the images are decoded, now and later.
        tolerant: report unusable annotations as findings instead of raising an error.

    Raises:
        DataError: BW110 to BW112 and BW153 annotations are unreadable, hostile, lead out of the
            folder or fit several images (all of them are named, up to ten); BW101 all images are
            missing; BW161 a unit is unclear; BW120 a list of images, or BW146 the split file,
            cannot be used.
    """
    folder, labels = own.folder, own.labels
    decoding = decoding or DecodeOptions()
    broken = _left_out(folder, [*labels.broken, *own.broken], tolerant)
    findings = [*labels.findings, *broken]
    own.add_unlabeled(unlabeled, own.orphans + unused)
    paired = own.paired
    findings += own.findings
    headers = _headers(folder, paired, decoding.max_pixels, findings)
    if labels.images and not headers and not broken:
        raise _no_images(folder, len(labels.images), findings)
    unclear, converted = settle_units(paired, headers, units)
    findings += [*_left_out(folder, unclear, tolerant), *converted]
    files = {one.where for one in unclear}
    names = [name for name in headers if paired[name].path not in files]
    tables = {one.path for one in labels.images}  # one may be called trainval.txt
    splits = _splits(
        folder.without(tables), {name: paired[name].split for name in names}, findings, tolerant
    )
    images = [
        _image(name, paired[name], headers[name], split, findings)
        for name, split in zip(names, splits, strict=True)
    ]
    findings += _unsure({name: paired[name] for name in names}, headers)
    used = {name for image in images for name in image.class_names}
    classes = labels.classes or _classes(folder, used, findings)
    for odd in unused_names(folder, used):
        findings += _left_out(folder, [odd], tolerant) if isinstance(odd, Broken) else [odd]
    return replace(Dataset.of(folder.root, images, classes, findings), decoding=decoding)


def _left_out(folder: Folder, broken: Sequence[Broken], tolerant: bool) -> list[Finding]:
    """Findings about unusable annotations. Raises DataError unless `tolerant`."""
    if broken and not tolerant:
        raise _unusable(folder.root, broken)
    return [Finding(one.code, one.where, one.message, "left out") for one in broken]


def _image(
    name: str, one: Labeled, header: Header, split: Split, findings: list[Finding]
) -> LabeledImage:
    boxes, count = _oriented_boxes(one, header, name, findings), len(one.names)
    return LabeledImage(
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
        verified_classes=one.verified_classes,
    )


def _unsure(annotations: Mapping[str, Labeled], headers: Mapping[str, Header]) -> list[Finding]:
    """A finding about boxes that EXIF may have turned (BW104)."""
    unsure = [
        name
        for name, one in annotations.items()
        if (one.names or one.ignored) and not one.as_stored
        if orientation_is_unclear(one.size, headers[name])
    ]
    message = UNSURE.format(counted(len(unsure), "image"))
    return [Finding("BW104", unsure[0], message, images=tuple(unsure))] if unsure else []


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
        one = Broken.of(error, folder.inside(error.where or "."))
        findings.append(Finding(one.code, one.where, one.message, "no split is used"))
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
    paths = label_maps(folder.root, folder.with_suffix(*LABEL_MAPS))
    for path in sorted(paths, key=lambda path: path.count("/")):
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
