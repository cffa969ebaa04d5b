"""A dataset from one format to another: into a folder of its own, and proven."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.folder import Folder
from boxwright.formats.roundtrip import difference, held
from boxwright.formats.writing import write
from boxwright.io.files import translating_os_errors, writing
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding


@dataclass(frozen=True)
class Converted:
    """What was written, and where.

    Attributes:
        dataset: what was read, with what was odd about it in its findings.
        source, target: the names of the formats that it was and is in.
        path: the folder that was written.
        lost: what the new format has no place for, and what was renamed (BW140, BW142).
    """

    dataset: Dataset
    source: str
    target: str
    path: Path
    lost: tuple[Finding, ...]


def convert(
    path: str | Path, out: str | Path, to: str, *, form: str | None = None, link: bool = False
) -> Converted:
    """Write labeled images in another format, images byte for byte, boxes as they are.

        >>> done = boxwright.convert("images", "images-coco", "coco")
        >>> print(done.source, done.target, len(done.dataset))
        voc coco 40

    Args:
        path: a folder, or one annotation file whose images lie around it.
        out: a folder that is not there yet, or is empty.
        to: the name of a format.
        form: the name of the format that `path` is in; None finds out.
        link: hard-link the images instead of copying them, where the file system can.

    Raises:
        DataError: BW194 `out` is taken or lies in `path`, BW145 what was written does not read
            back the same, and what `formats.read` and `formats.write` raise.
        SystemFaultError: BW902 the disk is full, BW903 the place cannot be written.
    """
    formats.named(to)  # a wrong name is said at once, not after minutes of reading
    check_free(out, [path])
    folder = Folder.scan(path)
    form = form or formats.detect(folder)
    dataset = formats.read(folder, form)
    lost = write_verified(dataset, out, to, link=link)
    return Converted(dataset, form, to, Path(out), tuple(lost))


def write_verified(
    dataset: Dataset, out: str | Path, to: str, *, link: bool = False
) -> list[Finding]:
    """Write a dataset into a folder of its own and read it again: whole and right, or absent.

        >>> dataset = boxwright.load("images")
        >>> lost = boxwright.write(dataset.split("test"), "test-images", "yolo")

    Returns:
        What the format has no place for, and what was renamed (BW140, BW142).

    Raises:
        DataError: BW194 `out` is taken, BW145 what was written does not read back the same, and
            what `formats.write` raises.
        SystemFaultError: BW902 the disk is full, BW903 the place cannot be written.
    """
    check_free(out)
    form = formats.named(to)
    with writing(out) as draft:
        names, lost = write(dataset, draft, form, link=link)
        if len(held(dataset, form)) and (reason := _difference(dataset, names, draft, to)):
            raise DataError(
                "BW145",
                f"the {form.TITLE} copy does not match the original: {reason}.",
                where=dataset.root,
            )
    return lost


def check_free(out: str | Path, sources: Iterable[str | Path] = ()) -> None:
    """Refuse to write over something, or into a folder that is read from.

    Raises:
        DataError: BW194.
        SystemFaultError: BW903 the system has no such names.
    """
    out = Path(out).absolute()
    with translating_os_errors(out):
        is_taken = out.exists() and not (out.is_dir() and not any(out.iterdir()))
    if is_taken:
        message = "already exists and is not an empty folder."
    elif any(_lies_in(out, Path(source)) for source in sources):
        message = "is inside the folder that is read and would get mixed up with it."
    else:
        return
    raise DataError("BW194", message, where=out)


def _lies_in(out: Path, source: Path) -> bool:
    return source.is_dir() and out.resolve().is_relative_to(source.resolve())


def _difference(dataset: Dataset, names: list[str], draft: Path, to: str) -> str:
    try:
        folder = Folder.scan(draft)
        found = formats.detect(folder)
        back = formats.read(folder, to)
    except DataError as error:
        return f"it cannot be read ({error.message.rstrip('.')})"
    if found != to:
        return f"it is detected as {formats.FORMATS[found].TITLE}"
    return difference(dataset, names, back, formats.FORMATS[to])
