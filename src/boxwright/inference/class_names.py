"""Class names from a separate file or a file's metadata, for detectors that contain none.

Names are written in many ways: one per line, with `???` or `n/a` for ids that are not used; lines
that begin with the id; a label map; data.yaml; the description in files of Ultralytics.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from boxwright.errors import DetectorError
from boxwright.io.text import decoded
from boxwright.structures.labels import read_label_map

LABEL_MAPS = {".pbtxt", ".pbtext"}
# The first line or id 0: the networks have no such class.
BACKGROUND = re.compile(r"\?+|_*background_*|unlabell?ed", re.IGNORECASE)
UNUSED = re.compile(r"[?_.-]+|n/a|n\.a\.|unused[ _-]?\d*", re.IGNORECASE)
NUMBERED = re.compile(r"\[?(\d{1,5})\]?(?:\s*[:;,=.)-]\s*|\s+)(\S.*)")
ID = re.compile(r"\d{1,5}")
QUOTED = re.compile(r"(['\"])(.*)\1")
LONGEST_DESCRIPTION = 1 << 17  # characters; a thousand class names take a tenth of it
DEEPEST = 20  # nested brackets of one
MAX_IDS = 10_000


class ClassNames(list[str]):
    """Class names in id order; ids without a name have a placeholder.

    Whether the first line is a class or the background is known only with the detector's number of
    classes, see `fitting`.
    """

    def __init__(self, named: Mapping[int, str], size: int, *, numbered: bool = False) -> None:
        """
        Args:
            named: names by number, the line's or the stated one; those that occur twice are none.
            size: one more than the last number.
            numbered: True if the file states the numbers. Later classes may then be missing, and
                the first is 1 if there is no 0.
        """
        counts = Counter(named.values())
        self._named = {
            number: name
            for number, name in named.items()
            if counts[name] == 1 and not UNUSED.fullmatch(name)
        }
        self._size, self._numbered = size, numbered
        first = named.get(0)
        background = first is not None and BACKGROUND.fullmatch(first) is not None
        self._start = int(background or (numbered and first is None))
        self._may_skip = background or first is None or UNUSED.fullmatch(first) is not None
        super().__init__(self._from(self._start, size))

    def _from(self, start: int, stop: int) -> Iterator[str]:
        return (self._named.get(i, placeholder(i - start)) for i in range(start, stop))

    def fitting(self, count: int) -> list[str]:
        """The names of a detector with `count` classes; as they are, if they do not fit.

        A first line that names nothing is a class if there are too few names without it, and is
        none if there are too many with it.
        """
        if self._may_skip and count != len(self) and self._size - count in (0, 1):
            return list(self._from(self._size - count, self._size))
        if self._numbered and count > len(self):
            return list(self._from(self._start, self._start + count))
        return list(self)


NO_NAMES = ClassNames({}, 0)


def read_names(path: str | Path) -> ClassNames:
    """Read class names in id order from a text file, a label map, or a description of a detector.

    Lines that begin with increasing numbers state the ids, from 0 or 1. A first line, or an id 0,
    of the background is skipped. Ids without a name, or with a name that several have, get a
    placeholder.

    Raises:
        DetectorError: BW520 the file cannot be read or contains no names.
        DataError: BW116 the label map is invalid, BW160 the file is not text.
    """
    path = Path(path)
    if path.suffix.lower() in LABEL_MAPS:
        named = read_label_map(path)
        return ClassNames(named, max(named) + 1, numbered=True)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unusable(path, f"cannot be read ({error.strerror or error})") from error
    text = decoded(content, path)
    names = names_in("\n".join(line for line in text.splitlines() if line.strip()))
    if not names:
        raise _unusable(path, "contains no names")
    return names


def names_in(text: str) -> ClassNames:
    """The class names in a text; empty if it has none."""
    text = text.strip("\ufeff \t\r\n")
    if (described := _described(text)) is not None:
        return described
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    named = {i: line for i, line in enumerate(lines) if line}
    numbered = _numbered(list(named.values()))
    return ClassNames(named, len(lines)) if numbered is None else _of_ids(numbered)


def placeholder(label: int) -> str:
    """The name of a class id whose name is unknown."""
    return f"class {label}"


def _of_ids(named: Mapping[int, str]) -> ClassNames:
    return ClassNames(named, max(named, default=-1) + 1, numbered=True)


def _numbered(lines: list[str]) -> dict[int, str] | None:
    """The names by id if every line begins with its id, else None.

    The ids increase, and without them the lines still differ: "1 euro" and "2 euro" are names.
    """
    matches = [NUMBERED.fullmatch(line) for line in lines]
    pairs = [(int(match[1]), _unquoted(match[2])) for match in matches if match]
    ids = [number for number, _ in pairs]
    if not pairs or len(pairs) < len(lines) or ids != sorted(set(ids)) or ids[-1] >= MAX_IDS:
        return None
    names = [name for _, name in pairs if not UNUSED.fullmatch(name)]
    plain = len(set(names)) < len(names) or (len(ids) == 1 and ids[0] > 1)
    return None if plain else dict(pairs)


def _unquoted(name: str) -> str:
    quoted = QUOTED.fullmatch(name)
    return quoted[2] if quoted else name


def _described(text: str) -> ClassNames | None:
    """The entry `names` of a description in JSON, YAML or as Python prints it; None if the text is
    none. A description without names gives none, since it is no list of names either."""
    if not text.startswith(("{", "[")) and not re.search(r"^names\s*:", text, re.MULTILINE):
        return None
    said: Any = None
    if len(text) <= LONGEST_DESCRIPTION and _depth(text) <= DEEPEST:
        try:
            said = json.loads(text)
        except ValueError:
            said = _yaml(text)
    if text.startswith("[") and not isinstance(said, list):
        return None  # lines such as `[0] cat`
    if isinstance(said, dict):
        said = said.get("names", said)
    return _listed(said)


def _yaml(text: str) -> Any:
    """Plain scalars stay text; tags and merge keys are not resolved."""
    import yaml  # which devices that run a .tflite can do without

    try:
        return yaml.BaseLoader(text).get_single_data()
    except (yaml.YAMLError, RecursionError):
        return None


def _listed(said: Any) -> ClassNames:
    """Names of a list, or of a mapping from ids to names or back; empty for anything else."""
    if isinstance(said, str):  # Ultralytics' in ONNX
        said = _yaml(said)
    if isinstance(said, list) and all(isinstance(name, str) for name in said):
        return ClassNames(dict(enumerate(said)), len(said))
    if not isinstance(said, dict):
        return ClassNames({}, 0)
    pairs = [(str(key), str(value)) for key, value in said.items()]
    if not all(ID.fullmatch(number) for number, _ in pairs):
        pairs = [(number, name) for name, number in pairs]
    if not all(ID.fullmatch(number) and int(number) < MAX_IDS for number, _ in pairs):
        return ClassNames({}, 0)
    return _of_ids({int(number): name for number, name in pairs})


def _depth(text: str) -> int:
    """Maximum number of open brackets."""
    depth = deepest = 0
    for sign in re.findall(r"[\[\]{}]", text):
        depth += 1 if sign in "[{" else -1
        deepest = max(deepest, depth)
    return deepest


def _unusable(path: Path, reason: str) -> DetectorError:
    return DetectorError("BW520", f"{reason}, so the classes have no names.", where=path)
