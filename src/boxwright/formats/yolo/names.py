"""Class names of YOLO labels, from data.yaml or a list of classes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from boxwright.errors import DataError
from boxwright.formats.annotations import Broken, Labeled
from boxwright.formats.folder import Folder, outwards, split_path
from boxwright.formats.name_lists import NOT_CLASSES, name_lists, names_of_list
from boxwright.formats.units import id_shift, shifted_ids
from boxwright.formats.yolo.lines import LongLines, Naming, is_label
from boxwright.formats.yolo.yaml_file import Description, descriptions_elsewhere
from boxwright.structures.findings import Finding, counted

LISTS = ("classes.txt", "class.txt", "class_names.txt", "labels.txt")
LIST_SUFFIXES = (".names", ".labels")  # obj.names, _darknet.labels
FROM_ONE = (
    "its lines are numbered from 1 on, and the labels have neither class 0 nor class {}, which "
    "would show where they count from; write only the names, those of class 0 first"
)
SHOWN = 8  # class numbers in a message


class Names:
    """Find the class names of each label file.

    The sources are, in this order, the data.yaml that names the image, the nearest data.yaml around
    the label file, and the nearest list of classes. So datasets side by side keep their own names.

    Attributes:
        findings: lists that are not used.
        described: the descriptions of the dataset.
        lists: the paths of the lists of classes.
        nameless: the label files whose classes have no names.
    """

    def __init__(
        self,
        folder: Folder,
        described: Sequence[Description],
        unreadable: Sequence[Broken],
        owners: Mapping[str, Sequence[Description]],
        taken: Collection[str],
    ) -> None:
        self._long = LongLines()
        self._confident = False  # keypoints follow the boxes
        self._contradictions: list[Broken] = []
        self._unreadable = [(one, Naming(one.where, {})) for one in unreadable]
        self.findings: list[Finding] = []
        self.nameless: list[str] = []
        self._folder = folder
        elsewhere = descriptions_elsewhere(folder)
        self._keypoints = any(isinstance(one, Description) and one.keypoints for one in elsewhere)
        self._owners = owners
        self._known: dict[tuple[str, ...], Naming] = {}
        self._described: dict[str, list[Description]] = {}
        for one in described:
            self._described.setdefault(split_path(one.path)[0], []).append(one)
        self.described = described
        self._lists: dict[str, Naming] = {}
        self._from_one: set[str] = set()  # lists whose lines are numbered from 1
        for path in _class_lists(folder, taken):
            self._read_list(folder, path)
        self.lists = [naming.origin for naming in self._lists.values()]
        self._used: dict[str, Naming] = {}
        self._own: set[str] = set()  # origins of names that label files have near them
        self._others: dict[str, set[str]] = {}  # origin -> label files with the names of others
        self._shifted: dict[str, Naming] = {}

    def of(self, image: str, label: str) -> Naming:
        """The class names of the file `label`."""
        naming = self._find(image, label)
        naming = self._shifted.get(naming.origin, naming)
        self._used[naming.origin] = naming
        if naming.names is None:
            self.nameless.append(label)
            keypoints = naming.keypoints or self._keypoints
            naming = Naming(keypoints=keypoints, shapes=naming.shapes and not keypoints)
        if naming.shapes:
            return replace(naming, long=LongLines())
        return replace(naming, keypoints=naming.keypoints or self._confident, long=self._long)

    @property
    def unclear(self) -> Mapping[str, Broken]:
        """The label files that may have keypoints or shapes."""
        return self._long.unclear if self._long.are_unclear else {}

    def find_keypoints(self) -> bool:
        """Let keypoints follow the boxes if the lines show that they do; True if so."""
        self._confident = self._long.have_keypoints
        self._long = LongLines() if self._confident else self._long
        return self._confident

    @property
    def broken(self) -> list[Broken]:
        """Descriptions that contradict each other or cannot be read, and lists of that kind."""
        lost = (
            one.needed_by(len(naming.needed), "label file") if naming.needed else one
            for one, naming in self._unreadable
        )
        return [*self._contradictions, *lost]

    def shift_ids(self) -> bool:
        """Let names follow label files that count classes from another number; True if any does.

        The names of lines that are numbered from 1 are lost if the files have neither class 0 nor
        the last number.
        """
        for origin, one in self._used.items():
            stated, used = one.names or {}, one.used
            if origin in self._from_one and 0 not in used and len(stated) in used:
                used = {1, *used}  # they count from 1, as the lines do
            if shift := id_shift(used, stated.keys()):
                names = {number - shift: name for number, name in stated.items()}
                self._shifted[origin] = Naming(origin, names, one.keypoints, one.shapes)
                self.findings.append(shifted_ids(origin, used, shift))
            elif origin in self._from_one and 0 in used:
                message = "its lines are numbered from 1 on; the first is class 0 of the labels"
                self.findings.append(Finding("BW162", origin, message))
            elif origin in self._from_one and used:
                self._shifted[origin] = Naming(origin, {})
                unclear = Broken("BW110", origin, FROM_ONE.format(len(stated)))
                self._unreadable.append((unclear, self._shifted[origin]))
        return bool(self._shifted)

    def classes(self, found: Iterable[str]) -> list[str]:
        """All classes in id order; classes that were `found` but have no name are last."""
        used = set(found)
        named = [
            name
            for one in self._used.values()
            for _, name in sorted((one.names or {}).items())
            if name in used or name not in NOT_CLASSES
        ]
        nameless = sorted(used.difference(named), key=lambda name: (len(name), name))
        return list(dict.fromkeys([*named, *nameless]))

    def note_guesses(self) -> None:
        """Add a finding about each list of a data set that names the classes of another one too."""
        for origin in sorted(self._own & self._others.keys()):
            labels, named = sorted(self._others[origin]), self._used[origin].names
            if not named:
                continue
            names = counted(len(named), "class", "classes")
            files = f"{counted(len(labels), 'label file')} elsewhere, such as {labels[0]}"
            self.findings.append(Finding("BW158", origin, f"names {names} of {files}", "used"))

    def name_rest(self, images: list[Labeled]) -> None:
        """Name the classes of nameless label files from a file elsewhere that has all of them.

        If none has and one of these files cannot be read, the label files are removed.
        """
        nameless = set(self.nameless)
        rest = [one for one in images if one.path in nameless and one.names]
        numbers = {int(name.split()[1]) for one in rest for name in one.names}
        if not numbers:
            return
        candidates = list(name_lists(self._folder))
        fitting = [one for one in candidates if one.fits(numbers)]
        meant = {tuple(one.names[number] for number in sorted(numbers)) for one in fitting}
        found = fitting[0] if len(meant) == 1 else None
        unreadable = [one.problem for one in candidates if one.problem and not found]
        if unreadable:
            files = {one.path for one in rest}
            self._unreadable += [(one, Naming(one.where, {}, needed=files)) for one in unreadable]
            images[:] = [one for one in images if one.path not in files]
            self.nameless = []
            return
        for one in candidates if found is None else [found]:
            message, repair = f"names {counted(len(one.names), 'class', 'classes')}", "used"
            if found is None:
                other = "another list has other names" if one in fitting else "it does not fit"
                message += f"; the labels have the numbers {_shown(numbers)}, and {other}"
                repair = "not used"
            elif found.shifted:
                repair = "used; its first class is 0 in the labels"
            self.findings.append(Finding("BW158", one.path, message, repair))
        if found is None:
            return
        for image in rest:
            image.names = [found.names[int(name.split()[1])] for name in image.names]
        self._used[found.path] = Naming(found.path, found.names)
        self.nameless = []

    def _find(self, image: str, label: str) -> Naming:
        near = self._near(image, label)
        if near:
            self._own.add(near.origin)
            return near
        known = [naming for _, naming in self._unreadable] or list(self._lists.values())
        far = known[0] if len(known) == 1 else Naming()
        if self.described:
            far = self._agreed(self.described)
        self._others.setdefault(far.origin, set()).add(label)
        return far

    def _near(self, image: str, label: str) -> Naming | None:
        """The names for this image, or in the nearest folder around its label file."""
        if image in self._owners:
            return self._agreed(self._owners[image])
        around = outwards(split_path(label)[0])
        for parent in around:
            if parent in self._described:
                return self._agreed(self._described[parent])
        return next((self._lists[parent] for parent in around if parent in self._lists), None)

    def _agreed(self, described: Sequence[Description]) -> Naming:
        """The combined names of several descriptions."""
        paths = tuple(one.path for one in described)
        if paths in self._known:
            return self._known[paths]
        names: dict[int, str] = {}
        for one in described:
            for number, name in one.names.items():
                if names.setdefault(number, name) != name:
                    message = f"class {number} is '{name}', but '{names[number]}' in {paths[0]}"
                    self._contradictions.append(Broken("BW110", one.path, message))
                    break
        keypoints = any(one.keypoints for one in described)
        shapes = not keypoints and any(one.shapes for one in described)
        origin = paths[0] if names else ""
        naming = Naming(origin, names or None, keypoints, shapes)
        self._known[paths] = naming
        return naming

    def _read_list(self, folder: Folder, path: str) -> None:
        parent = split_path(path)[0]
        above = next((self._described[p] for p in outwards(parent) if p in self._described), None)
        believed = self._agreed(above) if above else Naming()
        names: Mapping[int, str] | None = None  # None if they are in an unclear order
        try:
            names, first, _ = names_of_list(folder.root / path)
            if first == 1:
                self._from_one.add(path)
        except DataError as error:
            if believed.names is None or error.code != "BW110":
                self._lists.setdefault(parent, Naming(path, {}))
                self._unreadable.append((Broken.of(error, path), self._lists[parent]))
                return
        if names == {}:
            return
        if believed.names is not None and believed.names != names:
            message = f"its classes differ from those of {believed.origin}"
            self.findings.append(Finding("BW116", path, message, "not used"))
        if names:
            self._lists.setdefault(parent, Naming(path, names))


def _shown(numbers: Collection[int]) -> str:
    first = ", ".join(map(str, sorted(numbers)[:SHOWN]))
    return f"{first} and more" if len(numbers) > SHOWN else first


def _class_lists(folder: Folder, taken: Collection[str]) -> list[str]:
    """Files with a usual name of a class list, the most likely of each folder first."""
    texts = [p for p in folder.with_suffix(".txt") if split_path(p)[1].lower() in LISTS]
    texts.sort(key=lambda path: LISTS.index(split_path(path)[1].lower()))
    named = [p for p in texts if p not in taken and is_label(folder.root / p) is False]
    return [*named, *folder.with_suffix(*LIST_SUFFIXES)]
