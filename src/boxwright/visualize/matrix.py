"""A table of counts as a picture, such as a confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from boxwright.visualize.draw import BLACK, CAPTION, WHITE, Color
from boxwright.visualize.label_layout import font_of, length, shortened

DARKEST: Color = (20, 84, 150)  # of a row's largest cell
LINE: Color = (226, 226, 226)
NAME, TITLE_SIZE, TEXT_SIZE, NOTE_SIZE = 220, 26, 19, 17  # pixels
SMALLEST, LARGEST, SIDE, MARGIN = 26, 90, 900, 24  # of a cell, of all cells, around


def matrix(
    counts: NDArray[np.int64],
    names: Sequence[str],
    *,
    title: str,
    rows: str,
    columns: str,
    notes: Sequence[str] = (),
) -> Image.Image:
    """Draw square counts `(n, n)`; a cell is as dark as its part of its row.

    Args:
        counts: the numbers.
        names: names of rows and columns.
        title: the heading.
        rows, columns: what the two axes are.
        notes: lines below.
    """
    font = font_of(TEXT_SIZE)
    cell = int(np.clip(SIDE // max(len(names), 1), SMALLEST, LARGEST))
    shown = [shortened(name, font, NAME - 12) for name in names]
    name = min(NAME, max((length(font, one) for one in shown), default=0) + 12)
    left, top = MARGIN + 30 + name, 2 * MARGIN + TITLE_SIZE + 30 + name
    side = cell * len(names)
    texts = [(title, font_of(TITLE_SIZE)), *((note, font_of(NOTE_SIZE)) for note in notes)]
    width = max(left + side, MARGIN + max(length(used, text) for text, used in texts)) + MARGIN
    height = top + side + MARGIN + len(notes) * (NOTE_SIZE + 8) + MARGIN
    picture = Image.new("RGB", (width, height), WHITE)
    pen = ImageDraw.Draw(picture)
    pen.text((MARGIN, MARGIN), title, fill=BLACK, font=font_of(TITLE_SIZE), anchor="la")
    pen.text((left, top - name - 8), columns, fill=CAPTION, font=font, anchor="ls")
    _sideways(picture, rows, (MARGIN, top), CAPTION)
    parts = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for row, one in enumerate(shown):
        middle = row * cell + cell // 2
        pen.text((left - 8, top + middle), one, fill=BLACK, font=font, anchor="rm")
        _sideways(picture, one, (left + middle - TEXT_SIZE // 2 - 2, top - name), BLACK, name - 6)
        for column in range(len(shown)):
            part, count = float(parts[row, column]), int(counts[row, column])
            x, y = left + column * cell, top + row * cell
            color = tuple(round(255 - part * (255 - dark)) for dark in DARKEST)
            pen.rectangle((x, y, x + cell, y + cell), fill=color, outline=LINE)
            if count:
                used = font_of(
                    max(10, min(TEXT_SIZE, int(cell / (0.62 * len(f"{count:,}") + 0.5))))
                )
                ink = WHITE if part > 0.5 else BLACK
                center = (x + cell / 2, y + cell / 2)
                pen.text(center, f"{count:,}", fill=ink, font=used, anchor="mm")
    for number, note in enumerate(notes):
        place = (MARGIN, top + side + MARGIN + number * (NOTE_SIZE + 8))
        pen.text(place, note, fill=CAPTION, font=font_of(NOTE_SIZE), anchor="la")
    return picture


def _sideways(
    picture: Image.Image, text: str, corner: tuple[int, int], color: Color, long: int = 0
) -> None:
    """Write text upwards from the bottom of a column of `long` pixels, or below `corner`."""
    font = font_of(TEXT_SIZE)
    size = (max(length(font, text), long) + 2, TEXT_SIZE + 8)
    strip = Image.new("RGB", size, WHITE)
    ImageDraw.Draw(strip).text((0, 2), text, fill=color, font=font, anchor="la")
    picture.paste(strip.rotate(90, expand=True), corner)
