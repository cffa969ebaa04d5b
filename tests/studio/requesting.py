"""A folder of images for tests of requests, and the requests that edit it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from served import Served, serving

from boxwright.studio.journal import Proposal
from boxwright.studio.store import LabelStore
from folders import VocFolder

BOX = {"key": "new-0", "box": [4, 6, 30.5, 40], "label": "cat"}
FLAGS = {"difficult": False, "truncated": False, "occluded": False, "crowd": False}
COUNT = 10
NAMES = ["<b>&\"'.jpg", "grün 猫.jpg", *(f"image {i}.jpg" for i in range(2, COUNT))]


@contextmanager
def serving_images(folder: VocFolder) -> Iterator[Served]:
    for name in NAMES:
        folder.image(name)
    with serving(partial(LabelStore.open, folder.root, ["cat", "dog"])) as served:
        yield served


def put(
    served: Served, index: int, boxes: list[Any], verified: bool = False, etag: str = ""
) -> Any:
    before = etag or served.get(f"/api/images/{index}")["etag"]
    body = {"boxes": boxes, "verified": verified}
    return served.ask("PUT", f"/api/images/{index}", body, {"If-Match": before})


def asked(served: Served, method: str, index: int, body: Any, action: str = "") -> Any:
    """Change an image as it is now; returns the answer."""
    path = f"/api/images/{index}"
    answer = served.ask(method, path + action, body, {"If-Match": served.get(path)["etag"]})
    assert answer.status == 200, answer.body
    return answer.json


def of_kind(served: Served, *, blind: bool) -> int:
    """The first image that is for testing, or that is not."""
    rows = served.get("/api/rows")["rows"]
    return next(row["index"] for row in rows if row["blind"] is blind)


def propose(served: Served, index: int, *keys: str) -> None:
    proposals = [Proposal(key, (1, 2, 21, 22), "dog", 0.75) for key in keys]
    served.studio.desk.wait_for(lambda store: store.journal.propose(index, proposals, 0.5))
