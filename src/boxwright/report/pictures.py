"""Small pictures of images with their boxes, as SVG with an embedded JPEG.

The JPEG is made of decoded pixels: nothing that a camera wrote beside them, such as its location,
is in it. Boxes are lines above it, sharp at any size.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from boxwright.errors import DataError
from boxwright.images.decoding import decoded
from boxwright.ops.boxes import Boxes, as_boxes, clip, intersections, upright
from boxwright.parallel.cores import Progress, on_all_cores
from boxwright.report.html import shown
from boxwright.structures.dataset import Dataset
from boxwright.visualize.draw import PALETTE, color_of

COLORS = 3 * len(PALETTE)
MAX_BOXES = 120  # drawn in one picture
MAX_TITLES = 12  # classes in one picture that are named under the pointer
ASPECT = 4 / 3  # of the space for a picture
CONTEXT = 0.6  # margin around a box, in its longer side
BEYOND = 0.15  # surroundings of an image in which a box outside of it is drawn, in its sides
# Longer side in pixels and quality of a JPEG; the first that is small enough is used.
ENCODINGS = ((480, 80), (480, 65), (360, 65), (360, 45), (240, 45), (160, 35), (96, 25))
SIDE = ENCODINGS[0][0]


class Wanted(NamedTuple):
    """A picture to draw: of a whole image, or of the part around a box.

    Attributes:
        image: its index in the dataset.
        box: xyxy pixels; drawn in a color of its own.
    """

    image: int
    box: tuple[float, float, float, float] | None = None


@dataclass(frozen=True)
class Picture:
    """A drawn picture.

    Attributes:
        svg: HTML.
        counts: the boxes in it by class id, most frequent first.
        ignored: number of ignored regions in it.
        hidden: number of boxes that are not drawn, because there are too many.
    """

    svg: str
    counts: Mapping[int, int]
    ignored: int
    hidden: int


class View(NamedTuple):
    """A part of an image and possibly of its surroundings, in pixels of the image."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        return self.right - self.left

    @property
    def height(self) -> float:
        return self.bottom - self.top


class Layer(NamedTuple):
    """Boxes `(n, 4)` that a picture shows in one style.

    Attributes:
        css: the style, a class of the page's stylesheet.
        boxes: xyxy pixels of the image.
        name: shown under the pointer.
        label: class id by which a script finds them.
    """

    css: str
    boxes: Boxes
    name: str = ""
    label: int | None = None


def draw_all(
    dataset: Dataset, wanted: Sequence[Wanted], max_bytes: int, progress: Progress | None = None
) -> dict[Wanted, Picture]:
    """Draw pictures on all cores; those of images that cannot be decoded are left out.

    `max_bytes` limits the JPEG of each. `progress` is called with the number of drawn pictures and
    the total.
    """

    def picture(one: Wanted) -> Picture | None:
        try:
            return _picture(dataset, one, max_bytes)
        except DataError:
            return None

    pictures = zip(wanted, on_all_cores(picture, wanted, progress), strict=True)
    return {one: picture for one, picture in pictures if picture}


def color_rules() -> str:
    """CSS classes `k0`, `k1` and so on with the colors of class ids."""
    colors = (color_of(label) for label in range(COLORS))
    return "\n".join(f".k{i}{{color:rgb{color}}}" for i, color in enumerate(colors))


def _picture(dataset: Dataset, wanted: Wanted, max_bytes: int) -> Picture:
    """Draw one. Raises DataError."""
    box = _of(wanted.box)
    view = view_of(dataset, wanted.image, box)
    rows = dataset.rows(wanted.image)
    inside, boxes = within(dataset.boxes[rows], view)
    labels = dataset.labels[rows][inside]
    _, ignored = within(dataset.ignored_in(wanted.image), view)
    counts = dict(zip(*np.unique(labels, return_counts=True), strict=True))
    frequent_first = sorted(counts, key=lambda label: -counts[label])
    hidden = max(0, len(boxes) - MAX_BOXES)
    boxes, labels = boxes[:MAX_BOXES], labels[:MAX_BOXES]
    layers = [
        Layer("rim", np.concatenate([boxes, ignored[:MAX_BOXES]])),
        Layer("ignored", ignored[:MAX_BOXES]),
        *(
            Layer(
                f"k{label % COLORS}",
                boxes[labels == label],
                dataset.classes[label] if rank < MAX_TITLES else "",
                label,
            )
            for rank, label in enumerate(frequent_first)
        ),
        Layer("found-rim", _visible(box, view)),
        Layer("found", _visible(box, view)),
    ]
    svg = drawn(dataset, wanted.image, view, layers, max_bytes)
    return Picture(svg, {int(k): int(counts[k]) for k in frequent_first}, len(ignored), hidden)


def drawn(dataset: Dataset, image: int, view: View, layers: Iterable[Layer], max_bytes: int) -> str:
    """The SVG of a part of an image, with boxes that are cut off at its edges; the later ones lie
    above. `max_bytes` limits the JPEG in it.

    Raises:
        DataError: as `decoded`.
    """
    part, jpeg = _encoded(dataset, image, view, max_bytes)
    box_of_view = f'viewBox="{_numbers(view.left, view.top, view.width, view.height)}"'
    data = base64.b64encode(jpeg).decode("ascii")
    return (
        f'<svg {box_of_view} role="img" aria-label="{shown(dataset.names[image])}">'
        f'<svg {_placed(view)} {box_of_view}><rect class="outside" {_placed(view)}/>'
        f'<image {_placed(part)} href="data:image/jpeg;base64,{data}"/>'
        f"{''.join(_line(*layer) for layer in layers)}</svg></svg>"
    )


