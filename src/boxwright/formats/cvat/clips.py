"""The clips of CVAT XML files, and which images are their frames.

All clips of a data folder may have the same frame numbers. Clips of different tasks never share an
image: a folder that is called after one of them is not another's, and other frames are refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from boxwright.formats.annotations import Broken
from boxwright.formats.cvat.frames import FrameImages, Task, near
from boxwright.formats.cvat.tracks import Shown, interpolated
from boxwright.formats.folder import Folder, folded, parts, split_path, stem


@dataclass(eq=False)
class Clip:
    """The tracks of a task in one file.

    Attributes:
        path: the file.
        task: the frames.
        held: the last keyframes of the file's tracks hold until the end.
        tracks: class and stated boxes of each object.
    """

    path: str
    task: Task
    held: bool
    tracks: list[tuple[str, list[Shown]]] = field(default_factory=list)

    @property
    def stated(self) -> set[int]:
        """The frames that the file states."""
        return {one.frame for _, track in self.tracks for one in track}

    @property
    def names(self) -> set[str]:
        """What a folder of its frames may be called."""
        names = stem(split_path(self.path)[1]), self.task.name, stem(self.task.source)
        return {folded(name) for name in names if name}

    def shown(self, here: Sequence[int]) -> Iterator[tuple[str, Shown]]:
        """The boxes, with their classes, in the stated frames and those `here`."""
        for name, track in self.tracks:
            for one in interpolated(track, self.task, here, held=self.held):
                yield name, one

    def differs(self, other: Clip) -> bool:
        """True if both are of different videos: they state different tasks, or state the same
        frames and no task, which jobs of one task do not."""
        one, two = self.task, other.task
        if one.contradicts(two):
            return True
        is_same = (one.number and one.number == two.number) or one.start != two.start
        is_copy = self.tracks == other.tracks
        return not is_same and not is_copy and not self.stated.isdisjoint(other.stated)

    def __str__(self) -> str:
        name = self.task.name or self.task.number
        return f"{self.path} (task {name})" if name else self.path


def frame_images(folder: Folder, clips: Sequence[Clip]) -> dict[Clip, FrameImages | Broken]:
    """The images of each clip, or why it cannot have any."""
    owners = {
        parent: [clip for clip in clips if not clip.names.isdisjoint(parts(folded(parent)))]
        for parent in folder.images
    }
    found: dict[Clip, FrameImages | Broken] = {}
    users: dict[str, list[Clip]] = defaultdict(list)
    for clip in clips:
        foreign = {at for at, some in owners.items() if some and all(map(clip.differs, some))}
        candidates = ((at, name) for at, name in near(folder, clip.path) if at not in foreign)
        images = FrameImages.find(candidates, clip.task, clip.stated)
        if any(owners.values()):
            images.apart = clip.task.name or stem(split_path(clip.path)[1])
        for frame in {*clip.stated, *images.of(clip.task)}:
            if len(paths := images.paths.get(frame, [])) == 1:
                users[paths[0]].append(clip)
        found[clip] = images
    for path in sorted(users, reverse=True):
        for one, other in permutations(users[path], 2):
            if one.differs(other):
                message = f"its frame {path} is also one of {other}, {_how_other(one, other)}"
                found[one] = Broken("BW157", one.path, message)
    return found


def _how_other(one: Clip, other: Clip) -> str:
    source = one.task.source
    is_same = source and source == other.task.source
    return f"another task of {source}" if is_same else "which is another video"
