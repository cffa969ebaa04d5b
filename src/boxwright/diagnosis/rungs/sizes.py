"""Are objects large enough for the input?"""

from __future__ import annotations

import numpy as np

from boxwright.datasets.checks.suitability import too_small
from boxwright.datasets.stats import SMALLEST, share, sides_in_square
from boxwright.diagnosis.case import Case
from boxwright.diagnosis.reading import Reading, failed, not_checked, passed

MAX_SHARE = 0.3  # of the boxes
GOOD = 0.7  # AP50 of a detector that copes with them


def read(case: Case) -> Reading:
    """Measure the boxes in pixels of the network's input."""
    if not len(case.rows):
        return not_checked("no labeled images were given")
    size = case.detector.artifact.preprocessing.size
    sides = np.sqrt(sides_in_square(case.images).prod(axis=1)) * size
    small = share(sides < SMALLEST)
    median = float(np.median(sides))
    found = (
        f"{small:.0%} of the boxes are below {SMALLEST:g} pixels at the input of {size} pixels; "
        f"the median is {median:.0f}"
    )
    why = f"an object below {SMALLEST:g} pixels leaves no trace in the finest feature map"
    if small <= MAX_SHARE or case.agreement.ap50 >= GOOD:
        return passed(found, small, MAX_SHARE, why)
    (finding,) = too_small(case.images, size)
    return failed(
        "objects are too small for the input",
        found,
        small,
        MAX_SHARE,
        why=why,
        remedy=f"Train with a larger --input-size, or cut the images into tiles before labeling: "
        f"{finding.message.partition(': ')[2]}.",
    )
