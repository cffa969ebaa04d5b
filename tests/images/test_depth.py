"""Images of more than 8 bits: what they become, what `check` says, and the range that is chosen."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner

from boxwright.cli.main import app
from boxwright.datasets.check import CheckReport, run_checks
from boxwright.datasets.source import DataSource, source_of
from boxwright.formats import ReadOptions
from boxwright.images.decoding import read_image
from boxwright.images.inputs import open_image
from boxwright.images.options import DecodeOptions, DepthRange
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.ops.postprocess import RawDetections
from boxwright.outputs.predicting import write_predictions
from boxwright.sources.opening import sources
from folders import VocFolder

pytestmark = pytest.mark.tiny

TWELVE = DecodeOptions(depth_range=DepthRange(0, 4095))


def frame(low: float, high: float, kind: Any, size: tuple[int, int] = (64, 48)) -> NDArray[Any]:
    """A ground with a bright rectangle."""
    values = np.full(size[::-1], low, kind)
    values[6:40, 4:30] = high
    return values


def color_png(pixels: NDArray[np.uint16]) -> bytes:
    """A PNG of 16 bits a color, which Pillow cannot write."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    height, width, _ = pixels.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
    header = struct.pack(">2I5B", width, height, 16, 2, 0, 0, 0)
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + content


