"""Which image each annotation gets, and what is said about those that get none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from boxwright.errors import DataError
from boxwright.formats.annotations import Broken, Labeled, Labels
from boxwright.formats.claims import leaves_folder
from boxwright.formats.folder import (
    Folder,
    folded,
    join,
    parts,
    shared_end,
    split_path,
    stem,
    with_slashes,
)
from boxwright.formats.options import Unlabeled
from boxwright.formats.pairing import Match, pair
from boxwright.formats.same_image import joined
from boxwright.images.opening import format_of
from boxwright.structures.findings import Finding, counted, part_of

SHOWN = 5  # images or folders that a message names


class Ownership:
    """The annotations of a folder with their images.

    Args:
        folder: the images.
        labels: the annotations.
        paired: image -> its annotation, if that is known; None to find it.

    Attributes:
        paired: image -> its annotation.
        guessed: images whose annotation may be another's, as it states other folders.
        withheld: images that have no box in their annotation, but in another one.
        broken: annotations that may belong to several images, or to one outside of the folder.
        findings: annotations that are left out, images in another place than stated, and images
            without annotation.
        orphans: number of annotations without an image of their own.
    """

    def __init__(
        self, folder: Folder, labels: Labels, paired: Mapping[str, Labeled] | None = None
    ) -> None:
        self.folder, self.labels = folder, labels
        self.paired: dict[str, Labeled] = dict(paired or {})
        self.guessed: set[str] = set()
        self.withheld: set[str] = set()
        self.broken: list[Broken] = []
        self.findings: list[Finding] = []
        self.orphans = 0
        if paired is not None:
            return
        matches = pair(folder, labels.images)
        moved: list[tuple[Labeled, str]] = []
        missing: list[tuple[Labeled, Match]] = []
        others: list[tuple[Labeled, Match, str]] = []
        for one, match in zip(labels.images, matches, strict=True):
            if match.image is not None:
                self.paired[match.image] = one
                if one.moved or not match.certain:
                    self.guessed.add(match.image)
                if one.moved or match.moved:
                    moved.append((one, match.image))
            elif match.owner is not None and not match.could_be:
                others.append((one, match, matches[match.owner].image or ""))
            elif match.could_be:
                self._leave_out(one, match)
            else:
                missing.append((one, match))
        self._join(others)
        self._add_missing(missing)
        self.findings += _moved(moved)

    def add_unlabeled(self, choice: Unlabeled | None, lost: int) -> None:
        """Add the images that count as images without objects although nothing says so.

        By default these are the ones that the format takes for empty (`Labels.assumed`), and only
        while every annotation has its image: otherwise an annotation may be theirs.

        Args:
            choice: `background` adds all images without annotation, `skip` none.
            lost: number of annotations without an image of their own.
        """
        known = {*self.paired, *self.labels.duplicates, *self.withheld}
        assumed = {image: one for image, one in self.labels.assumed.items() if image not in known}
        keeps = choice == "background" or (choice is None and not lost)
        if assumed:
            self._note_assumed(assumed, lost, keeps=keeps)
        bare = self._bare({*known, *assumed})
        for parent, images in bare.items():
            self._note_bare(parent, images, keeps=choice == "background")
        if keeps:
            self.paired |= assumed
        if choice == "background":
            self.paired |= {i: Labeled("", i) for images in bare.values() for i in images}

    def give_up(self, other: Ownership) -> None:
        """Leave out annotations whose image is guessed here, but certain in another format.

        Annotations that have the same classes are those of the same image.
        """
        for image in sorted(self.guessed & other.paired.keys() - other.guessed):
            one = self.paired[image]
            if sorted(one.names) != sorted(other.paired[image].names):
                del self.paired[image]
                self.guessed.discard(image)
                self._leave_out(one, Match(owner=0, could_be=(image,)))

    def withhold(self, image: str, other: Labeled) -> None:
        """Leave out an image without boxes, which another annotation has: it is not background."""
        one = self.paired.pop(image)
        self.withheld.add(image)
        boxes = counted(len(other.names), "box", "boxes")
        message = f"{image} has no box here, but {boxes} in {other.where}"
        self.findings.append(Finding("BW113", one.where, message, "left out", (image,)))

    def check_one(self, image: str) -> None:
        """Raise DataError BW179 if the boxes of an image are not those of one annotation alone."""
        one = self.paired.get(image)
        if one and one.others:
            positions = " and ".join(dict.fromkeys([one.where, *one.others]))
            message = (
                f"its boxes are in {positions}; they can be edited if they are in one of these."
            )
            raise DataError("BW179", message, where=image)

    def _join(self, others: Sequence[tuple[Labeled, Match, str]]) -> None:
        """Add the boxes of annotations whose image has one already, if it is surely the same."""
        left: dict[str, Labeled] = {}
        for one, match, image in others:
            known = self.paired[image]
            if match.again and known.names:
                known.note_other(one)
            count, both = len(known.names), joined(known, one) if match.again else None
            message = f"{image} already has the annotation {known.where}"
            self.paired[image] = both or known
            if both is None and one.names:
                left[image] = one
            repair = "boxes combined" if both and len(both.names) > count else "left out"
            self.findings.append(Finding("BW113", one.where, message, repair, (image,)))
        for image, one in left.items():
            if not self.paired[image].names:
                self.withhold(image, one)

    def _add_missing(self, missing: Sequence[tuple[Labeled, Match]]) -> None:
        """Find out whether the missing images are here, in a format that is not opened."""
        if not missing:
            return
        stated = {folded(split_path(with_slashes(one.image))[1]) for one, _ in missing}
        stated -= {folded(split_path(one.path)[1]) for one in self.labels.images}
        others = pair(self.folder.unopened(stated), [one for one, _ in missing])
        for (one, match), other in zip(missing, others, strict=True):
            if other.image is None:
                self._leave_out(one, match)
            else:
                form = format_of(self.folder.root / other.image)
                message = f"its image {other.image} is {form}, which is not opened"
                self.findings.append(Finding("BW167", one.where, message, "left out"))

    def _leave_out(self, one: Labeled, match: Match) -> None:
        self.orphans += 1
        name = one.record or one.image or stem(split_path(one.path)[1])
        images = ", ".join(match.could_be[:SHOWN])
        more = len(match.could_be) - SHOWN
        images += f" and {more} more" if more > 0 else ""
        if match.could_be and match.owner is None:
            message = f"its image '{name}' may be {images}, or another one"
            self.broken.append(Broken("BW153", one.where, message))
        elif leaves_folder(one) and not match.could_be:
            message = f"its image '{one.image}' is outside of the data folder"
            self.broken.append(Broken("BW112", one.where, message))
        else:
            belongs = f"; {images} belongs to another annotation" if match.could_be else ""
            message = f"its image '{name}' is missing{belongs}"
            self.findings.append(Finding("BW101", one.where, message, "left out"))

    def _bare(self, known: Collection[str]) -> dict[str, list[str]]:
        """Folder of labeled images -> its images without annotation."""
        bare = {}
        for parent in sorted({split_path(image)[0] for image in known}):
            images = [join(parent, name) for name in self.folder.images.get(parent, [])]
            left = [image for image in images if image not in known]
            if left:
                bare[parent] = left
        return bare

    def _note_bare(self, parent: str, images: Sequence[str], *, keeps: bool) -> None:
        count, first = len(self.folder.images[parent]), split_path(images[0])[1]
        message = (
            f"{part_of(len(images), count, 'image', 'has', 'have')} no annotation, such as {first}"
        )
        self.findings.append(_unlabeled(parent, message, images, keeps=keeps))

    def _note_assumed(self, assumed: Mapping[str, Labeled], lost: int, *, keeps: bool) -> None:
        images = sorted(assumed)
        message = (
            f"{part_of(len(images), self.folder.image_count, 'image', 'has', 'have')} no label "
            f"file, such as {images[0]}"
        )
        if lost:
            message += f"; {counted(lost, 'unused annotation')} may be theirs"
        parent = split_path(images[0])[0]
        self.findings.append(_unlabeled(parent, message, images, keeps=keeps))


def _unlabeled(where: str, message: str, images: Sequence[str], *, keeps: bool) -> Finding:
    repair = "taken as images without objects" if keeps else "not used"
    return Finding("BW109", where or ".", message, repair, tuple(images))


def _moved(moved: Sequence[tuple[Labeled, str]]) -> Iterator[Finding]:
    """One finding for each annotation file, or tree of folders of them, with the first pair."""
    groups: dict[str, list[tuple[Labeled, str]]] = defaultdict(list)
    for one, image in moved:
        groups[split_path(one.path)[0] if one.alone or one.moved else one.path].append((one, image))
    trees: dict[tuple[str, str], dict[str, list[tuple[Labeled, str]]]] = defaultdict(dict)
    for where, members in groups.items():
        (one, image), *_ = members
        is_list = where == one.path
        trees[(where, "") if is_list else _trees(where, split_path(image)[0])][where] = members
    for (tree, _), group in sorted(trees.items()):
        yield _moved_in(tree if len(group) > 1 else next(iter(group)), group)


def _moved_in(where: str, group: Mapping[str, Sequence[tuple[Labeled, str]]]) -> Finding:
    """The finding about the pairs of one place, by file or folder."""
    pairs = [each for _, some in sorted(group.items()) for each in some]
    (one, image), *_ = pairs
    message = f"{counted(len(pairs), 'image was', 'images were')} found by the end of the path"
    if len(group) > 1:
        message += f", {_shown({folder: len(some) for folder, some in group.items()})}"
    by_name = one.moved or (one.alone and not split_path(with_slashes(one.image))[0])
    named = f"that of {one.path}" if by_name else f"'{one.image}'"
    images = tuple(image for _, image in pairs)
    return Finding("BW154", where or ".", f"{message}: {named} is {image}", images=images)


def _trees(first: str, second: str) -> tuple[str, str]:
    """The trees in which two folders are in the same place, as marks and photos for
    marks/a and photos/a, or for marks/a_xml and photos/a."""
    one, other = parts(first), parts(second)
    if one[-1:] != other[-1:]:
        one, other = one[:-1], other[:-1]
    shared = shared_end(one, other)
    return "/".join(one[: len(one) - shared]), "/".join(other[: len(other) - shared])


def _shown(folders: Mapping[str, int]) -> str:
    """`2 in a, 3 in b and 4 in 7 more folders`."""
    first = sorted(folders)[:SHOWN]
    said = [f"{folders[folder]} in {folder or '.'}" for folder in first]
    if more := len(folders) - len(first):
        rest = sum(folders.values()) - sum(folders[folder] for folder in first)
        said.append(f"{rest} in {counted(more, 'more folder')}")
    return f"{', '.join(said[:-1])} and {said[-1]}"
