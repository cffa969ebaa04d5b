"""A folder of photos through a detector: large, turned, odd and damaged ones."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import DataError
from boxwright.images.decoding import decode
from boxwright.images.preprocessing import ENOUGH, Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.outputs.predicting import write_predictions
from boxwright.sources.opening import sources

pytestmark = pytest.mark.tiny

SIDE = 32
PICTURES: dict[str, dict[str, Any]] = {
    "small": {},
    "full": {"full_size": True},
    "none": {"to": ("json",)},
}
QUARTER = (0.25, 0.5, 0.75, 1.0)  # normalised yxyx


def gallery(detector: Detector, paths: list[Path], out: Path, **options: Any) -> Any:
    """What `detections.json` says."""
    return write_predictions(detector, sources(paths), out, **options).content


class Quarter:
    """An engine that finds one box in every photo."""

    def __call__(self, inputs: np.ndarray) -> list[Any]:
        return [(np.array([QUARTER], np.float32), np.array([0.9]), np.array([0])) for _ in inputs]


@pytest.fixture
def detector() -> Detector:
    return Detector(Quarter(), Artifact({}, ("cat",), Preprocessing(SIDE)))


def landscape(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert(mode)


def turned(path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    landscape((2400, 1800)).save(path, exif=exif)


MAKERS = {
    "large.jpg": lambda path: landscape((4000, 3000)).save(path),
    "wide.jpg": lambda path: landscape((4000, 150)).save(path),
    "small.jpg": lambda path: landscape((80, 60)).save(path),
    "turned.jpg": turned,
    "print.jpg": lambda path: landscape((2400, 1800), "CMYK").save(path),
    "grey.jpg": lambda path: landscape((2400, 1800), "L").save(path),
    "large.png": lambda path: landscape((2400, 1800)).save(path),
    "palette.png": lambda path: landscape((300, 200), "P").save(path),
}
SIZES = {  # of the photo, and of its small picture
    "large.jpg": ((4000, 3000), (1000, 750)),
    "wide.jpg": ((4000, 150), (1600, 60)),
    "small.jpg": ((80, 60), (80, 60)),
    "turned.jpg": ((1800, 2400), (900, 1200)),
    "print.jpg": ((2400, 1800), (1200, 900)),
    "grey.jpg": ((2400, 1800), (1200, 900)),
    "large.png": ((2400, 1800), (1600, 1200)),
    "palette.png": ((300, 200), (300, 200)),
}


def test_strange_files_are_named_and_the_others_are_done(
    detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxwright.images.kinds._heif_package", lambda: None)
    strange = {
        "eps.jpg": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n", "BW102"),
        "dds.jpg": (b"DDS " + bytes(124), "BW102"),
        "blp.jpg": (b"BLP2" + bytes(200), "BW102"),
        "cut.avif": (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf" + bytes(99), "BW102"),
        "phone.heic": (b"\0\0\0\x18ftypheic\0\0\0\0heic" + bytes(60), "BW167"),
    }
    for name, (content, _) in strange.items():
        (tmp_path / name).write_bytes(content)
    landscape((80, 60)).save(tmp_path / "good.jpg")
    landscape((99, 90)).save(tmp_path / "large.jpg")
    strict = replace(detector, max_pixels=5000)
    paths = [tmp_path / name for name in (*strange, "large.jpg", "good.jpg")]
    result = gallery(strict, paths, tmp_path / "out")
    failed = {Path(each["image"]).name: each["code"] for each in result["failed"]}
    assert failed == {name: code for name, (_, code) in strange.items()} | {"large.jpg": "BW168"}
    assert [Path(each["image"]).name for each in result["images"]] == ["good.jpg"]


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("pictures", PICTURES)
def test_boxes_count_in_the_images_own_pixels(
    name: str, pictures: str, detector: Detector, tmp_path: Path
) -> None:
    MAKERS[name](tmp_path / name)
    (width, height), small = SIZES[name]
    said = gallery(detector, [tmp_path / name], tmp_path / "out", **PICTURES[pictures])
    (image,) = said["images"]
    assert (image["width"], image["height"]) == (width, height)
    expected = [width / 2, height / 4, width, height * 3 / 4]
    assert image["detections"][0]["box"] == pytest.approx(expected, abs=0.01)
    assert json.loads((tmp_path / "out" / "detections.json").read_text(encoding="utf-8")) == said
    if pictures == "none":
        assert image["drawn"] is None
        assert [path.name for path in (tmp_path / "out").iterdir()] == ["detections.json"]
        return
    with Image.open(tmp_path / "out" / image["drawn"]) as drawn:
        size = drawn.size
    assert size == ((width, height) if pictures == "full" else small)


@pytest.mark.parametrize("name", MAKERS)
def test_an_image_is_decoded_to_enough_pixels(name: str, tmp_path: Path) -> None:
    MAKERS[name](tmp_path / name)
    whole = decode(tmp_path / name)
    less = decode(tmp_path / name, short_side=ENOUGH * SIDE)
    assert (less.width, less.height) == (whole.width, whole.height) == SIZES[name][0]
    assert whole.picture.size == SIZES[name][0]
    assert min(less.picture.size) >= min(ENOUGH * SIDE, *whole.picture.size)
    made = Preprocessing(SIDE)
    seen = [made.resize(each.picture).astype(int) for each in (whole, less)]
    assert np.abs(seen[0] - seen[1]).max() <= 4


def test_more_images_than_fit_in_memory(detector: Detector, tmp_path: Path) -> None:
    paths = []
    for i in range(40):
        paths.append(tmp_path / f"{i:02}.jpg")
        landscape((60 + i, 40)).save(paths[-1])
    paths[17].write_bytes(b"no photo")
    seen: list[tuple[int, int]] = []
    said = gallery(detector, paths, tmp_path / "out", progress=lambda *counts: seen.append(counts))
    assert [image["width"] for image in said["images"]] == [60 + i for i in range(40) if i != 17]
    assert [lost["code"] for lost in said["failed"]] == ["BW102"]
    assert seen[-1] == (40, 40)
    assert len(list((tmp_path / "out").glob("[0-9]*.jpg"))) == 39
    with Image.open(tmp_path / "out" / said["contact_sheet"]) as sheet:
        assert sheet.width == 1600


def test_images_in_the_same_folder_are_not_drawn_over(detector: Detector, tmp_path: Path) -> None:
    image = tmp_path / "photo.jpg"
    landscape((80, 60)).save(image)
    before = image.read_bytes()
    result = gallery(detector, [image], tmp_path)
    assert image.read_bytes() == before
    assert result["images"][0]["drawn"] == "photo-2.jpg"
    assert (tmp_path / "photo-2.jpg").is_file()


def test_only_files_of_an_earlier_call_are_replaced(detector: Detector, tmp_path: Path) -> None:
    images, out = [tmp_path / "a.png", tmp_path / "b.png"], tmp_path / "out"
    for image in images:
        landscape((80, 60)).save(image)
    out.mkdir()
    landscape((8, 6)).save(out / "a.jpg")
    (out / "contact_sheet.jpg").write_bytes(b"mine")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    for _ in range(2):
        result = gallery(detector, images, out)
        assert [each["drawn"] for each in result["images"]] == ["a-2.jpg", "b.jpg"]
        assert result["contact_sheet"] == "contact_sheet-2.jpg"
    written = {"a-2.jpg", "b.jpg", "contact_sheet-2.jpg", "detections.json"}
    assert {path.name for path in out.iterdir()} == {*before, *written}
    assert all((out / name).read_bytes() == content for name, content in before.items())


@pytest.mark.parametrize("content", ["mine", "{}", "[]", '{"images": []}'])
def test_detections_of_others_are_not_replaced(
    content: str, detector: Detector, tmp_path: Path
) -> None:
    landscape((80, 60)).save(tmp_path / "photo.jpg")
    out = tmp_path / "out"
    out.mkdir()
    (out / "detections.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        gallery(detector, [tmp_path / "photo.jpg"], out)
    assert caught.value.code == "BW194"
    assert [path.read_text(encoding="utf-8") for path in out.iterdir()] == [content]


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode there")
def test_a_name_that_is_no_unicode_is_spelt_out(detector: Detector, tmp_path: Path) -> None:
    image = tmp_path / os.fsdecode(b"a\xff.png")
    landscape((80, 60)).save(image)
    gallery(detector, [image], tmp_path / "found", **PICTURES["none"])
    said = json.loads((tmp_path / "found" / "detections.json").read_bytes())
    assert said["images"][0]["image"].endswith("a\\xff.png")
