"""Data folders as they come to us: images of one name, deleted, renamed, named from elsewhere.

`world_files` writes them. What nobody can know is left out: which of two images a bare name means,
and whether an image in a folder of its own took the place of one whose folder is gone, or of one in
a folder of another computer from which no image is known here.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from urllib.parse import quote

from hypothesis import strategies as st

from shots import Shot, World, plain
from world_files import BY_STEM, STEM_ONLY, WRITERS

FOLDERS = ("", "cam1", "cam2", "day 1/cam1", "b")
STEMS = ("0001", "0002", "x y", "h\u00fctte", "50%25")
SUFFIXES = (".jpg", ".png")


def renamed(name: str) -> tuple[str, ...]:
    """The names that tools and systems make of a file name."""
    stem, dot, suffix = name.rpartition(".")
    forms = (quote(stem), unicodedata.normalize("NFD", stem), stem.replace(" ", "_"))
    return tuple(form + dot + suffix for form in forms)


@st.composite
def shots(draw: st.DrawFn) -> tuple[Shot, ...]:
    paths = draw(
        st.lists(
            st.tuples(st.sampled_from(FOLDERS), st.sampled_from(STEMS), st.sampled_from(SUFFIXES)),
            min_size=1,
            max_size=7,
            unique=True,
        )
    )
    made = []
    for folder, stem, suffix in paths:
        name = stem + suffix
        boxes = draw(st.sampled_from([1, 2, 1, 0, None]))
        fate = draw(st.sampled_from(["stays", "stays", "deleted", "renamed"]))
        now = None if fate == "deleted" else name
        if fate == "renamed":
            now = draw(st.sampled_from(renamed(name)))
        made.append(Shot(folder, name, boxes, now))
    return tuple(made)


PREFIXES = ("", "/home/me/set 1/", "C:/Users/me/", "../", "../../server/media/", "file:/data/")


@st.composite
def worlds(draw: st.DrawFn, form: str) -> World:
    world = World(
        draw(shots()),
        form,
        prefix=draw(st.sampled_from(PREFIXES)),
        backslashes=draw(st.booleans()),
        apart=draw(st.booleans()),
    )
    return without_the_unknowable(world)


@st.composite
def mixed_worlds(draw: st.DrawFn) -> tuple[World, World]:
    """One folder whose images are labeled in two formats, each in the first, the second or both."""
    first, second = draw(st.permutations(sorted(WRITERS)))[:2]
    world = draw(worlds(first))
    world = without_the_unknowable(replace(world, form=second))
    holders = {
        shot: draw(st.sampled_from([(first,), (second,), (first, second)])) for shot in world.shots
    }
    shots = world.shots
    while True:
        halves = [
            replace(
                world,
                form=form,
                shots=tuple(s if form in holders[s] else replace(s, boxes=None) for s in shots),
            )
            for form in (first, second)
        ]
        known = [{s.path for s in without_the_unknowable(half).shots} for half in halves]
        kept = tuple(shot for shot in shots if shot.path in known[0] & known[1])
        if kept == shots:
            return halves[0], halves[1]
        shots = kept


def without_the_unknowable(world: World) -> World:
    """Leave out what no reader can decide, see above, and files that overwrite each other."""
    kept: dict[str, Shot] = {}
    stems: set[str] = set()
    for shot in world.shots:
        where = unicodedata.normalize("NFC", shot.path_now if shot.now else f"gone/{shot.path}")
        stem = unicodedata.normalize("NFC", shot.stem)
        if where in kept or (shot.boxes is not None and stem in stems and world.form in BY_STEM):
            continue
        kept[where] = shot
        if shot.boxes is not None:
            stems.add(stem)
    shots = list(kept.values())
    if world.form in STEM_ONLY:  # they do not say which of two images of one stem they are for
        gone = {plain(s.path) for s in shots if s.now != s.name and s.boxes is not None}
        shots = [s for s in shots if s.boxes is not None or plain(s.path) not in gone]
    if world.form == "openimages":  # its stems say no folder, and an image without boxes no stem
        named = {plain(s.name) for s in shots if s.boxes}
        shots = [s for s in shots if s.boxes or plain(s.name) not in named]
    while True:
        known = [shot for shot in shots if shot.boxes is not None or not world.prefix]
        here = {shot.folder for shot in known if shot.now}
        lost = {plain(shot.name) for shot in shots if not shot.now and shot.folder not in here}
        known = [s for s in shots if s.boxes is not None or plain(s.name) not in lost]
        if known == shots:
            return replace(world, shots=tuple(known))
        shots = known
