"""The frames of a video in CVAT XML: which there are, and how their images are named."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from boxwright.formats.annotations import size_of
from boxwright.formats.coordinates import Size
from boxwright.formats.folder import Folder, join, split_path, stem

PREFIX = "frame_"  # CVAT writes frame_000000.png
NUMBERED = re.compile(r"(.*?)([0-9]{1,9})", re.DOTALL)
STEP = re.compile(r"\s*step\s*=\s*([1-9][0-9]{0,8})\s*")
MAX_FRAMES = 10_000_000  # frames of a video


@dataclass(frozen=True)
class Task:
    """The frames that a task consists of: every `step`-th one from `start` to `stop`.

    Attributes:
        start, step: the first frame, and the distance of frames.
        stop: the last frame; None if the file does not state it.
        size: of the frames; None if the file does not state it.
        subset: the name of the task's subset in a project.
        number: its id, empty for a job, which has another id than its task.
        name, source: its name, and the file name of the video.
    """

    start: int = 0
    stop: int | None = None
    step: int = 1
    size: Size | None = None
    subset: str = ""
    number: str = ""
    name: str = ""
    source: str = ""

    @classmethod
    def of(cls, meta: Element) -> Task:
        start = _whole(meta.findtext("start_frame")) or 0
        found = STEP.fullmatch(meta.findtext("frame_filter") or "")
        step = int(found[1]) if found else 1
        stop, count = _whole(meta.findtext("stop_frame")), _whole(meta.findtext("size"))
        if stop is None and count:
            stop = start + (count - 1) * step
        size, original = None, meta.find("original_size")
        if original is not None:
            size = size_of(original.findtext("width"), original.findtext("height"))
        said = {key: (meta.findtext(key) or "").strip() for key in ("subset", "name", "source")}
        number = (meta.findtext("id") or "").strip() if meta.tag == "task" else ""
        return cls(start, stop, step, size, number=number, **said)

    def contradicts(self, other: Task) -> bool:
        """True if both state an id, a name or a video, and not the same one."""
        pairs = (
            (self.number, other.number),
            (self.name, other.name),
            (self.source, other.source),
        )
        return any(one != two for one, two in pairs if one and two)

    def holds(self, frame: int) -> bool:
        """True if the frame may be one of the task's, whose last one need not be known."""
        past = self.stop is not None and frame > self.stop
        return frame >= self.start and not past and (frame - self.start) % self.step == 0


@dataclass
class FrameImages:
    """The images of frames around one annotation file.

    Attributes:
        stems: frame -> name of its image, without suffix.
        paths: frame -> paths of the images of this name.
        apart: a name for the folder of the frames, if clips have folders of their own; or empty.
    """

    stems: dict[int, str] = field(default_factory=dict)
    paths: dict[int, list[str]] = field(default_factory=dict)
    apart: str = ""

    @classmethod
    def find(
        cls, candidates: Iterable[tuple[str, str]], task: Task, stated: Iterable[int]
    ) -> FrameImages:
        """The images called frame_000000, or the only ones with other names that are numbered so.

        Other names count only if all stated frames have an image and the first number is that of
        the first frame: images that are numbered from 1 would all be off by one.
        """
        series: dict[str, FrameImages] = defaultdict(cls)
        for parent, name in candidates:
            if match := NUMBERED.fullmatch(stem(name)):
                one, frame = series[match[1]], int(match[2])
                one.stems.setdefault(frame, stem(name))
                if one.stems[frame] == stem(name):
                    one.paths.setdefault(frame, []).append(join(parent, name))
        if PREFIX in series:
            return series[PREFIX]
        frames = set(stated)
        fitting = [
            one
            for one in series.values()
            if one.stems.keys() >= frames and min(one.stems) == task.start
        ]
        return fitting[0] if len(fitting) == 1 else cls()

    def of(self, task: Task) -> list[int]:
        """The frames of a task that have an image, in order."""
        return sorted(filter(task.holds, self.stems))

    def name(self, frame: int) -> str:
        """The name of an image without suffix, with its folders if the clip needs them."""
        paths = self.paths.get(frame, ())
        if self.apart and len(paths) == 1:
            return stem(paths[0])
        name = self.stems.get(frame, f"{PREFIX}{frame:06d}")
        return f"{self.apart}/{name}" if self.apart and not paths else name


def near(folder: Folder, annotation: str) -> Iterator[tuple[str, str]]:
    """Folder and name of the images below the folder of an annotation; of all if none is there."""
    parent, _ = split_path(annotation)
    below = [one for one in folder.images if not parent or f"{one}/".startswith(f"{parent}/")]
    for one in below or folder.images:
        for name in folder.images[one]:
            yield one, name


def _whole(text: str | None) -> int | None:
    text = (text or "").strip()
    return int(text) if re.fullmatch("[0-9]{1,9}", text) and int(text) < MAX_FRAMES else None