def deep(root: Path, name: str, low: float, high: float) -> str:
    """Write an image with these values: a PNG of 16 bits, a TIFF of 16 or 32 bits or of floats."""
    kind: Any = {"png": np.uint16, "u16": np.uint16, "i32": np.int32, "float": np.float32}
    word, _, number = name.partition(" ")
    file = f"{word}{number}.{'png' if word in {'png', 'color'} else 'tif'}"
    if word == "color":
        values = frame(low, high, np.uint16)
        (root / file).write_bytes(color_png(np.dstack([values, values, values // 2])))
    else:
        Image.fromarray(frame(low, high, kind[word])).save(root / file)
    return file


CASES = {  # stored values of ground and rectangle, chosen range -> levels of both
    "12 bits": ("png", 300, 3800, (0, 4095), (18, 236)),
    "14 bits, TIFF": ("u16", 1000, 16000, (0, 16383), (15, 249)),
    "radiometric": ("png", 28000, 31000, (28000, 31000), (0, 255)),
    "clipped on both sides": ("png", 100, 9000, (1000, 2000), (0, 255)),
    "float of 0 to 1": ("float", 0.25, 1.0, (0, 1), (63, 255)),
    "float with negative values": ("float", -10.0, 30.0, (-20, 60), (31, 159)),
    "32 bits": ("i32", 100_000, 300_000, (0, 400_000), (63, 191)),
    "colors": ("color", 256 * 2, 256 * 14, (0, 4095), (32, 224)),
}


@pytest.mark.parametrize(
    ("kind", "low", "high", "chosen", "levels"), CASES.values(), ids=CASES.keys()
)
def test_a_range_is_stretched_to_black_and_white(
    tmp_path: Path,
    kind: str,
    low: float,
    high: float,
    chosen: tuple[float, float],
    levels: tuple[int, int],
) -> None:
    path = tmp_path / deep(tmp_path, kind, low, high)
    options = DecodeOptions(depth_range=DepthRange.of(chosen))
    for pixels in (read_image(path, options), open_image(path, options).pixels):
        assert (pixels[0, 0, 0], pixels[20, 20, 0]) == levels
    narrow = read_image(path)
    assert abs(int(narrow[20, 20, 0]) - int(narrow[0, 0, 0])) < 64  # never by itself


def test_no_number_is_black(tmp_path: Path) -> None:
    values = frame(0, 1, np.float32)
    values[0, :3] = np.nan, np.inf, -np.inf
    Image.fromarray(values).save(tmp_path / "a.tif")
    pixels = read_image(tmp_path / "a.tif", DecodeOptions(depth_range=DepthRange(0, 1)))
    assert pixels[0, :3, 0].tolist() == [0, 255, 0]


def test_images_of_8_bits_are_not_changed(tmp_path: Path) -> None:
    Image.effect_noise((64, 48), 90).convert("RGB").save(tmp_path / "a.png")
    assert (read_image(tmp_path / "a.png", TWELVE) == read_image(tmp_path / "a.png")).all()


def test_a_large_image_is_read_in_strips_like_a_small_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 4096, (97, 64)).astype(np.uint16)).save(tmp_path / "a.png")
    Image.fromarray(rng.integers(0, 256, (97, 64, 4), np.uint8)).save(tmp_path / "b.png")
    names = ("a.png", "b.png")
    whole = [read_image(tmp_path / name, TWELVE) for name in names]
    monkeypatch.setattr("boxwright.images.pixels.STRIP", 640)
    for name, pixels in zip(names, whole, strict=True):
        np.testing.assert_array_equal(read_image(tmp_path / name, TWELVE), pixels)


Kinds = list[tuple[str, float, float]]  # kind, values of ground and rectangle


def checked(folder: VocFolder, images: Kinds, **options: Any) -> CheckReport:
    for i, (kind, low, high) in enumerate(images):
        name = deep(folder.root, f"{kind} {i}", low, high)
        folder.xml(f"{Path(name).stem}.xml", filename=name)
    return run_checks(folder.root, ReadOptions(**options))


def said(report: CheckReport) -> list[str]:
    return [one.message for one in report.findings if one.code == "BW169"]


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (
            [("png", 300, 3500), ("png", 310, 3800)],
            ["values 300 to 3800: 5.3 % of the range 0"],
        ),
        ([("u16", 0, 16383)], ["1 of 1 image has", "--depth-range 0:16383 would"]),
        ([("float", 0.25, 1)], ["floats", "0.25 to 1", "range 0 to 255", "--depth-range 0.25:1 "]),
        ([("png", 28000, 31000)], ["--depth-range 28000:31000"]),
        ([("png", 3, 200), ("png", 3, 60000)], ["without a value above 255 are shown brighter"]),
        ([("color", 512, 3584)], ["of colors only the upper 8 bits are read"]),
    ],
    ids=["12 bits", "14 bits", "floats", "radiometric", "two scales", "colors"],
)
def test_check_says_the_range_used_over_the_set(
    voc_folder: VocFolder, images: Kinds, expected: list[str]
) -> None:
    report = checked(voc_folder, images)
    (message,) = said(report)
    assert all(part in message for part in expected), message
    assert "BW136" not in {one.code for one in report.findings}  # not "nearly black"


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (
            [("png", 0, 4094), ("png", 10, 4000), ("float", 0, 1)],
            [
                ["2 of 3 images have more than 8 bits", "--depth-range 0:4094", "1 image is on"],
                ["1 of 3 images has floats", "0 to 1: 0.39 %", "--depth-range 0:1 ", "2 images"],
            ],
        ),
        ([("png", 0, 60000), ("float", 0, 1)], [["1 of 2", "--depth-range 0:1 ", "1 image is"]]),
        ([("float", 0, 4000), ("float", 0, 1)], [["--depth-range 0:4000"], ["0:1 would"]]),
        ([("png", 0, 4000), ("float", 100, 4094)], [["2 of 2 images have more than 8", "0:4094"]]),
        ([("float", 0, 1), ("float", 1000, 1001)], [["2 of 2 images have floats", "0:1001"]]),
        ([("png", 0, 4094), ("float", 7, 7)], [["2 of 2", "0:4094"]]),
    ],
    ids=["12 bits", "16 bits", "floats", "floats of 12 bits", "apart", "uniform"],
)
def test_each_scale_of_floats_has_its_own_range(
    voc_folder: VocFolder, images: Kinds, expected: list[list[str]]
) -> None:
    messages = said(checked(voc_folder, images))
    assert len(messages) == len(expected)
    for message, words in zip(messages, expected, strict=True):
        assert all(part in message for part in words), message
        assert ("another scale" in message) == (len(expected) > 1 or "1 of 2" in message)


