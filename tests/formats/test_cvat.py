"""CVAT's own XML: images with shapes, and tracks of videos."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats import ReadOptions
from boxwright.formats.folder import Folder
from boxwright.structures.dataset import (
    CROWD,
    DIFFICULT,
    OCCLUDED,
    TRUNCATED,
    Dataset,
    LabeledImage,
    Split,
)
from folders import VocFolder, codes, marks

pytestmark = pytest.mark.tiny

META = """<meta><task><id>7</id><name>yard</name><size>3</size><mode>annotation</mode>
<labels><label><name>dog</name><attributes/></label><label><name>cat</name></label></labels>
</task><dumped>2024-03-01 10:00:00.000000+00:00</dumped></meta>"""
CAT = (
    '<box label="cat" occluded="0" xtl="4.00" ytl="6.00" xbr="30.00" ybr="40.00" z_order="0"></box>'
)


def images(*inner: str, meta: str = META) -> str:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>{meta}{"".join(inner)}</annotations>"""


def image(name: str, *shapes: str, more: str = "") -> str:
    size = 'width="64" height="48"'
    return f'<image id="0" name="{name}" {more} {size}>{"".join(shapes)}</image>'


def read(
    folder: VocFolder, *inner: str, here: tuple[str, ...] = ("a.jpg",), **more: str
) -> Dataset:
    for name in here:
        folder.image(name)
    folder.text("annotations.xml", images(*inner, **more))
    return formats.read(folder.root)


def found(dataset: Dataset) -> dict[str, list[tuple[str, list[float]]]]:
    """Image -> its classes and boxes, rounded."""
    return {
        name: [
            (dataset.classes[label], [round(side, 2) for side in box])
            for label, box in zip(
                dataset.labels[dataset.rows(i)].tolist(),
                dataset.boxes[dataset.rows(i)].tolist(),
                strict=True,
            )
        ]
        for i, name in enumerate(dataset.names)
    }


# ---- images ----


@pytest.mark.parametrize(
    ("shape", "box", "kinds"),
    [
        (CAT, [4, 6, 30, 40], []),
        (CAT.replace('z_order="0"', 'rotation="90.00"'), [0, 10, 34, 36], ["1 rotated box"]),
        (CAT.replace('z_order="0"', 'rotation="0"'), [4, 6, 30, 40], []),
        ('<polygon label="cat" points="4.0,6.0;30.0,9;20,40"/>', [4, 6, 30, 40], ["1 polygon"]),
        ('<polyline label="cat" points="4,6;30,40"/>', [4, 6, 30, 40], ["1 polyline"]),
        ('<points label="cat" points="4,6; 30,40;"/>', [4, 6, 30, 40], ["1 points"]),
        ('<ellipse label="cat" cx="20" cy="20" rx="9" ry="5"/>', [11, 15, 29, 25], ["1 ellipse"]),
        (
            '<ellipse label="cat" cx="20" cy="20" rx="9" ry="5" rotation="90"/>',
            [15, 11, 25, 29],
            ["1 ellipse"],
        ),
        (
            '<mask label="cat" rle="3, 2" left="4" top="6" width="26" height="34"/>',
            [4, 6, 30, 40],
            ["1 mask"],
        ),
        (
            '<cuboid label="cat" xtl1="4" ytl1="8" xbl1="4" ybl1="40" xtr1="20" ytr1="8" xbr1="20"'
            ' ybr1="40" xtl2="12" ytl2="6" xbl2="12" ybl2="36" xtr2="30" ytr2="6" xbr2="30"'
            ' ybr2="36"/>',
            [4, 6, 30, 40],
            ["1 cuboid"],
        ),
        (
            '<skeleton label="cat" z_order="0"><points label="1" outside="0" points="4.0,6.0"/>'
            '<points label="2" outside="0" points="30,40"/>'
            '<points label="3" outside="1" points="60,47"/></skeleton>',
            [4, 6, 30, 40],
            ["1 skeleton"],
        ),
    ],
)
def test_shapes_become_boxes(
    voc_folder: VocFolder, shape: str, box: list[float], kinds: list[str]
) -> None:
    dataset = read(voc_folder, image("a.jpg", shape))
    assert found(dataset) == {"a.jpg": [("cat", box)]}
    assert codes(dataset) == ["BW143"] * len(kinds)
    assert all(kind in dataset.findings[0].message for kind in kinds)


@pytest.mark.parametrize(
    ("shape", "flags"),
    [
        (CAT.replace('occluded="0"', 'occluded="1"'), OCCLUDED),
        (CAT.replace("></box>", '><attribute name="difficult">true</attribute></box>'), DIFFICULT),
        (CAT.replace("></box>", '><attribute name="truncated">1</attribute></box>'), TRUNCATED),
        (CAT.replace("></box>", '><attribute name="is_crowd">true</attribute></box>'), CROWD),
        (CAT.replace("></box>", '><attribute name="is_crowd">false</attribute></box>'), 0),
        (CAT.replace("></box>", '><attribute name="color">1</attribute></box>'), 0),
    ],
)
def test_flags(voc_folder: VocFolder, shape: str, flags: int) -> None:
    assert read(voc_folder, image("a.jpg", shape)).flags.tolist() == [flags]


def test_classes_are_in_the_order_of_the_task_without_parts_of_skeletons(
    voc_folder: VocFolder,
) -> None:
    part = "<label><name>nose</name><type>points</type><parent>dog</parent></label></labels>"
    dataset = read(voc_folder, image("a.jpg", CAT), meta=META.replace("</labels>", part))
    assert dataset.classes == ("dog", "cat")


