"""YOLO: a text file per image, `class x y width height` on each line in fractions of its sides.

The layout is that of Ultralytics: labels/train/a.txt belongs to images/train/a.jpg, and a.txt to
a.jpg beside it; class numbers are indices of the names in data.yaml; an image without label file
has no objects. Without data.yaml, names come from LabelImg's classes.txt or Darknet's obj.names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import yaml

from boxwright.errors import DataError
from boxwright.formats import kitti
from boxwright.formats.about import About
from boxwright.formats.annotations import Broken, Holds, Labeled, Labels, number
from boxwright.formats.claims import LABEL_FOLDERS
from boxwright.formats.folder import Folder, folded, join, parts, relative, split_path
from boxwright.formats.label_paths import at_changed_names, label_path, label_paths
from boxwright.formats.name_lists import is_list_name
from boxwright.formats.pairing import pair
from boxwright.formats.splits import folder_split
from boxwright.formats.tables import first_words
from boxwright.formats.yolo.lines import Naming, is_label, read_label
from boxwright.formats.yolo.locations import Placed, place_images
from boxwright.formats.yolo.names import LISTS, Names
from boxwright.formats.yolo.yaml_file import SUFFIXES, Description, descriptions
from boxwright.io.files import write_text
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding, counted

TITLE = "YOLO"
HOLDS = (
    Holds.SPLITS | Holds.EMPTY_IMAGES | Holds.CLASS_ORDER | Holds.UNUSED_CLASSES | Holds.FRACTIONS
)
BY_STEM = True
ABOUT = About(
    sources="Ultralytics, Darknet, CVAT, Label Studio, Roboflow and LabelImg.",
    files=(
        "A `.txt` for each image, beside it or in `labels` beside `images`. The class names are "
        "in `data.yaml`, `classes.txt` or `obj.names`, in the same folder or one above."
    ),
    detected=(
        "By text files that begin with a class number and four numbers and belong to images, are "
        "in `labels` or are near a list of classes; or by `data.yaml`."
    ),
    written=("data.yaml", "labels/*/*.txt"),
    quirks=(
        "An image without a label file has no objects, as in Ultralytics, if other images beside "
        "it have label files, no label file lacks its image, and no file that is not read may "
        "have its boxes (`BW155`).",
        "Polygons and rotated boxes become boxes. Keypoints are ignored; they are known by "
        "`kpt_shape` or `task: pose` in `data.yaml`, by their visibilities 0, 1 and 2, or if all "
        "lines have as many numbers and as shapes would cross themselves. `task: segment` or "
        "`task: obb` says that there are none.",
        "The splits are those of `data.yaml`: folders, images or lists of images. Its names may be "
        "under `classes` or `class_names` instead of `names`: a list, names by number, or numbers "
        "by name.",
        "The lines of a list of names may begin with their numbers, if all do, from 0 or 1 on. If "
        "from 1, the labels show which line is class 0, or the list is refused (`BW110`).",
        "Without a list of names, `predefined_classes.txt`, Label Studio's `notes.json`, "
        "`classes.json`, `classes.csv`, a label map, a YAML file that has only `names`, or a "
        "`data.yaml` one folder above is used if it has all classes (`BW158`).",
    ),
)
SAMPLED = 50  # text files that are read to detect labels
FOLDERS = ("images", "labels")  # folders of images and of their labels, in Ultralytics


def detect(folder: Folder) -> bool:
    """True if there are labels, or a data.yaml with label files or alone.

    Labels belong to images, or are where only labels are: in their folder, or near a class list.
    """
    if any(isinstance(one, Description) for one in descriptions(folder)):
        by_itself = folder.files.keys() <= set(SUFFIXES)
        return by_itself or bool(_expected(folder)) or bool(_elsewhere(folder, set(), set()))
    texts = folder.with_suffix(".txt")
    states = {path: is_label(folder.root / path) for path in texts[:: 1 + len(texts) // SAMPLED]}
    if True not in states.values():
        return False
    listed = any(split_path(path)[1].lower() in LISTS for path in texts)
    for path, state in states.items():
        at_home = listed or not LABEL_FOLDERS.isdisjoint(parts(folded(path))[:-1])
        if state and at_home and _is_in_fractions(folder.root / path):
            return True
    sample = [Labeled(path, alone=True) for path, state in states.items() if state is not False]
    return any(match.image or match.could_be for match in pair(folder, sample))


def read(folder: Folder) -> Labels:
    """Read every label file, and the images without objects: see `_missing`.

    Raises:
        DataError: BW101 all images of a data.yaml are missing, BW114 all its labels are missing.
    """
    folder = _with_label_files(folder)
    labels, root = Labels(), str(folder.root)
    expected = _expected(folder)
    names, placed = names_of(folder)
    described = names.described
    files = [*sorted(expected), *_elsewhere(folder, expected, {*placed.lists, *names.lists})]
    own = [Labeled(path, alone=True, relative=True) for path in files]
    lost: list[Labeled] = []
    pairs: dict[str, str] = {}  # label file -> its image
    moved: set[str] = set()
    for one, match in zip(own, pair(folder, own), strict=True):
        if image := match.image or match.again:
            pairs[one.path] = image
        else:
            lost.append(one)
        if match.moved:
            moved.add(one.path)
    shapes = 0
    files = sorted(pairs, key=lambda path: (pairs[path], path))
    read = [_read(root, pairs[path], path, placed, names) for path in files]
    if names.shift_ids() | names.find_keypoints():
        read = [_read(root, pairs[path], path, placed, names) for path in files]
    for one, outcome in read:
        one.moved = one.path in moved
        if outcome is None:
            continue
        outcome = names.unclear.get(one.path, outcome)
        if isinstance(outcome, Broken):
            labels.broken.append(outcome)
        else:
            labels.images.append(one)
            shapes += outcome
    for image, path in sorted(_missing(folder, placed, pairs).items()):
        names.of(image, path)
        labels.assumed[image] = _labeled(image, path, placed)
    if described and not labels.images and not labels.broken and not names.broken and not lost:
        code, what = ("BW114", "label files") if placed.splits else ("BW101", "images")
        raise DataError(
            code,
            f"it describes a dataset, but its {what} are missing.",
            where=folder.root / described[0].path,
        )
    names.note_guesses()
    names.name_rest(labels.images)
    labels.broken += names.broken
    labels.classes = names.classes(name for one in labels.images for name in one.names)
    for one in lost:  # whose names they are is not known
        read_label(root, one, Naming())
    labels.images += lost
    labels.findings += [*placed.findings, *names.findings]
    labels.findings += _odd(described, names, shapes)
    return labels


def names_of(folder: Folder) -> tuple[Names, Placed]:
    """The class names of a folder's label files, and the splits of its images."""
    found = list(descriptions(folder))
    described = [one for one in found if isinstance(one, Description)]
    broken = [one for one in found if isinstance(one, Broken)]
    placed = place_images(folder, described)
    return Names(folder, described, broken, placed.owners, _expected(folder)), placed


