"""CVAT's tracks of several tasks, whose frames have the same numbers: whose images they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from cvat_samples import found, images
from PIL import Image

from boxwright import formats
from boxwright.errors import DataError

pytestmark = pytest.mark.tiny

BOX = '<box frame="{}" outside="{}" occluded="0" keyframe="1" xtl="{}" ytl="6" xbr="60" ybr="40"/>'
ONE, TWO = ("frames/frame_000000.png", "frames/frame_000001.png")


def meta(tag: str = "task", start: int = 0, stop: int = 1, **said: str) -> str:
    fields = {"start_frame": start, "stop_frame": stop, **said}
    inner = "".join(f"<{key}>{value}</{key}>" for key, value in fields.items())
    return f"<meta><{tag}>{inner}</{tag}></meta>"


def track(left: int, *frames: int, until: int | None = None) -> str:
    """A cat in these frames; it is outside `until` that one."""
    boxes = [BOX.format(frame, 0, left) for frame in frames]
    if until is not None:
        boxes.append(BOX.format(until, 1, left))
    return f'<track id="0" label="cat">{"".join(boxes)}</track>'


def lay(root: Path, here: tuple[str, ...], clips: dict[str, tuple[str, str]]) -> Path:
    for name in here:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (64, 48)).save(root / name)
    for name, (head, inner) in clips.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(images(inner, meta=head), encoding="utf-8")
    return root


def lefts(root: Path) -> dict[str, list[float]]:
    dataset = formats.read(root, tolerant=True)
    return {name: [box[0] for _, box in boxes] for name, boxes in found(dataset).items()}


FIRST, SECOND = track(10, 0, until=1), track(20, 1)


@pytest.mark.parametrize(
    ("first", "second", "boxes"),
    [
        ({"id": "1"}, {"id": "2"}, (FIRST, SECOND)),
        ({"name": "a"}, {"name": "b"}, (FIRST, SECOND)),
        ({"source": "a.mp4"}, {"source": "b.mp4"}, (FIRST, SECOND)),
        ({"id": "1", "source": "a.mp4"}, {"id": "1", "source": "b.mp4"}, (FIRST, SECOND)),
        ({"id": "1", "source": "a.mp4"}, {"id": "2", "source": "a.mp4"}, (FIRST, SECOND)),
        ({"id": "1", "name": "a"}, {"id": "2", "name": "b"}, (track(10, 0), track(20, 1))),
        ({"id": "1"}, {"id": "2"}, (track(10, 0, 1), track(20, 0, 1))),
        ({}, {}, (track(10, 0, 1), track(20, 0, 1))),
        ({"tag": "job", "id": "1"}, {"tag": "job", "id": "2"}, (track(10, 0), track(20, 0))),
    ],
)
@pytest.mark.parametrize("names", [("clip1.xml", "clip2.xml"), ("z/clip1.xml", "a/clip2.xml")])
def test_tasks_that_could_have_the_same_frames_are_refused(
    tmp_path: Path,
    names: tuple[str, str],
    first: dict[str, str],
    second: dict[str, str],
    boxes: tuple[str, str],
) -> None:
    clips = dict(zip(names, zip((meta(**first), meta(**second)), boxes, strict=True), strict=True))
    lay(tmp_path, (ONE, TWO), clips)
    with pytest.raises(DataError) as caught:
        formats.read(tmp_path)
    assert caught.value.code == "BW157"
    assert all(part in caught.value.message for part in (*names, ONE))
    other = "another task of a.mp4" if first.get("source") == second.get("source", "") else "video"
    assert other in caught.value.message
    assert lefts(tmp_path) == {}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"id": "1", "name": "clip 1"}, {"id": "2", "name": "clip 2"}),
        ({"id": "1", "source": "clip 1.mp4"}, {"id": "2", "source": "clip 2.mp4"}),
        ({"id": "1"}, {"id": "2"}),
        ({}, {}),
    ],
)
@pytest.mark.parametrize("here", [("clip 1",), ("clip 2",), ("clip 1", "clip 2")])
@pytest.mark.parametrize("frame", ["{}/frame_{:06d}.png", "frames/{}/images/frame_{:06d}.png"])
def test_a_folder_called_after_a_task_has_its_frames(
    tmp_path: Path,
    frame: str,
    here: tuple[str, ...],
    first: dict[str, str],
    second: dict[str, str],
) -> None:
    names = ("clip 1", "clip 2") if not {"name", "source"} & first.keys() else ("x", "y")
    clips = {
        f"tracks/{names[0]}.xml": (meta(**first), track(10, 0, 1)),
        f"tracks/{names[1]}.xml": (meta(**second), track(20, 0, 1)),
    }
    lay(tmp_path, tuple(frame.format(clip, i) for clip in here for i in (0, 1)), clips)
    expected = {"clip 1": [10], "clip 2": [20]}
    assert lefts(tmp_path) == {
        frame.format(clip, i): expected[clip] for clip in here for i in (0, 1)
    }
    missing = [one.message for one in formats.read(tmp_path, tolerant=True).findings]
    assert any("frame_000000" in one for one in missing) == (len(here) == 1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (meta(stop=3, id="1"), meta(stop=3, id="1")),
        (meta(stop=3), meta(stop=3)),
        (meta("job", 0, 1, id="1"), meta("job", 2, 3, id="2")),
    ],
)
def test_jobs_of_one_task_share_its_frames(tmp_path: Path, first: str, second: str) -> None:
    here = tuple(f"frames/frame_{i:06d}.png" for i in range(4))
    clips = {"job1.xml": (first, track(10, 0, until=1)), "job2.xml": (second, track(20, 2, 3))}
    lay(tmp_path, here, clips)
    assert lefts(tmp_path) == dict(zip(here, [[10], [], [20], [20]], strict=True))


@pytest.mark.parametrize(
    "clips",
    [
        {name: (meta(), track(10, 0, 1)) for name in ("a.xml", "b.xml")},  # a copy
        {
            "a.xml": (meta("job", 0, 1, id="1"), track(10, 0, 1)),
            "b.xml": (meta("job", 1, 2, id="2"), track(10, 1, 2)),
        },
    ],
)
def test_a_frame_that_jobs_share_has_the_boxes_of_one(
    tmp_path: Path, clips: dict[str, tuple[str, str]]
) -> None:
    lay(tmp_path, (ONE, TWO), clips)
    assert lefts(tmp_path) == {ONE: [10], TWO: [10]}
    assert {one.code for one in formats.read(tmp_path).findings} <= {"BW101", "BW113"}
