"""Count tracked objects: how many there were, crossed a line, are in a zone."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from boxwright.ops.plane import Points, crossings, inside
from boxwright.structures.detections import Detections

MEMORY = 10_000  # frames: an object that was not seen for longer is a new one
ByClass = dict[str, int]


@dataclass(frozen=True)
class Line:
    """A line that objects cross, from its first to its second point: x and y in pixels of the
    upright frame. An object is at the center of its box."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if len(self.points) != 2 or len(set(self.points)) != 2:
            raise ValueError("a line has two different ends: x1,y1,x2,y2.")

    @classmethod
    def parse(cls, text: str) -> Line:
        """`x1,y1,x2,y2`. Raises ValueError."""
        return cls(_points(text))


@dataclass(frozen=True)
class Zone:
    """A polygon by its corners: x and y in pixels of the upright frame. An object is at the center
    of its box."""

    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        if len(set(self.points)) < 3:
            raise ValueError("a zone has three or more corners: x1,y1,x2,y2,x3,y3 and so on.")

    @classmethod
    def parse(cls, text: str) -> Zone:
        """`x1,y1,x2,y2,x3,y3` and so on. Raises ValueError."""
        return cls(_points(text))


def _points(text: str) -> tuple[tuple[float, float], ...]:
    try:
        numbers = [float(number) for number in text.split(",")]
    except ValueError:
        raise ValueError(f"{text!r} is not a list of numbers with commas between.") from None
    if len(numbers) % 2 or not np.isfinite(numbers).all():
        raise ValueError(f"{text!r} is not a list of points: x1,y1,x2,y2 and so on.")
    return tuple(zip(numbers[::2], numbers[1::2], strict=True))


@dataclass(frozen=True)
class LineCount:
    """How many objects of each class have crossed a line. Right is at the right hand of somebody
    who walks from the line's first end to the second."""

    line: Line
    to_left: ByClass
    to_right: ByClass

    def to_json(self) -> dict[str, ByClass]:
        return {"to_left": self.to_left, "to_right": self.to_right}


@dataclass(frozen=True)
class ZoneCount:
    """How many objects of each class are in a zone, and how many have been."""

    zone: Zone
    inside: ByClass
    in_all: ByClass

    def to_json(self) -> dict[str, ByClass]:
        return {"inside": self.inside, "in_all": self.in_all}


@dataclass(frozen=True)
class Counts:
    """What was counted in a video up to one of its frames.

    Attributes:
        objects: how many of each class there have been. An object counts once, as what it was most
            often.
        lines, zones: for each line and zone, in their order.
    """

    objects: ByClass
    lines: tuple[LineCount, ...] = ()
    zones: tuple[ZoneCount, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "objects": self.objects,
            "lines": [each.to_json() for each in self.lines],
            "zones": [each.to_json() for each in self.zones],
        }

    def sentences(self) -> Iterator[str]:
        """`5 helmet`, `line 1: 2 helmet to the left, 0 to the right`, and so on."""
        yield listed(self.objects)
        for number, line in enumerate(self.lines, 1):
            left, right = listed(line.to_left), listed(line.to_right)
            yield f"line {number}: {left} to the left, {right} to the right"
        for number, zone in enumerate(self.zones, 1):
            yield f"zone {number}: {listed(zone.inside)} inside, {listed(zone.in_all)} in all"


def listed(counts: ByClass) -> str:
    """`2 helmet, 1 vest`; `0` without any."""
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "0"


@dataclass
class _Object:
    """What is remembered of an object: the frame and place of its last appearance, how often it was
    of which class, and the zones it has been in."""

    frame: int
    place: Points
    name: str = ""  # its most frequent class
    names: Counter[str] = field(default_factory=Counter)
    zones: set[int] = field(default_factory=set)


class ObjectCounter:
    """Counts the objects of one video, frame by frame.

        >>> counter = ObjectCounter(lines=[Line.parse("0,200,640,200")])
        >>> for frame, detections in detector.stream("clip.mp4", track="bytetrack"):
        ...     counts = counter.add(detections)
        >>> print(counts.objects, counts.lines[0].to_right)

    Memory does not grow with the length of the video: objects that were not seen for 10,000 frames
    are forgotten.
    """

    def __init__(self, lines: Sequence[Line] = (), zones: Sequence[Zone] = ()) -> None:
        self._frame = 0
        self._objects: OrderedDict[int, _Object] = OrderedDict()  # by identity, the oldest first
        self._names: Counter[str] = Counter()
        self._lines = [(line, Counter[str](), Counter[str]()) for line in lines]
        self._zones = [(zone, Counter[str]()) for zone in zones]

    def add(self, detections: Detections) -> Counts:
        """Count the objects of the next frame, those with an identity.

        Raises:
            ValueError: the detections are not tracked.
        """
        if detections.track_ids is None:
            raise ValueError("these detections are not tracked: give the stream `track`.")
        self._frame += 1
        has_identity = detections.track_ids >= 0
        identities = detections.track_ids[has_identity].tolist()
        corners = detections.boxes[has_identity].astype(np.float64)
        centers = (corners[:, :2] + corners[:, 2:]) / 2
        names = [detections.classes[label] for label in detections.labels[has_identity]]
        seen = [self._seen(*each) for each in zip(identities, names, centers, strict=True)]
        earlier = np.array([place for _, place in seen]).reshape(-1, 2)
        return Counts(
            _counted(self._names, detections.classes),
            tuple(self._crossed(earlier, centers, names, detections.classes)),
            tuple(self._inside([each for each, _ in seen], centers, names, detections.classes)),
        )

    def _seen(self, identity: int, name: str, place: Points) -> tuple[_Object, Points]:
        """The object, up to date, and where it was before."""
        known = self._objects.setdefault(identity, _Object(self._frame, place))
        self._objects.move_to_end(identity)
        before = known.place
        known.frame, known.place = self._frame, place
        known.names[name] += 1
        usual = max(known.names, key=known.names.__getitem__)
        if usual != known.name:
            self._names.update([usual])
            self._names.subtract([known.name] if known.name else [])
            known.name = usual
        while self._frame - next(iter(self._objects.values())).frame > MEMORY:
            self._objects.popitem(last=False)
        return known, before

    def _crossed(
        self, before: Points, after: Points, names: Sequence[str], classes: Sequence[str]
    ) -> Iterator[LineCount]:
        for line, left, right in self._lines:
            start, end = np.array(line.points, np.float64)
            for name, side in zip(names, crossings(before, after, start, end), strict=True):
                left[name] += int(side < 0)
                right[name] += int(side > 0)
            yield LineCount(line, _counted(left, classes), _counted(right, classes))

    def _inside(
        self,
        objects: Sequence[_Object],
        centers: Points,
        names: Sequence[str],
        classes: Sequence[str],
    ) -> Iterator[ZoneCount]:
        for number, (zone, in_all) in enumerate(self._zones):
            now: Counter[str] = Counter()
            are_in = inside(centers, np.array(zone.points, np.float64))
            for each, name, is_in in zip(objects, names, are_in, strict=True):
                now[name] += int(is_in)
                in_all[name] += int(is_in and number not in each.zones)
                if is_in:
                    each.zones.add(number)
            yield ZoneCount(zone, _counted(now, classes), _counted(in_all, classes))


def _counted(counts: Counter[str], classes: Iterable[str]) -> ByClass:
    """Those above zero, in the order of the classes."""
    return {name: counts[name] for name in classes if counts[name]}
