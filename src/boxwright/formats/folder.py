"""A data folder, walked once: its images and its other files."""

from __future__ import annotations

import os
import posixpath
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from itertools import takewhile
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.archives import only_folder, unpacked
from boxwright.images.decoding import is_image
from boxwright.images.kinds import UNOPENED
from boxwright.io.archive import is_archive
from boxwright.structures.labels import closest_name

Parts = tuple[str, ...]

ASIDE = "_aside_"  # images that someone set aside in the studio
# One of several files that together have the same records.
SHARD = re.compile(r"(.*-)(\d{1,6})-of-(\d{1,6})(\.\w+)?", re.IGNORECASE | re.DOTALL)
NOT_DATA = frozenset({"__MACOSX", "__pycache__", "node_modules", ASIDE})


@dataclass(frozen=True)
class Folder:
    """The files below `root`. Every path is relative to it, with forward slashes.

    Attributes:
        root: the data folder.
        images: folder -> names of the images in it, sorted; the root itself is "".
        files: lower-case suffix such as ".xml" -> paths of the other files, sorted; those without
            a suffix have "".
        archive: the archive that the folder was unpacked from.
    """

    root: Path
    images: dict[str, list[str]] = field(repr=False)
    files: dict[str, list[str]] = field(repr=False)
    archive: Path | None = None

    @classmethod
    def scan(cls, path: str | Path) -> Folder:
        """Walk a folder and skip hidden files and folders, pipes and devices.

        For one annotation file, the result is its folder with this file as the only annotation,
        and for a pattern of shards all of these.
        For a zip or tar archive, it is the folder of its unpacked copy.

        Raises:
            DataError: BW115 the folder or file does not exist or cannot be opened; BW172 to BW175
                the archive cannot be unpacked.
            SystemFaultError: BW902, BW903 the archive's copy cannot be written.
        """
        root = Path(path)
        try:
            annotations = _files_of(root)
            if annotations and not is_image(root.with_name(annotations[0])):
                if is_archive(root.with_name(annotations[0])):
                    return cls._of(only_folder(unpacked(root), NOT_DATA), root)
                around = cls._of(root.parent)
                files: dict[str, list[str]] = {}
                for name in annotations:
                    files.setdefault(Path(name).suffix.lower(), []).append(name)
                return cls(root.parent, around.images, files)
            if not root.is_dir():
                raise _no_such_folder(root)
            return cls._of(root)
        except OSError as error:
            raise DataError(
                "BW115",
                f"the folder cannot be opened ({error.strerror or error}).",
                where=error.filename or root.absolute(),
            ) from error

    @classmethod
    def _of(cls, root: Path, archive: Path | None = None) -> Folder:
        images: dict[str, list[str]] = {}
        files: dict[str, list[str]] = {}
        for parent, names in _walk(str(root)):
            for name in names:
                if is_image(name):
                    images.setdefault(parent, []).append(name)
                else:
                    _, dot, suffix = name.rpartition(".")
                    key = (dot + suffix).lower() if dot else ""
                    files.setdefault(key, []).append(join(parent, name))
        return cls(root, images, files, archive)

    def with_suffix(self, *suffixes: str) -> list[str]:
        """The paths of the files with one of these suffixes: `folder.with_suffix(".xml")`."""
        return [path for suffix in suffixes for path in self.files.get(suffix, [])]

    def without(self, paths: Collection[str]) -> Folder:
        """The folder as if these files were not in it."""
        files = {
            suffix: [path for path in own if path not in paths]
            for suffix, own in self.files.items()
        }
        return replace(self, files=files)

    def inside(self, place: str | Path) -> str:
        """A path below the root, relative to it; others are unchanged."""
        path = Path(place)
        is_below = path.is_relative_to(self.root)
        return path.relative_to(self.root).as_posix() if is_below else str(place)

    def unopened(self, names: Collection[str] = ()) -> Folder:
        """The images in formats that are not opened, as the images of a folder.

        Args:
            names: `folded` names of more files to take for images.
        """
        images: dict[str, list[str]] = {}
        for suffix, paths in self.files.items():
            for parent, name in map(split_path, paths):
                if suffix in UNOPENED or folded(name) in names:
                    images.setdefault(parent, []).append(name)
        return Folder(self.root, images, {})

    def image_paths(self) -> Iterator[str]:
        """The images, by their paths below the root."""
        return (join(parent, name) for parent, names in self.images.items() for name in names)

    @property
    def image_count(self) -> int:
        return sum(len(names) for names in self.images.values())


