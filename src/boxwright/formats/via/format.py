"""VGG Image Annotator: projects and annotations of versions 1 and 2, as JSON and CSV.

Boxes are x, y, width and height in pixels; other shapes become boxes. A region has any number of
attributes, and one of them is the class.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from boxwright.formats import json_file, json_kinds
from boxwright.formats.about import About
from boxwright.formats.annotations import Holds, Labeled, Labels
from boxwright.formats.folder import Folder, folded, join, relative, split_path, with_slashes
from boxwright.formats.json_file import Object, UnusableError
from boxwright.formats.shapes import decimals, shapes_finding
from boxwright.formats.splits import file_split
from boxwright.formats.via.files import KIND, Entry, Files, tables
from boxwright.formats.via.records import ATTRIBUTES, METADATA, ORDER
from boxwright.formats.via.regions import BOX, Region, attributes_in_use
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import Finding

TITLE = "VGG Image Annotator"
HOLDS = (
    Holds.SPLITS | Holds.EMPTY_IMAGES | Holds.CLASS_ORDER | Holds.UNUSED_CLASSES | Holds.FRACTIONS
)
BY_STEM = False
ABOUT = About(
    sources="VGG Image Annotator 1 and 2.",
    files="Its project, and its annotations exported as JSON or CSV.",
    detected=(
        "By `_via_settings`, or images with `filename` and `regions`, in a JSON file, or by the "
        "columns `region_shape_attributes` and `region_attributes` of a CSV file."
    ),
    written=("*/via_project.json",),
    quirks=(
        "The class is the region attribute that most regions have; `BW164` names it if there are "
        "several. Regions without attributes get the class `object` (`BW148`).",
        "Circles, ellipses, polygons and points become boxes.",
        "The stated size of the file decides between images of one name.",
        "Images that are the same in a JSON and a CSV file are used once (`BW113`).",
    ),
)
FILE = "via_project.json"
VERSION = "2.0.10"  # version of the data format that is written
CLASS = "class"  # the attribute that is written
UNKNOWN = -1  # size of an image that is not a file, as from the internet
NAMELESS = "object"  # class name of regions without attributes

image_folder = json_file.image_folder


def detect(folder: Folder) -> bool:
    """True if a JSON or CSV file has images with regions and their attributes."""
    return json_kinds.holds(folder, KIND) or bool(tables(folder))


def read(folder: Folder) -> Labels:
    """Read all images in the files; an image without regions has no objects."""
    files = Files.read(folder)
    labels = Labels(broken=files.broken, findings=files.findings)
    regions = [region for entry in files.entries for region in entry.regions]
    counts = attributes_in_use(regions, list(files.described))
    attribute = next(iter(counts), None)
    paths = _paths_by_name(folder)
    shapes: Counter[str] = Counter()
    for entry in _once(files.entries, labels):
        try:
            labels.images.append(_image(folder, entry, attribute, paths))
        except UnusableError as error:
            labels.broken.append(error.in_file(entry.path))
            continue
        shapes.update(region.kind for region in entry.regions if region.kind != BOX)
    _tell_apart(labels.images)
    if labels.images:
        where = labels.images[0].path
        labels.findings += shapes_finding(where, shapes)
        labels.findings += _of_attributes(where, counts, len(regions))
    if not regions:
        attribute = next(iter(files.described), None)
    labels.classes = files.described.get(attribute, ()) if attribute else ()
    return labels


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write one project per split, beside the images, with the class as a list to choose from."""
    options = dict.fromkeys(dataset.classes, "")
    choice = {"type": "dropdown", "description": "", "options": options, "default_options": {}}
    for folder, indices in json_file.by_folder(dataset):
        images = {}
        for i in indices:
            one = _written(dataset, i, relative(names[i], folder), target / names[i])
            images[f"{one['filename']}{one['size']}"] = one
        content = {
            "_via_settings": {
                "core": {"filepath": {}, "default_filepath": ""},
                "project": {"name": "boxwright"},
            },
            METADATA: images,
            ATTRIBUTES: {"region": {CLASS: choice}, "file": {}},
            "_via_data_format_version": VERSION,
            ORDER: list(images),
        }
        json_file.write(target / folder / FILE, content)