def test_images_without_shapes_have_no_objects_and_tags_are_named(voc_folder: VocFolder) -> None:
    tag = '<tag label="cat" source="manual"></tag>'
    here = ("a.jpg", "b.jpg", "c.jpg")
    dataset = read(voc_folder, image("a.jpg", CAT), image("b.jpg"), image("c.jpg", tag), here=here)
    assert found(dataset) == {"a.jpg": [("cat", [4, 6, 30, 40])], "b.jpg": [], "c.jpg": []}
    assert codes(dataset) == ["BW165"]


def test_a_projects_subsets_are_splits_and_folders(voc_folder: VocFolder) -> None:
    here = ("images/Train/a.jpg", "images/Validation/a.jpg", "images/default/b.jpg")
    other = CAT.replace('"4.00"', '"9.00"')
    dataset = read(
        voc_folder,
        image("a.jpg", CAT, more='subset="Train" task_id="1"'),
        image("a.jpg", other, more='subset="Validation" task_id="2"'),
        image("b.jpg", more='subset="default" task_id="3"'),
        here=here,
        meta=f"<meta><project>{META[6:-7]}</project></meta>",
    )
    assert marks(dataset) == dict(zip(here, ("train", "val", "unassigned"), strict=True))
    assert found(dataset)["images/Train/a.jpg"] == [("cat", [4, 6, 30, 40])]
    assert found(dataset)["images/Validation/a.jpg"] == [("cat", [9, 6, 30, 40])]
    assert dataset.classes == ("dog", "cat")


def test_subsets_of_images_in_one_folder(voc_folder: VocFolder) -> None:
    dataset = read(
        voc_folder,
        image("a.jpg", CAT, more='subset="train"'),
        image("b.jpg", more='subset="test"'),
        here=("images/a.jpg", "images/b.jpg"),
    )
    assert marks(dataset) == {"images/a.jpg": "train", "images/b.jpg": "test"}
    assert codes(dataset) == []


def test_an_image_that_is_listed_twice_is_not_guessed(voc_folder: VocFolder) -> None:
    here = ("x/a.jpg", "y/a.jpg")
    with pytest.raises(DataError) as caught:
        read(voc_folder, image("a.jpg", CAT), image("a.jpg"), here=here)
    assert caught.value.code == "BW153"


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (CAT.replace('label="cat"', ""), "a <box> has no label"),
        (CAT.replace('xtl="4.00"', ""), "xtl is missing"),
        (CAT.replace('xtl="4.00"', 'xtl="nan"'), "xtl is 'nan', not a coordinate"),
        ('<polygon label="cat" points=""/>', "its <polygon> has no points"),
        ('<polygon label="cat" points="1,2;3"/>', "its <polygon> has no points"),
        ('<cuboid label="cat"/>', "its <cuboid> has no corners"),
        ('<skeleton label="cat"/>', "its <skeleton> has no points"),
        ('<cylinder label="cat"/>', "<cylinder> is not a shape that is read"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place(
    voc_folder: VocFolder, shape: str, message: str
) -> None:
    with pytest.raises(DataError) as caught:
        read(voc_folder, image("b.jpg"), image("a.jpg", CAT, shape), here=("a.jpg", "b.jpg"))
    assert caught.value.code == "BW110"
    assert caught.value.where == str(voc_folder.root / "annotations.xml, image 1")
    assert message in caught.value.message
    left = formats.read(voc_folder.root, tolerant=True)
    assert left.names == ("b.jpg",)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (images(image("a.jpg", CAT))[:-30], "BW110"),
        ('<!DOCTYPE a [<!ENTITY b "c">]>\n<annotations>&b;</annotations>', "BW111"),
    ],
)
def test_damaged_and_hostile_files_are_refused(voc_folder: VocFolder, text: str, code: str) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("annotations.xml", text)
    assert formats.detect(voc_folder.root) == "cvat"
    with pytest.raises(DataError) as caught:
        formats.read(voc_folder.root)
    assert caught.value.code == code


def test_it_is_no_voc_and_voc_is_no_cvat(voc_folder: VocFolder) -> None:
    voc_folder.text("annotations.xml", images(image("a.jpg", CAT)))
    assert not formats.FORMATS["voc"].detect(Folder.scan(voc_folder.root))
    other = VocFolder(voc_folder.root / "other")
    other.pair("a")
    assert not formats.FORMATS["cvat"].detect(Folder.scan(other.root))


# ---- tracks ----

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


# ---- writing ----


def test_written_as_cvat_for_images(voc_folder: VocFolder, tmp_path: Path) -> None:
    voc_folder.image("0.jpg")
    flags = [OCCLUDED | DIFFICULT]
    one = LabeledImage("0.jpg", 64, 48, [(1.5, 2, 20.3, 40)], ['"d" & g'], flags, Split.TRAIN)
    dataset = Dataset.of(voc_folder.root, [one], ['"d" & g', "cat"])
    formats.write(dataset, tmp_path / "out", "cvat")
    root = ElementTree.parse(tmp_path / "out/annotations.xml").getroot()  # noqa: S314
    assert root.findtext("version") == "1.1"
    assert [label.text for label in root.iterfind("meta/task/labels/label/name")] == [
        '"d" & g',
        "cat",
    ]
    image = root.find("image")
    assert image is not None
    assert image.attrib == {
        "id": "0",
        "name": "0.jpg",
        "subset": "train",
        "width": "64",
        "height": "48",
    }
    box = image.find("box")
    assert box is not None
    assert box.attrib == {
        "label": '"d" & g',
        "source": "manual",
        "occluded": "1",
        "xtl": "1.5",
        "ytl": "2",
        "xbr": "20.3",
        "ybr": "40",
        "z_order": "0",
    }
    assert {one.get("name"): one.text for one in box} == {
        "difficult": "true",
        "truncated": "false",
        "is_crowd": "false",
    }
    assert (tmp_path / "out/images/train/0.jpg").is_file()
