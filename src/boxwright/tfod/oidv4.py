"""Download classes of Open Images into the folders of the OIDv4 ToolKit, like its main.py.

The rules are the ToolKit's: an attribute leaves an image out if any of its boxes has another
value, and a folder has the boxes of its classes only. Everything else is that of
`boxwright download openimages`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import typer

from boxwright.downloads import confirm_size, downloading, fetching
from boxwright.errors import DataError, FlagError
from boxwright.openimages.download import refused_names
from boxwright.openimages.fetching import FAILED, Failure, list_failures
from boxwright.openimages.index import Index
from boxwright.openimages.kinds import FLAGS
from boxwright.openimages.lists import Lists
from boxwright.openimages.sources import ALL, HUMAN, IMAGE_BYTES, MACHINE, SPLITS
from boxwright.openimages.toolkit import ClassFolder, class_folders, fill, missing, write_labels
from boxwright.structures.findings import counted
from boxwright.tfod.commands import Say, main
from boxwright.tfod.flags import flag

VERSION = "v4"
OID = Path("OID")
DOWNLOADER, VISUALIZER, IMAGE_LEVEL = "downloader", "visualizer", "downloader_ill"
COMMANDS = (DOWNLOADER, VISUALIZER, IMAGE_LEVEL, "ill_downloader")
EXAMPLE = "boxwright tfod oidv4 downloader --classes Apple Orange --type_csv validation"
ILL_EXAMPLE = "boxwright tfod oidv4 downloader_ill --classes Apple --type_csv validation --sub h"
BY = {"h": HUMAN, "m": MACHINE}
FORMAT = "openimages"


@dataclass(frozen=True, kw_only=True)
class Flags:
    """Download images of some classes of Open Images, like main.py of the OIDv4 ToolKit.

    Writes OID/Dataset/train/Apple/ID.jpg with the boxes in OID/Dataset/train/Apple/Label/ID.txt,
    and so on. downloader_ill takes the images with a label of the class instead of those with a
    box, to OID/Dataset_nl. visualizer shows images and boxes in the browser: d is the next image, a
    the previous one, q the end.
    `boxwright download openimages` has more choices and keeps all that Open Images says.
    """

    NAME = "oidv4"
    EXAMPLE = "downloader --classes Apple Orange --type_csv validation"

    command: str = flag("downloader, downloader_ill or visualizer.", choices=COMMANDS, bare=True)
    Dataset: str = flag("Name of the folder below OID.", "")
    classes: tuple[str, ...] = flag("Classes, with underscores for blanks, or a .txt file.", ())
    type_csv: str | None = flag("The split.", None, choices=(*SPLITS, ALL))
    sub: str | None = flag("downloader_ill: labels of humans or machines.", None, choices=(*BY,))
    image_IsOccluded: str | None = flag(  # noqa: N815
        "1 or 0: only images whose boxes are all occluded, or none.", None, choices=("0", "1")
    )
    image_IsTruncated: str | None = flag(  # noqa: N815
        "The same of boxes that are cut by the edge of the image.", None, choices=("0", "1")
    )
    image_IsGroupOf: str | None = flag(  # noqa: N815
        "The same of boxes around several objects.", None, choices=("0", "1")
    )
    image_IsDepiction: str | None = flag(  # noqa: N815
        "The same of boxes of drawings and the like.", None, choices=("0", "1")
    )
    image_IsInside: str | None = flag(  # noqa: N815
        "The same of views from inside of the object.", None, choices=("0", "1")
    )
    multiclasses: str = flag("1: all classes in one folder.", "0", choices=("0", "1"))
    n_threads: int = flag("Images downloaded at once.", 20)
    noLabels: bool = flag("Write no label files.", False)  # noqa: N815
    limit: int | None = flag("Images of each class and split, at most.", None)
    additional_label_classes: tuple[str, ...] = flag(
        "Further classes whose boxes in the same images are written.", ()
    )
    yes: bool = flag("Do not ask above 10 GB.", False, also="y")


def run(flags: Flags, say: Say) -> None:
    """Download, or show what was downloaded.

    Raises:
        FlagError: BW703 a flag that the command needs is missing, BW704 a value does not fit.
        ArgumentError: BW802 there is no terminal to ask in, BW803 there is no such class.
        DataError: BW114, BW115 there is nothing to show, BW177 a list cannot be downloaded, BW178
            images are missing.
        SystemFaultError: BW901 the studio is not installed.
    """
    if flags.command == VISUALIZER:
        _show(OID / (flags.Dataset or "Dataset"), say)
    elif flags.command == DOWNLOADER:
        _download(flags, OID / (flags.Dataset or "Dataset"), say)
    else:
        _download_by_labels(flags, OID / (flags.Dataset or "Dataset_nl"), say)


def _download(flags: Flags, root: Path, say: Say) -> None:
    """Download the images with a box of a class, and write the boxes."""
    splits = _splits(flags)
    lists = Lists(VERSION, downloading)
    names, more = (
        lists.classes().named(words) for words in (flags.classes, flags.additional_label_classes)
    )
    indexes = {split: lists.boxes(split) for split in splits}
    folders = _folders(flags, indexes, names)
    failures = [*_fill(folders, root, flags), *refused_names(indexes, list(names))]
    for folder in folders:
        said = counted(len(list(folder.below(root).glob("*.jpg"))), "image")
        if not flags.noLabels:
            own = {code: names[code] for code in folder.codes}
            boxes = write_labels(folder, root, indexes[folder.split], own | more)
            said += f", {counted(boxes, 'box', 'boxes')}"
        say(f"{folder.below(root)}: {said}")
    _list(failures, root)


def _download_by_labels(flags: Flags, root: Path, say: Say) -> None:
    """Download the images with a label of a class; it has no boxes to write."""
    splits = _splits(flags)
    if flags.sub is None:
        raise FlagError("BW703", f"{IMAGE_LEVEL} needs --sub.", example=ILL_EXAMPLE)
    if where := _where(flags):
        raise FlagError(
            "BW704",
            f"--image_{min(where)} is about boxes, which {IMAGE_LEVEL} does not have.",
            wanted=ILL_EXAMPLE,
        )
    lists = Lists(VERSION, downloading)
    names = lists.all_classes().named(flags.classes)
    indexes = {split: lists.all_labels(split, BY[str(flags.sub)]) for split in splits}
    folders = _folders(flags, indexes, names)
    failures = [*_fill(folders, root, flags), *refused_names(indexes, list(names))]
    for folder in folders:
        index = indexes[folder.split]
        rows = index.rows_of(folder.codes)
        shown = index.images_of(rows[index.confidences(rows) > 0])
        mine = np.array([int(image.id, 16) for image in folder.images], np.uint64)
        absent = int((~np.isin(mine, shown)).sum())
        said = f", {absent} of them verified not to show it" if absent else ""
        count = len(list(folder.below(root).glob("*.jpg")))
        say(f"{folder.below(root)}: {counted(count, 'image')}{said}")
    _list(failures, root)


def _splits(flags: Flags) -> tuple[str, ...]:
    """The splits. Raises FlagError if a flag is missing or a number is not positive."""
    missing = [name for name in ("classes", "type_csv") if not getattr(flags, name)]
    if missing:
        needed = " and ".join(f"--{name}" for name in missing)
        raise FlagError(
            "BW703",
            f"{flags.command} needs {needed}.",
            example=f"boxwright tfod {Flags.NAME} {Flags.EXAMPLE}",
        )
    for name in ("n_threads", "limit"):
        value = getattr(flags, name)
        if value is not None and value < 1:
            raise FlagError("BW704", f"--{name} is {value}.", wanted=f"--{name}=1 or more")
    return SPLITS if flags.type_csv == ALL else (str(flags.type_csv),)


def _where(flags: Flags) -> dict[str, int]:
    """The attributes that are asked for."""
    values = {name: getattr(flags, f"image_{name}") for name in FLAGS}
    return {name: int(value) for name, value in values.items() if value is not None}


def _folders(
    flags: Flags, indexes: Mapping[str, Index], names: Mapping[str, str]
) -> list[ClassFolder]:
    """Choose the images. Raises DataError BW178 if none fits."""
    folders = [
        folder
        for split, index in indexes.items()
        for folder in class_folders(
            split,
            index,
            names,
            together=flags.multiclasses == "1",
            where=_where(flags),
            limit=flags.limit,
        )
    ]
    if not any(folder.images for folder in folders):
        asked = ", ".join(names.values())
        raise DataError("BW178", f"no image of {flags.type_csv} fits {asked} and the flags.")
    return folders


def _fill(folders: list[ClassFolder], root: Path, flags: Flags) -> list[Failure]:
    """Download the images; returns those that failed. Raises ArgumentError BW802."""
    count = missing(folders, root)
    confirm_size(count, count * IMAGE_BYTES, yes=flags.yes)
    with fetching(f"Downloading {counted(count, 'image')}") as told:
        return fill(folders, root, flags.n_threads, told)


def _list(failures: list[Failure], root: Path) -> None:
    """Write failed.txt. Raises DataError BW178 if an image failed."""
    list_failures(root, failures)
    if failures:
        count = counted(len(failures), "image")
        raise DataError(
            "BW178",
            f"{count} could not be downloaded, the first: {failures[0].reason}. To try again, run "
            "the command again.",
            where=root / FAILED,
        )


def _show(root: Path, say: Say) -> None:
    """Show images and boxes in the browser, until Ctrl-C or q."""
    from boxwright.web.installed import check_installed

    check_installed("studio")
    from boxwright.studio.serve import serve
    from boxwright.studio.store import LabelStore

    def ready(address: str, images: int) -> None:
        say(f"{counted(images, 'image')} of {root}, in a browser on this computer:")
        say(f"  {address}")
        say("The keys are d (next), a (previous) and q (quit).")
        if sys.stdout.isatty():
            typer.launch(address)

    serve(partial(LabelStore.open, root, format=FORMAT, read_only=True), ready)


if __name__ == "__main__":
    main(Flags.NAME)
