"""Where one was: the image that was open last, by its name, since others may come and go."""

from __future__ import annotations

from bisect import bisect_left

from boxwright.studio.known import as_read
from boxwright.studio.store import LabelStore

NAME = "current"  # in the journal


def set_current(store: LabelStore, index: int) -> None:
    """Note that an image was opened."""
    store.journal.set(NAME, store.names[index])


def current(store: LabelStore) -> int | None:
    """The image that was opened last; the next one if it is gone, None if none was opened."""
    name = store.journal.get(NAME)
    if not isinstance(name, str) or not store.names:
        return None
    index = bisect_left(store.names, as_read(name), key=as_read)
    return min(index, len(store.names) - 1)
