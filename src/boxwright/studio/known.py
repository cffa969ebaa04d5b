"""What the studio knows about the labels of each image without opening their files again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from boxwright.formats.annotations import Labeled

State = Literal["new", "labeled", "verified", "aside"]
LABELED = frozenset[State](("labeled", "verified"))
DIGITS = re.compile(r"([0-9]+)")


@dataclass(frozen=True)
class ImageRow:
    """An image in a list: its state, number of boxes, and classes."""

    index: int
    name: str
    state: State
    boxes: int
    classes: tuple[str, ...]

    @property
    def is_labeled(self) -> bool:
        """Someone has looked at it, and it is not set aside."""
        return self.state in LABELED


@dataclass(frozen=True)
class Summary:
    """What a list of images says about one with labels: the class of each box, and if verified."""

    names: tuple[str, ...]
    verified: bool


class Known:
    """A summary of the labels of each image that has some.

    Args:
        paired: image -> its annotation, with the label file's path if there is such a file.
        unread: nobody has read these files yet.

    Attributes:
        unread: the images with a label file that nobody has read yet.
    """

    def __init__(self, paired: Mapping[str, Labeled], *, unread: bool) -> None:
        labeled = {image: one for image, one in paired.items() if one.path}
        self.unread = set(labeled) if unread else set[str]()
        self._summaries: dict[str, Summary] = {}
        if not unread:
            for image, one in labeled.items():
                self.note(image, one)

    def __contains__(self, image: str) -> bool:
        """True if the image has labels."""
        return image in self._summaries or image in self.unread

    def __getitem__(self, image: str) -> Summary | None:
        return self._summaries.get(image)

    def __iter__(self) -> Iterator[tuple[str, Summary]]:
        return iter(self._summaries.items())

    def note(self, image: str, one: Labeled | None) -> None:
        """Note what the labels of an image say; None if it has none, or damaged ones."""
        self.unread.discard(image)
        if one is None:
            self._summaries.pop(image, None)
        else:
            self._summaries[image] = Summary(tuple(one.names), one.verified)

    def rename(self, old: str, new: str) -> None:
        """Note that boxes of one class are of another."""
        for image, one in self._summaries.items():
            if old in one.names:
                names = tuple(new if name == old else name for name in one.names)
                self._summaries[image] = Summary(names, one.verified)


def as_read(name: str) -> list[object]:
    """A key that sorts names as people read them: 2 before 10."""
    parts = DIGITS.split(name)
    return [part if i % 2 == 0 else int(part) for i, part in enumerate(parts)]
