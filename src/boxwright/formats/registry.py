"""The registry of formats; detect, read and write by name.

Some callers need only the names of the formats, so everything else is imported on first use.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from boxwright.errors import DataError
from boxwright.structures.registry import Registry

if TYPE_CHECKING:
    from boxwright.formats.annotations import Format
    from boxwright.formats.folder import Folder
    from boxwright.formats.options import ReadOptions
    from boxwright.formats.selection import Chosen
    from boxwright.structures.dataset import Dataset
    from boxwright.structures.findings import Finding

FORMATS: Registry[Format] = Registry(
    {  # detected in this order
        "voc": "boxwright.formats.voc.format",
        "coco": "boxwright.formats.coco.format",
        "yolo": "boxwright.formats.yolo.format",
        "labelme": "boxwright.formats.labelme",
        "createml": "boxwright.formats.createml",
        "labelstudio": "boxwright.formats.labelstudio.format",
        "vott": "boxwright.formats.vott",
        "cvat": "boxwright.formats.cvat.format",
        "via": "boxwright.formats.via.format",
        "supervisely": "boxwright.formats.supervisely",
        "kitti": "boxwright.formats.kitti",
        "openimages": "boxwright.formats.openimages.format",
        "csv": "boxwright.formats.csv.format",
        "tfrecord": "boxwright.formats.tfrecord.format",
    }
)


def read(
    path: str | Path | Folder, form: str | ReadOptions | None = None, *, tolerant: bool = False
) -> Dataset:
    """Read labeled images in any supported format, without repairs.

        >>> dataset = boxwright.read("images")
        >>> print(len(dataset), len(dataset.boxes))
        40 40

    Boxes are unchanged, even if they are inverted or outside of the image; `datasets.repair`
    repairs them. Splits are those of the folder.

    Args:
        path: a folder, scanned or not, a zip or tar archive of one, or one annotation file with
            its images in the same folder.
        form: the name of a format, or all options; None detects the format.
        tolerant: report unusable annotations as findings instead of raising an error.

    Raises:
        DataError: BW114 there are no labeled images, BW115 there is no such folder, BW197 there
            is no such format, BW172 to BW175 the archive cannot be unpacked, and the errors of the
            formats' readers.
    """
    return read_named(path, form, tolerant=tolerant)[1]


def read_named(
    path: str | Path | Folder, form: str | ReadOptions | None = None, *, tolerant: bool = False
) -> tuple[str, Dataset]:
    """Read as `read` does; returns the name of the format too."""
    from boxwright.formats.archives import named_after
    from boxwright.formats.options import ReadOptions

    with without_collecting():
        folder = _scanned(path)
        with named_after(folder.archive, folder.root):
            return _read(folder, ReadOptions.of(form), tolerant)


@contextmanager
def without_collecting() -> Iterator[None]:
    """Switch the garbage collector off: it would visit millions of annotations again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_annotations(folder: Folder, form: str | None = None) -> Chosen:
    """The annotations of a folder with their images, in the format that is given or chosen.

    Raises:
        DataError: as `read`.
    """
    from boxwright.formats.ownership import Ownership
    from boxwright.formats.selection import Chosen, choose, name_unread

    with without_collecting():
        if form:
            own = Ownership(folder, named(form).read(folder))
            return Chosen(form, own, name_unread(own))
        return choose(folder, _detected(folder))


def _read(folder: Folder, options: ReadOptions, tolerant: bool) -> tuple[str, Dataset]:
    from boxwright.formats import predictions
    from boxwright.formats.assemble import assemble

    chosen = read_annotations(folder, options.form)
    dataset = assemble(
        chosen.own,
        unlabeled=options.unlabeled,
        units=options.units,
        unused=chosen.unused,
        decoding=options.decoding,
        tolerant=tolerant,
    )
    if not len(dataset) and not (tolerant and dataset.findings):
        raise _nothing(folder, FORMATS[chosen.name].TITLE)
    if unseen := predictions.finding(folder.root):
        dataset = replace(dataset, findings=(*dataset.findings, unseen))
    return chosen.name, dataset


def detect(path: str | Path | Folder) -> str:
    """The first format that a folder has files of. Raises DataError as `read` does."""
    from boxwright.formats.archives import named_after

    folder = _scanned(path)
    with named_after(folder.archive, folder.root):
        return next(iter(_detected(folder)))


def write(
    dataset: Dataset, target: str | Path, form: str = "voc", *, link: bool = False
) -> list[Finding]:
    """Write a dataset in a format; returns what it cannot store: see `writing.write`."""
    from boxwright.formats import writing

    _, lost = writing.write(dataset, target, named(form), link=link)
    return lost


def named(name: str) -> Format:
    """The format of this name, as in `--to NAME`. Raises DataError: BW197 it does not exist."""
    if name in FORMATS:
        return FORMATS[name]
    from boxwright.structures.labels import closest_name

    near = closest_name(name, FORMATS)
    raise DataError(
        "BW197",
        f"there is no format '{name}'.",
        nearest=near,
        choices=", ".join(FORMATS),
    )


def _scanned(path: str | Path | Folder) -> Folder:
    from boxwright.formats.folder import Folder

    return path if isinstance(path, Folder) else Folder.scan(path)


def _detected(folder: Folder) -> dict[str, Format]:
    """The formats that the folder has files of, by name."""
    found = {name: form for name, form in FORMATS.items() if form.detect(folder)}
    if not found:
        raise _nothing(folder, "any known format")
    return found


def _nothing(folder: Folder, title: str) -> DataError:
    from boxwright.formats.foreign import candidates

    count = folder.image_count
    here = "there is 1 image" if count == 1 else f"there are {count or 'no'} images"
    message = f"{here} here, and no annotations in {title}"
    if not folder.images and not folder.files:
        message = "the folder contains no images and no annotations"
    said, known = candidates(folder)
    unopened = folder.unopened()
    if unopened.images and not folder.images and not known:
        return _not_opened(unopened)
    return DataError(
        "BW114",
        f"{message}; {said}." if said else f"{message}.",
        where=folder.root.absolute(),
        tool=known and known.tool,
        export=known and known.export,
        formats=None if known else ", ".join(form.TITLE for form in FORMATS.values()),
    )


def _not_opened(unopened: Folder) -> DataError:
    """The error for a folder whose only images are of formats that are not opened."""
    from boxwright.images.opening import format_of
    from boxwright.structures.findings import counted

    parent, (name, *_) = next(iter(unopened.images.items()))
    first = unopened.root / parent / name
    count = unopened.image_count
    images = f"{counted(count, 'image')} {'is' if count == 1 else 'are'}"
    message = f"{images} in a format that is not opened: {name} is {format_of(first)}."
    return DataError("BW167", message, where=unopened.root.absolute())