def _of(box: tuple[float, ...] | None) -> Boxes:
    """The box `(1, 4)`, upright; `(0, 4)` if there is none or its corners are no numbers."""
    boxes = as_boxes([box] if box else ())
    return upright(boxes[np.isfinite(boxes).all(axis=1)])


def view_of(dataset: Dataset, image: int, box: Boxes) -> View:
    """A part of the image around the box `(1, 4)`, and as much outside as shows that it is
    outside; the whole image without a box."""
    width, height = dataset.sizes[image].tolist()
    if not len(box):
        return View(0, 0, width, height)
    left, top, right, bottom = clip(box, width, height)[0].tolist()
    room = max(CONTEXT * max(right - left, bottom - top), max(width, height) / 8)
    wide, high = right - left + 2 * room, bottom - top + 2 * room
    wide, high = max(wide, high * ASPECT), max(high, wide / ASPECT)
    xmin, ymin, xmax, ymax = box[0].tolist()
    xs = _around((left + right) / 2, wide, width, (xmin - room / 4, xmax + room / 4))
    ys = _around((top + bottom) / 2, high, height, (ymin - room / 4, ymax + room / 4))
    return View(xs[0], ys[0], xs[1], ys[1])


def _around(
    middle: float, length: float, side: int, needed: tuple[float, float]
) -> tuple[float, float]:
    """Where a view of this length begins and ends: in the image if possible.

    It leaves the image of `side` pixels only as far as what is needed does, and not by much.
    """
    first = min(0.0, max(needed[0], -BEYOND * side))
    last = max(float(side), min(needed[1], (1 + BEYOND) * side))
    start = min(max(middle - length / 2, first), max(first, last - length))
    return start, min(start + length, last)


def _encoded(dataset: Dataset, index: int, view: View, max_bytes: int) -> tuple[View, bytes]:
    """The pixels in the view: the part of the image that they cover, and a JPEG of them."""
    width, height = dataset.sizes[index].tolist()
    part = View(
        max(0, math.floor(view.left)),
        max(0, math.floor(view.top)),
        min(width, math.ceil(view.right)),
        min(height, math.ceil(view.bottom)),
    )
    scale = min(1.0, SIDE / max(part.width, part.height))
    sides = sorted(math.ceil(side * scale) for side in (width, height))
    with decoded(
        dataset.image(index), dataset.decoding, short_side=sides[0], long_side=sides[1]
    ) as whole:
        x, y = whole.picture.width / width, whole.picture.height / height
        corners = (part.left * x, part.top * y, part.right * x, part.bottom * y)
        part_of_it = whole.picture.resize(
            (max(1, round(part.width * scale)), max(1, round(part.height * scale))),
            Image.Resampling.BICUBIC,
            box=corners,
        )
    pixels = Image.fromarray(np.asarray(part_of_it))  # Pillow would copy comments into the JPEG
    content = b""
    for side, quality in ENCODINGS:
        pixels.thumbnail((side, side))
        stream = io.BytesIO()
        pixels.save(stream, "JPEG", quality=quality, optimize=True)
        content = stream.getvalue()
        if len(content) <= max_bytes:
            break
    return part, content


def within(boxes: Boxes, view: View) -> tuple[NDArray[np.bool_], Boxes]:
    """Which boxes `(n,)` touch the view; and those, upright, cut off a view's side beyond it."""
    size = (view.width, view.height)
    limits = np.array((np.subtract(view[:2], size), np.add(view[2:], size)), np.float32)
    corners = upright(boxes).clip(np.tile(limits[0], 2), np.tile(limits[1], 2))
    grown = corners + np.array((-1, -1, 1, 1), np.float32)  # boxes without area touch it too
    inside = intersections(grown, np.array(view, np.float32)) > 0
    return inside, corners[inside]


def _visible(box: Boxes, view: View) -> Boxes:
    """The box with its edges moved into the view, and at least a little apart."""
    if not len(box):
        return box
    least = max(view.width, view.height) / 30
    edge = least / 4
    left, top, right, bottom = box[0].tolist()
    xs = _apart(left, right, view.left + edge, view.right - edge, least)
    ys = _apart(top, bottom, view.top + edge, view.bottom - edge, least)
    return as_boxes([(xs[0], ys[0], xs[1], ys[1])])


def _apart(low: float, high: float, start: float, end: float, least: float) -> tuple[float, float]:
    """`low` and `high` moved between start and end, and by symmetry `least` apart."""
    low, high = min(max(low, start), end), min(max(high, start), end)
    missing = max(0.0, least - (high - low)) / 2
    low = min(max(low - missing, start), end - least)
    return low, max(high + missing, low + least)


def _line(css: str, boxes: Boxes, name: str = "", label: int | None = None) -> str:
    """A path of all boxes of a class; nothing without boxes."""
    if not len(boxes):
        return ""
    path = "".join(_outline(*box) for box in boxes.tolist())
    title = f"<title>{shown(name)}</title>" if name else ""
    data = "" if label is None else f' data-class="{label}"'
    return f'<path class="{css}"{data} d="{path}">{title}</path>'


def _outline(left: float, top: float, right: float, bottom: float) -> str:
    width, height = _numbers(right - left), _numbers(bottom - top)
    return f"M{_numbers(left, top)}h{width}v{height}h{_numbers(left - right)}z"


def _placed(view: View) -> str:
    names = ("x", "y", "width", "height")
    values = (view.left, view.top, view.width, view.height)
    return " ".join(
        f'{name}="{_numbers(value)}"' for name, value in zip(names, values, strict=True)
    )


def _numbers(*values: float) -> str:
    return " ".join(f"{round(value, 1):g}" for value in values)
