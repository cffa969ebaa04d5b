"""Convert the Oxford-IIIT pets to TFRecord, like the API's dataset_tools/create_pet_tf_record.py.

An image's class is its name without the number: `american_pit_bull_terrier_105.jpg`. The value 2
in a trimap means background. Shuffle and split are those of the original script.
"""

from __future__ import annotations

import io
import random
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.errors import FlagError, TfodError
from boxwright.formats.folder import split_path, stem
from boxwright.formats.tfrecord.example import floats, texts
from boxwright.formats.tfrecord.keys import MASK
from boxwright.images.decoding import opened
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import part_of
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.records import (
    class_ids,
    find_images,
    read_list,
    read_voc,
    say_findings,
    shards,
    write_record_files,
)

SEED, TRAINING_SHARE = 42, 0.7
BREED = re.compile(r"([A-Za-z_]+)_[0-9]+", re.IGNORECASE)
BACKGROUND = 2  # in a trimap


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Write the Oxford-IIIT pets to TFRecords for training and validation.

    Reads annotations/trainval.txt, annotations/xmls, annotations/trimaps and images.
    """

    NAME = "create_pet_tf_record"
    EXAMPLE = "--data_dir=pets --output_dir=records --label_map_path=data/pet_label_map.pbtxt"

    data_dir: Path = flag("Folder that contains annotations and images.")
    output_dir: Path = flag("Folder for the records.")
    label_map_path: Path = flag("Label map.", Path("data", "pet_label_map.pbtxt"))
    faces_only: bool = flag(
        "Boxes of faces. With --nofaces_only, boxes and masks of whole bodies from the trimaps.",
        True,
    )
    mask_type: str = flag("Encoding of the masks.", "png", choices=("png", "numerical"))
    num_shards: int = flag("Number of files per split.", 10)


def run(flags: Flags, say: Say) -> None:
    """Write `pet_faces_train.record-00000-of-00010` and so on.

    Raises:
        FlagError: BW704 --num_shards is below 1.
        TfodError: BW705 no annotations, list or trimap, BW706 a class is not in
            the label map, BW711 a trimap shows no pet.
        DataError: images or annotations cannot be used.
    """
    if flags.num_shards < 1:
        raise FlagError("BW704", f"--num_shards is {flags.num_shards}.", wanted="1 or more")
    dataset = _by_breed(read_voc(flags.data_dir, "annotations/xmls", "images"))
    say_findings(dataset.findings, say)
    listed = read_list(flags.data_dir / "annotations" / "trainval.txt")
    random.Random(SEED).shuffle(listed)  # noqa: S311 - reproduces the original split
    images = find_images(dataset, listed)
    if absent := images.count(None):
        say(
            f"{part_of(absent, len(listed), 'listed image', 'has', 'have')} no annotation and "
            f"{'is' if absent == 1 else 'are'} left out"
        )
    masks: dict[int, bytes] = {}
    if not flags.faces_only:
        dataset, masks = _bodies(dataset, flags)
    count = int(TRAINING_SHARE * len(images))
    kind = "pet_faces" if flags.faces_only else "pets_fullbody_with_masks"
    files = [
        *shards(flags.output_dir / f"{kind}_train.record", images[:count], flags.num_shards),
        *shards(flags.output_dir / f"{kind}_val.record", images[count:], flags.num_shards),
    ]
    write_record_files(dataset, files, class_ids(dataset, flags.label_map_path), say, masks)


def _by_breed(dataset: Dataset) -> Dataset:
    """Return the dataset with classes taken from the image names."""
    breeds = [_breed(name) for name in dataset.names]
    classes = tuple(sorted(set(breeds)))
    of_image = np.array([classes.index(breed) for breed in breeds], np.int32)
    return replace(dataset, classes=classes, labels=of_image[dataset.image_of_box])


def _breed(name: str) -> str:
    match = BREED.fullmatch(_stem(name))
    return match[1] if match else _stem(name)


def _bodies(dataset: Dataset, flags: Flags) -> tuple[Dataset, dict[int, bytes]]:
    """Return the dataset with a box around each whole pet, and encoded masks by image."""
    boxes = dataset.boxes.copy()
    masks = {}
    for i, name in enumerate(dataset.names):
        rows = dataset.rows(i)
        body = _body(flags.data_dir / "annotations" / "trimaps" / f"{_stem(name)}.png")
        across, down = np.flatnonzero(body.any(axis=0)), np.flatnonzero(body.any(axis=1))
        if not len(across):
            raise TfodError("BW711", "the trimap shows no pet.", where=name)
        boxes[rows] = across[0], down[0], across[-1], down[-1]
        masks[i] = _mask(body, rows.stop - rows.start, flags.mask_type)
    return replace(dataset, boxes=boxes), masks


def _stem(name: str) -> str:
    return stem(split_path(name)[1])


def _body(path: Path) -> NDArray[np.bool_]:
    with opened(path) as trimap:
        body: NDArray[np.bool_] = np.asarray(trimap.picture) != BACKGROUND
        return body


def _mask(body: NDArray[np.bool_], boxes: int, kind: str) -> bytes:
    """Encode the same mask for each box of an image, as a feature of its Example."""
    if kind == "numerical":
        return floats(MASK, np.tile(body.ravel(), boxes).astype(np.float32))
    png = io.BytesIO()
    Image.fromarray(body.astype(np.uint8)).save(png, "PNG")
    return texts(MASK, [png.getvalue()] * boxes)


if __name__ == "__main__":
    main(Flags.NAME)
