"""Convert Pascal VOC to TFRecord, like the API's dataset_tools/create_pascal_tf_record.py.

The first tutorial adapted the script to the folder that VoTT writes: it takes `--output_dir`
instead of `--output_path`, and `--data_dir` is that folder itself. This command accepts both.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from boxwright.errors import FlagError, TfodError
from boxwright.structures.dataset import DIFFICULT, Dataset
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag
from boxwright.tfod.records import (
    class_ids,
    find_images,
    read_list,
    read_voc,
    say_findings,
    write_record_files,
)

YEARS = ("VOC2007", "VOC2012")
LISTS = Path("ImageSets", "Main")
LABEL_MAP = "pascal_label_map.pbtxt"


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Write images with Pascal VOC annotations to a TFRecord.

    The images are those listed in ImageSets/Main/SET.txt, or else in the lists of the classes,
    such as helmet_SET.txt. Image files are copied into the record byte for byte.
    """

    NAME = "create_pascal_tf_record"
    EXAMPLE = "--data_dir=VOCdevkit --year=VOC2012 --set=train --output_path=pascal.record"

    data_dir: Path = flag("Folder that contains VOC2007 or VOC2012, or such a folder itself.")
    set: str = flag("Name of the list.", "train", choices=("train", "val", "trainval", "test"))
    year: str = flag("Folder in --data_dir, or merged for both years of VOC.", "VOC2007")
    annotations_dir: str = flag("Folder of the xml files in it.", "Annotations")
    output_path: Path | None = flag("TFRecord file to write.", None)
    output_dir: Path | None = flag(
        "Folder to write to, instead of --output_path. The record is named after the list, such as "
        "helmet_train.record.",
        None,
    )
    label_map_path: Path | None = flag(
        f"Label map. If not given, data/{LABEL_MAP} or the one in --data_dir.", None
    )
    ignore_difficult_instances: bool = flag("Leave out boxes marked difficult.", False)


def run(flags: Flags, say: Say) -> None:
    """Write one record.

    Raises:
        FlagError: BW703 neither --output_path nor --output_dir is given.
        TfodError: BW705 no annotations, list or label map, BW706 a class is not in the label
            map, BW711 a listed image has no annotation.
        DataError: images or annotations cannot be used.
    """
    roots = _roots(flags)
    lists = [_lists(root, flags.set) for root in roots]
    target = _target(flags, lists[0])
    label_map = _label_map(flags, roots[0])
    chosen = [_listed(root, paths, flags, say) for root, paths in zip(roots, lists, strict=True)]
    dataset = chosen[0] if len(chosen) == 1 else chosen[0].merge(chosen[1])
    if flags.ignore_difficult_instances:
        dataset = dataset.keep_boxes(dataset.flags & DIFFICULT == 0)
    ids = class_ids(dataset, label_map)
    write_record_files(dataset, [(target, range(len(dataset)))], ids, say)


def _roots(flags: Flags) -> list[Path]:
    """Return the folders that contain Annotations and ImageSets."""
    if flags.year == "merged":
        return [flags.data_dir / year for year in YEARS]
    root = flags.data_dir / flags.year
    return [root if root.is_dir() else flags.data_dir]


def _lists(root: Path, name: str) -> list[Path]:
    """Return the list of all images, or else the lists of the classes, to be merged."""
    whole = root / LISTS / f"{name}.txt"
    return [whole] if whole.is_file() else sorted((root / LISTS).glob(f"*_{name}.txt")) or [whole]


def _target(flags: Flags, lists: list[Path]) -> Path:
    if flags.output_path is not None:
        return flags.output_path
    if flags.output_dir is not None:
        name = lists[0].stem if len(lists) == 1 else flags.set
        return flags.output_dir / f"{name}.record"
    raise FlagError(
        "BW703",
        "create_pascal_tf_record needs --output_path or --output_dir.",
        example="--output_path=pascal.record",
    )


def _label_map(flags: Flags, root: Path) -> Path:
    usual = [Path("data", LABEL_MAP), root / LABEL_MAP, flags.data_dir / LABEL_MAP]
    found = next(filter(Path.is_file, usual), None)
    if flags.label_map_path is None and found is None:
        raise TfodError(
            "BW705",
            f"found no {LABEL_MAP}, which gives each class an id: item {{ id: 1 name: 'helmet' }}",
            where=root,
            flag="--label_map_path",
        )
    return flags.label_map_path or found or usual[0]


def _listed(root: Path, lists: list[Path], flags: Flags, say: Say) -> Dataset:
    """Return the listed images of a folder, in the order of the lists."""
    names = list(dict.fromkeys(name for path in lists for name in read_list(path)))
    dataset = read_voc(root, flags.annotations_dir)
    say_findings(dataset.findings, say)
    images = find_images(dataset, names)
    absent = [name for name, image in zip(names, images, strict=True) if image is None]
    if absent:
        raise TfodError(
            "BW711",
            f"{len(absent)} of the {len(names)} listed images lack an annotation or an image file, "
            f"such as {absent[0]}.",
            where=lists[0],
        )
    return dataset.select([image for image in images if image is not None])


if __name__ == "__main__":
    main(Flags.NAME)
