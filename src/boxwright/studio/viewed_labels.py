"""Labels that are shown and not edited, in any format that is read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from boxwright.errors import DataError
from boxwright.formats.annotations import Labeled
from boxwright.formats.editing import Edit
from boxwright.formats.folder import split_path
from boxwright.formats.ownership import Ownership
from boxwright.studio.rewriting import Rewriting, Rewritten


class ViewedLabels:
    """The labels as the reader of the format found them: both the files and the editor of a
    LabelStore, without any edit.

    Args:
        own: the annotations with their images.
    """

    def __init__(self, own: Ownership) -> None:
        self._paired = {image: one for image, one in own.paired.items() if one.path}

    def get(self, image: str) -> bytes | None:
        """What stands for the labels of an image, its name; None if it has none."""
        return image.encode("utf-8", "surrogateescape") if image in self._paired else None

    def labeled(self, content: bytes | None, path: str) -> Labeled:
        """The annotation that `get` stands for."""
        if content is None:
            return Labeled(path)
        return self._paired[content.decode("utf-8", "surrogateescape")]

    def path(self, image: str) -> str:
        """The label file of an image, below the root."""
        return self._paired[image].path if image in self._paired else image

    def name(self, image: str) -> str:
        """The name of an image without its folder."""
        return split_path(image)[1]

    def changed(self) -> Iterator[str]:
        """What others change is not looked for."""
        return iter(())

    def flush(self) -> None:
        """Nothing waits to be written."""

    def put(self, image: str, content: bytes | None) -> bytes | None:
        """Raises DataError: BW185."""
        raise read_only()

    def listed(self, name: str) -> dict[str, list[Any]]:
        """Raises DataError: BW185."""
        raise read_only()

    def rewrite(self, images: Iterable[str], rewriting: Rewriting) -> Iterator[Rewritten]:
        """Raises DataError: BW185."""
        raise read_only()

    def goes_along(self, image: str) -> str | None:
        """Raises DataError: BW185."""
        raise read_only()

    def edited(self, content: bytes | None, path: str, edit: Edit) -> bytes:
        """Raises DataError: BW185."""
        raise read_only()


def read_only() -> DataError:
    """The answer to whoever wants to change something."""
    return DataError("BW185", "these labels are only shown here, and cannot be changed.")
