"""Download images of some classes of Open Images with their boxes, in the official layout.

A folder can be extended: a later download adds its images and classes to those that are there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from boxwright.errors import ArgumentError, DataError, check_choice
from boxwright.io.scratch import is_scratch
from boxwright.openimages.classes import Classes
from boxwright.openimages.fetching import (
    THREADS,
    Failure,
    Image,
    Told,
    fetch_images,
    list_failures,
    read_image_list,
    refused,
)
from boxwright.openimages.index import Index
from boxwright.openimages.kinds import FLAGS
from boxwright.openimages.lists import Lists
from boxwright.openimages.selection import choose, choose_absent
from boxwright.openimages.sources import ALL, IMAGE_BYTES, NEWEST, SPLITS
from boxwright.openimages.writing import (
    codes_here,
    images_here,
    is_download,
    write_boxes,
    write_classes,
    write_image_list,
    write_labels,
)


@dataclass(frozen=True)
class Chosen:
    """Images that were chosen.

    Attributes:
        classes: all classes with boxes.
        codes: the chosen classes; none means all.
        indexes: split -> its boxes, of the splits of the images.
        images: in the order in which they are fetched.
        where: the flags that boxes need, such as `{"IsDepiction": 0}`.
        refused: names in the lists that cannot be those of images.
    """

    classes: Classes
    codes: tuple[str, ...]
    indexes: dict[str, Index]
    images: tuple[Image, ...]
    where: Mapping[str, int] = field(default_factory=dict)
    refused: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What a download will do, before the first image is fetched.

    Attributes:
        out: the folder.
        names: the classes in the folder after the download, code -> name.
        indexes: split -> its boxes, of all splits with images.
        labels: split -> the classes that people looked for in its images.
        image_lists: split -> the file of the images' authors and licenses.
        images: the chosen images, in the order in which they are fetched.
        missing: the number of them that are not in the folder yet.
        where: the flags that boxes need; others become groups.
        refused: names in the lists that cannot be those of images.
    """

    out: Path
    names: dict[str, str]
    indexes: dict[str, Index]
    labels: dict[str, Index]
    image_lists: dict[str, Path]
    images: tuple[Image, ...]
    missing: int
    where: Mapping[str, int] = field(default_factory=dict)
    refused: tuple[Failure, ...] = ()

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


