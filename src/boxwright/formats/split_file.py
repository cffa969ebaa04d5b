"""The split file: a small text file beside the images with the frozen split of each image.

    # boxwright.split version=1 seed=0 test=0.2 val=0.0
    train clip 01/frame 0001.jpg
    test holiday.jpg

Names are relative to the file's folder, with forward slashes. A name that does not fit on a line,
such as one with a line break, is written as a JSON string.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from boxwright.errors import DataError
from boxwright.formats.folder import folded
from boxwright.io.files import write_text
from boxwright.io.text import decoded
from boxwright.structures.dataset import Split

SPLIT_FILE = "boxwright.split"
VERSION = 1
_HEADER = re.compile(
    r"# boxwright\.split version=([0-9]{1,9})("
    r" seed=([0-9]{1,10}) test=([01]\.[0-9]+) val=([01]\.[0-9]+)(?: groups=(\".*\"))?)?.*"
)
_WORDS = {split.name.lower(): split for split in (Split.TRAIN, Split.VAL, Split.TEST)}


@dataclass(frozen=True)
class SplitFile:
    """A frozen split.

    Attributes:
        splits: image -> its split.
        seed: random seed.
        test, val: the requested fractions, 0 to 1.
        groups: how groups of images were declared; empty if they were not.
    """

    splits: dict[str, Split] = field(repr=False)
    seed: int = 0
    test: float = 0.2
    val: float = 0.0
    groups: str = ""

    @classmethod
    def read(cls, folder: str | Path) -> SplitFile | None:
        """Read the split file of a folder; None if there is none.

        Raises:
            DataError: BW146 it cannot be used; the message has the line and reason. BW160 it is
                not text.
        """
        path = Path(folder) / SPLIT_FILE
        try:
            if not path.exists():
                return None
            if not path.is_file():
                raise _broken(path, "is not a file")
            content = path.read_bytes()
        except OSError as error:
            raise _broken(path, f"cannot be read ({error.strerror or error})") from error
        return cls._of(decoded(content, path).split("\n"), path)

    @classmethod
    def _of(cls, lines: Sequence[str], path: Path) -> SplitFile:
        header = _HEADER.fullmatch(lines[0])
        if header is None:
            raise _broken(f"{path}:1", "does not begin with the header of a split file")
        version, rest, seed, test, val, groups = header.groups()
        if int(version) != VERSION:
            message = f"has version {version}, but this Boxwright reads version {VERSION}"
            raise _broken(f"{path}:1", message)
        if rest is None:
            raise _broken(f"{path}:1", "does not record how the split was made")
        splits: dict[str, Split] = {}
        for number, line in enumerate(lines[1:], start=2):
            if not line.strip():
                continue
            word, _, rest = line.partition(" ")
            name = _unquoted(rest)
            if word not in _WORDS or not name:
                raise _broken(
                    f"{path}:{number}", f"'{line.strip()[:60]}' is not a split and an image"
                )
            if splits.setdefault(name, _WORDS[word]) is not _WORDS[word]:
                message = f"{name} is already in {splits[name].name.lower()}"
                raise _broken(f"{path}:{number}", message)
        user_groups = _unquoted(groups or "")
        return cls(splits, int(seed), float(test), float(val), user_groups)

    def write(self, folder: str | Path) -> Path:
        """Write it to a folder, images in alphabetical order. Raises SystemFaultError."""
        test, val = (float(round(fraction, 4)) for fraction in (self.test, self.val))
        header = f"# {SPLIT_FILE} version={VERSION} seed={self.seed} test={test} val={val}"
        if self.groups:
            header += f" groups={json.dumps(self.groups)}"
        splits = sorted(self.splits.items())
        lines = [f"{split.name.lower()} {_quoted(name)}" for name, split in splits]
        path = Path(folder) / SPLIT_FILE
        write_text(path, "\n".join([header, *lines, ""]))
        return path

    def split_of(self, images: Sequence[str]) -> list[Split]:
        """The split of each image; UNASSIGNED if the split file does not list it."""
        by_folded = {folded(name): split for name, split in self.splits.items()}
        return [
            self.splits.get(image, by_folded.get(folded(image), Split.UNASSIGNED))
            for image in images
        ]


def _quoted(name: str) -> str:
    plain = name.isprintable() and name == name.strip() and not name.startswith('"')
    return name if plain else json.dumps(name)


def _unquoted(text: str) -> str:
    """The name that `_quoted` wrote; empty if it is not one."""
    if not text.startswith('"'):
        return text.strip()
    try:
        name = json.loads(text)
    except ValueError:
        return ""
    return name if isinstance(name, str) else ""


def _broken(where: str | Path, reason: str) -> DataError:
    message = f"the split file cannot be used: {reason}."
    return DataError("BW146", message, where=where)