@pytest.mark.parametrize(
    ("images", "options"),
    [
        ([("png", 2000, 60000)], {}),
        ([("png", 10, 240)], {}),
        ([("float", 10, 240)], {}),
        ([("png", 300, 3800)], {"depth_range": (0, 4095)}),
    ],
    ids=["whole range", "8 bits in 16", "floats of 0 to 255", "a range is chosen"],
)
def test_check_is_silent_where_the_range_is_used(
    voc_folder: VocFolder, images: Kinds, options: dict[str, Any]
) -> None:
    assert not said(checked(voc_folder, images, **options))


def test_a_broken_pixel_does_not_hide_the_rest(voc_folder: VocFolder) -> None:
    values = frame(300, 3800, np.uint16, (200, 200))
    values[0, 0] = 65535
    Image.fromarray(values).save(voc_folder.root / "a.png")
    voc_folder.xml("a.xml", filename="a.png", size=(200, 200))
    (message,) = said(run_checks(voc_folder.root))
    assert "99.8 % of the pixels from 300 to 3800" in message
    assert "--depth-range 300:3800" in message


def test_the_options_of_a_run_keep_limit_and_range() -> None:
    options = ReadOptions(max_pixels=10**9, depth_range=DepthRange(0, 4095))
    source = DataSource((Path("images"),), options=options)
    found = source_of(source.to_provenance("0123"))
    assert found is not None
    assert found.options == options
    assert found.options.decoding == DecodeOptions(10**9, DepthRange(0, 4095))


class Looking:
    """An engine that keeps what it sees and finds nothing."""

    def __init__(self) -> None:
        self.seen: list[NDArray[np.uint8]] = []

    def __call__(self, images: NDArray[np.uint8]) -> list[RawDetections]:
        self.seen += list(images)
        nothing = np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64)
        return [nothing for _ in images]


def test_a_detector_reads_images_in_its_range(tmp_path: Path) -> None:
    """The range of the training survives the file, and every way to predict uses it."""
    preprocessing = Preprocessing(64, depth_range=DepthRange(0, 4095))
    artifact = Artifact.from_text(Artifact({}, ("hot",), preprocessing).to_text())
    assert artifact.preprocessing == preprocessing
    engine = Looking()
    detector = Detector(engine, artifact)  # type: ignore[arg-type]
    path = tmp_path / deep(tmp_path, "png", 300, 3800)
    detector.predict(path)
    detector.predict(path.read_bytes())
    with Image.open(path) as picture:
        detector.predict(picture)
    for name, to, full_size in (
        ("small", ["drawn"], False),
        ("full", ["drawn"], True),
        ("none", ["json"], False),
    ):
        write_predictions(detector, sources(path), tmp_path / name, to, full_size=full_size)
    assert len(engine.seen) == 6
    for pixels in engine.seen:
        assert pixels.max() == pytest.approx(236, abs=2)
        assert pixels.min() == pytest.approx(18, abs=2)
    drawn = np.asarray(Image.open(tmp_path / "small" / "png.jpg"))
    assert drawn.max() > 200


def test_a_description_without_a_range_is_as_before() -> None:
    assert "depth_range" not in Preprocessing(300).to_json()
    assert Preprocessing.from_json(Preprocessing(300).to_json()) == Preprocessing(300)


@pytest.mark.parametrize("text", ["4095", "0-4095", "9:1", "1:1", "0:nan", "0:inf", "a:b", "0:1:2"])
def test_what_is_no_range_is_refused(text: str, voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    done = CliRunner().invoke(app, ["check", str(voc_folder.root), "--depth-range", text])
    assert done.exit_code == 2
    assert "is not LOW:HIGH" in done.output


def test_negative_values_can_be_chosen(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    done = CliRunner().invoke(app, ["check", str(voc_folder.root), "--depth-range", "-20:40.5"])
    assert done.exit_code == 0, done.output