def choose_images(
    lists: Lists,
    classes: Sequence[str] = (),
    split: str = "train",
    *,
    images: str | Path | None = None,
    children: bool = False,
    where: Mapping[str, int] | None = None,
    negatives: int = 0,
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
        where: flag -> value, such as `{"IsDepiction": 0}`: an image needs a box of a class that
            has all of these.
        negatives: further images of each split, at most, in which people looked for a class and
            found none.
        limit: images of each split with a box, at most.
        per_class: images of each class and split, at most.
        seed: of the random choice. A larger `limit` keeps the images of a smaller one.

    Raises:
        ArgumentError: BW802 neither classes nor images, BW803 no such class.
        DataError: BW177 a list cannot be downloaded, BW178 no image has such a box.
    """
    if not classes and images is None:
        raise ArgumentError("BW802", "classes are missing: name some, such as --classes Apple.")
    check_choice("split", split, (*SPLITS, ALL))
    if negatives and images is not None:
        raise ArgumentError("BW802", "a list of images cannot have negatives too.")
    for name, value in (where or {}).items():
        check_choice("a flag", name, FLAGS)
        check_choice(name, value, (0, 1))
    known = lists.classes()
    codes = known.codes_of(classes)
    if children:
        codes = [code for code in lists.with_children(codes) if code in known.names]
    listed, others = read_image_list(Path(images)) if images is not None else ([], [])
    asked = SPLITS if split == ALL else (split,)
    splits = dict.fromkeys(image.split for image in listed) if images is not None else asked
    indexes = {each: lists.boxes(each) for each in splits}
    chosen = listed
    if images is None:
        others = refused_names(indexes, codes)
        chosen = [
            Image(each, f"{number:016x}")
            for each, index in indexes.items()
            for number in choose(
                index, codes, where=where, limit=limit, per_class=per_class, seed=seed
            ).tolist()
        ]
        if negatives and chosen:
            chosen += [
                Image(each, f"{number:016x}")
                for each, index in indexes.items()
                for number in choose_absent(
                    lists.labels(each), index, codes, negatives, seed
                ).tolist()
            ]
    if not chosen:
        names = ", ".join(known.names[code] for code in codes) or "any class"
        with_flags = " with these flags" if where else ""
        raise DataError("BW178", f"no image of {split} has a box of {names}{with_flags}.")
    return Chosen(known, tuple(codes), indexes, tuple(chosen), where or {}, tuple(others))


def refused_names(indexes: Mapping[str, Index], codes: Sequence[str]) -> list[Failure]:
    """What the rows of these classes have instead of an ImageID."""
    return refused(
        f"{split}/{name}" for split, index in indexes.items() for name in index.refused_of(codes)
    )


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
    labels = {each: lists.labels(each) for each in indexes}
    image_lists = {each: lists.images(each) for each in indexes}
    parts = (out, names, indexes, labels, image_lists)
    return Plan(*parts, chosen.images, missing, chosen.where, chosen.refused)


def check_out(out: str | Path) -> None:
    """Refuse a folder that has something else than an earlier download, of which there may be only
    a temporary folder if it was killed at once.

    Raises:
        DataError: BW194.
    """
    out = Path(out)
    if is_download(out) or not out.exists():
        return
    if out.is_file() or not all(is_scratch(Path(each.name)) for each in out.iterdir()):
        raise DataError("BW194", "already exists and is not a download.", where=out.absolute())


def fetch(plan: Plan, threads: int = THREADS, told: Told = lambda *_: None) -> Downloaded:
    """Download the images of a plan, and write what is known about all images in the folder: boxes,
    verified classes, authors and licenses.

    Images that are there are not downloaded again. Those that fail are listed in failed.txt.

    Raises:
        SystemFaultError: BW902, BW903 the folder cannot be written.
    """
    out = plan.out
    write_classes(out, plan.names)
    targets = {image: out / image.file for image in plan.images}
    failures = [*fetch_images(targets, threads, told), *plan.refused]
    list_failures(out, failures)
    images, boxes = {}, {}
    for split, index in plan.indexes.items():
        boxed, boxes[split] = write_boxes(out, split, index, plan.names, plan.where)
        looked_at = write_labels(out, split, plan.labels[split], plan.names)
        images[split] = len(boxed | looked_at)
        write_image_list(out, split, plan.image_lists[split])
    return Downloaded(out, images, boxes, tuple(plan.names.values()), tuple(failures))


def download_openimages(
    classes: Sequence[str],
    out: str | Path,
    split: str = SPLITS[0],
    *,
    version: str = NEWEST,
    threads: int = THREADS,
    told: Told = lambda *_: None,
    **choice: Any,
) -> Downloaded:
    """Download images of some classes of Open Images, with their boxes, in the official layout.

        >>> fruit = boxwright.download_openimages(["Apple", "Orange"], "fruit", limit=200)
        >>> print(fruit.images, fruit.boxes, len(fruit.failures))
        >>> boxwright.train("fruit", budget="2m")

    Images that are there are not downloaded again. Those that fail are in `failures`, and in the
    file failed.txt. Unlike the command, it does not ask before a large download.

    Args:
        classes: names or codes, or .txt files of them.
        out: a new or empty folder, or one of an earlier download, which is extended.
        split: `train`, `validation`, `test` or `all`.
        version: of the annotations, `v4` to `v7`.
        threads: images downloaded at once.
        told: called with the number of images so far, of all images, and of bytes so far.
        choice: options of `choose_images`, such as `limit`, `where` and `negatives`.

    Raises:
        ArgumentError: BW802 classes are missing, BW803 no such class.
        DataError: BW177 a list cannot be downloaded, BW178 no image has such a box, BW194 the
            folder has something else.
        SystemFaultError: BW902, BW903 the folder cannot be written.
    """
    check_out(out)
    lists = Lists(version)
    return fetch(plan(lists, choose_images(lists, classes, split, **choice), out), threads, told)
