"""An image whose boxes are in several label files is not edited in one of them alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from label_edits import NEW, as_read, contents, edit
from label_samples import (
    CAT,
    DOG,
    SAMPLES,
    A,
    B,
    put_sample,
)
from served import serving

import boxwright
from boxwright.errors import BoxwrightError
from boxwright.studio.store import LabelStore

FORMS = ["labelme", "coco", "createml", "csv"]


def put(root: Path, form: str) -> Path:
    """A folder whose image A has the same boxes in a second label file, and one more."""
    put_sample(root, form)
    first = next(iter(SAMPLES[form].files))
    suffix = Path(first).suffix
    text = (root / first).read_text("utf-8")
    if form == "csv":
        head, row, *_ = text.splitlines()
        text = f"{head}\n{row}\n{row.replace('cat,4,6,30,40', 'owl,44,2,60,20')}\n"
    else:
        said = json.loads(text)
        if form == "labelme":
            said["shapes"].append({**said["shapes"][0], "points": [[44, 2], [60, 20]]})
        elif form == "coco":
            said["images"].pop()
            said["annotations"][1] |= {"image_id": 10, "bbox": [44, 2, 16, 18]}
        else:
            del said[1]
            said[0]["annotations"].append(
                {"label": "owl", "coordinates": {"x": 52, "y": 11, "width": 16, "height": 18}}
            )
        text = json.dumps(said)
    (root / f"second{suffix}").write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize("form", FORMS)
def test_it_is_refused_with_the_names_of_the_files(form: str, tmp_path: Path) -> None:
    assert len(as_read(put(tmp_path, form))[A]) == 3
    store = LabelStore.open(tmp_path)
    edit(store, 1, NEW)  # others are edited, also after it
    store.flush()
    before = contents(tmp_path)
    for act in (
        lambda: store.read(0),
        lambda: edit(store, 0, NEW),
        lambda: store.set_aside(0, True),
    ):
        with pytest.raises(BoxwrightError, match=r"BW179 a 1\.jpg: .*second") as refused:
            act()
        assert "convert" in refused.value.remedy
    assert contents(tmp_path) == before
    assert store.changed() == []
    change = store.class_edits.move("dog", "wolf")
    assert [text for text in change.left if text.startswith(A) and "second" in text]
    assert store.rows(0, 1)[0].boxes == 3
    store.close()


@pytest.mark.parametrize("form", FORMS)
def test_it_is_edited_after_it_was_converted(form: str, tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    boxwright.write(boxwright.read(put(tmp_path / "old", form)), tmp_path / "new", "voc")
    store = LabelStore.open(tmp_path / "new")
    index = next(i for i, name in enumerate(store.names) if name.endswith(A))
    edit(store, index, *store.read(index).boxes[:1])
    store.close()
    assert [len(boxes) for name, boxes in as_read(tmp_path / "new").items() if A in name] == [1]


def test_the_page_is_told(tmp_path: Path) -> None:
    put(tmp_path, "labelme")
    with serving(lambda: LabelStore.open(tmp_path)) as studio:
        answer = studio.ask("GET", "/api/images/0")
        assert (answer.status, answer.json["code"]) == (422, "BW179")
        assert "second.json" in answer.json["message"]
        assert studio.get("/api/images/1")["boxes"]


def test_a_second_file_without_boxes_is_no_obstacle(tmp_path: Path) -> None:
    put_sample(tmp_path, "labelme")
    said = json.loads((tmp_path / "bä.json").read_text("utf-8"))
    (tmp_path / "second.json").write_text(json.dumps({**said, "shapes": []}), encoding="utf-8")
    store = LabelStore.open(tmp_path)
    edit(store, 1)
    store.close()
    assert as_read(tmp_path) == {A: [("cat", CAT), ("dog", DOG)], B: []}
