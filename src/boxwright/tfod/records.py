"""Shared code of the commands that write TFRecords: image lists, label maps, file names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from boxwright.errors import TfodError
from boxwright.formats import FORMATS
from boxwright.formats.assemble import assemble
from boxwright.formats.folder import Folder, folded, split_path, stem, with_slashes
from boxwright.formats.ownership import Ownership
from boxwright.formats.tfrecord.example import texts
from boxwright.formats.tfrecord.keys import VIEW
from boxwright.formats.tfrecord.writer import write_files
from boxwright.io.text import decoded
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding, counted, summary
from boxwright.structures.labels import closest_name
from boxwright.tfod.commands import Say
from boxwright.tfod.label_map_util import get_label_map_dict

UNSPECIFIED = b"Unspecified"  # view of an object, VOC's value for unknown


def read_voc(root: Path, annotations: str, images: str = "") -> Dataset:
    """Read images with VOC annotations. An invalid annotation is an error.

    Args:
        root: the data folder.
        annotations: the folder in it with the xml files.
        images: the folder in it with the images, if other folders contain different pictures.

    Raises:
        DataError: as `formats.read`.
        TfodError: BW705 the folder has no annotations.
    """
    folder = Folder.scan(root)
    if images:
        folder = replace(folder, images={images: folder.images.get(images, [])})
    below = with_slashes(annotations).strip("/") + "/"
    labels = FORMATS["voc"].read(folder)
    labels.images = [one for one in labels.images if one.path.startswith(below)]
    labels.broken = [one for one in labels.broken if one.where.startswith(below)]
    if not labels.images and not labels.broken:
        raise TfodError(
            "BW705",
            "found no Pascal VOC annotations here.",
            where=root / annotations,
            flag="--data_dir and --annotations_dir",
        )
    return assemble(Ownership(folder, labels))


def read_list(path: Path) -> list[str]:
    """Return the image names of a list: the first word of each line.

    Raises:
        TfodError: BW705 the list does not exist.
        DataError: BW160 it is not text.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise TfodError(
            "BW705",
            f"the image list cannot be read ({error.strerror or error}).",
            where=path,
            choices=_lists_there(path),
        ) from error
    return [line.split()[0] for line in decoded(content, path).splitlines() if line.strip()]


def find_images(dataset: Dataset, listed: Sequence[str]) -> list[int | None]:
    """Return the index of each listed image, with or without suffix; None if not annotated."""
    known: dict[str, int] = {}
    last = [folded(split_path(name)[1]) for name in dataset.names]
    for keys in (last, map(stem, last)):
        for i, key in enumerate(keys):
            known.setdefault(key, i)
    names = [folded(split_path(with_slashes(name))[1]) for name in listed]
    return [known.get(name, known.get(stem(name))) for name in names]


def write_record_files(
    dataset: Dataset,
    files: Sequence[tuple[Path, Sequence[int]]],
    ids: Sequence[int],
    say: Say,
    more: dict[int, bytes] | None = None,
) -> None:
    """Write record files and print a line for each.

    Args:
        dataset: images and boxes.
        files: each file, and the indices of its images.
        ids: the id of each class, such as `class_ids` of a label map.
        say: prints a line.
        more: further encoded features of Examples, by image index.

    Raises:
        DataError: as `write_files`.
    """

    def parts(index: int) -> bytes:
        boxes = dataset.rows(index)
        view = texts(VIEW, [UNSPECIFIED] * (boxes.stop - boxes.start))
        return view + (more or {}).get(index, b"")

    names = [split_path(name)[1] for name in dataset.names]
    write_files(dataset, names, files, ids, parts)
    for path, images in files:
        boxes = int(np.diff(dataset.offsets)[list(images)].sum())
        say(f"{path}: {counted(len(images), 'image')}, {counted(boxes, 'box', 'boxes')}")


def shards(
    path: Path, images: Sequence[int | None], count: int
) -> Iterator[tuple[Path, list[int]]]:
    """Distribute images to files in turn, as the original scripts do. Missing ones count too."""
    for shard in range(count):
        name = f"{path.name}-{shard:05}-of-{count:05}"
        yield path.with_name(name), [image for image in images[shard::count] if image is not None]


def class_ids(dataset: Dataset, label_map: Path) -> list[int]:
    """Return the label map's id of each class of the dataset; 0 if an unused class has none.

    Raises:
        DataError: BW116 the label map cannot be used.
        TfodError: BW706 a class is not in it.
    """
    ids = get_label_map_dict(label_map)
    used = set(dataset.labels.tolist())
    for label, name in enumerate(dataset.classes):
        if label in used and name not in ids:
            near = closest_name(name, ids)
            raise TfodError(
                "BW706",
                f"the label map has no class '{name}'. Its classes: {', '.join(ids)}.",
                where=label_map,
                nearest=near,
            )
    return [ids.get(name, 0) for name in dataset.classes]


def say_findings(findings: Sequence[Finding], say: Say) -> None:
    """Print the findings of reading, a few lines of each kind."""
    for line in summary(findings):
        say(line)


def _lists_there(path: Path) -> str:
    """Return the names of other lists in the same folder; empty if there are none."""
    there = sorted(each.name for each in path.parent.glob("*.txt"))[:5]
    return ", ".join(there)