def image_folder(split: Split) -> str:
    """A folder below images for each split; images itself for images without a split."""
    return "images" if split is Split.UNASSIGNED else f"images/{split.name.lower()}"


def write(dataset: Dataset, names: Sequence[str], target: Path) -> None:
    """Write data.yaml and a label file for each image, also for images without objects.

    Splits are folders, or lists if the images are in other folders; Ultralytics reads both.

    Raises:
        DataError: BW141 an image name cannot be written as a line of a list.
    """
    for i, name in enumerate(names):
        write_text(target / label_path(name, *FOLDERS), "".join(_lines(dataset, i)))
    said: dict[str, object] = {}
    for split in (Split.TRAIN, Split.VAL, Split.TEST):
        word, folder = split.name.lower(), image_folder(split)
        listed = [names[i] for i in np.flatnonzero(dataset.splits == split).tolist()]
        if not listed:
            continue
        if listed == [name for name in names if name.startswith(f"{folder}/")]:
            said[word] = folder
        else:
            said[word] = f"{word}.txt"
            write_text(target / f"{word}.txt", "".join(map(_listed, listed)))
    said |= {"nc": len(dataset.classes), "names": list(dataset.classes)}
    text = yaml.safe_dump(said, allow_unicode=True, sort_keys=False, width=10**9)
    write_text(target / "data.yaml", text)


def add_scores(target: Path, names: Sequence[str], scores: Iterable[Sequence[float]]) -> None:
    """Append to each box that `write` has written its score, as Ultralytics writes detections.

    Args:
        target: the folder.
        names: the images' names in it.
        scores: for each image, a score per box in [0, 1].
    """
    for name, own in zip(names, scores, strict=True):
        path = target / label_path(name, *FOLDERS)
        lines = path.read_text("utf-8").splitlines()
        scored = (f"{line} {score:.6g}\n" for line, score in zip(lines, own, strict=True))
        write_text(path, "".join(scored))


def _is_in_fractions(path: Path) -> bool:
    """True if the first box of a label file is in fractions."""
    values = [number(word) for word in (first_words(path) or [])[1:5]]
    return all(value is not None and 0 <= value <= 1 for value in values)


