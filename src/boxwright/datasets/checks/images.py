"""Findings about pixels: files with a wrong suffix, blur, bad exposure, tiny images."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from boxwright.datasets.checks.depth import scales
from boxwright.datasets.checks.locations import image_finding
from boxwright.datasets.checks.measure import ImageSummaries
from boxwright.images.kinds import SUFFIXES_OF, suffix_of
from boxwright.structures.dataset import WHOLE_FILE, Dataset
from boxwright.structures.findings import Finding

BLURRED = 0.7  # sharp images have 0.2 to 0.6; a pixel smeared over 3 of its neighbors 0.75
DARK, BRIGHT = 48, 224  # gray levels of 255 that 98 of 100 pixels are below, or above
TINY = 100  # pixels of the shorter side


def misnamed(seen: ImageSummaries) -> list[Finding]:
    """Images whose suffix does not match the format of their content (BW123)."""
    dataset = seen.dataset
    wrong = {}
    for name, byte_range, summary in zip(
        dataset.names, dataset.byte_ranges, seen.summaries, strict=True
    ):
        suffix = suffix_of(name.rpartition("/")[2])
        if byte_range[1] == WHOLE_FILE[1] and suffix not in SUFFIXES_OF.get(summary.kind, {suffix}):
            wrong[name] = f"{summary.kind} content in a {suffix} file"
    if not wrong:
        return []
    said = next(iter(wrong.values()))
    if len(wrong) > 1:
        said = f"{len(wrong)} of {len(dataset)} images, such as {said}"
    return image_finding("BW123", list(wrong), said)


def blurred(seen: ImageSummaries) -> list[Finding]:
    """Images that are blurred even at a network's input size (BW135)."""
    return _counted(
        seen,
        "BW135",
        {i: summary.blur for i, summary in enumerate(seen.summaries) if summary.blur > BLURRED},
        "blurred: {most:.2f} on a scale from 0 to 1; sharp images have at most {limit}",
        limit=BLURRED,
    )


def badly_exposed(seen: ImageSummaries) -> list[Finding]:
    """Images that are nearly black or nearly white (BW136), not by their depth (BW169)."""
    by_depth = {i for scale in scales(seen) if scale.is_narrow for i in scale.depths}
    others = {i: each for i, each in enumerate(seen.summaries) if i not in by_depth}
    dark = {i: -summary.brightest for i, summary in others.items() if summary.brightest < DARK}
    bright = {i: summary.darkest for i, summary in others.items() if summary.darkest > BRIGHT}
    what = "nearly {color}: 98 % of the pixels are {side} gray level {most:.0f} of 255"
    return [
        *_counted(seen, "BW136", dark, what, color="black", side="below"),
        *_counted(seen, "BW136", bright, what, color="white", side="above"),
    ]


def tiny(dataset: Dataset) -> list[Finding]:
    """Images of fewer than `TINY` pixels (BW137)."""
    small = np.flatnonzero(dataset.sizes.min(axis=1) < TINY) if len(dataset) else np.zeros(0, int)
    if not len(small):
        return []
    names = [dataset.names[i] for i in small]
    width, height = dataset.sizes[small[dataset.sizes[small].min(axis=1).argmin()]]
    if len(small) == 1:
        return image_finding("BW137", names, f"is only {width} x {height} pixels")
    message = f"{len(small)} of {len(dataset)} images are below {TINY} pixels; the smallest is"
    return image_finding("BW137", names, f"{message} {width} x {height}")


def _counted(
    seen: ImageSummaries, code: str, found: Mapping[int, float], what: str, **words: object
) -> list[Finding]:
    """One finding for all images found, worst first, with the value of the worst."""
    if not found:
        return []
    worst = sorted(found, key=lambda i: -found[i])
    said = what.format(most=abs(found[worst[0]]), **words)
    if len(worst) == 1:
        message = f"is {said}"
    else:
        message = f"{len(worst)} of {len(seen.summaries)} images are {said} (the worst)"
    return image_finding(code, [seen.dataset.names[i] for i in worst], message)