def _image(
    folder: Folder, entry: Entry, attribute: str | None, paths: Mapping[str, Sequence[str]]
) -> Labeled:
    image = Labeled(entry.path, entry.name, place=entry.place, split=file_split(entry.path))
    here = paths.get(_last(entry.name), ())
    if len(here) > 1 and entry.size:
        fitting = [path for path in here if (folder.root / path).stat().st_size == entry.size]
        if len(fitting) == 1:
            image.image = relative(fitting[0], split_path(entry.path)[0])
    add_regions(image, entry.regions, attribute)
    return image


def add_regions(image: Labeled, regions: Sequence[Region], attribute: str | None) -> None:
    """Add the boxes of regions whose class is an attribute. Raises UnusableError."""
    for region in regions:
        box = region.box()
        names = [NAMELESS] if attribute is None else region.values(attribute)
        if not names:
            message = f"has no '{attribute}', the attribute that is the class of most regions"
            raise UnusableError(region.place, message)
        for name in names:
            image.add(name, box)


def rectangle(box: Sequence[float]) -> Object:
    """The shape of a box, xyxy."""
    xmin, ymin, xmax, ymax = box
    sides = (xmin, ymin, round(xmax - xmin, 9), round(ymax - ymin, 9))
    return {"name": BOX, **dict(zip(("x", "y", "width", "height"), sides, strict=True))}


def _paths_by_name(folder: Folder) -> dict[str, list[str]]:
    """File name of an image -> its paths; the size of the file tells them apart."""
    paths = defaultdict(list)
    for parent, names in folder.images.items():
        for name in names:
            paths[folded(name)].append(join(parent, name))
    return paths


def _last(name: str) -> str:
    return folded(split_path(with_slashes(name))[1])


def _once(entries: Sequence[Entry], labels: Labels) -> list[Entry]:
    """The images without those of a CSV file that are the same in a JSON file."""
    known: dict[tuple[str, str, int], Entry] = {}
    kept: list[Entry] = []
    twice: Counter[tuple[str, str]] = Counter()
    for entry in entries:
        parent = split_path(entry.path)[0]
        first = known.setdefault((parent, entry.name, entry.size), entry)
        same = [region[1:] for region in first.regions] == [region[1:] for region in entry.regions]
        if first.path != entry.path and same:
            twice[entry.path, first.path] += 1
        else:
            kept.append(entry)
    for (path, other), count in twice.items():
        message = f"{count} of its images are the same in {other}"
        labels.findings.append(Finding("BW113", path, message, "used once"))
    return kept


def _tell_apart(images: Sequence[Labeled]) -> None:
    """Mark the images of a file that have the same name."""
    names = Counter((image.path, image.image) for image in images)
    for image in images:
        image.repeated = names[image.path, image.image] > 1


def _of_attributes(where: str, counts: Mapping[str, int], regions: int) -> list[Finding]:
    if regions and not counts:
        message = f"the regions have no attributes; all boxes get the class '{NAMELESS}'"
        return [Finding("BW148", where, message)]
    if len(counts) < 2:
        return []
    (chosen, count), *others = counts.items()
    used = ", ".join(f"'{name}' in {number}" for name, number in others)
    message = f"'{chosen}' is the class: {count} of {regions} regions have it, {used}"
    return [Finding("BW164", where, message)]


def _written(dataset: Dataset, index: int, name: str, path: Path) -> Object:
    rows = dataset.rows(index)
    regions = []
    for box, label in zip(dataset.boxes[rows], dataset.labels[rows], strict=True):
        shape, attributes = rectangle(decimals(box)), {CLASS: dataset.classes[label]}
        regions.append({"shape_attributes": shape, "region_attributes": attributes})
    return {
        "filename": name,
        "size": path.stat().st_size if path.exists() else UNKNOWN,
        "regions": regions,
        "file_attributes": {},
    }