def _with_label_files(folder: Folder) -> Folder:
    """Add the label files around a data.yaml that is the only given file."""
    if folder.with_suffix(".txt"):
        return folder
    around = Folder.scan(folder.root).files
    return replace(folder, files={**around, **{suffix: [] for suffix in SUFFIXES}, **folder.files})


def _expected(folder: Folder) -> set[str]:
    """The text files that are where the labels of an image belong; case is ignored."""
    texts = {folded(path): path for path in folder.with_suffix(".txt")}
    found = {texts[place] for place in label_paths(folder, [FOLDERS]) if place in texts}
    return (
        {path for path in found if not _is_kitti(folder, path)} if kitti.detect(folder) else found
    )


def _is_kitti(folder: Folder, path: str) -> bool:
    return kitti.is_line(first_words(folder.root / path) or ())


def _elsewhere(folder: Folder, expected: set[str], lists: set[str]) -> list[str]:
    """Other label files. Empty files count if other files beside them are labels, or if they are
    where the labels of an image belong whose name a tool may have changed."""
    states = {
        path: is_label(folder.root / path)
        for path in folder.with_suffix(".txt")
        if path not in expected and path not in lists
    }
    labels = [*expected, *(path for path, state in states.items() if state)]
    parents = {split_path(path)[0] for path in labels}
    empty = [path for path, state in states.items() if state is None and not is_list_name(path)]
    changed = at_changed_names(empty, label_paths(folder, [FOLDERS]))
    labels_too = {path for path in empty if split_path(path)[0] in parents or path in changed}
    return [path for path, state in states.items() if state or path in labels_too]


def _missing(folder: Folder, placed: Placed, pairs: Mapping[str, str]) -> dict[str, str]:
    """Images without objects and without label file -> the path of their label file.

    As in Ultralytics, they are in a split of data.yaml, or in an images folder whose labels folder
    has labels. If the folder has no labels at all, the result is empty.
    """
    labeled, known = {split_path(path)[0] for path in pairs}, {*pairs.values()}
    missing = {}
    for parent, names in folder.images.items():
        for name in names:
            image = join(parent, name)
            path = label_path(image, *FOLDERS)
            mirrored = split_path(path)[0] != parent and split_path(path)[0] in labeled
            if labeled and image not in known and (image in placed.splits or mirrored):
                missing[image] = path
    return missing


def _read(
    root: str, image: str, path: str, placed: Placed, names: Names
) -> tuple[Labeled, Broken | int | None]:
    """The labels of an image, and the result of `read_label`; None if the names are lost."""
    one, naming = _labeled(image, path, placed), names.of(image, path)
    outcome = read_label(root, one, naming)
    if isinstance(outcome, Broken) and outcome.code == "BW163" and not naming.names:
        naming.needed.add(path)
        return one, None
    return one, outcome


def _labeled(image: str, path: str, placed: Placed) -> Labeled:
    others = folder_split(split_path(image)[0]) if placed.splits else Split.UNASSIGNED
    split = placed.splits.get(image, others)
    name = relative(image, split_path(path)[0])
    return Labeled(path, name, relative=True, split=split)


def _odd(described: Sequence[Description], names: Names, shapes: int) -> Iterator[Finding]:
    for one in described:
        if one.names and one.count not in {None, len(one.names)}:
            message = (
                f"nc is {one.count}, but names has {counted(len(one.names), 'class', 'classes')}"
            )
            yield Finding("BW116", one.path, message, "the names are used")
    if shapes:
        yield Finding(
            "BW143",
            ".",
            counted(shapes, "label is a shape", "labels are shapes"),
            "bounding boxes are used",
        )
    if names.nameless:
        message = "no file beside the labels names the classes"
        yield Finding("BW148", names.nameless[0], message, "called 'class 0' and so on")


def _lines(dataset: Dataset, index: int) -> Iterator[str]:
    rows = dataset.rows(index)
    width, height = dataset.sizes[index]
    boxes = dataset.boxes[rows].astype(np.float64) / [width, height, width, height]
    first, second = boxes[:, :2], boxes[:, 2:]
    values = np.concatenate([(first + second) / 2, np.abs(second - first)], axis=1)
    for label, line in zip(dataset.labels[rows], values, strict=True):
        numbers = (np.format_float_positional(value, precision=10, trim="-") for value in line)
        yield f"{label} {' '.join(numbers)}\n"


def _listed(name: str) -> str:
    if name != name.strip() or len(name.splitlines()) != 1 or not name.isprintable():
        raise DataError("BW141", f"the image name {name!r} cannot be written as a line of a list.")
    return f"./{name}\n"
