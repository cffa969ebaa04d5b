"""The parts of the studio, put together."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from boxwright.studio.desk import Desk
from boxwright.studio.events import Hub
from boxwright.studio.store import LabelStore


@dataclass(frozen=True)
class Studio:
    """What the routes need: labels, and events for the pages."""

    desk: Desk
    hub: Hub


@contextmanager
def opened(open_store: Callable[[], LabelStore]) -> Iterator[Studio]:
    """A studio for the labels that `open_store` opens, until the block ends.

    Raises:
        BoxwrightError: as `open_store`.
    """
    with Desk(open_store) as desk:
        yield Studio(desk, Hub())
