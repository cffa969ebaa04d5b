"""The thread that uses the label store."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest

from boxwright.errors import DataError
from boxwright.studio.desk import Desk
from boxwright.studio.store import LabelStore
from folders import VocFolder


@pytest.fixture
def desk(voc_folder: VocFolder) -> Iterator[Desk]:
    voc_folder.image("a.jpg")
    with Desk(partial(LabelStore.open, voc_folder.root)) as desk:
        yield desk


@pytest.mark.tiny
def test_work_ahead_is_done_before_what_is_asked_for_later(desk: Desk) -> None:
    done: list[str] = []
    desk.ahead(lambda store: done.append("ahead"))
    assert desk.wait_for(lambda store: [*done, "asked"]) == ["ahead", "asked"]


@pytest.mark.tiny
def test_errors_of_work_ahead_are_for_whoever_asks(desk: Desk) -> None:
    def broken(store: LabelStore) -> None:
        raise DataError("BW146", "the split file cannot be used.", where=store.folder)

    desk.ahead(broken)
    with pytest.raises(DataError, match="split file"):
        desk.wait_for(broken)
