"""The photos that a config's input readers name, as one data set."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

from boxwright.errors import TfodError
from boxwright.formats.annotations import Labels
from boxwright.formats.assemble import assemble
from boxwright.formats.folder import Folder
from boxwright.formats.tfrecord.reader import ClassIds, RecordFile
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.labels import closest_name, read_items
from boxwright.tfod.config import Checked

READERS = {Split.TRAIN: "train_input_reader", Split.VAL: "eval_input_reader"}


def read_images(checked: Checked, splits: Sequence[Split]) -> Dataset:
    """The photos of readers, in the order of their records; classes are those of the label map.

    Args:
        checked: a config whose readers name files that are there.
        splits: TRAIN for the photos of the train_input_reader, VAL for the eval_input_reader's.

    Raises:
        DataError: BW110 a record cannot be used; BW101 no photo can be opened.
        TfodError: BW706 a record names a class that the label map does not have.
    """
    files = {Split.TRAIN: checked.train_records, Split.VAL: checked.eval_records}
    read = (_read(folder, paths, checked, split) for split in splits
            for folder, paths in _by_folder(files[split]).items())  # fmt: skip
    return reduce(Dataset.merge, read)


def _by_folder(paths: Sequence[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        folders[path.absolute().parent].append(path)
    return folders


def _read(root: Path, paths: Sequence[Path], checked: Checked, split: Split) -> Dataset:
    labels, ids = Labels(), ClassIds()
    for path in paths:
        RecordFile(path.name, split, checked.classes, ids).read_into(labels, root)
    label_map = getattr(checked.pipeline, READERS[split]).label_map_path
    shown = _shown_names(label_map)
    for image in labels.images:
        image.names = [shown.get(name, name) for name in image.names]
    labels.classes = _columns(checked.classes)
    dataset = assemble(Folder(root, {}, {}), labels)
    unknown = dataset.classes[len(labels.classes) :]
    if unknown:
        near = closest_name(unknown[0], labels.classes)
        unnamed = re.fullmatch(r"class (\d+)", unknown[0])
        what = f"hold the id {unnamed[1]}" if unnamed else f"name the class '{unknown[0]}'"
        raise TfodError(
            "BW706",
            f"records of {READERS[split]} {what}, which the label map does not have; it has "
            f"{', '.join(f'{number} {name}' for number, name in checked.classes.items())}.",
            where=label_map,
            nearest=None if unnamed else near,
        )
    return dataset


def _shown_names(label_map: str) -> dict[str, str]:
    """What a class is called here by what records may call it: its name or its display name."""
    return {item.name: item.display_name for item in read_items(Path(label_map).expanduser())}


def _columns(classes: Mapping[int, str]) -> list[str]:
    """A name for each class of the network; ids that the label map leaves out have one too."""
    return [classes.get(number, f"class {number}") for number in range(1, max(classes) + 1)]
