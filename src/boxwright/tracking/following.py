"""Follow the objects of one video from frame to frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.errors import SourceError, check_choice
from boxwright.sources.frame import Frame, Source
from boxwright.structures.detections import Detections
from boxwright.tracking.counting import Counts, Line, ObjectCounter, Zone
from boxwright.tracking.tracker import TRACKERS, NewTracker, Tracker

USUAL_RATE = 25.0  # frames a second of videos that state none
WEAKEST = 0.1  # score of detections that a tracker gets: weak ones continue what it follows


@dataclass(frozen=True)
class Tracking:
    """How the objects of videos are tracked and counted.

    Attributes:
        new_tracker: makes a tracker for each video.
        lines, zones: where they are counted.
    """

    new_tracker: NewTracker
    lines: tuple[Line, ...] = ()
    zones: tuple[Zone, ...] = ()

    @classmethod
    def by(
        cls,
        track: str | NewTracker,
        lines: tuple[Line, ...] = (),
        zones: tuple[Zone, ...] = (),
    ) -> Tracking:
        """Track with the tracker of that name, or with what the function returns.

        Raises:
            ArgumentError: BW803 there is no such tracker.
            SystemFaultError: BW901 the package `trackers` is not installed.
        """
        if isinstance(track, str):
            check_choice("track", track, TRACKERS)
            track = TRACKERS[track]
        track(USUAL_RATE, 0.5)  # raises BW901 now, and not after the first frame
        return cls(track, lines, zones)


def tracked(sources: Sequence[Source], tracking: Tracking | None) -> Sequence[Source]:
    """The sources; raises SourceError BW522 if none of them can be tracked as asked."""
    if tracking and not any(source.is_video for source in sources):
        raise SourceError("BW522", "no video is given to track objects in.")
    return sources


class Follower:
    """Gives the objects of one video identities, and counts them.

    Args:
        tracking: how.
        threshold: objects of at least this score can be new ones.
    """

    def __init__(self, tracking: Tracking, threshold: float) -> None:
        self._tracking, self._threshold = tracking, threshold
        self._tracker: Tracker | None = None
        self._counter = ObjectCounter(tracking.lines, tracking.zones)

    def follow(
        self, frame: Frame, found: Detections, is_shown: NDArray[np.bool_]
    ) -> tuple[Detections, Counts]:
        """Take the next frame.

        Args:
            frame: the frame of a video.
            found: all detections in it, at any score.
            is_shown: `(n,)`, True for those above the threshold.

        Returns:
            The detections above the threshold, and weaker ones that continue an object, all with
            their identities; and what was counted up to this frame.
        """
        if self._tracker is None:
            rate = (frame.video and frame.video.rate) or USUAL_RATE
            self._tracker = self._tracking.new_tracker(float(rate), self._threshold)
        taken = (found.scores >= WEAKEST) | is_shown
        given = found[taken]
        identities = self._tracker.update(given, cast("Image.Image", frame.image))
        kept = is_shown[taken] | (identities >= 0)
        tracked = replace(given, track_ids=identities)[kept]
        return tracked, self._counter.add(tracked)
