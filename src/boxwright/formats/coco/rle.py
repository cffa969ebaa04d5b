"""Bounding boxes of COCO's run-length encoded masks."""

from __future__ import annotations

from itertools import accumulate, pairwise

MAX_DIGITS = 8  # of 5 bits each; enough for the pixels of any image


class RunLengthError(ValueError):
    """The runs are not a valid mask."""


def box_around_mask(size: object, counts: object) -> list[float]:
    """The bounding box of a mask, xyxy pixels; it includes the last pixels.

    Args:
        size: height and width of the mask.
        counts: lengths of its runs in column order, background first, as a list or in the COCO
            API's compressed text.

    Raises:
        RunLengthError: the counts are invalid, or the mask is empty.
    """
    sides = size if isinstance(size, list) else []
    if len(sides) != 2 or any(type(side) is not int or side <= 0 for side in sides):
        raise RunLengthError("the mask's size is not two numbers")
    runs = _decoded(counts) if isinstance(counts, str) else counts
    if not isinstance(runs, list) or any(type(run) is not int or run < 0 for run in runs):
        raise RunLengthError("the mask's counts are not lengths of runs")
    height, width = sides
    ends = [0, *accumulate(runs)]
    if ends[-1] > height * width:
        raise RunLengthError(f"the mask's counts do not fit into {width} x {height} pixels")
    shown = [(start, end - 1) for start, end in list(pairwise(ends))[1::2] if end > start]
    if not shown:
        raise RunLengthError("the mask is empty")
    across = shown[0][0] // height, shown[-1][1] // height
    tops, bottoms = [], []
    for first, last in shown:
        whole = first // height != last // height  # the run continues in the next column
        tops.append(0 if whole else first % height)
        bottoms.append(height - 1 if whole else last % height)
    return [across[0], min(tops), across[1] + 1, max(bottoms) + 1]


def _decoded(text: str) -> list[int]:
    """Decode the COCO API's text (maskApi.c): 5 bits a character, differences from run 3 on."""
    runs: list[int] = []
    value = shift = 0
    for sign in text:
        bits = ord(sign) - 48
        if not 0 <= bits < 64 or shift >= 5 * MAX_DIGITS:
            raise RunLengthError("the mask's counts are not compressed runs")
        value |= (bits & 31) << shift
        shift += 5
        if bits & 32:
            continue
        if bits & 16:
            value -= 1 << shift
        runs.append(value + (runs[-2] if len(runs) > 2 else 0))
        value = shift = 0
    return runs
