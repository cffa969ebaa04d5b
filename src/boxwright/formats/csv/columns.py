"""Detect the columns of a CSV file from its header or, without one, from its first rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

from boxwright.formats.annotations import number
from boxwright.formats.folder import with_slashes
from boxwright.formats.splits import WORDS
from boxwright.images.kinds import names_image
from boxwright.structures.dataset import Split

EMPTY = frozenset({"", "nan", "none", "null", "na", "n/a", "[]"})  # in spreadsheets and pandas
SETS = frozenset(WORDS) | {"unassigned", ""}  # in Google's files, in lower case
OFFICIAL = frozenset({"imageid", "labelname", "confidence", "xmin", "xmax"})  # in Open Images
IMAGE = (
    *("filename", "filepath", "file", "imagefilename", "imagefile", "imagepath", "imagename"),
    *("imgfile", "imgpath", "imgname", "path", "image", "img", "photo", "picture", "frame"),
    *("imageid", "imgid", "photoid"),
)
CLASS = (  # names before numbers; two names of one line are ambiguous
    ("classname", "labelname", "categoryname", "objectname"),
    ("class", "label", "category", "object", "objectclass", "tag"),
    ("name", "type", "species"),
    ("classid", "labelid", "categoryid", "cls"),
)
FOLDER = (  # what an image's name is below of
    *("folder", "foldername", "imagefolder", "imgfolder", "subfolder", "directory", "dir"),
    *("dirname", "imagedir", "imgdir", "subdir", "video", "videoname", "videoid", "clip"),
    *("clipname", "clipid", "camera", "cameraname", "cameraid", "cam"),
)
PATH = ("fullpath", "abspath", "absolutepath", "relativepath", "relpath", "url", "uri", "imageurl")
SPLIT = ("set", "split", "subset", "mluse")
SIZES = (
    *(("imagewidth", "imageheight"), ("imgwidth", "imgheight"), ("imwidth", "imheight")),
    ("width", "height"),
)


class Shape(Enum):
    """Layout of the numbers of a box."""

    CORNERS = auto()  # xmin, ymin, xmax, ymax
    SIDES = auto()  # xmin, ymin, width, height
    CENTER = auto()  # x and y of the center, width, height
    LIST = auto()  # one cell with xmin, ymin, width, height
    POINTS = auto()  # x and y of two or four corners, cells of the others empty


BOX: tuple[tuple[Shape, tuple[str, ...]], ...] = (
    (Shape.CORNERS, ("xmin", "ymin", "xmax", "ymax")),
    (Shape.CORNERS, ("minx", "miny", "maxx", "maxy")),
    (Shape.CORNERS, ("x1", "y1", "x2", "y2")),
    (Shape.CORNERS, ("x0", "y0", "x1", "y1")),
    (Shape.CORNERS, ("xtl", "ytl", "xbr", "ybr")),
    (Shape.CORNERS, ("left", "top", "right", "bottom")),
    (Shape.CENTER, ("xcenter", "ycenter", "w", "h")),
    (Shape.CENTER, ("xcenter", "ycenter", "width", "height")),
    (Shape.CENTER, ("xcentre", "ycentre", "width", "height")),
    (Shape.CENTER, ("cx", "cy", "w", "h")),
    (Shape.CENTER, ("cx", "cy", "width", "height")),
    (Shape.SIDES, ("x", "y", "w", "h")),
    (Shape.SIDES, ("xmin", "ymin", "w", "h")),
    (Shape.SIDES, ("left", "top", "w", "h")),
    (Shape.SIDES, ("x", "y", "width", "height")),
    (Shape.SIDES, ("left", "top", "width", "height")),
    *((Shape.LIST, (name,)) for name in ("bbox", "box", "boundingbox", "bndbox")),
)
SIDES = frozenset({"xmin", "ymin", "xmax", "ymax", "x1", "y1", "x2", "y2", "left", "top"})


@dataclass(frozen=True)
class Columns:
    """Column indices of a row.

    Attributes:
        image: the image name.
        box: four columns, one for a LIST, up to eight for POINTS.
        shape: the layout of the box.
        name: the class; None if the file has one class without a name.
        size: width and height of the image.
        split: a word such as TRAIN.
        fractions: True if boxes are fractions of the image's sides; None if that depends on the
            values of the whole file.
        header: True if the first row is a header.
        folder: the folder of the image, or a longer path of it.
    """

    image: int
    box: tuple[int, ...]
    shape: Shape
    name: int | None = None
    size: tuple[int, int] | None = None
    split: int | None = None
    fractions: bool | None = None
    header: bool = True
    folder: int | None = None

    def name_in(self, row: Sequence[str]) -> str:
        """The image name in the cells of a row, with all folders that it states; empty if none."""
        name = self.plain_name_in(row)
        if self.folder is None or len(row) <= self.folder or not name:
            return name
        return _below(with_slashes(row[self.folder]), name)

    def plain_name_in(self, row: Sequence[str]) -> str:
        """The cell of a row that is the image name, with slashes; empty if there is none."""
        return with_slashes(row[self.image]) if len(row) > self.image else ""

    def split_in(self, row: Sequence[str]) -> Split:
        """The split in the cells of a row."""
        if self.split is None or len(row) <= self.split:
            return Split.UNASSIGNED
        return WORDS.get(row[self.split].strip().lower(), Split.UNASSIGNED)


def understand(first: Sequence[Sequence[str]]) -> Columns | str | None:
    """Detect the columns of a file from its first rows.

    Returns:
        None if the file has no boxes of images; an error text if it has, but its header is
        ambiguous.
    """
    if not first:
        return None
    return _by_header(first[0], first[1:]) or _by_content(first)


def _by_header(header: Sequence[str], below: Sequence[Sequence[str]]) -> Columns | str | None:
    known: dict[str, int] = {}
    twice = set()
    for i, name in enumerate(map(_key, header)):
        if name in known:
            twice.add(name)
        known.setdefault(name, i)
    if known.keys() >= OFFICIAL:
        return None
    found = next(((shape, keys) for shape, keys in BOX if known.keys() >= set(keys)), None)
    names = next((some for line in CLASS if (some := [n for n in line if n in known])), [])
    image = _first(IMAGE, known)
    if image is None and "name" in known and _are_images(below, known["name"]):
        image, names = "name", [name for name in names if name != "name"]
    if found is None:
        return _without_box(image, [name for name in known if name in SIDES])
    shape, box = found
    if image is None:
        return _without_image(shape, box)
    if repeated := sorted(twice & {image, *box, *names}):
        return _unclear(f"{image} is the image", f"there are two columns '{repeated[0]}'")
    if len(names) > 1:
        understood = f"{image} is the image, {', '.join(box)} are the box"
        return _unclear(understood, f"{' and '.join(names)} could both be the class")
    columns = _columns(known, shape, image, box, names[0] if names else None)
    return replace(columns, folder=_folder(known, known[image], below))


def _folder(known: dict[str, int], image: int, below: Sequence[Sequence[str]]) -> int | None:
    """The column with longer paths of the images or, without one, with their folders."""
    for key in (*IMAGE, *PATH):
        column = known.get(key, image)
        rows = (row for row in below if len(row) > max(column, image))
        pairs = [(with_slashes(row[column]), with_slashes(row[image])) for row in rows]
        if column != image and pairs and all(_is_longer(path, name) for path, name in pairs):
            return column
    folder = _first(FOLDER, known)
    return None if folder is None else known[folder]


def _is_longer(path: str, name: str) -> bool:
    """True if a path is one of the image of this name."""
    lead, _, last = path.rpartition("/")
    own = name.rpartition("/")[2]
    return lead != "" and names_image(last) and own in {last, last.rpartition(".")[0]}


def _below(folder: str, name: str) -> str:
    """The path of an image in a folder, which may be that path, or be part of the name."""
    lead = folder.strip("/")
    if _is_longer(folder, name):
        return folder
    if (
        not lead
        or folder.lower() in EMPTY
        or f"/{lead}/" in f"/{name}"
        or re.match("/|[^/]*:", name)
    ):
        return name
    return f"{folder.rstrip('/')}/{name}"


def _columns(
    known: dict[str, int], shape: Shape, image: str, box: Sequence[str], name: str | None
) -> Columns:
    sizes = (pair for pair in SIZES if known.keys() >= set(pair) and set(pair).isdisjoint(box))
    size = next(sizes, None)
    split = _first(SPLIT, known)
    return Columns(
        image=known[image],
        box=tuple(known[key] for key in box),
        shape=shape,
        name=None if name is None else known[name],
        size=(known[size[0]], known[size[1]]) if size else None,
        split=None if split is None else known[split],
    )


def _without_box(image: str | None, sides: Sequence[str]) -> str | None:
    if image is None or len(sides) < 2:
        return None
    return _unclear(f"{image} is the image", f"{', '.join(sides)} are not a complete box")


def _without_image(shape: Shape, box: Sequence[str]) -> str | None:
    if shape is not Shape.CORNERS:
        return None
    return _unclear(f"{', '.join(box)} are the box", "no column is the image")


def _by_content(first: Sequence[Sequence[str]]) -> Columns | None:
    """Layouts without a header: keras-retinanet's, Google's, the tutorials', ..."""
    for columns, fitting in (
        (Columns(0, (1, 2, 3, 4), Shape.CORNERS, name=5, header=False), _is_retinanet),
        (_google(1), _is_google),
        (_google(0), _is_google_without_set),
        (Columns(0, (4, 5, 6, 7), Shape.CORNERS, 3, (1, 2), header=False), _is_tutorial),
        (Columns(0, (1, 2, 3, 4), Shape.CORNERS, 5, (6, 7), header=False), _is_sku),
        (Columns(5, (1, 2, 3, 4), Shape.SIDES, 0, (6, 7), header=False), _is_make_sense),
    ):
        if 2 * sum(map(fitting, first)) > len(first):
            return columns
    return None


