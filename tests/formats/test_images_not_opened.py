"""Annotated images that lie there and are not opened are named as such, never as missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from boxwright import formats
from boxwright.cli.main import app
from boxwright.datasets.check import run_checks
from boxwright.errors import DataError
from boxwright.formats import FORMATS, ReadOptions
from boxwright.images import kinds
from boxwright.images.decoding import is_image
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from folders import VocFolder, codes

pytestmark = pytest.mark.tiny

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0heic" + bytes(60)
WITH_FILES = [name for name in FORMATS if name != "tfrecord"]
LINE = "0 0.5 0.5 0.25 0.5\n"


@pytest.fixture(autouse=True)
def without_heic(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kinds, "_heif_package", lambda: None)


def written(root: Path, form: str, suffix: str, content: bytes) -> Path:
    """Three images with one box each in a format, one of which then has another suffix."""
    for name in "abc":
        Image.effect_noise((64, 48), 90).convert("RGB").save(root / f"{name}.jpg")
    images = [
        LabeledImage(f"{name}.jpg", 64, 48, [(4, 6, 30, 40)], ["cat"], split=Split.TRAIN)
        for name in "abc"
    ]
    out = root / form
    formats.write(Dataset.of(root, images), out, form)
    (photo,) = out.rglob("c.jpg")
    photo.unlink()
    photo.with_suffix(suffix).write_bytes(content)
    for path in list(out.rglob("*")):
        if path.is_file() and not is_image(path) and path.suffix != suffix:
            path.write_bytes(path.read_bytes().replace(b"c.jpg", f"c{suffix}".encode()))
            path.rename(path.with_name(path.name.replace("c.jpg", f"c{suffix}")))
    return out


@pytest.mark.parametrize(
    ("suffix", "content", "said"),
    [(".HEIC", HEIC, "HEIC"), (".jxl", b"\xff\x0a", "JPEG XL"), (".cr2", b"II*\0", "raw")],
    ids=["heic", "jxl", "raw"],
)
@pytest.mark.parametrize("form", WITH_FILES)
def test_every_format_names_the_photo_and_reads_the_rest(
    tmp_path: Path, form: str, suffix: str, content: bytes, said: str
) -> None:
    dataset = formats.read(written(tmp_path, form, suffix, content), form)
    assert len(dataset) == 2
    assert "BW101" not in codes(dataset)
    (finding,) = (one for one in dataset.findings if one.code == "BW167")
    assert f"c{suffix} is {said}, which is not opened" in finding.message
    assert finding.repair == "left out"


@pytest.mark.parametrize("suffix", [".jfif", ".jpe", ".mpo", ".avif", ".apng", ".dib"])
@pytest.mark.parametrize("form", WITH_FILES)
def test_every_format_reads_unusual_suffixes(tmp_path: Path, form: str, suffix: str) -> None:
    kind = {".avif": "AVIF", ".apng": "PNG", ".dib": "DIB"}.get(suffix, "JPEG")
    Image.effect_noise((64, 48), 90).convert("RGB").save(tmp_path / "photo", kind)
    content = (tmp_path / "photo").read_bytes()
    dataset = formats.read(written(tmp_path, form, suffix, content), form)
    assert (len(dataset), len(dataset.boxes)) == (3, 3)
    assert not set(codes(dataset)) & {"BW101", "BW167"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("b.jpg_large", "JPEG named .jpg_large"),
        ("b", "JPEG without a suffix"),
        ("b.JPG.1", "JPEG named .1"),
    ],
)
def test_an_image_under_a_suffix_that_images_do_not_have_is_named(
    voc_folder: VocFolder, name: str, said: str
) -> None:
    voc_folder.pair("a")
    voc_folder.image("x.jpg")
    (voc_folder.root / "x.jpg").rename(voc_folder.root / name)
    voc_folder.xml("x.xml", filename=name)
    dataset = formats.read(voc_folder.root)
    assert [one.message for one in dataset.findings if one.code == "BW167"] == [
        f"its image {name} is {said}, which is not opened"
    ]


def test_an_image_that_is_not_here_is_still_missing(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.xml("b.xml", filename="b.heic")
    voc_folder.xml("c.xml", filename="c.xml")
    (voc_folder.root / "other.heic").write_bytes(HEIC)
    dataset = formats.read(voc_folder.root)
    assert sorted(one.where for one in dataset.findings if one.code == "BW101") == [
        "b.xml",
        "c.xml",
    ]


def test_a_folder_of_such_photos_only_says_so(voc_folder: VocFolder) -> None:
    for name in "ab":
        (voc_folder.root / f"{name}.HEIC").write_bytes(HEIC)
        voc_folder.xml(f"{name}.xml", filename=f"{name}.HEIC")
    with pytest.raises(DataError, match=r"a\.HEIC is HEIC, which is not opened") as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW167"


def test_yolo_labels_of_such_photos_only_say_so(voc_folder: VocFolder) -> None:
    for name in "ab":
        (voc_folder.root / f"{name}.HEIC").write_bytes(HEIC)
        voc_folder.text(f"{name}.txt", LINE)
    with pytest.raises(DataError, match=r"2 images .* not opened: a\.HEIC is HEIC") as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == "BW167"


def test_labels_of_such_a_photo_do_not_make_another_image_doubtful(voc_folder: VocFolder) -> None:
    """The image without labels counts as background: no label can be its own."""
    voc_folder.image("images/a.jpg")
    voc_folder.image("images/empty.jpg")
    (voc_folder.root / "images" / "c.HEIC").write_bytes(HEIC)
    for name in "ac":
        voc_folder.text(f"labels/{name}.txt", LINE)
    voc_folder.text("classes.txt", "cat\n")
    dataset = formats.read(voc_folder.root)
    assert set(dataset.names) == {"images/a.jpg", "images/empty.jpg"}
    assert "BW167" in codes(dataset)


def test_the_case_of_windows_and_iphones(voc_folder: VocFolder) -> None:
    """one.jpg, two.jfif of Windows, three.HEIC of an iPhone."""
    for name in ("one.jpg", "two.jpg"):
        voc_folder.image(name)
    (voc_folder.root / "two.jpg").rename(voc_folder.root / "two.jfif")
    (voc_folder.root / "three.HEIC").write_bytes(HEIC)
    for stem, suffix in (("one", "jpg"), ("two", "jfif"), ("three", "HEIC")):
        voc_folder.xml(f"{stem}.xml", filename=f"{stem}.{suffix}")
    printed = CliRunner().invoke(app, ["check", str(voc_folder.root)]).output
    assert "2 images, 2 boxes" in printed
    assert "three.xml: its image three.HEIC is HEIC, which is not opened" in printed
    assert "JPEG" in printed
    assert "BW101" not in printed


@pytest.mark.parametrize("limit", [1, 64 * 48 - 1])
def test_an_image_over_the_limit_has_a_code_with_the_limit(
    voc_folder: VocFolder, limit: int
) -> None:
    voc_folder.pair("a")
    said = f"64 x 48 = 3,072 pixels; the limit is {limit:,}"
    with pytest.raises(DataError, match=said) as caught:
        formats.read(voc_folder.root, ReadOptions(max_pixels=limit))
    assert caught.value.code == "BW168"


def test_images_over_the_limit_are_left_out_and_named(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    voc_folder.image("b.png", (100, 100))
    voc_folder.xml("b.xml", filename="b.png", size=(100, 100))
    report = run_checks(voc_folder.root, ReadOptions(max_pixels=9_999))
    assert report.dataset.names == ("a.jpg",)
    (finding,) = (one for one in report.findings if one.code == "BW168")
    assert finding.where == "b.png"
    assert len(run_checks(voc_folder.root, ReadOptions(max_pixels=10_000)).dataset) == 2


def test_the_command_line_has_the_limit(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.pair("a")
    voc_folder.image("b.png", (100, 100))
    voc_folder.xml("b.xml", filename="b.png", size=(100, 100))
    root, out = str(voc_folder.root), str(tmp_path / "out")
    printed = CliRunner().invoke(app, ["check", root, "--max-pixels", "9999"]).output
    assert "b.png: has 100 x 100 = 10,000 pixels; the limit is 9,999." in printed
    done = CliRunner().invoke(app, ["convert", root, out, "--to", "coco", "--max-pixels", "9999"])
    assert done.exit_code == 0, done.output
    assert not list(Path(out).rglob("b.png"))
