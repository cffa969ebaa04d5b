"""The official lists of Open Images, each downloaded when it is first needed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from boxwright.errors import check_choice
from boxwright.io.cache import cache_folder, in_cache
from boxwright.io.download import ChangedError, DownloadError, Progress, Stream
from boxwright.io.faults import translating_os_errors
from boxwright.io.files import locked, put, write_text, writing
from boxwright.openimages.classes import Classes
from boxwright.openimages.hierarchy import with_children
from boxwright.openimages.index import Index, failed, indexed
from boxwright.openimages.kinds import BOXES, LABELS, Kind
from boxwright.openimages.sources import (
    ALL_CLASSES,
    HIERARCHY,
    NEWEST,
    VERSIONS,
    all_labels_path,
    boxes_path,
    classes_path,
    hosts,
    image_list_path,
    labels_path,
    list_url,
)

MAX_LIST = 1 << 24  # bytes of a list of classes
T = TypeVar("T")
Show = Callable[[str, str], AbstractContextManager[Progress]]  # of the download of a list


def _silent(name: str, url: str) -> AbstractContextManager[Progress]:
    return nullcontext(lambda received, total: None)


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

    def all_classes(self) -> Classes:
        """The classes of labels of images, with those that have no boxes. Raises as `classes`."""
        return _small(ALL_CLASSES, Classes.parse)

    def with_children(self, codes: Sequence[str]) -> list[str]:
        """The codes and those of the classes below them. Raises as `classes`."""
        return _small(HIERARCHY, lambda text: with_children(text, codes))

    def boxes(self, split: str) -> Index:
        """The boxes of a split. Raises as `indexed`."""
        return self._indexed(f"the boxes of {split}", boxes_path(self._version, split), BOXES)

    def labels(self, split: str) -> Index:
        """The classes with boxes that people looked for in the images of a split. Raises as
        `indexed`."""
        path = labels_path(self._version, split)
        return self._indexed(f"the verified classes of {split}", path, LABELS)

    def all_labels(self, split: str, by: str) -> Index:
        """All classes that humans, or machines, looked for in the images of a split. Raises as
        `indexed`."""
        return self._indexed(f"the {by} labels of {split}", all_labels_path(split, by), LABELS)

    def images(self, split: str) -> Path:
        """The list of the images of a split, with authors and licenses: a file in the cache.
        Raises as `classes`."""
        url = list_url(image_list_path(split))
        place = _place(url)
        with in_cache(), locked(place.with_suffix(".lock")):
            if not place.is_file():
                with self._show(f"authors and licenses of {split}", url) as progress:
                    _download(url, place, progress)
        return place

    def _indexed(self, name: str, path: str, kind: Kind) -> Index:
        url = list_url(path)
        with self._show(name, url) as progress:
            return indexed(url, _place(url), hosts(), progress, kind)


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


def _download(url: str, place: Path, progress: Progress) -> None:
    """Download a list to a file, and resume what an earlier call left."""
    part, mark = place.with_suffix(".part"), place.with_suffix(".version")
    try:
        _append(url, part, mark, progress)
    except ChangedError:
        part.unlink()
        _append(url, part, mark, progress)
    with translating_os_errors(place):
        part.replace(place)


def _append(url: str, part: Path, mark: Path, progress: Progress) -> None:
    with translating_os_errors(part):
        part.parent.mkdir(parents=True, exist_ok=True)
        file = part.open("ab", buffering=0)
    with file:
        begun = file.tell()
        version = mark.read_text(encoding="utf-8") if begun and mark.is_file() else ""
        stream = Stream(url, position=begun, version=version, hosts=hosts())
        try:
            for block in stream:
                if stream.version != version:
                    version = stream.version
                    write_text(mark, version)
                put(block, file, part)
                progress(stream.position, stream.total)
        except ChangedError:
            raise
        except DownloadError as error:
            raise failed(url, str(error)) from error


def _place(url: str) -> Path:
    """Where the cache keeps what comes from an address."""
    key = hashlib.sha256(url.encode()).hexdigest()[:16]
    return cache_folder() / "openimages" / f"{Path(urlsplit(url).path).stem}-{key}"
