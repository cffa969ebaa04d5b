"""Which image to label next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain

from boxwright.studio.store import LabelStore

OTHERS = 4  # images labeled with proposals for each one that is labeled blind


def next_image(
    store: LabelStore, after: int, opened: Mapping[int, int] | None = None
) -> int | None:
    """The index of an image without labels other than `after`; None if there is none.

    In order of the list, from `after` on and then from the beginning. With `opened`, those whose
    proposals are the least certain come before all others; but every fifth is an image for testing,
    which are chosen at random: the detector decides neither which these are nor when they are
    labeled.

    Args:
        store: the labels.
        after: index of the present image; -1 for none.
        opened: index -> when it was opened last. An image that someone looked at and left without
            labels comes again after all that nobody has looked at.
    """
    in_turn = _new(store, after)
    if opened is None:
        return next(in_turn, None)
    new = list(in_turn)
    longest_ago = min((opened.get(index, 0) for index in new), default=0)
    new = [index for index in new if opened.get(index, 0) == longest_ago]
    blind, open_ones = store.blind(), set(new)
    every = range(len(store.names))
    done = [index in blind for index in every if store.is_labeled(index)]
    tested = next((index for index in new if index in blind), None)
    if tested is not None and sum(done) * OTHERS < len(done) - sum(done):
        return tested
    uncertain = (index for index in store.journal.uncertain() if index in open_ones - blind)
    return next(chain(uncertain, new), None)


def _new(store: LabelStore, after: int) -> Iterator[int]:
    """The images without labels from `after` on and then from the beginning."""
    in_turn = chain(range(after + 1, len(store.names)), range(after))
    return (index for index in in_turn if store.state(index) == "new")
