"""Convert a dataset to another format, in a new folder, and verify the result."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import ReadOptions
from boxwright.formats.folder import Folder
from boxwright.formats.roundtrip import difference, held
from boxwright.formats.writing import write
from boxwright.io.faults import translating_os_errors
from boxwright.io.files import writing
from boxwright.io.scratch import is_scratch
from boxwright.parallel.choice import executor, here
from boxwright.parallel.cores import Progress
from boxwright.parallel.kept import LARGE, Kept, name_of, noting
from boxwright.parallel.units import Crew, Executor
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding

Complete = Callable[[Path, list[str]], None]


@dataclass(frozen=True)
class Converted:
    """The result of a conversion.

    Attributes:
        dataset: the dataset as read, with its findings.
        source, target: the names of the two formats.
        path: the new folder.
        lost: data that the new format cannot store, and renamed images (BW140, BW142).
    """

    dataset: Dataset
    source: str
    target: str
    path: Path
    lost: tuple[Finding, ...]


def convert(
    path: str | Path,
    out: str | Path,
    to: str,
    *,
    form: str | ReadOptions | None = None,
    link: bool = False,
    on: str | Executor = "local",
    progress: Progress | None = None,
) -> Converted:
    """Convert labeled images to another format; image files and boxes are unchanged.

        >>> done = boxwright.convert("images", "images-coco", "coco")
        >>> print(done.source, done.target, len(done.dataset))
        voc coco 40

    Args:
        path: a folder, an archive of one, or one annotation file with its images in its folder.
        out: a new or empty folder.
        to: the name of a format.
        form: the name of the source format, or all options of `read`; None detects it.
        link: hard-link the images instead of copying them, if the file system can.
        on: where images are copied and compared: `local`, `ray` or `ray=ADDRESS` for a Ray cluster,
            whose machines see `out` too.
        progress: called with the number of images done and the total, first of those written, then
            of those compared.

    Raises:
        ArgumentError: BW803 there is no such `on`, BW815 no cluster answers.
        DataError: BW194 `out` exists or is inside `path`, BW145 the copy differs from the
            original, and the errors of `formats.read` and `formats.write`.
        SystemFaultError: BW901 Ray is not installed, BW902 the disk is full, BW903 `out` cannot be
            written, BW906 a machine of the cluster cannot do its part.
    """
    formats.named(to)  # reject a wrong name before minutes of reading
    check_free(out, [path])
    with executor(on) as chosen:
        source, dataset = formats.read_named(path, form)
        lost = _write(dataset, out, to, link=link, crew=Crew(chosen, progress=progress))
    return Converted(dataset, source, to, Path(out), tuple(lost))


def write_verified(
    dataset: Dataset,
    out: str | Path,
    to: str,
    *,
    link: bool = False,
    complete: Complete = lambda draft, names: None,
) -> list[Finding]:
    """Write a dataset to a new folder and verify it; after an error, nothing is left there.

        >>> dataset = boxwright.load("images")
        >>> lost = boxwright.write(dataset.split("test"), "test-images", "yolo")

    Args:
        dataset: the dataset.
        out: a new or empty folder.
        to: the name of a format.
        link: hard-link the images instead of copying them, if the file system can.
        complete: called before the result is verified, with its folder and the names of the images
            in it; may write more.

    Returns:
        Data that the format cannot store, and renamed images (BW140, BW142).

    Raises:
        DataError: BW194 `out` exists, BW145 the copy differs from the original, and the errors
            of `formats.write`.
        SystemFaultError: BW902 the disk is full, BW903 `out` cannot be written.
    """
    return _write(dataset, out, to, link=link, crew=Crew(here()), complete=complete)


def _write(
    dataset: Dataset,
    out: str | Path,
    to: str,
    *,
    link: bool,
    crew: Crew,
    complete: Complete = lambda draft, names: None,
) -> list[Finding]:
    """As `write_verified`. Of many images, those that are written are kept after Ctrl-C."""
    check_free(out)
    form = formats.named(to)
    resumed = ""
    if len(dataset) >= LARGE and not is_scratch(Path(out)):
        resumed = name_of(dataset.root.absolute(), dataset.fingerprint(), to, link)
    with (
        writing(out, lambda beside: taken(out, beside), resumed=resumed) as draft,
        noting(bool(resumed)),
    ):
        if resumed:
            crew = replace(crew, kept=Kept(draft.with_name(f"{draft.name}.units")))
        names, lost = write(dataset, draft, form, link=link, crew=crew)
        complete(draft, names)
        crew = replace(crew, kept=Kept())
        if len(held(dataset, form)) and (reason := _difference(dataset, names, draft, to, crew)):
            raise DataError(
                "BW145",
                f"the {form.TITLE} copy does not match the original: {reason}.",
                where=dataset.root,
            )
    return lost


def taken(out: str | Path, beside: Path) -> DataError:
    """The error for files that appeared in `out` while a result was written, which is in
    `beside`."""
    message = f"has got other files meanwhile; they stay, and the result is in {beside}."
    return DataError("BW194", message, where=Path(out).absolute())


def check_free(out: str | Path, sources: Iterable[str | Path] = ()) -> None:
    """Refuse to overwrite a path or to write into a source folder.

    Raises:
        DataError: BW194.
        SystemFaultError: BW903 the system does not allow the name.
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


def _difference(dataset: Dataset, names: list[str], draft: Path, to: str, crew: Crew) -> str:
    try:
        folder = Folder.scan(draft)
        found = formats.detect(folder)
        limit = dataset.decoding.max_pixels
        back = formats.read(folder, ReadOptions(to, units="format", max_pixels=limit))
    except DataError as error:
        return f"it cannot be read ({error.message.rstrip('.')})"
    if found != to:
        return f"it is detected as {formats.FORMATS[found].TITLE}"
    return difference(dataset, names, back, formats.FORMATS[to], crew)
