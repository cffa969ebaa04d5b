"""All images and annotations of a data folder, for questions about their names and folders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

from boxwright.formats.claims import Candidate, Claim, Home, Location, is_for_labels
from boxwright.formats.folder import Parts, shared_end
from boxwright.formats.names import CHANGED, is_changeable
from boxwright.images.kinds import suffix_of
from boxwright.structures.dataset import Split

MANY = 8  # annotations whose images are all in one other folder show that it is theirs


class Around:
    """All images and annotations of the folder, for questions about their names and folders."""

    def __init__(self, images: Sequence[Candidate], claims: Iterable[Claim]) -> None:
        homes = {image.home.folder: image.home for image in images}.values()
        self.holders = {home.parts for home in homes if not home.is_mask}
        self.parallels = {home.core for home in homes if not home.is_mask}
        self.folders = {part for folder in self.holders for part in folder}
        self.splits = {home.split for home in homes}
        self._images = images
        self.suffixes = {suffix_of(image.name) for image in images}
        self.said: dict[str, list[Parts]] = defaultdict(list)
        self.mentioned: set[str] = set()
        self.roots: dict[Parts, Counter[Parts]] = defaultdict(Counter)  # stated start -> here
        for one in claims:
            self.mentioned.update(one.stated, one.core)
            for name in one.names:
                self.said[name].append(one.tail)

    @cached_property
    def _by_changed_name(self) -> dict[str, list[Candidate]]:
        index: dict[str, list[Candidate]] = defaultdict(list)
        for image in self._images:
            for key in CHANGED.of_file(image.name):
                index[key].append(image)
        return index

    def changed_names(self, name: str, place: Location) -> set[str]:
        """The images in a place that have this name as tools may have changed it."""
        if not is_changeable(name):
            return set()
        keys = CHANGED.of_stated(name)
        found = (image for key in keys for image in self._by_changed_name.get(key, ()))
        return {image.path for image in found if place in image.home.locations}

    def holds(self, place: Location) -> bool:
        """True if images are directly in this folder, or in this mirror of it."""
        if place.kind == "parallel":
            return place.parts in self.parallels
        return place.kind == "at" and place.parts in self.holders and not is_for_labels(place.parts)

    def says_once(self, name: str, tail: Parts) -> bool:
        """True if one annotation's path ends in this name in these folders."""
        return sum(other[len(other) - len(tail) :] == tail for other in self.said[name]) == 1

    def learn(self, stated: Parts, found: Parts) -> None:
        """Note that an image with this stated folder was found in that one.

        That the two end alike weighs as much as many images.
        """
        if stated:
            shared = shared_end(stated, found)
            start, root = stated[: len(stated) - shared], found[: len(found) - shared]
            self.roots[start][root] += MANY if shared else 1

    def expects(self, stated: Parts, home: Home) -> bool:
        """True unless the images of most other annotations were found elsewhere."""
        starts = [start for start in self.roots if stated[: len(start)] == start]
        if not starts:
            return True
        start = max(starts, key=len)
        votes = {root: (count, -len(root)) for root, count in self.roots[start].items()}
        roots = [root for root, vote in votes.items() if vote == max(votes.values())]
        return len(roots) > 1 or home.parts == (*roots[0], *stated[len(start) :])

    def may_belong(self, claim: Claim, image: Candidate) -> bool:
        """True if neither masks nor splits speak against it."""
        home = image.home
        if home.is_mask and not claim.is_mask:
            return False
        if home.split is Split.UNASSIGNED:
            return True
        is_other = claim.strays(home) and claim.said in self.splits
        return claim.split in {Split.UNASSIGNED, home.split} and not is_other
