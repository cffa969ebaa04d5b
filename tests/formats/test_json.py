"""What all JSON formats have in common: who wrote a file, its encoding, its damage."""

from __future__ import annotations

import copy
import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from damage import images_or_refusal
from hypothesis import given, settings
from hypothesis import strategies as st
from json_samples import CREATEML_ROBOFLOW, LABELME, SAMPLES
from PIL import Image

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.folder import Folder
from boxwright.formats.json_kinds import HEAD, kind_of
from boxwright.structures.dataset import Dataset, LabeledImage

if TYPE_CHECKING:
    from folders import VocFolder

pytestmark = pytest.mark.tiny


def format_of(sample: str) -> str:
    return sample.partition("-")[0]


def detected(root: Path) -> list[str]:
    folder = Folder.scan(root)
    return [name for name, form in formats.FORMATS.items() if form.detect(folder)]


# ---- who wrote it ----


@pytest.mark.parametrize("sample", SAMPLES)
def test_each_sample_is_of_one_format_and_shows_the_cat(voc_folder: VocFolder, sample: str) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", SAMPLES[sample])
    assert detected(voc_folder.root) == [format_of(sample)]
    dataset = formats.read(voc_folder.root)
    assert dataset.names == ("a.jpg",)
    if sample.endswith("empty"):
        assert len(dataset.boxes) == 0
    else:
        assert dataset.boxes[0].tolist() == pytest.approx([4, 6, 30, 40], abs=1e-5)
        assert dataset.classes[dataset.labels[0]] == "cat"


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("order", ["alphabet", "backwards"])
def test_the_order_of_keys_tells_nothing(voc_folder: VocFolder, sample: str, order: str) -> None:
    def ordered(value: Any) -> Any:
        if isinstance(value, dict):
            keys = sorted(value, reverse=order == "backwards")
            return {key: ordered(value[key]) for key in keys}
        return [ordered(one) for one in value] if isinstance(value, list) else value

    voc_folder.text("a.json", json.dumps(ordered(json.loads(SAMPLES[sample]))))
    assert detected(voc_folder.root) == [format_of(sample)]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "[1, 2]",
        '{"name": "package", "version": "1.0", "files": ["a.jpg"]}',
        '{"frames": {"a.png": {"frame": {"x": 1, "y": 2, "w": 3, "h": 4}}}}',
        '{"assets": [{"asset": 1}], "layers": []}',
        '{"a.jpg123": {"filename": "a.jpg", "size": 123}}',
        '{"objects": [{"name": "cat"}], "size": {"width": 64, "height": 48}}',
        '{"classes": ["cat", "dog"], "objects": []}',
        '[{"data": {"image": "a.jpg"}}]',
        '{"text": "\\"shapes\\": [{\\"points\\": 1}]"}',
        '"imagePath"',
    ],
)
def test_other_json_is_of_no_format(voc_folder: VocFolder, text: str) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", text)
    assert detected(voc_folder.root) == []


def test_no_more_than_the_start_of_a_file_is_needed(voc_folder: VocFolder) -> None:
    pixels = "A" * (3 * HEAD)
    voc_folder.text("a.json", '{"flags": {}, "imageData": "' + pixels)
    assert detected(voc_folder.root) == ["labelme"]


@pytest.mark.parametrize("sample", SAMPLES)
@pytest.mark.parametrize("first", ['"' + "A" * (2 * HEAD) + '"', f"[{'[1, 2], ' * HEAD}0]"])
def test_a_format_is_known_after_any_long_beginning(
    voc_folder: VocFolder, sample: str, first: str
) -> None:
    text = SAMPLES[sample]
    start = text.index("{") + 1
    longer = (
        f'{text[:start]}"aaa": {first}{"" if text[start:].strip() == "}" else ","}{text[start:]}'
    )
    voc_folder.text("a.json", longer)
    assert detected(voc_folder.root) == [format_of(sample)]


