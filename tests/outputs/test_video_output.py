"""Drawn videos, frames of videos, and what other outputs say about a video."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
import numpy as np
import pytest
from PIL import Image

from boxwright.errors import SourceError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.outputs.every import Every
from boxwright.outputs.predicting import Predicted, write_predictions
from boxwright.sources.opening import sources
from browser import visit
from filming import Camera, film, gray, number_of

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.tiny


class Corner:
    """An engine that finds the upper right quarter of every image."""

    def __call__(self, inputs: np.ndarray) -> list[Any]:
        box = np.array([[0.1, 0.6, 0.4, 0.9]], np.float32)
        return [(box, np.array([0.9]), np.array([0])) for _ in inputs]


@pytest.fixture
def detector() -> Detector:
    return Detector(Corner(), Artifact({}, ("cat",), Preprocessing(32)))


def write(
    detector: Detector, path: str | Path | list[Path], out: Path, *to: str, **options: Any
) -> Predicted:
    return write_predictions(detector, sources(path), out, to or None, **options)


def decoded(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_a_drawn_video_has_the_frames_times_and_shape_of_its_source(
    detector: Detector, tmp_path: Path
) -> None:
    times = [0, 0.1, 0.25, 0.3, 0.4, 0.5]
    path = film(tmp_path / "clip.mkv", 6, size=(66, 50), times=times)
    written = write(detector, path, tmp_path / "out")
    assert {file.name for file in (tmp_path / "out").iterdir()} == {
        *("clip.mp4", "detections.jsonl")
    }
    assert (written.images, written.boxes) == (6, 6)
    with av.open(str(tmp_path / "out" / "clip.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height, stream.codec_context.name) == (66, 50, "h264")
        assert stream.pix_fmt == "yuv420p"
        shown = [float(frame.time) for frame in container.decode(stream)]
    assert shown == pytest.approx(times, abs=1e-4)
    before, after = decoded(path)[3], decoded(tmp_path / "out" / "clip.mp4")[3]
    assert number_of(after) == 3
    difference = np.abs(before.astype(int) - after).mean(axis=2)
    assert difference[2:24, 34:].max() > 40, "a box"
    assert difference[30:, :30].max() < 12, "the rest is as before"


@pytest.mark.parametrize(("rate", "count"), [(10, 12), (Fraction(30000, 1001), 30)])
def test_the_rate_is_kept(rate: Any, count: int, detector: Detector, tmp_path: Path) -> None:
    times = [float(number / rate) for number in range(count)]
    path = film(tmp_path / "clip.mp4", count, rate=rate, times=times)
    write(detector, path, tmp_path / "out", "video")
    with av.open(str(tmp_path / "out" / "clip.mp4")) as container:
        stream = container.streams.video[0]
        assert stream.frames == count
        assert float(stream.average_rate or 0) == pytest.approx(float(rate), rel=0.01)
        assert (container.duration or 0) / 1e6 == pytest.approx(
            float(count / rate), abs=float(1 / rate)
        )


@pytest.mark.parametrize("size", [(65, 49), (64, 49)])
def test_odd_sides_lose_a_pixel(size: tuple[int, int], detector: Detector, tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mkv", 2, size=size, codec="ffv1")
    write(detector, path, tmp_path / "out", "video")
    assert decoded(tmp_path / "out" / "clip.mp4")[0].shape == (48, 64, 3)


def test_rotation_becomes_pixels_and_aspect_is_kept(detector: Detector, tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", 2, rotation=90, aspect=Fraction(4, 3))
    write(detector, path, tmp_path / "out", "video")
    with av.open(str(tmp_path / "out" / "clip.mp4")) as container:
        stream = container.streams.video[0]
        assert (stream.width, stream.height) == (48, 64)
        assert stream.sample_aspect_ratio == Fraction(3, 4)
        assert next(container.decode(stream)).rotation == 0


@pytest.mark.parametrize(
    ("name", "sound", "kept"),
    [("a.mp4", "aac", "aac"), ("a.mkv", "libopus", "opus"), ("a.mkv", "pcm_s16le", None)],
)
def test_sound_is_copied_or_said_to_be_left_out(
    name: str, sound: str, kept: str | None, detector: Detector, tmp_path: Path
) -> None:
    path = film(tmp_path / name, sound=sound)
    told: list[str] = []
    write(detector, path, tmp_path / "out", "video", tell=told.append)
    with av.open(str(tmp_path / "out" / "a.mp4")) as container:
        codecs = [stream.codec_context.name for stream in container.streams.audio]
        assert codecs == ([kept] if kept else [])
        if kept:
            track = container.streams.audio[0]
            seconds = float((track.duration or 0) * (track.time_base or 0))
            assert seconds == pytest.approx(1.2, abs=0.1)
    left_out = f"a.mp4: its sound is left out: browsers do not play {sound} in an .mp4."
    assert told == ([] if kept else [left_out])


def test_a_video_is_replaced_only_by_its_own(detector: Detector, tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", 2)
    before = path.read_bytes()
    for _ in range(2):
        write(detector, path, tmp_path, "video")
    assert path.read_bytes() == before
    assert {file.name for file in tmp_path.iterdir()} == {"clip.mp4", "clip-2.mp4"}


def test_ctrl_c_leaves_a_video_that_plays(detector: Detector, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 5:
            raise KeyboardInterrupt

    path = film(tmp_path / "clip.mp4", sound="aac")
    with pytest.raises(KeyboardInterrupt) as raised:
        write(detector, path, tmp_path / "out", progress=stop)
    assert raised.value.__notes__ == ["5 frames done."]
    assert len(decoded(tmp_path / "out" / "clip.mp4")) == 5
    lines = (tmp_path / "out" / "detections.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["frame"] for line in lines] == [0, 1, 2, 3, 4]


def test_a_stream_that_changes_its_size_becomes_two_videos(
    detector: Detector, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxwright.sources.live.FIRST_WAIT", 0.01)
    camera = Camera(sizes=[(64, 48), (32, 24)], frames=8)

    def stop(done: int, total: int) -> None:
        if camera.connections > 2:
            raise KeyboardInterrupt

    told: list[str] = []
    with camera.on(), pytest.raises(KeyboardInterrupt):
        write(detector, camera.url, tmp_path, "video", "json", progress=stop, tell=told.append)
    shapes = {decoded(file)[0].shape[:2] for file in tmp_path.glob("*.mp4")}
    assert shapes == {(48, 64), (24, 32)}
    assert [line for line in told if "needs more memory with every frame" in line] == told[:1]
    assert told[0].startswith("json is written at the end")


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("5", ["clip-000000.jpg", "clip-000005.jpg", "clip-000010.jpg"]),
        ("0.4s", ["clip-000000.jpg", "clip-000004.jpg", "clip-000008.jpg"]),
    ],
)
def test_every_nth_frame_is_an_image(
    every: str, expected: list[str], detector: Detector, tmp_path: Path
) -> None:
    path = film(tmp_path / "clip.mp4")
    write(detector, path, tmp_path / "out", every=Every.parse(every))
    frames = tmp_path / "out" / "frames"
    assert sorted(file.name for file in frames.iterdir()) == expected
    with Image.open(frames / expected[1]) as picture:
        assert number_of(np.asarray(picture)) == int(expected[1][5:11])
    lines = (tmp_path / "out" / "detections.jsonl").read_text("utf-8").splitlines()
    assert len(lines) == 12, "all other outputs have all frames"


@pytest.mark.parametrize("text", ["0", "-1", "x", "1m", "s", ""])
def test_a_distance_of_frames_is_a_number(text: str) -> None:
    with pytest.raises(ValueError, match="neither a number of frames nor of seconds"):
        Every.parse(text)


def test_outputs_of_images_take_frames_too(detector: Detector, tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", 4)
    out = tmp_path / "out"
    to = ("drawn", "crops", "yolo-labels", "coco", "csv")
    write(detector, path, out, *to, every=Every.parse("2"))
    chosen = ["clip-000000.jpg", "clip-000002.jpg"]
    assert sorted(file.name for file in out.glob("clip*")) == chosen
    assert sorted(file.name for file in (out / "crops" / "cat").iterdir()) == chosen
    labels = out / "yolo-labels"
    assert sorted(file.name for file in labels.rglob("*.jpg")) == chosen
    results = json.loads((out / "coco_results.json").read_text("utf-8"))
    assert [one["file_name"] for one in results] == [f"clip-00000{i}.jpg" for i in range(4)]
    rows = (out / "detections.csv").read_text("utf-8").splitlines()
    assert [row.split(",")[1:3] for row in rows[1:]] == [[str(i), str(i / 10)] for i in range(4)]


def test_images_and_videos_together(detector: Detector, tmp_path: Path) -> None:
    clip = film(tmp_path / "clip.mp4", 3)
    Image.fromarray(gray(0)).save(tmp_path / "still.png")
    write(detector, [tmp_path / "still.png", clip], tmp_path / "out")
    written = {file.name for file in (tmp_path / "out").iterdir()}
    assert written == {"still.jpg", "clip.mp4", "detections.jsonl"}


def test_a_damaged_video_is_named_and_the_others_are_done(
    detector: Detector, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no video" * 99)
    done = write(detector, [broken, film(tmp_path / "clip.mp4", 3)], tmp_path / "out")
    assert done.images == 3
    assert [(each["image"], each["code"]) for each in done.content["failed"]] == [
        (str(broken), "BW532")
    ]


@pytest.mark.parametrize("to", ["video", "frames"])
def test_a_video_needs_a_video(to: str, detector: Detector, tmp_path: Path) -> None:
    Image.fromarray(gray(0)).save(tmp_path / "still.png")
    with pytest.raises(SourceError) as raised:
        write(detector, tmp_path / "still.png", tmp_path / "out", to)
    assert raised.value.code == "BW534"
    assert not (tmp_path / "out").exists()


def played(browser: BrowserContext, path: Path) -> list[Any]:
    """Duration, width, height and error of a video that Chromium has played to its end."""
    page_file = path.with_name("page.html")
    page_file.write_text(f"<video muted src='{path.name}'></video>", "utf-8")
    with visit(browser, page_file.as_uri()) as page:
        facts: list[Any] = page.evaluate(
            "(async () => { const v = document.querySelector('video');"
            " v.playbackRate = 8; await v.play();"
            " await new Promise(done => { v.onended = done; v.onerror = done; });"
            " return [v.duration, v.videoWidth, v.videoHeight, v.error]; })()"
        )
    return facts


def test_chromium_plays_it(detector: Detector, browser: BrowserContext, tmp_path: Path) -> None:
    path = film(tmp_path / "clip.mp4", 20, size=(320, 240), sound="aac")
    write(detector, path, tmp_path / "out", "video")
    duration, *shape = played(browser, tmp_path / "out" / "clip.mp4")
    assert duration == pytest.approx(2.0, abs=0.1)
    assert shape == [320, 240, None]


def test_chromium_plays_what_a_stream_gave(
    detector: Detector, browser: BrowserContext, tmp_path: Path
) -> None:
    camera = Camera(sizes=[(320, 240)], frames=1000)

    def stop(done: int, total: int) -> None:
        if done == 40:
            raise KeyboardInterrupt

    with camera.on(), pytest.raises(KeyboardInterrupt):
        write(detector, camera.url, tmp_path, "video", progress=stop)
    (path,) = tmp_path.glob("*.mp4")
    assert b"moof" in path.read_bytes(), "its frames are listed piece by piece, not at the end"
    with av.open(str(path)) as container:
        *_, last = container.decode(video=0)
    duration, *shape = played(browser, path)
    assert duration == pytest.approx(last.time, abs=0.2)
    assert shape == [320, 240, None]
