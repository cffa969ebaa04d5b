"""Read the images of a config's input readers as one dataset."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path

import numpy as np

from boxwright.errors import TfodError
from boxwright.formats.annotations import Labels
from boxwright.formats.assemble import assemble
from boxwright.formats.folder import Folder
from boxwright.formats.ownership import Ownership
from boxwright.formats.tfrecord.reader import ClassIds, RecordFile
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.labels import closest_name, read_items
from boxwright.tfod.config import Checked

READERS = {Split.TRAIN: "train_input_reader", Split.VAL: "eval_input_reader"}


def read_images(checked: Checked, splits: Sequence[Split]) -> Dataset:
    """Return the images of readers, in record order, with the classes of the label map.

    Args:
        checked: a checked config, whose readers name existing files.
        splits: TRAIN for the images of the train_input_reader, VAL for the eval_input_reader's.

    Raises:
        DataError: BW110 a record cannot be used; BW101 no image can be opened.
        TfodError: BW706 a record names a class that the label map does not have.
    """
    return reduce(Dataset.merge, (_read_all(checked, split) for split in splits))


def _read_all(checked: Checked, split: Split) -> Dataset:
    """Return the images of a reader, or every n-th by its sample_1_of_n_examples."""
    files = checked.train_records if split == Split.TRAIN else checked.eval_records
    each = getattr(checked.pipeline, READERS[split]).sample_1_of_n_examples
    parts = (_read(folder, paths, checked, split) for folder, paths in _by_folder(files).items())
    images = reduce(Dataset.merge, parts)
    return images.select(np.arange(0, len(images), each)) if each > 1 else images


def _by_folder(paths: Sequence[Path]) -> dict[Path, list[Path]]:
    folders: dict[Path, list[Path]] = defaultdict(list)
    for path in paths:
        folders[path.absolute().parent].append(path)
    return folders


def _read(root: Path, paths: Sequence[Path], checked: Checked, split: Split) -> Dataset:
    labels, ids = Labels(), ClassIds()
    label_map = getattr(checked.pipeline, READERS[split]).label_map_path
    items = read_items(Path(label_map).expanduser())
    by_id = len({item.name for item in items}) < len({item.id for item in items})
    for path in paths:
        file = RecordFile(path.name, split, checked.classes, ids, by_id=by_id)
        file.read_into(labels, root)
    # Records may use either of the two names of a class.
    shown = {item.name: item.display_name for item in reversed(items)}
    for image in labels.images:
        image.names = [shown.get(name, name) for name in image.names]
    labels.classes = _columns(checked.classes)
    dataset = assemble(Ownership(Folder(root, {}, {}), labels))
    unknown = dataset.classes[len(labels.classes) :]
    if unknown:
        near = closest_name(unknown[0], labels.classes)
        unnamed = re.fullmatch(r"class (\d+)", unknown[0])
        what = f"contain the id {unnamed[1]}" if unnamed else f"contain the class '{unknown[0]}'"
        raise TfodError(
            "BW706",
            f"records of {READERS[split]} {what}, which is missing in the label map. Its classes: "
            f"{', '.join(f'{number} {name}' for number, name in checked.classes.items())}.",
            where=label_map,
            nearest=None if unnamed else near,
        )
    return dataset


def _columns(classes: Mapping[int, str]) -> list[str]:
    """Return a name for each class of the network, including ids missing in the label map."""
    return [classes.get(number, f"class {number}") for number in range(1, max(classes) + 1)]