def test_a_format_is_known_by_a_late_item(voc_folder: VocFolder) -> None:
    """As where most tasks of Label Studio's short JSON are not labeled."""
    tasks = [{"id": i, "image": f"/data/upload/1/{i}.jpg"} for i in range(2000)]
    label = [{"original_width": 64, "original_height": 48, "rectanglelabels": ["cat"]}]
    voc_folder.text("a.json", json.dumps([*tasks, {"id": 2000, "image": "a.jpg", "label": label}]))
    assert detected(voc_folder.root) == ["labelstudio"]


FILLERS = {
    "numbers": "[[0.125, 12.5, 99], []]",
    "objects": '{"a": 1, "b": [2, {"c": "d: [e"}], "c": {"d": {"e": [[[3]]]}}}',
    "texts": '"\\"a\\": [ {\\\\"',
    "many levels": "[" * 20 + "]" * 20,
}


@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("root", ["[{}]", '{{"a": [{}]}}', '{{"a": {{"b": [{}], "c": [{}]}}}}'])
def test_a_long_file_of_something_else_takes_about_the_time_of_parsing_it(
    tmp_path: Path, filler: str, root: str
) -> None:
    many = ", ".join([FILLERS[filler]] * (1_000_000 // len(FILLERS[filler])))
    path = tmp_path / "a.json"
    path.write_text(root.format(many, many), encoding="utf-8")
    start = time.process_time()
    json.loads(path.read_bytes())
    parsed = time.process_time() - start
    assert kind_of(path) == ""
    assert time.process_time() - start - parsed < 2 * parsed + 0.1


@pytest.mark.parametrize("filler", FILLERS)
@pytest.mark.parametrize("sample", SAMPLES)
def test_a_format_is_known_after_a_long_list(
    voc_folder: VocFolder, sample: str, filler: str
) -> None:
    text = SAMPLES[sample]
    start = text.index("{") + 1
    end = "" if text[start:].strip() == "}" else ","
    many = ", ".join([FILLERS[filler]] * 5_000)
    voc_folder.text("a.json", f'{text[:start]}"aaa": [{many}]{end}{text[start:]}')
    assert detected(voc_folder.root) == [format_of(sample)]


IMAGE = {"id": 1, "file_name": "a.jpg", "width": 64, "height": 48}
BOX = {"id": 1, "image_id": 1, "category_id": 1, "bbox": [4, 6, 26, 34]}
NAMES = [{"id": i, "name": f"class number {i}"} for i in range(1203)]
POLYGON = {"segmentation": [[10.125, 20.375] * HEAD]}
LONG_COCO = {
    "names": {"categories": NAMES, "images": [IMAGE], "annotations": [BOX]},
    "polygon": {"annotations": [POLYGON | BOX], "images": [IMAGE], "categories": NAMES[1:2]},
}


@pytest.mark.parametrize("first", LONG_COCO)
@pytest.mark.parametrize("form", [None, "coco"])
def test_coco_is_read_after_a_long_beginning(
    voc_folder: VocFolder, first: str, form: str | None
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", json.dumps(LONG_COCO[first]))
    dataset = formats.read(voc_folder.root, form)
    assert dataset.boxes.tolist() == [[4, 6, 30, 40]]
    assert dataset.classes[dataset.labels[0]] == "class number 1"


# ---- encodings ----


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
@pytest.mark.parametrize("sample", SAMPLES)
def test_any_unicode_is_read(voc_folder: VocFolder, sample: str, encoding: str) -> None:
    voc_folder.image("a.jpg")
    text = SAMPLES[sample].replace('"cat"', '"Kätzchen"').replace(",cat", ",Kätzchen")
    (voc_folder.root / "a.json").write_bytes(text.encode(encoding))
    dataset = formats.read(voc_folder.root)
    assert sample.endswith("empty") or "Kätzchen" in dataset.classes


@pytest.mark.parametrize("form", sorted(set(map(format_of, SAMPLES))))
@pytest.mark.parametrize(("image", "label"), [("a.jpg", "c\ud800t"), ("\udcff.jpg", "cat")])
def test_a_name_that_utf_8_cannot_hold_is_refused(
    voc_folder: VocFolder, form: str, image: str, label: str
) -> None:
    described = LabeledImage(image, 64, 48, [(1, 2, 3, 4)], [label])
    dataset = Dataset.of(voc_folder.root, [described])
    with pytest.raises(DataError, match="UTF-8 cannot encode") as caught:
        formats.write(dataset, voc_folder.root, form)
    assert caught.value.code == "BW141"


# ---- damage ----


@pytest.mark.parametrize(
    ("content", "where", "message"),
    [
        (LABELME[:-9].encode(), "a.json:11", "not well-formed JSON"),
        (LABELME.replace('"flags": {},', '"flags": {}', 1).encode(), "a.json:4", "delimiter"),
        (
            LABELME.replace("cat", "b\xe4r").encode("cp1252"),
            "a.json",
            "is not UTF-8.*Windows-1252",
        ),
        (LABELME.replace("48", "4" * 5000).encode(), "a.json", "thousands of digits"),
        (LABELME.replace("null}", "[" * 20_000).encode(), "a.json", "nested too deeply"),
        (LABELME.encode() + b"\0\0\0", "a.json:12", "Extra data"),
        (b"", "a.json:1", "Expecting value"),
        (b"\0" * 100, "a.json", "not well-formed"),
        (b"<html>404: Not found</html>", "a.json:1", "Expecting value"),
    ],
)
def test_damage_is_named_with_its_place(
    voc_folder: VocFolder, content: bytes, where: str, message: str
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.image("good.jpg")
    voc_folder.text("good.json", LABELME.replace("a.jpg", "good.jpg"))
    (voc_folder.root / "a.json").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == ("BW160" if message.startswith("is not UTF-8") else "BW110")
    assert caught.value.where is not None
    assert caught.value.where.startswith(str(voc_folder.root / where))


def test_a_file_of_another_format_is_not_this_ones_damage(voc_folder: VocFolder) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("a.json", LABELME)
    voc_folder.text("b.json", CREATEML_ROBOFLOW)
    voc_folder.text("tsconfig.json", '{"compilerOptions": {}}')
    dataset = formats.read(voc_folder.root, "labelme")
    assert (dataset.names, dataset.findings) == (("a.jpg",), ())


def nodes(value: Any) -> Iterator[tuple[Any, Any]]:
    """Each place in a JSON value, as the thing that holds it and its key there."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, one in list(items):
        yield value, key
        if isinstance(one, dict | list):
            yield from nodes(one)


ODD = st.sampled_from(
    (
        *(None, True, [], {}, "", "x", "../../x.jpg", "/etc/passwd", -1, 0, 1e308, float("nan")),
        *(10**400, "9" * 5000, [[]], [None], [{}], {"": {}}, {"x": "y"}, [1, 2], "\ud800", "\0"),
    )
).map(copy.deepcopy)


@pytest.mark.parametrize("sample", SAMPLES)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_odd_values_anywhere_are_an_error_with_a_code_or_harmless(
    sample: str, data: st.DataObject
) -> None:
    content = json.loads(SAMPLES[sample])
    for _ in range(data.draw(st.integers(1, 3))):
        places = list(nodes(content))
        if places:
            holder, key = places[data.draw(st.integers(0, len(places) - 1))]
            holder[key] = data.draw(ODD)
    with tempfile.TemporaryDirectory() as folder:
        Image.new("RGB", (64, 48)).save(Path(folder) / "a.jpg")
        (Path(folder) / "a.json").write_text(json.dumps(content), encoding="utf-8")
        images = images_or_refusal(folder, "BW156", form=format_of(sample))
    assert set(images or ()) <= {"a.jpg"}