def _google(image: int) -> Columns:
    """`set,path,label,x,y,x,y,x,y,x,y`, always in fractions; the set is optional."""
    box = tuple(range(image + 2, image + 10))
    split = 0 if image else None
    return Columns(image, box, Shape.POINTS, image + 1, None, split, fractions=True, header=False)


def _is_retinanet(row: Sequence[str]) -> bool:
    return len(row) == 6 and _is_image(row[0]) and _numbers(row[1:5])


def _is_google(row: Sequence[str]) -> bool:
    return row[0].lower() in SETS and 2 < len(row) <= 11 and _are_corners(row[1:])


def _is_google_without_set(row: Sequence[str]) -> bool:
    return len(row) == 10 and _are_corners(row)


def _are_corners(row: Sequence[str]) -> bool:
    coordinates = [cell for cell in row[2:] if cell]
    return len(coordinates) in {0, 4, 8} and _is_image(row[0]) and _numbers(coordinates)


def _is_tutorial(row: Sequence[str]) -> bool:
    return len(row) == 8 and _is_image(row[0]) and _numbers([*row[1:3], *row[4:]])


def _is_sku(row: Sequence[str]) -> bool:
    """The data set SKU-110K."""
    is_name = len(row) == 8 and number(row[5]) is None
    return is_name and _is_image(row[0]) and _numbers([*row[1:5], *row[6:]])


def _is_make_sense(row: Sequence[str]) -> bool:
    return len(row) == 8 and _is_image(row[5]) and _numbers([*row[1:5], *row[6:]])


def _are_images(below: Sequence[Sequence[str]], column: int) -> bool:
    return any(len(row) > column and _is_image(row[column]) for row in below)


def _is_image(cell: str) -> bool:
    return names_image(with_slashes(cell).rpartition("/")[2])


def _numbers(cells: Sequence[str]) -> bool:
    return all(number(cell) is not None for cell in cells) or not any(cells)


def _key(name: str) -> str:
    """`Bbox_X1` and `x 1` become `x1`; `box_width` becomes `w`, as `width` may be the image's."""
    key = re.sub(r"[^a-z0-9]", "", name.lower())
    rest = re.sub(r"^(?:(?:bounding|bnd|b)?box|roi)", "", key)
    return key if rest == key or not rest else {"width": "w", "height": "h"}.get(rest, rest)


def _first(names: Iterable[str], known: dict[str, int]) -> str | None:
    return next((name for name in names if name in known), None)


def _unclear(understood: str, problem: str) -> str:
    return f"its header is only partly understood: {understood}, but {problem}"
