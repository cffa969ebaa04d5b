"""How the labels of many images are rewritten together."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from boxwright.errors import BoxwrightError
from boxwright.formats.records import RecordFile


class Rewriting(Protocol):
    """What becomes of files and labels.

    Attributes:
        back: labels that become what they were before the last edit are so because it is undone.
    """

    @property
    def back(self) -> bool: ...

    def relist(self, path: str, file: RecordFile) -> bool:
        """Change the list of classes in a file with many records; True if that may change it. It is
        called before the labels are rewritten, which may be by name, and after it."""

    def relabeled(self, image: str, content: bytes | None) -> bytes | None:
        """The labels of an image after the change. Raises DataError: they cannot be changed."""


class Rewritten(NamedTuple):
    """The labels of an image after a rewriting.

    Attributes:
        image: its path below the root; a label file if its list of classes alone was the matter.
        before, after: its labels.
        error: why they could not be changed.
    """

    image: str
    before: bytes | None = None
    after: bytes | None = None
    error: BoxwrightError | None = None

    @property
    def is_changed(self) -> bool:
        return self.before != self.after
