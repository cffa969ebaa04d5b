"""The folder `_aside_`, which nothing reads: images that are set aside are moved there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.folder import ASIDE, Folder
from boxwright.io.files import move


class Aside:
    """The images of a folder that are set aside, by their paths in the folder.

    Args:
        root: the folder.
        images: those that are not set aside.
    """

    def __init__(self, root: Path, images: set[str]) -> None:
        self._root, self._folder = root, root / ASIDE
        self._images: set[str] = set()
        if self._folder.is_dir():
            self._images = {*Folder.scan(self._folder).image_paths()} - images

    def __contains__(self, image: str) -> bool:
        return image in self._images

    def __iter__(self) -> Iterator[str]:
        return iter(self._images)

    def path(self, image: str) -> Path:
        """The image file."""
        return (self._folder if image in self._images else self._root) / image

    def move(self, image: str, labels: str | None) -> None:
        """Set an image and its label file aside, or take them back: both, or none.

        Raises:
            DataError: BW180 another file is there already.
            SystemFaultError: BW902, BW903 they cannot be moved.
        """
        here, there = self._root, self._folder
        names = [image] if labels is None else [image, labels.removeprefix(f"{ASIDE}/")]
        if image in self._images:  # an image that is back has its labels, even if this is killed
            _move_all(names[::-1], there, here)
        else:
            _move_all(names, here, there)
        self._images ^= {image}


def _move_all(names: Sequence[str], before: Path, after: Path) -> None:
    for name in names:
        if (after / name).exists():
            message = f"would replace another file, {after / name}."
            raise DataError("BW180", message, where=before / name)
    for done, name in enumerate(names):
        try:
            move(before / name, after / name)
        except BaseException:
            for moved in names[:done]:
                move(after / moved, before / moved)
            raise
