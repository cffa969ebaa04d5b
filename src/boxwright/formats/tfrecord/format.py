"""TFRecord files of tf.train.Example, in the layout of the Object Detection API's scripts.

Images stay in the records: an image is a byte range of its file, or of the unpacked copy of a
compressed file. Boxes are fractions of the stored image, because TensorFlow
ignores EXIF when it decodes images.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.about import About
from boxwright.formats.annotations import Broken, Holds, Labels
from boxwright.formats.around import around, is_above
from boxwright.formats.folder import SHARD, Folder, join, split_path
from boxwright.formats.name_lists import LABEL_MAPS, label_maps
from boxwright.formats.splits import SHOWN, file_split
from boxwright.formats.tfrecord.framing import HEAD, starts_record
from boxwright.formats.tfrecord.reader import ClassIds, RecordFile
from boxwright.formats.tfrecord.writer import write_records
from boxwright.io.compressed import compression, plain_start
from boxwright.io.text import CODE
from boxwright.parallel.units import Crew
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding, counted, part_of
from boxwright.structures.labels import read_label_map, write_label_map

TITLE = "TFRecord"
LABEL_MAP = "label_map.pbtxt"
HOLDS = (
    Holds.DIFFICULT
    | Holds.TRUNCATED
    | Holds.CROWD
    | Holds.OCCLUDED
    | Holds.SPLITS
    | Holds.EMPTY_IMAGES
    | Holds.CLASS_ORDER
    | Holds.FRACTIONS
)
BY_STEM = False
ABOUT = About(
    sources="The Object Detection API's scripts, Roboflow and TensorFlow programs.",
    files=(
        "`.record` and `.tfrecord` files, also as shards such as `train.record-00000-of-00010`, "
        "with the images inside. A label map beside them names the classes if the records do not."
    ),
    detected="By the checksum of the first record, or by the name of a compressed file.",
    written=("*.record", LABEL_MAP),
    quirks=(
        "A pattern such as `train.record-?????-of-00010` stands for all of its shards.",
        "Files compressed with gzip or zlib are unpacked once, into the cache.",
        "Boxes are fractions of the image as it is stored, because TensorFlow ignores EXIF.",
        "A record without the keys `image/object/bbox/xmin` and so on has no objects. If it has "
        "boxes or classes in other keys, it is an error that names these (`BW110`).",
        "Damaged records are named with their number and byte (`BW110`), missing shards too "
        "(`BW147`). A file of more than 256 MB is written as shards.",
    ),
)
RECORDS = re.compile(
    r".*\.(tf)?records?(-\d+-of-\d+)?(\.(gz|gzip|zlib))?", re.IGNORECASE | re.DOTALL
)


def detect(folder: Folder) -> bool:
    """True if there are record files, by suffix, as shards, or as the only file."""
    return any(_is_records(folder.root / path) for path in _candidates(folder))


def read(folder: Folder) -> Labels:
    """Read all records of all files."""
    labels, ids = Labels(), ClassIds()
    paths = sorted(path for path in _candidates(folder) if _is_records(folder.root / path))
    parents = {split_path(path)[0] for path in paths}
    unreadable: list[Broken] = []
    lost = 0
    maps = {parent: _label_map(folder, parent, unreadable) for parent in parents}
    for path in paths:
        lost_map = unreadable[0].where if unreadable else ""
        origin, names = maps[split_path(path)[0]]
        file = RecordFile(path, file_split(path), names, ids, lost_map)
        file.read_into(labels, folder.root)
        lost += file.lost
        if file.mapped and is_above(origin):
            message = f"names {counted(len(names), 'class', 'classes')}, and {path} has none"
            labels.findings.append(Finding("BW158", origin, message, "used"))
    if lost:
        labels.broken += unreadable[0].needed_by(lost, "record"), *unreadable[1:]
    labels.findings += _missing_shards(folder, paths)
    if not label_maps(folder.root, folder.with_suffix(*LABEL_MAPS)):
        labels.classes = ids.in_order()
    return labels


def image_folder(split: Split) -> None:
    """None: the records contain the images."""


def write_images(dataset: Dataset, names: Sequence[str], target: Path, crew: Crew) -> None:
    """Write train.record, val.record and test.record: see `write_records`."""
    write_records(dataset, names, target, crew)


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write label_map.pbtxt."""
    if dataset.classes:
        write_label_map(target / LABEL_MAP, dataset.classes)


def _candidates(folder: Folder) -> list[str]:
    found = [
        path
        for paths in folder.files.values()
        for path in paths
        if SHARD.fullmatch(path) or RECORDS.fullmatch(path)
    ]
    everything = [path for paths in folder.files.values() for path in paths[:2]]
    return everything if len(everything) == 1 else found


def _is_records(path: Path) -> bool:
    """True if a file begins with a record, or is damaged or compressed with a suitable name."""
    named = RECORDS.fullmatch(path.name) is not None
    try:
        with path.open("rb") as file:
            head = file.read(HEAD.size)
        if packed := compression(head):
            head = plain_start(path, HEAD.size)
    except OSError:
        return named  # reading it raises the error
    return starts_record(head) or (named and (b"\0" in head or packed != ""))


def _label_map(folder: Folder, parent: str, unreadable: list[Broken]) -> tuple[str, dict[int, str]]:
    """The nearest usable label map: its path, and the names of its ids.

    Label maps that are not text are added to `unreadable`.
    """
    paths = label_maps(folder.root, around(folder, *LABEL_MAPS))
    for path in sorted(paths, key=lambda path: _distance(path, parent)):
        try:
            return path, read_label_map(folder.root / path)
        except DataError as error:  # `assemble` adds a finding
            if error.code == CODE and not is_above(path):
                unreadable.append(Broken.of(error, path))
    return "", {}


def _distance(path: str, parent: str) -> tuple[bool, bool, int]:
    return is_above(path), split_path(path)[0] != parent, path.count("/")


def _missing_shards(folder: Folder, paths: Sequence[str]) -> Iterator[Finding]:
    there: dict[tuple[str, str, str], dict[int, str]] = defaultdict(dict)
    for parent in {split_path(path)[0] for path in paths if SHARD.fullmatch(path)}:
        for beside in (folder.root / parent).iterdir():
            if match := SHARD.fullmatch(join(parent, beside.name)):
                before, shard, total, after = match.groups()
                there[before, total, after or ""][int(shard)] = shard
    read = {match.group(1) for path in paths if (match := SHARD.fullmatch(path))}
    for (before, total, after), shards in sorted(there.items()):
        count = int(total) - sum(shard < int(total) for shard in shards)
        if count and before in read:
            digits = max(map(len, shards.values()))
            absent = (shard for shard in range(int(total)) if shard not in shards)
            names = [
                f"{before}{shard:0{digits}}-of-{total}{after}" for shard in islice(absent, SHOWN)
            ]
            more = f" and {count - SHOWN} more" if count > SHOWN else ""
            message = (
                f"{part_of(count, int(total), 'shard', 'is', 'are')} missing: "
                f"{', '.join(names)}{more}"
            )
            yield Finding("BW147", f"{before}?-of-{total}{after}", message, "read without them")
