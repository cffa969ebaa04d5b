"""What the page asks for, and what it gets."""

from __future__ import annotations

import http.client
import json
import os
import sys
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from requesting import BOX, COUNT, FLAGS, NAMES, of_kind, propose, put, serving_images
from served import HOST, Served, serving

from boxwright.errors import DataError, SystemFaultError
from boxwright.studio import app
from boxwright.studio.keys import read_keys
from boxwright.studio.review import MAX_ITEMS, queue
from boxwright.studio.store import LabelStore
from folders import VocFolder


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A studio for requests that change nothing."""
    with serving_images(VocFolder(tmp_path_factory.mktemp("unchanged"))) as served:
        yield served


def test_the_folder_and_its_rows(unchanged: Served) -> None:
    served = unchanged
    folder = served.get("/api/folder")
    assert folder["classes"] == ["cat", "dog"]
    assert (folder["images"], folder["current"]) == (COUNT, None)
    assert folder["assist"]["state"] == "waiting"
    assert "tflite" in folder["targets"]
    part = served.get("/api/rows?start=2&count=3")
    assert (part["total"], part["classes"]) == (COUNT, ["cat", "dog"])
    assert [row["index"] for row in part["rows"]] == [2, 3, 4]
    assert part["rows"][0].items() >= {"state": "new", "boxes": 0, "proposals": 0}.items()


def test_names_come_as_they_are(unchanged: Served) -> None:
    rows = unchanged.get("/api/rows")["rows"]
    assert {row["name"] for row in rows} == set(NAMES)


def test_an_edit_is_answered_with_the_image(served: Served) -> None:
    image = put(served, 2, [BOX], verified=True).json
    assert image["boxes"] == [{**BOX, **FLAGS, "key": image["boxes"][0]["key"]}]
    assert image["verified"]
    assert image["can_undo"]
    assert image == served.get("/api/images/2")
    assert (image["width"], image["height"]) == (64, 48)
    assert served.get("/api/rows")["rows"][2]["state"] == "verified"


def test_an_edit_of_an_older_state_is_refused_with_the_newer_one(served: Served) -> None:
    first = served.get("/api/images/2")["etag"]
    newer = put(served, 2, [BOX]).json
    answer = put(served, 2, [], etag=first)
    assert answer.status == 412
    theirs = {"theirs": newer, "classes": ["cat", "dog"], "moves": []}
    assert answer.json == theirs
    for verb in ("undo", "redo"):
        answer = served.ask("POST", f"/api/images/2/{verb}", {}, {"If-Match": first})
        assert (answer.status, answer.json) == (412, theirs)


def test_an_image_for_testing_shows_no_proposals(served: Served) -> None:
    index = of_kind(served, blind=True)
    propose(served, index, "a")
    image = served.get(f"/api/images/{index}")
    assert image["blind"]
    assert image["proposals"] == []
    assert served.get("/api/rows")["rows"][index]["proposals"] == 0


def test_an_image_that_is_set_aside(served: Served) -> None:
    for aside, state in ((True, "aside"), (False, "new")):
        assert served.ask("POST", "/api/images/3/aside", {"aside": aside}).status == 200
        assert served.get("/api/rows")["rows"][3]["state"] == state


def test_classes_are_changed_after_a_preview(served: Served) -> None:
    put(served, 2, [BOX, {**BOX, "key": "new-1"}])
    rename = {"action": "rename", "name": "cat", "to": "lynx"}
    change = {"images": 1, "boxes": 2}
    preview = served.ask("POST", "/api/classes", {**rename, "preview": True}).json
    assert preview == {**change, "left": [], "classes": ["cat", "dog"], "moves": []}
    done = served.ask("POST", "/api/classes", rename).json
    moves = [["cat", "lynx"]]
    assert done == {**change, "left": [], "classes": ["lynx", "dog"], "moves": moves}
    assert served.get("/api/images/2")["boxes"][0]["label"] == "lynx"
    added = served.ask("POST", "/api/classes", {"action": "add", "name": "<i>"}).json
    assert added["classes"][-1] == "<i>"


def test_where_one_was_and_the_keys_are_remembered(served: Served) -> None:
    assert served.ask("POST", "/api/current", {"index": 4}).status == 204
    assert served.ask("POST", "/api/keys", {"preset": "cvat"}).status == 204
    assert served.get("/api/folder").items() >= {"current": 4, "keys": "cvat"}.items()


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/images/0", b"{"),
        ("PUT", "/api/images/0", b"[" * 100_000),
        ("PUT", "/api/images/0", b"\xff"),
        ("PUT", "/api/images/0", [1]),
        ("PUT", "/api/images/0", {"boxes": "all"}),
        ("PUT", "/api/images/0", {"boxes": [], "verified": 1}),
        ("PUT", "/api/images/0", {"boxes": [1]}),
        ("PUT", "/api/images/0", {"boxes": [{"box": [1, 2, 3], "label": "cat"}]}),
        ("PUT", "/api/images/0", {"boxes": [{**BOX, "box": [1, 2, "3", 4]}]}),
        ("PUT", "/api/images/0", b'{"boxes": [{"box": [1, 2, NaN, 4], "label": "cat"}]}'),
        ("PUT", "/api/images/0", b'{"boxes": [{"box": [1, 2, 1e999, 4], "label": "cat"}]}'),
        ("PUT", "/api/images/0", {"boxes": [{**BOX, "box": [1, 2, 10**400, 4]}]}),
        ("PUT", "/api/images/0", {"boxes": [{**BOX, "box": [9, 2, 3, 4]}]}),
        ("PUT", "/api/images/0", {"boxes": [{**BOX, "label": " "}]}),
        ("PUT", "/api/images/0", {"boxes": [{**BOX, "label": "x" * 501}]}),
        ("PUT", "/api/images/0", {"boxes": [{**BOX, "label": "\ud800"}]}),
        ("PUT", "/api/images/0", {"boxes": [{**BOX, "difficult": "yes"}]}),
        ("PUT", "/api/images/0", {"boxes": [BOX] * 10_001}),
        ("POST", "/api/images/0/aside", {"aside": "yes"}),
        ("PUT", "/api/images/0", {"boxes": [], "settled": "a"}),
        ("POST", "/api/images/0/history", {"boxes": "all"}),
        ("POST", "/api/classes", {"action": "explode", "name": "cat"}),
        ("POST", "/api/classes", {"action": "rename", "name": "cat"}),
        ("POST", "/api/classes", {"action": "add", "name": ""}),
        ("POST", "/api/classes", {"action": "add", "name": "\ud800"}),
        ("POST", "/api/current", {"index": "1"}),
        ("POST", "/api/current", {"index": COUNT}),
        ("POST", "/api/current", {"index": -1}),
        ("POST", "/api/keys", {}),
        ("POST", "/api/finish/train", {}),
    ],
)
def test_a_request_that_no_page_sends(unchanged: Served, method: str, path: str, body: Any) -> None:
    before = unchanged.get("/api/images/0")
    answer = unchanged.ask(method, path, body, {"If-Match": before["etag"]})
    assert answer.status == 400
    assert answer.json["code"] == "BW808"
    assert unchanged.get("/api/images/0") == before


def test_an_edit_needs_the_state_it_is_of(unchanged: Served) -> None:
    answer = unchanged.ask("PUT", "/api/images/0", {"boxes": []})
    assert (answer.status, answer.json["code"]) == (400, "BW808")


@pytest.mark.parametrize(("code", "status"), [("BW902", 507), ("BW903", 403)])
def test_what_cannot_be_saved_is_said(
    served: Served, code: str, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: object) -> None:
        raise SystemFaultError(code, "cannot be written.", where="a.xml")

    monkeypatch.setattr(LabelStore, "write", full)
    answer = put(served, 2, [BOX])
    assert answer.status == status
    assert answer.json["code"] == code
    assert answer.json["message"] == "a.xml: cannot be written."
    assert answer.json["remedy"]


def test_an_internal_error_says_no_more_than_its_kind(
    served: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("of something private")

    monkeypatch.setattr(LabelStore, "read", broken)
    answer = served.ask("GET", "/api/images/2")
    assert (answer.status, answer.json["code"]) == (500, "BW999")
    assert b"private" not in answer.body


def test_other_pages_hear_of_an_edit(served: Served) -> None:
    connection = http.client.HTTPConnection(HOST, served.port, timeout=10)
    headers = {"Host": f"{HOST}:{served.port}", **served.headers}
    connection.request("GET", "/api/events", headers=headers)
    stream = connection.getresponse()
    assert stream.getheader("content-type", "").startswith("text/event-stream")
    image = put(served, 2, [BOX]).json
    heard: list[bytes] = []
    while not heard or not heard[-1].startswith(b'data: {"index"'):
        heard.append(stream.readline())
    assert b"event: image\n" in heard
    assert json.loads(heard[-1][len("data: ") :]) == {
        "index": 2,
        "etag": image["etag"],
        "proposals": [],
    }
    connection.close()


def test_pixels_are_asked_for_once(served: Served, voc_folder: VocFolder) -> None:
    for path in ("/pixels/2", "/pixels/2?side=64"):
        first = served.ask("GET", path)
        assert (first.status, first.headers["content-type"]) == (200, "image/jpeg")
        assert first.headers["cache-control"] == "private, no-cache"
        headers = {"If-None-Match": first.headers["etag"]}
        assert served.ask("GET", path, headers=headers).status == 304
    assert served.ask("GET", "/pixels/2").body == (voc_folder.root / served.name(2)).read_bytes()
    (voc_folder.root / served.name(2)).unlink()
    assert served.ask("GET", "/pixels/2").status == 404


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "it cannot be read"),
        ("[]", "not an object"),
        ('{"next": 7}', "'next' has no list of keys"),
        ('{"next": ["j", ""]}', "'next' has no list of keys"),
    ],
)
def test_files_of_keys_that_cannot_be_used(text: str, reason: str, voc_folder: VocFolder) -> None:
    voc_folder.text("keys.json", text)
    with pytest.raises(DataError, match=reason):
        read_keys(voc_folder.root / "keys.json")


def test_own_keys_come_with_the_folder(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("keys.json", '{"next": "j", "draw": ["b", "Ctrl+B"]}')
    own = read_keys(voc_folder.root / "keys.json")
    with serving(partial(LabelStore.open, voc_folder.root), keys=own) as served:
        folder = served.get("/api/folder")
    assert folder["keys"] == "own"
    assert folder["own_keys"] == {"next": ["j"], "draw": ["b", "Ctrl+B"]}


def test_findings_are_reviewed(served: Served, voc_folder: VocFolder) -> None:
    beyond = {"key": "new-0", "box": [50, 10, 64, 48], "label": "cat"}
    put(served, 2, [beyond, {**beyond, "key": "new-1"}])  # the same box twice
    items = served.get("/api/review")["items"]
    twice = [item for item in items if item["index"] == 2 and item["boxes"]]
    assert twice
    assert all(item["kind"] == "check" and item["remedy"] for item in items)


def test_accepted_findings_are_kept_with_the_folder(voc_folder: VocFolder) -> None:
    voc_folder.image("b.jpg")
    beyond = {**BOX, "box": [50, 10, 64, 48]}
    with serving(partial(LabelStore.open, voc_folder.root, ["cat"])) as served:
        put(served, 0, [beyond, {**beyond, "key": "new-1"}])
        items = served.get("/api/review")["items"]
        assert {item["accepted"] for item in items} == {False}
        chosen = next(item for item in items if item["boxes"])
        assert served.ask("POST", "/api/review", {"key": chosen["key"]}).status == 204
    voc_folder.image("a.jpg")  # now the other one has another index
    with serving(partial(LabelStore.open, voc_folder.root)) as served:
        again = served.get("/api/review")["items"]
    assert [item["index"] for item in again if item["accepted"]] == [1]
    assert [item["key"] for item in again if item["accepted"]] == [chosen["key"]]


def test_findings_that_are_left_out_are_counted() -> None:
    items = [{"kind": "check", "key": f"{number:04}"} for number in range(MAX_ITEMS + 30)]
    accepted = {f"{number:04}" for number in range(20)}
    told = queue(items, accepted)
    assert told["left_out"] == 10
    assert [item["accepted"] for item in told["items"]] == [True] * 20 + [False] * MAX_ITEMS


def test_suspects_are_reviewed_too(voc_folder: VocFolder) -> None:
    """Also without labels, which `check` would refuse, and with one of an image that is gone."""
    voc_folder.image("a.jpg")
    about = {"kind": "missed", "code": "BW181", "message": "detected cat", "remedy": "Look at it."}
    queue = [{"image": name, "boxes": [BOX["box"]], **about} for name in ("a.jpg", "gone.jpg")]
    with serving(partial(LabelStore.open, voc_folder.root, ["cat"]), suspects=queue) as served:
        items = served.get("/api/review")["items"]
        assert [item["index"] for item in items] == [0, None]
    assert {item["kind"] for item in items} == {"suspect"}
    assert items[0]["message"] == "a.jpg: detected cat"
    assert items[0]["boxes"] == [BOX["box"]]


def test_no_suspect_is_left_out(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    one = {"image": "a.jpg", "code": "BW181", "message": "", "remedy": "", "boxes": []}
    opened = partial(LabelStore.open, voc_folder.root, ["cat"])
    with serving(opened, suspects=[one] * 3000) as served:
        assert len(served.get("/api/review")["items"]) == 3000


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_a_file_name_that_is_not_utf_8_is_shown(voc_folder: VocFolder) -> None:
    name = os.fsdecode(b"a\xff.jpg")
    voc_folder.image(name)
    voc_folder.image("b.jpg")
    with serving(partial(LabelStore.open, voc_folder.root, ["cat"])) as served:
        assert [row["name"] for row in served.get("/api/rows")["rows"]] == [name, "b.jpg"]
        assert served.get("/api/images/0")["name"] == name
        propose(served, 0, "a")
        assert served.get("/api/rows")["rows"][0]["proposals"] in (0, 1)  # it may be for testing
        assert put(served, 0, [BOX]).json["code"] == "BW141"  # XML cannot hold the name
        assert put(served, 1, [BOX]).status == 200


def test_changes_by_others_are_told_beside_broken_ones(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    etags = {index: put(served, index, [BOX]).json["etag"] for index in (2, 3)}
    read = LabelStore.read

    def broken(store: LabelStore, index: int) -> Any:
        if index == 2:
            raise DataError("BW110", "is damaged.")
        return read(store, index)

    monkeypatch.setattr(LabelStore, "read", broken)
    monkeypatch.setattr(LabelStore, "changed", lambda store: [2, 3])
    changed = served.studio.desk.wait_for(app.changed_labels)
    assert changed == [(2, ""), (3, etags[3])]


@pytest.mark.parametrize("after", ["-1", "-99"])
def test_the_first_image_comes_after_none(unchanged: Served, after: str) -> None:
    for kind in ("", "&kind=queue"):
        assert unchanged.get(f"/api/next?after={after}{kind}")["index"] is not None
