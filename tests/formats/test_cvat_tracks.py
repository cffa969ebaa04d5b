"""CVAT's own XML: tracks of videos, whose boxes are interpolated between keyframes."""

from __future__ import annotations

import pytest
from cvat_samples import CAT, found, image, images, read

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import ReadOptions
from boxwright.structures.dataset import (
    OCCLUDED,
    Dataset,
)
from folders import VocFolder, codes, marks

pytestmark = pytest.mark.tiny

FRAME = (
    '<box frame="{}" xtl="{}" ytl="6" xbr="{}" ybr="40" outside="{}" occluded="{}" keyframe="{}">'
)


def key(frame: int, left: float, *, outside: int = 0, occluded: int = 0, keyframe: int = 1) -> str:
    start = FRAME.format(frame, left, left + 20, outside, occluded, keyframe)
    return f"{start}<attribute name='color'>red</attribute></box>"


def track(*shapes: str, label: str = "cat", more: str = "") -> str:
    return f'<track id="0" label="{label}" source="manual" {more}>{"".join(shapes)}</track>'


def video(count: int = 10, start: int = 0, step: int = 1) -> str:
    stop = start + (count - 1) * step
    return f"""<meta><task><id>7</id><size>{count}</size><mode>interpolation</mode>
<start_frame>{start}</start_frame><stop_frame>{stop}</stop_frame>
<frame_filter>{f"step={step}" if step > 1 else ""}</frame_filter>
<labels><label><name>cat</name></label></labels>
<original_size><width>64</width><height>48</height></original_size><source>film.mp4</source>
</task></meta>"""


def frames(*numbers: int, name: str = "images/frame_{:06d}.png") -> tuple[str, ...]:
    return tuple(name.format(number) for number in numbers)


def lefts(dataset: Dataset) -> dict[int, list[float]]:
    """Number of a frame -> left sides of its boxes."""
    return {
        int("".join(filter(str.isdigit, name.rpartition("/")[2]))): [box[0] for _, box in boxes]
        for name, boxes in found(dataset).items()
    }


@pytest.mark.parametrize(
    ("tracks", "here", "expected"),
    [
        (  # boxes move evenly between keyframes, and end where the object is outside
            [track(key(0, 0), key(4, 20), key(6, 20, outside=1))],
            frames(*range(8)),
            {0: [0], 1: [5], 2: [10], 3: [15], 4: [20], 5: [20], 6: [], 7: []},
        ),
        (  # as CVAT exports it: every frame is stated
            [track(key(0, 0), *(key(i, i, keyframe=0) for i in (1, 2)), key(3, 9, outside=1))],
            frames(*range(5)),
            {0: [0], 1: [1], 2: [2], 3: [], 4: []},
        ),
        (  # an object that leaves and comes back
            [track(key(0, 0), key(2, 4, outside=1), key(5, 10), key(6, 10, outside=1))],
            frames(*range(7)),
            {0: [0], 1: [2], 2: [], 3: [], 4: [], 5: [10], 6: []},
        ),
        (  # the last keyframe holds until the end of the video
            [track(key(0, 0), key(2, 4))],
            frames(*range(10)),
            {0: [0], 1: [2], **{frame: [4] for frame in range(2, 10)}},
        ),
        (  # also if it is the last but one frame
            [track(key(0, 0), key(8, 4))],
            frames(0, 8, 9),
            {0: [0], 8: [4], 9: [4]},
        ),
        (
            [track(key(0, 0, outside=1), key(8, 4))],
            frames(0, 8, 9),
            {0: [], 8: [4], 9: [4]},
        ),
        (  # but not if all frames of tracks are stated
            [track(key(0, 0), key(1, 1, keyframe=0), key(2, 4))],
            frames(*range(5)),
            {0: [0], 1: [1], 2: [4], 3: [], 4: []},
        ),
        (  # CVAT omits the end of a shape in the last frames
            [track(key(8, 3))],
            frames(*range(7, 10)),
            {7: [], 8: [3], 9: []},
        ),
        (  # two objects
            [track(key(0, 0), key(1, 0, outside=1)), track(key(0, 30), key(2, 30, outside=1))],
            frames(0, 1, 2),
            {0: [0, 30], 1: [30], 2: []},
        ),
        (  # only frames that are here as images are made up
            [track(key(0, 0), key(4, 20), key(5, 20, outside=1))],
            frames(0, 2, 4),
            {0: [0], 2: [10], 4: [20]},
        ),
        (  # images outside of the task are not labeled
            [track(key(0, 0), key(1, 0, outside=1))],
            frames(0, 1, 10, 11),
            {0: [0], 1: []},
        ),
        (  # other names: numbered from the first frame of the video
            [track(key(0, 0), key(2, 4), key(3, 4, outside=1))],
            frames(*range(4), name="film-{:04d}.jpg"),
            {0: [0], 1: [2], 2: [4], 3: []},
        ),
        (
            [track(key(0, 0), key(2, 4), key(3, 4, outside=1))],
            frames(*range(4), name="{}.jpg"),
            {0: [0], 1: [2], 2: [4], 3: []},
        ),
    ],
)
def test_tracks_are_boxes_in_frames(
    voc_folder: VocFolder,
    tracks: list[str],
    here: tuple[str, ...],
    expected: dict[int, list[float]],
) -> None:
    dataset = read(voc_folder, *tracks, here=here, meta=video())
    assert lefts(dataset) == expected