def join(parent: str, name: str) -> str:
    """`name` in the folder `parent`, where "" is the root."""
    return f"{parent}/{name}" if parent else name


def _files_of(path: Path) -> list[str]:
    """The name of a file, or those of all shards of which a path, with `?` for digits, is a
    pattern; none if there is no such file. Raises OSError."""
    if path.is_file():
        return [path.name]
    pattern = SHARD.fullmatch(path.name.replace("?", "0")) if "?" in path.name else None
    if pattern is None or not path.parent.is_dir():
        return []
    others = filter(None, map(SHARD.fullmatch, os.listdir(path.parent)))  # noqa: PTH208
    return sorted(each[0] for each in others if each.group(1, 3, 4) == pattern.group(1, 3, 4))


def with_slashes(path: str) -> str:
    """A stated path with forward slashes, which programs on Windows write as backslashes."""
    return path.replace("\\", "/")


def split_path(path: str) -> tuple[str, str]:
    """A path's folder and name: the inverse of `join`."""
    parent, _, name = path.rpartition("/")
    return parent, name


def parts(path: str) -> Parts:
    """The names in a path, outermost first; the root has none."""
    return tuple(path.split("/")) if path else ()


def shared_start(first: Parts, second: Parts) -> int:
    """Number of equal parts at the start of both."""
    equal = (a == b for a, b in zip(first, second, strict=False))
    return sum(takewhile(bool, equal))


def shared_end(first: Parts, second: Parts) -> int:
    """Number of equal parts at the end of both."""
    return shared_start(first[::-1], second[::-1])


def outwards(parent: str) -> list[str]:
    """`parent`, its parent folder, and so on up to the root, which is ""."""
    names = parts(parent)
    return ["/".join(names[:depth]) for depth in range(len(names), -1, -1)]


def relative(name: str, folder: str) -> str:
    """A path below the root, relative to a folder below the root."""
    return posixpath.relpath(f"/{name}", f"/{folder}")


def stem(name: str) -> str:
    """A file name without its suffix."""
    return name.rpartition(".")[0] or name


def folded(name: str) -> str:
    """The name normalized for systems that ignore case or Unicode forms."""
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


def _walk(root: str) -> Iterator[tuple[str, list[str]]]:
    """Folders below `root`, outermost first, with the names of their files, sorted."""
    waiting = [""]
    seen: set[str] = set()
    while waiting:
        parent = waiting.pop()
        real = os.path.realpath(f"{root}/{parent}")
        if real in seen:  # a link may lead back to a folder above it
            continue
        seen.add(real)
        names: list[str] = []
        folders: list[str] = []
        with os.scandir(f"{root}/{parent}") as entries:
            for entry in entries:
                if entry.name.startswith(".") or entry.name in NOT_DATA:
                    continue
                if entry.is_dir():
                    folders.append(entry.name)
                elif entry.is_file() or not os.path.exists(entry):  # noqa: PTH110 - it is a link
                    names.append(entry.name)  # a pipe or a device may never end
        waiting.extend(join(parent, name) for name in sorted(folders, reverse=True))
        yield parent, sorted(names)


def _no_such_folder(path: Path) -> DataError:
    path = path.absolute()
    if path.is_file():
        return DataError("BW115", "is an image, not a folder of labeled images.", where=path)
    nearest = parent = None
    for there in path.parents:
        if there.is_dir():
            missing = path.relative_to(there).parts[0]
            folders = (entry.name for entry in os.scandir(there) if entry.is_dir())
            near = closest_name(missing, folders)
            nearest, parent = (there / near, None) if near else (None, there)
            break
    return DataError(
        "BW115", "there is no such folder.", where=path, nearest=nearest, parent=parent
    )
