"""Comparisons of file names: as they are, and as labeling tools change them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple
from urllib.parse import unquote

from boxwright.formats.folder import folded

UPLOADED = re.compile(r"^[0-9a-f]{8}-(?=.)")  # Label Studio puts it before uploaded images
SPECIAL = re.compile(r"[^\w.-]")


def _same(name: str) -> tuple[str, ...]:
    """The one key of a name that is compared as it is, but for case and Unicode form."""
    return (folded(name),)


def _original(name: str) -> tuple[str, ...]:
    """The keys of a file whose name a tool may have changed, see `_renamed`."""
    plain = folded(unquote(name))
    return (f"={plain}", *(f"~{each}" for each in _changed(plain)))


def _renamed(name: str) -> tuple[str, ...]:
    """The keys of a name that a tool may have changed.

    It shares one with `_original` if either name is a changed form of the other: percent-encoded,
    special characters replaced by underscores or dropped, or Label Studio's prefix of uploads.
    """
    plain = folded(unquote(name))
    bare = UPLOADED.sub("", plain)
    changed = (f"={each}" for each in _changed(plain))
    return (f"={plain}", f"~{plain}", f"={bare}", f"~{bare}", *changed)


def is_changeable(name: str) -> bool:
    """True if tools may write another name for this one."""
    return "%" in name or bool(_changed(folded(name)))


def _changed(plain: str) -> dict[str, None]:
    forms = (
        SPECIAL.sub("_", plain),
        SPECIAL.sub("", plain.replace(" ", "_")),
    )
    return dict.fromkeys(each for each in forms if each != plain)


class Comparison(NamedTuple):
    """A way to compare the name of a file with a stated one: they match if they share a key.

    Attributes:
        of_file: the keys of a file's name.
        of_stated: the keys of a stated name.
    """

    of_file: Callable[[str], tuple[str, ...]]
    of_stated: Callable[[str], tuple[str, ...]]

    def match(self, stated: str, found: str) -> bool:
        """True if a stated name may be that of the file `found`."""
        return not {*self.of_stated(stated)}.isdisjoint(self.of_file(found))


SAME = Comparison(_same, _same)
CHANGED = Comparison(_original, _renamed)
