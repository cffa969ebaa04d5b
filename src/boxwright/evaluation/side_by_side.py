"""A picture of the images in which the sides of a comparison differ."""

from __future__ import annotations

import numpy as np
from PIL import Image

from boxwright.evaluation.comparison import Comparison, Result
from boxwright.images.decoding import read_image
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections
from boxwright.structures.findings import counted
from boxwright.visualize.draw import contact_sheet, draw

MAX_IMAGES = 6
COLUMN = 480  # pixels


def side_by_side(comparison: Comparison, images: int = MAX_IMAGES) -> Image.Image | None:
    """Draw the images in which the sides differ, a row each: every side, then the truth.

    Detections below the threshold are left out. Dashed boxes are the truth. Of several trainings,
    the one with the most typical number of mistakes in the image is drawn. None if the sides make
    the same number of mistakes in every image.
    """
    truth, pictures, captions = comparison.truth, [], []
    for index in comparison.differing()[:images]:
        pixels = read_image(truth.image(index), truth.decoding)
        wanted = truth.boxes[truth.rows(index)]
        for result in comparison.results:
            found, caption = _shown(result, index)
            pictures.append(draw(pixels, found, truth=wanted))
            captions.append(caption)
        pictures.append(draw(pixels, _as_detections(truth, index), scores=False))
        captions.append(f"truth: {truth.names[index]}")
    columns = len(comparison.results) + 1
    if not pictures:
        return None
    return contact_sheet(pictures, columns=columns, captions=captions, width=columns * COLUMN)


def _shown(result: Result, index: int) -> tuple[Detections, str]:
    """The detections of a side in an image, and what is wrong with them."""
    which = result.typical(index)
    member, mistakes = result.side.members[which], result.mistakes[which]
    found = member.detections[index]
    limits = np.array(member.threshold.by_class(found.classes), np.float32)
    number = f" ({which + 1})" if len(result.side.members) > 1 else ""
    missed = int(mistakes.missed[index])
    alarms = counted(int(mistakes.false_alarms[index]), "false alarm")
    caption = f"{result.side.name}{number}: {missed} missed, {alarms}"
    return found[found.scores >= limits[found.labels]], caption


def _as_detections(truth: Dataset, index: int) -> Detections:
    rows = truth.rows(index)
    ones = np.ones(rows.stop - rows.start, np.float32)
    return Detections(truth.boxes[rows], ones, truth.labels[rows], truth.classes)
