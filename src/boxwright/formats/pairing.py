"""Pair annotations with images, wherever the two are in the data folder.

An annotation gets its own image or none. Its image is, in this order,

1. where the annotation says, or beside it;
2. in the folder that mirrors the annotation's, as JPEGImages/day 2 mirrors Annotations/day 2;
3. the one whose path ends most like the stated path.

Folders of the annotation that the image's path lacks are ignored only if no image is in a folder
of such a name, nothing else claims the image or speaks of its folder, and its name is unique among
images and annotations. So is the split of an annotation whose image is in the folder of another
one. Names are compared as they are, then as tools change them: `a%20b` and `a_b` are both `a b`.
If there are both, it is not known whose image that is.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from boxwright.formats.annotations import Labeled
from boxwright.formats.claims import (
    TAIL,
    Candidate,
    Claim,
    Location,
    candidates,
    exact_paths,
    is_apart,
    without_splits,
)
from boxwright.formats.folder import (
    Folder,
    Parts,
    join,
    parts,
    shared_end,
    shared_start,
    split_path,
    stem,
)
from boxwright.formats.names import CHANGED, SAME, Comparison
from boxwright.formats.surroundings import MANY, Around
from boxwright.images.kinds import names_image
from boxwright.structures.dataset import Split

FEW = 8  # images of one name; more are looked up by their locations


@dataclass(frozen=True, slots=True)
class Match:
    """The image of one annotation.

    Attributes:
        image: its path below the root; None if the annotation has none.
        moved: its folders or its split are not those of the image.
        owner: index of the annotation that has its image instead.
        again: the image of the owner, if it is surely that of this annotation too.
        could_be: images of its name that are not, or not known to be, its own.
    """

    image: str | None = None
    moved: bool = False
    certain: bool = True
    owner: int | None = None
    again: str = ""
    could_be: tuple[str, ...] = ()


def pair(folder: Folder, annotations: Sequence[Labeled]) -> list[Match]:
    """Find the image of each annotation; the result does not depend on their order."""
    if not annotations:
        return []
    if exact := exact_paths(folder, annotations):
        return list(map(Match, exact))
    images = list(candidates(folder))
    claims = {i: Claim.of(one) for i, one in enumerate(annotations) if is_apart(one)}
    around = Around(images, claims.values())
    matches = _Pass(around, images, claims, SAME).matches()
    left = {i: claims[i] for i, one in matches.items() if one == Match()}
    taken = {one.image for one in matches.values()}
    free = [image for image in images if image.path not in taken]
    if left and free:
        matches |= _Pass(around, free, left, CHANGED).matches()
    return [
        matches[i] if is_apart(one) else Match(join(one.path, one.image))
        for i, one in enumerate(annotations)
    ]


class _Choice(NamedTuple):
    """The best images for a claim.

    Attributes:
        rank: lower is more certain.
        images: several if nothing decides between them; none if the claim fits no image.
        name: the file name that they were found by, in folders that end in `tail`.
        ignored: folders of the claim that the image's path lacks, so that it may be another's.
        strange: folders of the annotation file that the image's path lacks.
        away: true if the images of the claim's own place do not include it.
        strays: true if it is in the folder of another split than the claim speaks of.
    """

    rank: tuple[int, int] = (0, 0)
    images: tuple[Candidate, ...] = ()
    name: str = ""
    tail: Parts = ()
    ignored: Parts = ()
    strange: Parts = ()
    away: bool = False
    strays: bool = False

    @property
    def path(self) -> str:
        """The path of the only image; empty if there are none or several."""
        return self.images[0].path if len(self.images) == 1 else ""

    @property
    def own_name(self) -> str:
        """The name that it was found by, without the suffix of an image."""
        return stem(self.name) if names_image(self.name) else self.name

    @property
    def is_same_name(self) -> bool:
        """True if the first image has the name itself, in a place that it may well be."""
        name = self.images[0].name
        return self.name in {name, stem(name)} and not self.away

    @property
    def rest(self) -> Parts:
        """The folders of the first image before the `tail`."""
        own = self.images[0].home.parts
        return own[: len(own) - len(self.tail)]


class _Pass:
    """One comparison of names: the image of each claim if names are compared like this."""

    def __init__(
        self,
        around: Around,
        images: Sequence[Candidate],
        claims: Mapping[int, Claim],
        names: Comparison,
    ) -> None:
        self.around, self.claims, self.names = around, claims, names
        self.by_name: dict[str, list[Candidate]] = {
            key: []
            for claim in claims.values()
            for name in claim.names
            for key in names.of_stated(name)
        }
        for image in images:
            for key in {*names.of_file(image.name), *names.of_file(stem(image.name))}:
                if key in self.by_name:
                    self.by_name[key].append(image)
        self.by_location: dict[str, dict[Location, list[Candidate]]] = {}

    def matches(self) -> dict[int, Match]:
        choices = {i: self._choice(claim) for i, claim in self.claims.items()}
        order = sorted(choices, key=lambda i: self._order(i, choices[i]))
        certain = [i for i in order if self._is_certain(self.claims[i], choices[i])]
        owners: dict[str, int] = {}
        for i in self._of_one_name(certain, choices):
            owners.setdefault(choices[i].path, i)
        moves, retyped = self._moves(choices, owners), self._retyped(choices)
        strays = {i: self._way(i, one) for i, one in choices.items() if one.strays}
        refuted = {way for i, way in strays.items() if choices[i].path in owners}
        left = [
            i
            for i in order
            if choices[i].path and choices[i].path not in owners and strays.get(i) not in refuted
        ]
        likely = [i for i in left if self._is_likely(self.claims[i], choices[i], moves, retyped)]
        likely = self._agreeing(likely, owners, choices)
        claimed = Counter(choices[i].path for i in likely)
        owners |= {choices[i].path: i for i in likely if claimed[choices[i].path] == 1}
        return {i: self._match(i, choice, owners) for i, choice in choices.items()}

    def _order(self, i: int, choice: _Choice) -> tuple[tuple[int, int], int, int, str]:
        """The most certain first; of equal ones those for testing, so that training lacks them."""
        return choice.rank, -len(choice.tail), -self.claims[i].said, self.claims[i].where

    def _way(self, i: int, choice: _Choice) -> tuple[Split, Split]:
        """The splits of a claim and of its image's folder.

        If one image there is that of another annotation, no annotation of the split has its own.
        """
        return self.claims[i].said, choice.images[0].home.split

    def _choice(self, claim: Claim) -> _Choice:
        """The images in the best place that has one of the claim's names."""
        found = [self._by_name(claim, i) for i in range(len(claim.names))]
        return min((one for one in found if one.images), key=lambda o: o.rank, default=_Choice())

    def _by_name(self, claim: Claim, index: int) -> _Choice:
        name, away = claim.names[index], False
        for rank, place, ignored in claim.locations(name):
            images = self._named(claim, name, place)
            if not images:
                away = away or self.around.holds(place)
                continue
            best = _best(claim, images)
            strange = _strange(claim, best[0]) if rank else ()
            tail = place.parts if place.kind == "tail" else ()
            if rank >= TAIL and not claim.stated:
                ignored = (strange if ignored else ()) + claim.hinted(best[0].home)
            if claim.anywhere:
                away, strange = False, ()
            if claim.said is best[0].home.split is not Split.UNASSIGNED:
                away = False  # the annotation says that it is in the folder of this split
            return _Choice(
                (rank, index),
                best,
                name,
                tail,
                ignored,
                strange,
                away,
                place.kind != "at" and claim.strays(best[0].home),
            )
        return _Choice()

    def _named(self, claim: Claim, name: str, place: Location) -> list[Candidate]:
        images = {
            image.path: image
            for key in self.names.of_stated(name)
            for image in self._at(key, place)
            if place.kind == "at" or self.around.may_belong(claim, image)
        }
        return list(images.values())

    def _at(self, key: str, place: Location) -> Sequence[Candidate]:
        images = self.by_name.get(key, ())
        if len(images) < FEW:
            return [image for image in images if place in image.home.locations]
        if key not in self.by_location:
            index = self.by_location[key] = defaultdict(list)
            for image in images:
                for each in image.home.locations:
                    index[each].append(image)
        return self.by_location[key].get(place, ())

    def _is_certain(self, claim: Claim, choice: _Choice) -> bool:
        """True if nothing that the claim says is ignored."""
        return (
            choice.path != ""
            and not choice.away
            and not choice.strays
            and not choice.ignored
            and self._ignores_nothing_here(choice)
            and not self._has_rivals(choice)
            and (choice.rank[0] == 0 or not claim.repeated)
            and not claim.other_suffix(choice.images[0], self.names)
        )

    def _of_one_name(self, certain: Sequence[int], choices: Mapping[int, _Choice]) -> list[int]:
        """The claims without those of equal rank that give one image several changed names: these
        are probably of several images, such as uploads of the same name."""
        if self.names is SAME:
            return [*certain]
        named: dict[tuple[str, tuple[int, int]], set[str]] = defaultdict(set)
        for i in certain:
            named[choices[i].path, choices[i].rank].add(choices[i].own_name)
        return [i for i in certain if len(named[choices[i].path, choices[i].rank]) == 1]

    def _is_likely(
        self, claim: Claim, choice: _Choice, moves: set[tuple[str, str]], retyped: set[str]
    ) -> bool:
        """True if the claim may ignore folders: see the conditions above."""
        suffix = claim.other_suffix(choice.images[0], self.names)
        if claim.repeated or (suffix and suffix not in retyped):
            return False
        if not claim.stated and (claim.folder, choice.images[0].home.folder) in moves:
            return True
        return (
            not choice.away
            and len(self._named(claim, choice.name, Location("tail", choice.tail))) == 1
            and self.around.says_once(choice.name, choice.tail)
            and self._ignores_nothing_here(choice)
            and not self._has_rivals(choice)
            and self._goes_unmentioned(claim, choice)
        )

    def _agreeing(
        self, likely: Sequence[int], owners: Mapping[str, int], choices: Mapping[int, _Choice]
    ) -> list[int]:
        """The likely claims that agree on which folder of another computer is which one here.

        If /home/me/b/1.jpg is b/1.jpg, then b/2.jpg is not /home/me/2.jpg.
        """
        for i in (*owners.values(), *likely):
            self.around.learn(self.claims[i].stated, choices[i].images[0].home.parts)
        pairs = Counter((self.claims[i].stated, choices[i].images[0].home) for i in likely)
        return [
            i
            for i in likely
            if self.around.expects(self.claims[i].stated, home := choices[i].images[0].home)
            or pairs[self.claims[i].stated, home] >= MANY
        ]

    def _has_rivals(self, choice: _Choice) -> bool:
        """True if another image in folders of the same end has the name as tools may change it."""
        if self.names is CHANGED or choice.rank[0] < TAIL:
            return False
        return not self.around.changed_names(choice.name, Location("tail", choice.tail)) <= {
            choice.path
        }

    def _goes_unmentioned(self, claim: Claim, choice: _Choice) -> bool:
        """True if no annotation speaks of the folder that the image is in: it has no other name."""
        return self.around.mentioned.isdisjoint({*choice.rest}.difference(parts(claim.folder)))

    def _ignores_nothing_here(self, choice: _Choice) -> bool:
        """True if no image is in a folder with the name of an ignored one."""
        return self.around.folders.isdisjoint((*choice.ignored, *choice.strange))

    def _retyped(self, choices: Mapping[int, _Choice]) -> set[str]:
        """Suffixes that many annotations state and no image has: the images were converted."""
        stated = Counter(
            self.claims[i].other_suffix(one.images[0], self.names)
            for i, one in choices.items()
            if one.path
        )
        return {
            suffix
            for suffix, count in stated.items()
            if suffix and count >= MANY and suffix not in self.around.suffixes
        }

    def _moves(
        self, choices: Mapping[int, _Choice], owners: Mapping[str, int]
    ) -> set[tuple[str, str]]:
        """Folders of annotations and of images: many images are there, and none is beside."""
        folders = Counter(
            (self.claims[i].folder, one.images[0].home.folder)
            for i, one in choices.items()
            if one.path and one.path not in owners
        )
        at_home = {self.claims[i].folder for i in owners.values() if choices[i].rank[0] == 0}
        return {pair for pair, count in folders.items() if count >= MANY and pair[0] not in at_home}

    def _match(self, i: int, choice: _Choice, owners: Mapping[str, int]) -> Match:
        owner, claim = owners.get(choice.path), self.claims[i]
        if owner == i:
            certain = self._is_certain(claim, choice)
            return Match(choice.path, moved=_is_elsewhere(claim, choice), certain=certain)
        if owner is not None and choice.is_same_name and not choice.strays:
            if self._is_certain(claim, choice) and choice.rank[0] < TAIL:
                return Match(owner=owner, again=choice.path)
            if self._ignores_nothing_here(choice):
                return Match(owner=owner)
        return Match(owner=owner, could_be=tuple(sorted(image.path for image in choice.images)))


def _best(claim: Claim, images: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """The images that fit best: by name, hints, split, nearness to the annotation, and case."""

    def fit(image: Candidate) -> tuple[bool, int, bool, int, bool, int]:
        home, raw = image.home, split_path(image.path)[1]
        return (
            image.name == claim.name,
            max(shared_end(hint, home.parts) for hint in claim.hints),
            claim.said is home.split,
            shared_start(parts(claim.folder), home.parts),
            raw in claim.raw_names or stem(raw) in claim.raw_names,
            shared_end(claim.raw, home.raw),
        )

    if len(images) == 1:
        return tuple(images)
    best = max(map(fit, images))
    return tuple(image for image in images if fit(image) == best)


def _is_elsewhere(claim: Claim, choice: _Choice) -> bool:
    """True if the claim's folders or split are not those of its image.

    A list that gives bare names says nothing about a folder without a name of its own.
    """
    says = claim.stated or claim.alone or without_splits(choice.images[0].home.core)
    return choice.strays or bool(choice.ignored and says)


def _strange(claim: Claim, image: Candidate) -> Parts:
    """The folders of the annotation file that the image is not in."""
    start = shared_start(claim.core, image.home.core)
    return tuple(part for part in claim.core[start:] if part not in image.home.parts)
