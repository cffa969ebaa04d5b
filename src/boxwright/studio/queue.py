"""Which image to label next."""

from __future__ import annotations

from collections.abc import Iterator

from boxwright.studio.store import LabelStore

AT_ONCE = 500  # rows
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
    rows = store.rows()
    new = [row.index for row in rows if row.state == "new" and row.index != after]
    in_order = [index for index in new if index > after] or new
    blind, open_ones = store.blind(), set(new)
    done = [row.index in blind for row in rows if row.is_labeled]
    uncertain = [index for index in store.journal.uncertain() if index in open_ones - blind]
    tested = [index for index in in_order if index in blind]
    if tested and sum(done) * OTHERS < len(done) - sum(done):
        return tested[0]
    return next(iter(uncertain or in_order), None)


def _new(store: LabelStore, after: int) -> Iterator[int]:
    """The images without labels from `after` on and then from the beginning; of a large folder,
    the first one is found without a look at all."""
    total = len(store.names)
    for start, end in ((after + 1, total), (0, after)):
        for first in range(start, end, AT_ONCE):
            rows = store.rows(first, min(AT_ONCE, end - first))
            yield from (row.index for row in rows if row.state == "new")
