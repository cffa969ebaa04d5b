"""Videos in files: every frame, upright, in its order and at its time."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from boxwright.errors import BoxwrightError, SourceError, SystemFaultError
from boxwright.sources.frame import Frame
from boxwright.sources.opening import sources
from filming import film, number_of

pytestmark = pytest.mark.tiny


def read(path: Path, **options: Any) -> list[Frame]:
    (source,) = sources(path, **options)
    return list(source)


def pixels(frame: Frame) -> np.ndarray:
    assert isinstance(frame.image, Image.Image)
    return np.asarray(frame.image)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.mp4", "libx264"), ("a.mkv", "mpeg4"), ("a.webm", "libvpx-vp9"), ("a.avi", "mjpeg")],
)
def test_every_frame_is_read_in_order(name: str, codec: str, tmp_path: Path) -> None:
    frames = read(film(tmp_path / name, codec=codec))
    assert [number_of(pixels(frame)) for frame in frames] == list(range(12))
    assert [frame.number for frame in frames] == list(range(12))
    assert [frame.seconds for frame in frames] == pytest.approx([i / 10 for i in range(12)])
    assert {frame.name for frame in frames} == {str(tmp_path / name)}
    assert np.abs(pixels(frames[3])[4:20, 4:28].astype(int) - 255).max() < 6, "white is white"


def test_the_times_are_those_of_the_video(tmp_path: Path) -> None:
    times = [0, 0.1, 0.5, 0.6, 2.0]
    frames = read(film(tmp_path / "a.mp4", 5, times=times))
    assert [frame.seconds for frame in frames] == pytest.approx(times)


@pytest.mark.parametrize("rotation", [0, 90, 180, -90])
def test_frames_are_upright(rotation: int, tmp_path: Path) -> None:
    """The white quarter is turned counterclockwise by the stated angle."""
    frame = read(film(tmp_path / "a.mp4", 2, rotation=rotation, aspect=Fraction(4, 3)))[0]
    upright = pixels(frame)
    turned = rotation % 180 == 90
    assert upright.shape == ((64, 48, 3) if turned else (48, 64, 3))
    height, width = upright.shape[:2]
    quarters = {
        (top, left): upright[top * height // 2 :, left * width // 2 :][2 : height // 2 - 2, 2:20]
        for top in (0, 1)
        for left in (0, 1)
    }
    (white,) = (place for place, part in quarters.items() if part.mean() > 200)
    assert white == {0: (0, 0), 90: (1, 0), 180: (1, 1), -90: (0, 1)}[rotation]
    assert frame.video is not None
    assert frame.video.aspect == (Fraction(3, 4) if turned else Fraction(4, 3))


def test_facts_of_a_video(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", rate=Fraction(30000, 1001))
    (source,) = sources(path)
    assert (source.total, source.is_video, source.is_live) == (12, True, False)
    first, second, *_ = source
    assert first.video is second.video
    assert first.video is not None
    assert (float(first.video.rate or 0), first.video.file) == (pytest.approx(29.97, 0.01), path)


def test_a_pattern_may_name_videos(tmp_path: Path) -> None:
    film(tmp_path / "b.mp4", 1), film(tmp_path / "a.mp4", 1)
    Image.new("RGB", (8, 8)).save(tmp_path / "c.jpg")
    named = [Path(source.name).name for source in sources(str(tmp_path / "*"))]
    assert named == ["a.mp4", "b.mp4", "c.jpg"]
    assert [Path(s.name).name for s in sources(str(tmp_path / "*.mp4"))] == ["a.mp4", "b.mp4"]
    assert [s.name for s in sources(tmp_path)] == [str(tmp_path / "c.jpg")], "a folder has images"


def playlist(path: Path) -> None:
    """Names another file, which is not to be opened."""
    film(path.with_name("other.ts"), codec="mpeg4")
    head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:1.2,\n"
    path.write_text(f"{head}other.ts\n#EXT-X-ENDLIST\n", "utf-8")


def only_sound(path: Path) -> None:
    with av.open(str(path), "w") as out:
        track: Any = out.add_stream("aac", rate=44100)
        tone: Any = av.AudioFrame.from_ndarray(np.zeros((1, 4096), np.float32), "fltp", "mono")
        tone.rate = 44100
        out.mux(track.encode(tone))
        out.mux(track.encode(None))


@pytest.mark.parametrize(
    "plant",
    [lambda path: path.write_bytes(b"no video" * 99), playlist, only_sound],
    ids=["junk", "a playlist", "only sound"],
)
def test_what_is_no_video_is_refused(plant: Any, tmp_path: Path) -> None:
    plant(tmp_path / "a.mp4")
    with pytest.raises(SourceError) as raised:
        read(tmp_path / "a.mp4")
    assert (raised.value.code, raised.value.where) == ("BW532", str(tmp_path / "a.mp4"))


def test_a_cut_video_gives_the_frames_it_has(tmp_path: Path) -> None:
    whole = film(tmp_path / "a.mkv", codec="mpeg4")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size // 2])
    assert 0 < len(read(whole)) < 12


def test_damage_is_told(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mov", codec="png")
    content = bytearray(path.read_bytes())
    start = content.index(b"\x89PNG", len(content) // 2)
    content[start : start + 30] = bytes(30)
    path.write_bytes(bytes(content))
    told: list[str] = []
    assert len(read(path, tell=told.append)) == 11
    assert told == [f"{path}: 1 damaged packet was left out."]


def test_large_frames_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="64 x 48 pixels"):
        read(film(tmp_path / "a.mp4", 1), max_pixels=3000)


def test_without_pyav_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = film(tmp_path / "a.mp4", 1)
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(SystemFaultError) as raised:
        sources(path)
    assert isinstance(raised.value, BoxwrightError)
    assert raised.value.remedy == "Install it with: pip install 'boxwright[video]'"
