"""What requests undo, and what of a folder is remembered."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from label_samples import put_sample
from requesting import BOX, asked, of_kind, propose, put
from served import Served, serving

from boxwright.studio.store import LabelStore
from folders import VocFolder


def test_undo_and_redo(served: Served) -> None:
    edited = put(served, 2, [BOX]).json
    undone = served.ask("POST", "/api/images/2/undo", {}, {"If-Match": edited["etag"]}).json
    assert undone["boxes"] == []
    assert undone["can_redo"]
    redone = served.ask("POST", "/api/images/2/redo", {}, {"If-Match": undone["etag"]}).json
    assert [box["box"] for box in redone["boxes"]] == [BOX["box"]]
    nothing = served.ask("POST", "/api/images/2/redo", {}, {"If-Match": redone["etag"]})
    assert nothing.status == 204


def test_a_box_of_a_proposal_is_no_proposal_any_more(served: Served) -> None:
    index = of_kind(served, blind=False)
    propose(served, index, "a", "b")
    shown = served.get(f"/api/images/{index}")["proposals"]
    assert shown[0] == {"key": "a", "box": [1, 2, 21, 22], "label": "dog", "score": 0.75}
    body = {"boxes": [{"key": "a", "box": [1, 2, 25, 22], "label": "dog"}], "settled": ["a"]}
    image = asked(served, "PUT", index, body)
    assert [one["key"] for one in image["proposals"]] == ["b"]


def test_rejected_and_accepted_proposals_come_back_by_undo(served: Served) -> None:
    index = of_kind(served, blind=False)
    propose(served, index, "a", "b")
    box = {"key": "b", "box": [1, 2, 21, 22], "label": "dog"}
    keys = []
    for action, body in (
        ("", {"boxes": [], "settled": ["a"]}),
        ("", {"boxes": [box], "settled": ["b"]}),
        ("/undo", {}),
        ("/undo", {}),
        ("/redo", {}),
        ("/undo", {}),
    ):
        image = asked(served, "POST" if action else "PUT", index, body, action)
        keys.append("".join(one["key"] for one in image["proposals"]))
        assert len(image["boxes"]) == (keys[-1] == "")
    assert keys == ["b", "", "b", "ab", "b", "ab"]
    assert not image["can_undo"]
    assert served.get("/api/rows")["rows"][index]["proposals"] == 2


@pytest.mark.parametrize("form", ["yolo", "coco", "voc"])
def test_what_one_page_verified_is_not_taken_back_by_another(form: str, tmp_path: Path) -> None:
    put_sample(tmp_path, form)
    with serving(partial(LabelStore.open, tmp_path)) as served:
        seen = served.get("/api/images/0")
        tag = {"If-Match": seen["etag"]}
        body = {"boxes": seen["boxes"], "verified": True}
        verified = served.ask("PUT", "/api/images/0", body, tag).json
        assert verified["verified"]
        late = served.ask("PUT", "/api/images/0", {**body, "verified": False}, tag)
        assert late.status == 412
        assert late.json["theirs"] == verified == served.get("/api/images/0")
        back = asked(served, "POST", 0, {}, "/undo")
        assert (back["verified"], back["etag"]) == (False, seen["etag"])


def test_two_pages_that_settle_proposals_lose_none(served: Served) -> None:
    index = of_kind(served, blind=False)
    propose(served, index, "a", "b", "c")
    seen = served.get(f"/api/images/{index}")
    tag = {"If-Match": seen["etag"]}
    path = f"/api/images/{index}"
    for key in "ab":
        served.ask("PUT", path, {"boxes": [], "settled": [key]}, tag)
    assert [one["key"] for one in served.get(path)["proposals"]] == ["c"]
    box = {"key": "c", "box": [1, 2, 21, 22], "label": "dog"}
    accepted = served.ask("PUT", path, {"boxes": [box], "settled": ["c"]}, tag).json
    late = served.ask("PUT", path, {"boxes": [], "settled": ["c"]}, tag)
    assert (late.status, late.json["theirs"]) == (412, accepted)
    assert len(served.get(path)["boxes"]) == 1


def test_a_version_that_is_not_written_is_in_the_history(served: Served) -> None:
    theirs = put(served, 2, [BOX]).json
    mine = {"boxes": [{**BOX, "label": "dog"}], "verified": False}
    etag = {"If-Match": theirs["etag"]}
    assert served.ask("POST", "/api/images/2/history", mine, {"If-Match": "old"}).status == 412
    kept = served.ask("POST", "/api/images/2/history", mine, etag).json
    assert kept == theirs
    labels = []
    for verb in ("undo", "undo", "redo", "redo"):
        image = asked(served, "POST", 2, {}, f"/{verb}")
        labels.append([box["label"] for box in image["boxes"]])
    assert labels == [["dog"], ["cat"], ["dog"], ["cat"]]


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
