"""Identities and counts in every output that has them, and a word from those that do not."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from boxwright.errors import BoxwrightError, SourceError
from boxwright.inference.stream import Prediction
from boxwright.outputs.picture import draw_prediction
from boxwright.outputs.predicting import Predicted, write_predictions
from boxwright.sources.frame import Frame
from boxwright.sources.opening import sources
from boxwright.structures.detections import Detections
from boxwright.tracking.counting import Counts, Line, LineCount, Zone, ZoneCount
from boxwright.tracking.following import Tracking
from boxwright.visualize.draw import WHITE, draw
from filming import Camera, film
from nearest import Nearest, finding, walk

pytestmark = pytest.mark.tiny

LINE = Line(((0, 24), (64, 24)))
ZONE = Zone(((0, 0), (32, 0), (32, 24), (0, 24)))
TRACKING = Tracking.by(Nearest, (LINE,), (ZONE,))
FRAMES = list(walk(6, ((10, 10), (0, 5), 0), ((50, 30), (0, 0), 1)))  # the cat goes down


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return film(tmp_path / "clip.mp4", 6)


def write(
    path: Any,
    out: Path,
    *to: str,
    frames: Iterable[Any] = FRAMES,
    tracking: Tracking | None = TRACKING,
    **options: Any,
) -> Predicted:
    detector = finding(frames)
    return write_predictions(detector, sources(path), out, to, tracking=tracking, **options)


def test_json_has_identities_and_counts(clip: Path, tmp_path: Path) -> None:
    done = write(clip, tmp_path / "out", "json", "jsonl")
    frames = done.content["images"]
    assert [[each["track_id"] for each in one["detections"]] for one in frames] == [[0, 1]] * 6
    assert [one["counts"]["lines"][0]["to_right"] for one in frames] == [
        *({}, {}, {}, {"cat": 1}, {"cat": 1}, {"cat": 1})
    ]
    assert [one["counts"]["zones"][0]["inside"] for one in frames] == [
        *({"cat": 1}, {"cat": 1}, {"cat": 1}, {}, {}, {})
    ]
    assert done.content["counts"] == {str(clip): frames[-1]["counts"]}
    assert done.counts[str(clip)].to_json() == frames[-1]["counts"]
    assert frames[-1]["counts"]["objects"] == {"cat": 1, "dog": 1}
    lines = (tmp_path / "out" / "detections.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line) for line in lines] == frames


def test_without_tracking_nothing_is_different(clip: Path, tmp_path: Path) -> None:
    done = write(clip, tmp_path / "out", "json", "csv", tracking=None)
    assert "counts" not in done.content
    assert "counts" not in done.content["images"][0]
    assert "track_id" not in done.content["images"][0]["detections"][0]
    rows = (tmp_path / "out" / "detections.csv").read_text("utf-8").splitlines()
    assert rows[0].endswith(",height")


def test_an_object_without_identity_says_so(clip: Path, tmp_path: Path) -> None:
    class Late(Nearest):
        def update(self, *given: Any) -> np.ndarray:
            found = super().update(*given)
            return found if len(self.sizes) > 2 else np.full_like(found, -1)

    out = tmp_path / "out"
    done = write(clip, out, "json", "csv", "mot", tracking=Tracking.by(Late))
    first, *_, last = (one["detections"] for one in done.content["images"])
    assert [each["track_id"] for each in first] == [None, None]
    assert [each["track_id"] for each in last] == [0, 1]
    with (out / "detections.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["track_id"] for row in rows] == [*[""] * 4, *["0", "1"] * 4]
    lines = (out / "mot" / "clip.txt").read_text("utf-8").splitlines()
    assert [line.split(",")[0] for line in lines] == ["3", "3", "4", "4", "5", "5", "6", "6"]


def test_mot_text_has_a_line_for_each_object(clip: Path, tmp_path: Path) -> None:
    write(clip, tmp_path / "out", "mot")
    lines = (tmp_path / "out" / "mot" / "clip.txt").read_text("utf-8").splitlines()
    assert lines[:3] == [
        "1,0,6.00,6.00,8.00,8.00,0.9000,-1,-1,-1",
        "1,1,46.00,26.00,8.00,8.00,0.8000,-1,-1,-1",
        "2,0,6.00,11.00,8.00,8.00,0.9000,-1,-1,-1",
    ]
    assert len(lines) == 12


def test_each_video_has_its_own_mot_text(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    clips = [clip, film(tmp_path / "other" / "clip.mp4", 3)]
    for _ in range(2):  # its own are replaced
        write(clips, tmp_path / "out", "mot", frames=[*FRAMES, *FRAMES[:3]])
    texts = sorted((tmp_path / "out" / "mot").iterdir())
    assert [path.name for path in texts] == ["clip-2.txt", "clip.txt"]
    assert [len(path.read_text("utf-8").splitlines()) for path in texts] == [6, 12]
    texts[1].write_text("mine", "utf-8")
    write(clip, tmp_path / "out", "mot")
    assert texts[1].read_text("utf-8") == "mine"


def test_without_tracking_mot_text_has_detections(clip: Path, tmp_path: Path) -> None:
    write(clip, tmp_path / "out", "mot", tracking=None)
    lines = (tmp_path / "out" / "mot" / "clip.txt").read_text("utf-8").splitlines()
    assert lines[0] == "1,-1,6.00,6.00,8.00,8.00,0.9000,-1,-1,-1"


def test_mot_text_is_of_videos(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "still.png")
    for to, tracking, code in (("mot", None, "BW534"), ("json", TRACKING, "BW522")):
        with pytest.raises(SourceError) as raised:
            write(tmp_path / "still.png", tmp_path / "out", to, tracking=tracking)
        assert raised.value.code == code


def test_coco_results_have_identities(clip: Path, tmp_path: Path) -> None:
    write(clip, tmp_path / "out", "coco")
    results = json.loads((tmp_path / "out" / "coco_results.json").read_text("utf-8"))
    assert [(one["image_id"], one["track_id"]) for one in results[:4]] == [
        *((1, 0), (1, 1), (2, 0), (2, 1))
    ]


def test_the_table_tells_what_was_counted(clip: Path, tmp_path: Path) -> None:
    lines: list[str] = []
    write(clip, tmp_path, "table", print_line=lines.append)
    assert lines[1].endswith(
        "64 x 48  1 cat (0.90), 1 dog (0.80); until now 1 cat, 1 dog; "
        "line 1: 0 to the left, 0 to the right; zone 1: 1 cat inside, 1 cat in all"
    )
    assert "line 1: 0 to the left, 1 cat to the right; zone 1: 0 inside" in lines[-1]


def test_outputs_without_identities_say_so(clip: Path, tmp_path: Path) -> None:
    told: list[str] = []
    every = ("crops", "frames", "video", "drawn", "jsonl", "csv", "coco", "mot", "yolo-labels")
    write(clip, tmp_path / "out", *every, tell=told.append)
    assert [each for each in told if "identities" in each] == [
        "crops leaves out the identities of objects.",
        "yolo-labels leaves out the identities of objects.",
    ]


@pytest.mark.parametrize("first", [TRACKING, None])
def test_a_csv_with_other_columns_is_replaced(
    first: Tracking | None, clip: Path, tmp_path: Path
) -> None:
    write(clip, tmp_path / "out", "csv", tracking=first)
    write(clip, tmp_path / "out", "csv", tracking=None if first else TRACKING)
    (tmp_path / "out" / "detections.csv").write_text("track_id\n", "utf-8")
    with pytest.raises(BoxwrightError):
        write(clip, tmp_path / "out", "csv")


def test_a_stream_that_comes_back_keeps_its_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("boxwright.sources.live.FIRST_WAIT", 0.01)
    camera = Camera(sizes=[(64, 48), (32, 24)], frames=4)

    def stop(done: int, total: int) -> None:
        if camera.connections > 2:
            raise KeyboardInterrupt

    with camera.on(), pytest.raises(KeyboardInterrupt):
        write(camera.url, tmp_path, "json", frames=walk(999, ((10, 10), (0, 0), 0)), progress=stop)
    content = json.loads((tmp_path / "detections.json").read_text("utf-8"))
    assert {one["width"] for one in content["images"]} == {64, 32}
    (counts,) = content["counts"].values()
    assert counts["objects"] == {"cat": 1}


def prediction(counts: Counts | None) -> Prediction:
    boxes = [(100, 100, 140, 140), (200, 60, 240, 100)]
    found = Detections(boxes, [0.9, 0.8], [0, 1], ("cat", "dog"), (400, 300), [3, -1])
    return Prediction(Frame("clip.mp4", b"", 0), found, None, counts)


def drawn(counts: Counts | None, size: tuple[int, int] = (400, 300)) -> np.ndarray:
    picture = Image.new("RGB", size, (90, 90, 90))
    draw_prediction(picture, prediction(counts))
    return np.asarray(picture).astype(int)


def test_a_label_has_the_identity_in_place_of_the_score(monkeypatch: pytest.MonkeyPatch) -> None:
    texts: list[str] = []
    monkeypatch.setattr(
        "boxwright.visualize.draw._draw_label", lambda pen, label, color: texts.append(label.text)
    )
    draw(np.zeros((300, 400, 3), np.uint8), prediction(None).detections)
    assert sorted(texts) == ["cat #3", "dog 80%"]
    texts.clear()
    line = LineCount(Line(((0, 200), (400, 200))), {"cat": 2}, {})
    zone = ZoneCount(Zone(((300, 100), (390, 100), (390, 190))), {"dog": 1}, {"dog": 4})
    drawn(Counts({"cat": 7, "dog": 12}, (line,), (zone,)))
    assert sorted(texts) == ["0", "1 dog", "12 dog", "2 cat", "7 cat", "cat #3", "dog 80%"]


@pytest.mark.parametrize("scale", [1, 3])
def test_lines_and_zones_are_where_they_are_in_the_frame(scale: int) -> None:
    line = LineCount(Line(((0, 200), (400, 200))), {}, {})
    zone = ZoneCount(Zone(((300, 20), (390, 20), (390, 90))), {}, {})
    pixels = drawn(Counts({}, (line,), (zone,)), (400 * scale, 300 * scale))
    for x, y in ((20, 200), (380, 200), (330, 20), (390, 60), (345, 55)):
        around = pixels[scale * y - scale : scale * y + scale + 1, scale * x - scale :][
            :, : 2 * scale + 1
        ]
        assert (around == WHITE).all(axis=2).any(), (x, y)
    plain = drawn(Counts({}), (400 * scale, 300 * scale))
    assert (plain[200 * scale, 380 * scale] == 90).all()