def test_every_step_th_frame_of_a_video(voc_folder: VocFolder) -> None:
    here = frames(100, 105, 110, 115, 120)
    tracks = [track(key(100, 0), key(110, 20), key(115, 20, outside=1))]
    dataset = read(voc_folder, *tracks, here=here, meta=video(5, start=100, step=5))
    assert lefts(dataset) == {100: [0], 105: [10], 110: [20], 115: [], 120: []}
    assert codes(dataset) == ["BW109"]


def test_frames_of_a_video_as_images(voc_folder: VocFolder) -> None:
    dataset = read(
        voc_folder,
        image("frame_000000", CAT),
        image("frame_000001"),
        here=frames(0, 1),
    )
    assert found(dataset) == {
        "images/frame_000000.png": [("cat", [4, 6, 30, 40])],
        "images/frame_000001.png": [],
    }
    assert codes(dataset) == []


def test_without_a_description_only_the_stated_frames_are_labeled(voc_folder: VocFolder) -> None:
    one = track(key(0, 0), key(2, 4))
    dataset = read(voc_folder, one, here=frames(0, 1, 2, 3), meta="")
    assert lefts(dataset) == {0: [0], 1: [2], 2: [4]}


def test_frames_without_objects_may_be_left_out(voc_folder: VocFolder) -> None:
    here = frames(0, 1, 2)
    read(voc_folder, track(key(0, 0), key(1, 0, outside=1)), here=here, meta=video())
    dataset = formats.read(voc_folder.root, ReadOptions(unlabeled="skip"))
    assert lefts(dataset) == {0: [0]}


def test_flags_last_until_the_next_keyframe(voc_folder: VocFolder) -> None:
    one = track(key(0, 0, occluded=1), key(2, 4), key(3, 4, outside=1))
    dataset = read(voc_folder, one, here=frames(0, 1, 2), meta=video())
    assert dataset.flags.tolist() == [OCCLUDED, OCCLUDED, 0]


def test_polygons_of_tracks_are_boxes(voc_folder: VocFolder) -> None:
    shape = '<polygon frame="{}" outside="{}" keyframe="1" points="4,6;30,6;30,40"/>'
    one = track(shape.format(0, 0), shape.format(2, 1))
    dataset = read(voc_folder, one, here=frames(0, 1), meta=video())
    assert list(found(dataset).values()) == [[("cat", [4, 6, 30, 40])]] * 2
    assert codes(dataset) == ["BW143"]


def test_images_numbered_from_1_are_not_taken_for_frames_from_0(voc_folder: VocFolder) -> None:
    here = frames(1, 2, 3, name="film_{}.jpg")
    with pytest.raises(DataError, match="frame_000001") as caught:
        read(voc_folder, track(key(1, 0), key(2, 9)), here=here, meta=video(3))
    assert caught.value.code == "BW101"


def test_clips_with_the_same_frames_keep_their_boxes(voc_folder: VocFolder) -> None:
    for i, clip in enumerate(("one", "two")):
        for name in frames(0, 1):
            voc_folder.image(f"{clip}/{name}")
        one = track(key(0, 10 * i), key(1, 0, outside=1))
        voc_folder.text(f"{clip}/annotations.xml", images(one, meta=video(2)))
    dataset = formats.read(voc_folder.root)
    assert {name: [box[0] for _, box in boxes] for name, boxes in found(dataset).items()} == {
        "one/images/frame_000000.png": [0],
        "one/images/frame_000001.png": [],
        "two/images/frame_000000.png": [10],
        "two/images/frame_000001.png": [],
    }


def test_tasks_of_a_project_have_their_own_frames(voc_folder: VocFolder) -> None:
    task = "<task><id>{}</id><size>2</size><subset>{}</subset><start_frame>0</start_frame></task>"
    tasks = f"{task.format(1, 'train')}{task.format(2, 'test')}"
    here = tuple(f"images/{s}/frame_00000{i}.png" for s in ("train", "test") for i in (0, 1))
    dataset = read(
        voc_folder,
        track(key(0, 0), key(1, 1), more='task_id="1"'),
        track(key(0, 10), key(1, 11), more='task_id="2"'),
        here=here,
        meta=f"<meta><project><tasks>{tasks}</tasks></project></meta>",
    )
    assert {n: [box[0] for _, box in boxes] for n, boxes in found(dataset).items()} == {
        here[0]: [0],
        here[1]: [1],
        here[2]: [10],
        here[3]: [11],
    }
    assert set(marks(dataset).values()) == {"train", "test"}


@pytest.mark.parametrize(
    ("one", "message"),
    [
        (track(key(0, 0), label=""), "a <track> has no label"),
        (track(key(0, 0).replace('frame="0"', 'frame="x"', 1)), "is 'x', not a number"),
        (track(key(0, 0), key(0, 5)), "frame 0 is stated twice"),
        (track(key(0, 0).replace('xtl="0"', "")), "xtl is missing"),
    ],
)
def test_a_broken_track_teaches_no_frame_as_background(
    voc_folder: VocFolder, one: str, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(voc_folder, track(key(0, 0)), one, here=frames(0, 1), meta=video(2))
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / "annotations.xml, track 1")
    assert message in caught.value.message
    assert formats.read(voc_folder.root, tolerant=True).names == ()


def test_a_video_without_frames_says_how_to_extract_them(voc_folder: VocFolder) -> None:
    voc_folder.text("film.mp4", "")
    with pytest.raises(DataError, match=r"tracks of film\.mp4") as caught:
        read(voc_folder, track(key(0, 0)), here=(), meta=video())
    assert caught.value.code == "BW166"
