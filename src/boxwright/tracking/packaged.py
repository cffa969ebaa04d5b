"""The trackers of the package `trackers`, which the extra `track` installs."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.backend import framework
from boxwright.structures.detections import Detections
from boxwright.tracking.tracker import Tracker

CLASSES = {
    "bytetrack": "ByteTrackTracker",
    "botsort": "BoTSORTTracker",
    "cbiou": "CBIoUTracker",
    "ocsort": "OCSORTTracker",
    "sort": "SORTTracker",
}
CAMERA = "enable_cmc"  # parameter of trackers that compensate moves of the camera


@dataclass(frozen=True)
class Packaged:
    """A tracker of the package.

    Attributes:
        tracker: the package's object.
        sees: it needs the pixels of the frames.
    """

    tracker: Any
    sees: bool

    def update(self, detections: Detections, picture: Image.Image) -> NDArray[np.int64]:
        given = detections.to_supervision()
        given.data["row"] = np.arange(len(detections))
        pixels = np.ascontiguousarray(np.asarray(picture)[..., ::-1]) if self.sees else None
        tracked = self.tracker.update(given, pixels)  # in another order, and perhaps not all
        identities = np.full(len(detections), -1, np.int64)
        if len(tracked):
            identities[tracked.data["row"]] = tracked.tracker_id
        return identities


def packaged(name: str, rate: float, threshold: float) -> Tracker:
    """A new tracker, with the package's settings. Objects of at least the threshold's score can be
    new ones: the package's own limits are for other detectors.

    Raises:
        SystemFaultError: BW901 the package is not installed.
    """
    tracker = getattr(framework.trackers(), CLASSES[name])
    known = inspect.signature(tracker).parameters
    options = {
        "frame_rate": rate,
        "track_activation_threshold": threshold,
        "high_conf_det_threshold": threshold,
    }
    return Packaged(
        tracker(**{key: value for key, value in options.items() if key in known}), CAMERA in known
    )


TRACKERS = SimpleNamespace(**{name: partial(packaged, name) for name in CLASSES})
