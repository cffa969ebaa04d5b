"""Tracker: gives the objects of a video their identities; and the registry of trackers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from boxwright.structures.registry import Registry

if TYPE_CHECKING:  # the command line reads the names alone
    import numpy as np
    from numpy.typing import NDArray
    from PIL import Image

    from boxwright.structures.detections import Detections


class Tracker(Protocol):
    """Follows the objects of one video."""

    def update(self, detections: Detections, picture: Image.Image) -> NDArray[np.int64]:
        """Take the next frame.

        Args:
            detections: the objects in it.
            picture: the frame, upright and in RGB.

        Returns:
            `(n,)` the identity of each object, 0 or above and the same in all frames; -1 for an
            object that has none yet.
        """


# Makes a tracker for a video of so many frames a second; objects of at least this score are real.
NewTracker = Callable[[float, float], Tracker]

PACKAGED = "boxwright.tracking.packaged:TRACKERS"
TRACKERS: Registry[NewTracker] = Registry(
    {
        "bytetrack": f"{PACKAGED}.bytetrack",
        "botsort": f"{PACKAGED}.botsort",
        "cbiou": f"{PACKAGED}.cbiou",
        "ocsort": f"{PACKAGED}.ocsort",
        "sort": f"{PACKAGED}.sort",
    }
)
