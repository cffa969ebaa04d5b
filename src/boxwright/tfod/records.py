"""What the commands that write TFRecords share: photo lists, label maps, names of files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from boxwright.errors import TfodError
from boxwright.formats import FORMATS
from boxwright.formats.assemble import assemble
from boxwright.formats.folder import Folder, folded, split_path, stem
from boxwright.formats.tfrecord.example import texts
from boxwright.formats.tfrecord.keys import VIEW
from boxwright.formats.tfrecord.writer import write_files
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding, summary
from boxwright.structures.labels import closest_name
from boxwright.tfod.commands import Say
from boxwright.tfod.label_map_util import get_label_map_dict

UNSPECIFIED = b"Unspecified"  # the view of an object, as VOC writes it where nobody said


def read_voc(root: Path, annotations: str, images: str = "") -> Dataset:
    """Photos with VOC annotations, faithfully.

    Args:
        root: the data folder.
        annotations: the folder in it with the xml files.
        images: the folder in it with the photos, if others hold pictures that are none.

    Raises:
        DataError: what `formats.read` raises.
        TfodError: BW705 that folder has no annotations.
    """
    folder = Folder.scan(root)
    if images:
        folder = replace(folder, images={images: folder.images.get(images, [])})
    below = annotations.replace("\\", "/").strip("/") + "/"
    labels = FORMATS["voc"].read(folder)
    labels.images = [one for one in labels.images if one.path.startswith(below)]
    labels.broken = [one for one in labels.broken if one.where.startswith(below)]
    if not labels.images and not labels.broken:
        raise TfodError(
            "BW705",
            "there are no annotations in Pascal VOC's xml here.",
            where=root / annotations,
            flag="--data_dir and --annotations_dir",
        )
    return assemble(folder, labels)


def read_list(path: Path) -> list[str]:
    """The photos that a list names: of each line what stands before the first blank.

    Raises:
        TfodError: BW705 there is no such list, or it is not text.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise TfodError(
            "BW705",
            f"the list of photos cannot be read ({error}).",
            where=path,
            choices=_lists_there(path),
        ) from error
    return [line.split()[0] for line in lines if line.strip()]


def find_images(dataset: Dataset, listed: Sequence[str]) -> list[int | None]:
    """The index of each listed photo, with or without suffix; None where it has no annotation."""
    known: dict[str, int] = {}
    last = [folded(split_path(name)[1]) for name in dataset.names]
    for keys in (last, map(stem, last)):
        for i, key in enumerate(keys):
            known.setdefault(key, i)
    names = [folded(split_path(name.replace("\\", "/"))[1]) for name in listed]
    return [known.get(name, known.get(stem(name))) for name in names]


def write_record_files(
    dataset: Dataset,
    files: Sequence[tuple[Path, Sequence[int]]],
    label_map: Path,
    say: Say,
    more: dict[int, bytes] | None = None,
) -> None:
    """Write record files with the label map's ids, and say so.

    Args:
        dataset: photos and boxes.
        files: each file, and the indices of its photos.
        label_map: whose ids the classes get.
        say: takes a line.
        more: further parts of photos' Examples, by index.

    Raises:
        TfodError: BW706 a class is not in the label map.
        DataError: BW116 the label map cannot be used, and what `write_files` raises.
    """
    ids = class_ids(dataset, label_map)

    def parts(index: int) -> bytes:
        boxes = dataset.rows(index)
        view = texts(VIEW, [UNSPECIFIED] * (boxes.stop - boxes.start))
        return view + (more or {}).get(index, b"")

    names = [split_path(name)[1] for name in dataset.names]
    write_files(dataset, names, files, ids, parts)
    for path, images in files:
        boxes = int(np.diff(dataset.offsets)[list(images)].sum())
        say(f"{path}: {len(images)} photos, {boxes} boxes")


def class_ids(dataset: Dataset, label_map: Path) -> list[int]:
    """The id of each class of the data set by a label map; of one without boxes it may be 0.

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
                f"the label map has no class '{name}'; it has {', '.join(ids)}.",
                where=label_map,
                nearest=near,
            )
    return [ids.get(name, 0) for name in dataset.classes]


def say_findings(findings: Sequence[Finding], say: Say) -> None:
    """What reading brought to light, a few lines of each kind."""
    for line in summary(findings):
        say(line)


def _lists_there(path: Path) -> str:
    """Lists beside one that cannot be read; empty if there are none."""
    there = sorted(each.name for each in path.parent.glob("*.txt"))[:5]
    return ", ".join(there)
