"""What of a folder is remembered."""

from __future__ import annotations

from functools import partial

import pytest
from served import serving

from boxwright.studio.store import LabelStore
from folders import VocFolder


@pytest.mark.parametrize(
    ("gone", "come", "expected"),
    [
        ((), (), "c.jpg"),
        (("a.jpg",), (), "c.jpg"),
        ((), ("aa.jpg", "bb.jpg"), "c.jpg"),
        (("c.jpg",), (), "d.jpg"),
        (("c.jpg", "d.jpg"), (), "b.jpg"),
    ],
)
def test_one_is_where_one_was_after_images_came_and_went(
    gone: tuple[str, ...], come: tuple[str, ...], expected: str, voc_folder: VocFolder
) -> None:
    for name in ("a.jpg", "b.jpg", "c.jpg", "d.jpg"):
        voc_folder.image(name)
    with serving(partial(LabelStore.open, voc_folder.root)) as served:
        assert served.ask("POST", "/api/current", {"index": 2}).status == 204
    for name in gone:
        (voc_folder.root / name).unlink()
    for name in come:
        voc_folder.image(name)
    with serving(partial(LabelStore.open, voc_folder.root)) as served:
        assert served.name(served.get("/api/folder")["current"]) == expected
