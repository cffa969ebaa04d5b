"""Which image to label next."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from boxwright.studio.store import LabelStore

OTHERS = 4  # images labeled with proposals for each one that is labeled blind


def next_image(store: LabelStore, after: int, *, uncertain_first: bool) -> int | None:
    """The index of an image without labels other than `after`; None if there is none.

    In order of the list, from `after` on and then from the beginning. With `uncertain_first`, those
    whose proposals are the least certain come before all others; but every fifth is an image for
    testing, which are chosen at random: the detector decides neither which these are nor when they
    are labeled.
    """
    if not uncertain_first:
        return next(_new(store, after), None)
    every = range(len(store.names))
    new = [index for index in every if index != after and store.state(index) == "new"]
    in_order = [index for index in new if index > after] or new
    blind, open_ones = store.blind(), set(new)
    done = [index in blind for index in every if store.is_labeled(index)]
    uncertain = [index for index in store.journal.uncertain() if index in open_ones - blind]
    tested = [index for index in in_order if index in blind]
    if tested and sum(done) * OTHERS < len(done) - sum(done):
        return tested[0]
    return next(iter(uncertain or in_order), None)


def _new(store: LabelStore, after: int) -> Iterator[int]:
    """The images without labels from `after` on and then from the beginning."""
    in_turn = chain(range(after + 1, len(store.names)), range(after))
    return (index for index in in_turn if store.state(index) == "new")
