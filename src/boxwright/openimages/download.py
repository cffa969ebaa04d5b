"""Download images of some classes of Open Images with their boxes, in the official layout.

A folder can be extended: a later download adds its images and classes to those that are there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from boxwright.errors import ArgumentError, DataError, check_choice
from boxwright.io.cache import cache_folder, in_cache
from boxwright.io.download import DownloadError, Progress, Stream
from boxwright.io.files import write_text, writing
from boxwright.openimages.classes import Classes
from boxwright.openimages.fetching import (
    THREADS,
    Failure,
    Image,
    Told,
    fetch_images,
    read_image_list,
)
from boxwright.openimages.hierarchy import with_children
from boxwright.openimages.index import Index, failed, indexed
from boxwright.openimages.selection import choose
from boxwright.openimages.sources import (
    ALL,
    HIERARCHY,
    IMAGE_BYTES,
    NEWEST,
    SPLITS,
    VERSIONS,
    boxes_path,
    classes_path,
    hosts,
    list_url,
)
from boxwright.openimages.writing import (
    codes_here,
    images_here,
    is_download,
    write_boxes,
    write_classes,
)

FAILED = "failed.txt"
T = TypeVar("T")

MAX_LIST = 1 << 24  # bytes of the list of classes

Show = Callable[[str, str], AbstractContextManager[Progress]]  # of the download of a list


def _silent(name: str, url: str) -> AbstractContextManager[Progress]:
    return nullcontext(lambda received, total: None)


@dataclass(frozen=True)
class Chosen:
    """Images that were chosen.

    Attributes:
        classes: all classes with boxes.
        codes: the chosen classes; none means all.
        indexes: split -> its boxes, of the splits of the images.
        images: in the order in which they are fetched.
    """

    classes: Classes
    codes: tuple[str, ...]
    indexes: dict[str, Index]
    images: tuple[Image, ...]


@dataclass(frozen=True)
class Plan:
    """What a download will do, before the first image is fetched.

    Attributes:
        out: the folder.
        names: the classes in the folder after the download, code -> name.
        indexes: split -> its boxes, of all splits with images.
        images: the chosen images, in the order in which they are fetched.
        missing: the number of them that are not in the folder yet.
    """

    out: Path
    names: dict[str, str]
    indexes: dict[str, Index]
    images: tuple[Image, ...]
    missing: int

    @property
    def estimated_bytes(self) -> int:
        """The size of the missing images, by the average of Open Images."""
        return self.missing * IMAGE_BYTES


@dataclass(frozen=True)
class Downloaded:
    """The result of a download.

    Attributes:
        out: the folder.
        images, boxes: the number of annotated images and of boxes in it, by split.
        classes: the names of the classes.
        failures: the images that did not come.
    """

    out: Path
    images: dict[str, int]
    boxes: dict[str, int]
    classes: tuple[str, ...]
    failures: tuple[Failure, ...]


class Lists:
    """The lists of a version of Open Images, each downloaded when it is first needed.

    Args:
        version: `v4` to `v7`.
        show: shows the progress of a download with this name and address.
    """

    def __init__(self, version: str = NEWEST, show: Show = _silent) -> None:
        check_choice("version", version, VERSIONS)
        self._version, self._show = version, show

    def classes(self) -> Classes:
        """The classes with boxes.

        Raises:
            DataError: BW177 the list cannot be downloaded, or is something else.
        """
        return _small(classes_path(self._version), Classes.parse)

    def with_children(self, codes: Sequence[str]) -> list[str]:
        """The codes and those of the classes below them. Raises as `classes`."""
        return _small(HIERARCHY, lambda text: with_children(text, codes))

    def boxes(self, split: str) -> Index:
        """The boxes of a split. Raises as `indexed`."""
        url = list_url(boxes_path(self._version, split))
        with self._show(f"the boxes of {split}", url) as progress:
            return indexed(url, _place(url), hosts(), progress)


def choose_images(
    lists: Lists,
    classes: Sequence[str] = (),
    split: str = "train",
    *,
    images: str | Path | None = None,
    children: bool = False,
    limit: int | None = None,
    per_class: int | None = None,
    seed: int = 0,
) -> Chosen:
    """Choose images of Open Images.

    Args:
        lists: where classes and boxes are looked up.
        classes: names or codes, or .txt files of them; none with `images` means all.
        split: `train`, `validation`, `test` or `all`.
        images: a file of lines such as `train/0a1b2c3d4e5f6071`, instead of choosing by class.
        children: also the classes below these in the hierarchy.
        limit: images of each split, at most.
        per_class: images of each class and split, at most.
        seed: of the random choice. A larger `limit` keeps the images of a smaller one.

    Raises:
        ArgumentError: BW802 neither classes nor images, BW803 no such class.
        DataError: BW177 a list cannot be downloaded, BW178 no image has such a box.
    """
    if not classes and images is None:
        raise ArgumentError("BW802", "classes are missing: name some, such as --classes Apple.")
    check_choice("split", split, (*SPLITS, ALL))
    known = lists.classes()
    codes = known.codes_of(classes)
    if children:
        codes = [code for code in lists.with_children(codes) if code in known.names]
    listed = read_image_list(Path(images)) if images is not None else []
    asked = SPLITS if split == ALL else (split,)
    splits = dict.fromkeys(image.split for image in listed) if images is not None else asked
    indexes = {each: lists.boxes(each) for each in splits}
    chosen = listed
    if images is None:
        chosen = [
            Image(each, f"{number:016x}")
            for each, index in indexes.items()
            for number in choose(index, codes, limit=limit, per_class=per_class, seed=seed).tolist()
        ]
    if not chosen:
        names = ", ".join(known.names[code] for code in codes) or "any class"
        raise DataError("BW178", f"no image of {split} has a box of {names}.")
    return Chosen(known, tuple(codes), indexes, tuple(chosen))


def plan(lists: Lists, chosen: Chosen, out: str | Path) -> Plan:
    """Plan the download of chosen images to a folder.

    Args:
        lists: those the images were chosen from.
        chosen: the images.
        out: a new or empty folder, or one of an earlier download, which is extended.

    Raises:
        DataError: BW177 a list cannot be downloaded.
    """
    out = Path(out)
    codes = list(dict.fromkeys([*codes_here(out), *chosen.codes])) or list(chosen.classes.names)
    names = {code: chosen.classes.names.get(code, code) for code in codes}
    others = [each for each in SPLITS if each not in chosen.indexes]
    indexes = dict(chosen.indexes)
    indexes.update({each: lists.boxes(each) for each in others if len(images_here(out, each))})
    missing = sum(not (out / image.file).is_file() for image in chosen.images)
    return Plan(out, names, indexes, chosen.images, missing)


def check_out(out: str | Path) -> None:
    """Refuse a folder that has something else than an earlier download.

    Raises:
        DataError: BW194.
    """
    out = Path(out)
    if out.exists() and not is_download(out) and (out.is_file() or any(out.iterdir())):
        raise DataError("BW194", "already exists and is not a download.", where=out.absolute())


def fetch(plan: Plan, threads: int = THREADS, told: Told = lambda *_: None) -> Downloaded:
    """Download the images of a plan, and write the boxes of all images in the folder.

    Images that are there are not downloaded again. Those that fail are listed in failed.txt.

    Raises:
        SystemFaultError: BW902, BW903 the folder cannot be written.
    """
    out = plan.out
    write_classes(out, plan.names)
    failures = fetch_images(plan.images, out, threads, told)
    if failures:
        lines = (f"{failure.image} # {failure.reason}\n" for failure in failures)
        write_text(out / FAILED, "".join(lines))
    else:
        (out / FAILED).unlink(missing_ok=True)
    counts = {
        split: write_boxes(out, split, index, plan.names) for split, index in plan.indexes.items()
    }
    return Downloaded(
        out,
        {split: images for split, (images, _) in counts.items()},
        {split: boxes for split, (_, boxes) in counts.items()},
        tuple(plan.names.values()),
        tuple(failures),
    )


def _small(path: str, parse: Callable[[str], T]) -> T:
    """A small list, parsed; it is kept in the cache if that works.

    Raises:
        DataError: BW177 it cannot be downloaded or parsed.
    """
    url = list_url(path)
    place = _place(url)
    try:
        if place.is_file():
            return parse(place.read_text(encoding="utf-8", errors="replace"))
        content = b"".join(Stream(url, hosts=hosts(), max_bytes=MAX_LIST))
        parsed = parse(content.decode("utf-8", "replace"))
    except (DownloadError, ValueError) as error:
        raise failed(url, str(error)) from error
    with in_cache(), writing(place) as draft:
        draft.write_bytes(content)
    return parsed


def _place(url: str) -> Path:
    """Where the cache keeps what comes from an address."""
    key = hashlib.sha256(url.encode()).hexdigest()[:16]
    return cache_folder() / "openimages" / f"{Path(urlsplit(url).path).stem}-{key}"
