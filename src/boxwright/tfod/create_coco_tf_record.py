"""Convert COCO to TFRecord, like the API's dataset_tools/create_coco_tf_record.py.

Class ids are the category ids of the annotation file. The numbers of files are the original's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from boxwright.errors import FlagError, TfodError
from boxwright.formats import json_file
from boxwright.formats.annotations import Labels
from boxwright.formats.assemble import assemble
from boxwright.formats.coco.format import KIND, CocoFile
from boxwright.formats.coco.records import Records
from boxwright.formats.folder import Folder
from boxwright.formats.ownership import Ownership
from boxwright.structures.dataset import Split
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.records import say_findings, shards, write_record_files
from boxwright.tfod.versions import MASKS_AND_MORE


@dataclass(frozen=True)
class Part:
    """One set of images: its folder and annotation file, and the records to write."""

    images: Path
    annotations: Path
    name: str
    shards: int


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Write COCO's images and annotations to TFRecords.

    Each pair of an image folder and an annotation file is written, at least one. Image files are
    copied into the records byte for byte.
    """

    NAME = "create_coco_tf_record"
    EXAMPLE = (
        "--train_image_dir=train2017 --train_annotations_file=instances_train2017.json "
        "--val_image_dir=val2017 --val_annotations_file=instances_val2017.json --output_dir=records"
    )
    IGNORED: ClassVar = MASKS_AND_MORE

    train_image_dir: Path | None = flag("Folder of the training images.", None)
    val_image_dir: Path | None = flag("Folder of the validation images.", None)
    test_image_dir: Path | None = flag("Folder of the test images.", None)
    train_annotations_file: Path | None = flag("JSON file of the training images.", None)
    val_annotations_file: Path | None = flag("JSON file of the validation images.", None)
    testdev_annotations_file: Path | None = flag("JSON file of the test images.", None)
    output_dir: Path = flag("Folder for the records.")
    train_shards: int = flag("Number of files for training.", 100)
    val_shards: int = flag("Number of files for validation.", 50)
    testdev_shards: int = flag("Number of files for testing.", 50)


def run(flags: Flags, say: Say) -> None:
    """Write `coco_train.record-00000-of-00100` and so on.

    Raises:
        FlagError: BW703 a folder or a file is missing, BW704 a number of files is below 1.
        TfodError: BW705 a file is not one of COCO.
        DataError: images or annotations cannot be used.
    """
    for part in _parts(flags):
        labels, ids = _read(part)
        dataset = assemble(Ownership(Folder.scan(part.images), labels))
        say_findings(dataset.findings, say)
        target = flags.output_dir / f"coco_{part.name}.record"
        files = list(shards(target, range(len(dataset)), part.shards))
        write_record_files(dataset, files, [ids[name] for name in dataset.classes], say)


def _read(part: Part) -> tuple[Labels, dict[str, int]]:
    """Return the annotations of a file, and the category id of each class."""
    labels, ids = Labels(), dict[str, int]()
    folder = Folder.scan(part.annotations)
    for path, content in json_file.read_all(folder, KIND, dict, labels.broken, opened=Records):
        source = CocoFile(path, Split.UNASSIGNED)
        try:
            source.read(content, labels)
            ids = {name: int(key) for key, name in source.names.items()}
        except json_file.UnusableError as error:
            raise error.as_error(path) from error
        except ValueError:
            ids = dict.fromkeys(source.names.values(), 0)
    if not ids or min(ids.values()) < 1:
        what = "its category ids are not all whole numbers from 1 on; 0 is the background"
        raise TfodError(
            "BW705",
            f"{what if ids else 'is not a JSON file with COCO annotations'}.",
            where=part.annotations,
            flag=f"--{part.name}_annotations_file",
        )
    return labels, ids


def _parts(flags: Flags) -> Iterator[Part]:
    """Yield the sets of images that the flags name, both flags of each."""
    pairs = (
        ("train", flags.train_image_dir, flags.train_annotations_file, flags.train_shards),
        ("val", flags.val_image_dir, flags.val_annotations_file, flags.val_shards),
        ("testdev", flags.test_image_dir, flags.testdev_annotations_file, flags.testdev_shards),
    )
    if not any(images or file for _, images, file, _ in pairs):
        raise FlagError(
            "BW703",
            f"{flags.NAME} needs a folder of images and its annotation file.",
            example=Flags.EXAMPLE,
        )
    for name, images, file, count in pairs:
        if count < 1:
            raise FlagError("BW704", f"--{name}_shards is {count}.", wanted="1 or more")
        if images and file:
            yield Part(images, file, name, count)
        elif images or file:
            folder = "test" if name == "testdev" else name
            missing = f"{folder}_image_dir" if file else f"{name}_annotations_file"
            raise FlagError("BW703", f"{flags.NAME} needs --{missing}.", example=Flags.EXAMPLE)


if __name__ == "__main__":
    main(Flags.NAME)
