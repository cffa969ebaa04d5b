"""The label files of a folder, in formats with a file for each image."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

from boxwright.errors import BoxwrightError, DataError
from boxwright.formats.editing import LabelEditor, LabelPaths
from boxwright.formats.folder import ASIDE, Folder, join, split_path
from boxwright.formats.ownership import Ownership
from boxwright.io.files import Signature, remove, signature, write_bytes
from boxwright.studio.aside import Aside
from boxwright.studio.rewriting import Rewriting, Rewritten

VISITED = 2000  # files that one question for changes looks at


class LabelFiles:
    """The bytes of the labels of each image.

    Args:
        folder: the images.
        own: their annotations.
        editor: of the format.
        aside: images that are set aside.
    """

    def __init__(self, folder: Folder, own: Ownership, editor: LabelEditor, aside: Aside) -> None:
        self.root, self.editor = folder.root, editor
        self._own, self._aside = own, aside
        self._known = {image: one.path for image, one in own.paired.items() if one.path}
        self._owners = {path: image for image, path in self._known.items()}
        self._images = sorted({*folder.image_paths(), *aside})
        self._rule = LabelPaths(self._known, self._images)
        self._opened = time.time_ns()
        self._seen: dict[str, Signature] = {}
        self._next = 0

    def path(self, image: str) -> str:
        """The label file of an image, below the root; it need not exist.

        Raises:
            DataError: BW180 it is that of another image.
        """
        if image not in self._known:
            path = self._rule.of(image, self.editor)
            owner = self._owners.setdefault(path, image)
            if owner != image:
                message = f"its label file {path} is that of {owner}."
                raise DataError("BW180", message, where=image)
            self._known[image] = path
        path = self._known[image]
        return join(ASIDE, path) if image in self._aside else path

    def get(self, image: str) -> bytes | None:
        """The labels of an image as they are on the disk; None if it has none.

        Raises:
            DataError: BW160 they cannot be read, BW179 they are in several files, BW180.
        """
        self._own.check_one(image)
        path = self.root / self.path(image)
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            message = f"cannot be read ({error.strerror or error})."
            raise DataError("BW160", message, where=path) from error

    def name(self, image: str) -> str:
        """The name of an image in its label file, which is that of the image alone."""
        return split_path(image)[1]

    def put(self, image: str, content: bytes | None) -> bytes | None:
        """Write the labels of an image; they are on the disk when it returns.

        Returns:
            The labels as they are now.

        Raises:
            SystemFaultError: BW902, BW903.
        """
        path = self.root / self.path(image)
        if content is None:
            remove(path)
        else:
            write_bytes(path, content)
        self._seen[image] = signature(path)
        return content

    def listed(self, name: str) -> dict[str, list[Any]]:
        """Such files have no lists of classes."""
        return {}

    def rewrite(self, images: Iterable[str], rewriting: Rewriting) -> Iterator[Rewritten]:
        """Rewrite the labels of these images, each for itself."""
        for image in images:
            try:
                before = self.get(image)
                after = rewriting.relabeled(image, before)
                if after != before:
                    self.put(image, after)
            except BoxwrightError as error:
                yield Rewritten(image, error=error)
            else:
                yield Rewritten(image, before, after)

    def goes_along(self, image: str) -> str | None:
        """The label file that is moved with an image; None if there is none."""
        path = self.path(image)
        return path if (self.root / path).exists() else None

    def changed(self) -> Iterator[str]:
        """The images whose label files others have changed, of the next ones in turn."""
        count = len(self._images)
        for _ in range(min(VISITED, count)):
            image = self._images[self._next % count]
            self._next += 1
            try:
                now = signature(self.root / self.path(image))
            except DataError:
                continue
            before = self._seen.get(image, _UNSEEN)
            self._seen[image] = now
            if before is _UNSEEN:
                if now is not None and now[0] > self._opened:
                    yield image
            elif now != before:
                yield image

    def flush(self) -> None:
        """Nothing waits to be written."""


_UNSEEN = (-1, -1, -1)
