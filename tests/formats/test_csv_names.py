"""CSV files with rows of equal file names: of frames of several clips, folders, splits."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from boxwright import formats
from boxwright.errors import DataError
from boxwright.formats.csv.columns import Columns, understand
from boxwright.studio.store import LabelStore
from folders import VocFolder, codes, lay, marks

pytestmark = pytest.mark.tiny

BOX = "class,xmin,ymin,xmax,ymax"
HEADER = f"filename,{BOX}\n"
ONE, TWO = "cat,1,2,30,40", "cat,5,6,50,45"
GOOGLE = "{},{},cat,0.1,0.2,,,0.{},0.9,,\n"


def lefts(root: Path) -> dict[str, list[float]]:
    """Image -> left sides of its boxes."""
    dataset = formats.read(root, tolerant=True)
    return {
        name: [float(box[0]) for box in dataset.boxes[dataset.rows(i)]]
        for i, name in enumerate(dataset.names)
    }


def column(title: str, one: str, two: str) -> dict[str, str]:
    """A file with two rows of 1.jpg, and another column that tells them apart."""
    return {"l.csv": f"{title},{HEADER}{one},1.jpg,{ONE}\n{two},1.jpg,{TWO}\n"}


FOLDERS = [
    pytest.param(column(title, one, two), id=title)
    for title, one, two in (
        ("folder", "cam1", "cam2"),
        ("Folder Name", "frames/cam1/", "frames/cam2/"),
        ("directory", "/home/me/cam1", "/home/me/cam2"),
        ("video", "cam1", "cam2"),
        ("path", "/x/cam1/1.jpg", "/x/cam2/1.jpg"),
        ("filepath", "C:\\x\\cam1\\1.jpg", "C:\\x\\cam2\\1.jpg"),
        ("url", "https://a.b/cam1/1.jpg", "https://a.b/cam2/1.jpg"),
    )
]
CLIPS = pytest.param(
    {f"csv/cam{i}.csv": f"{HEADER}1.jpg,{row}\n" for i, row in ((1, ONE), (2, TWO))}, id="files"
)


@pytest.mark.parametrize("files", [*FOLDERS, CLIPS])
@pytest.mark.parametrize(
    ("here", "expected"),
    [
        (["cam1/1.jpg", "cam2/1.jpg"], {"cam1/1.jpg": [1], "cam2/1.jpg": [5]}),
        (["frames/cam1/1.jpg", "frames/cam2/1.jpg"], {"cam1/1.jpg": [1], "cam2/1.jpg": [5]}),
        (["frames/cam1/1.jpg"], {"cam1/1.jpg": [1]}),
        (["cam2/1.jpg", "cam2/2.jpg"], {"cam2/1.jpg": [5]}),
    ],
)
def test_rows_of_one_name_are_those_of_their_folders(
    voc_folder: VocFolder, files: dict[str, str], here: list[str], expected: dict[str, list[float]]
) -> None:
    root = lay(voc_folder, {**dict.fromkeys(here, ""), **files})
    found = lefts(root)
    assert {name.removeprefix("frames/"): left for name, left in found.items()} == expected
    named = [one.where for one in formats.read(root, tolerant=True).findings]
    assert any(":" in where for where in named) == (len(expected) == 1)  # the other row


SPLITS = [
    pytest.param(column("split", "train", "test"), id="split"),
    pytest.param(column("subset", "TRAINING", "Testing"), id="subset"),
    pytest.param(
        {"l.csv": GOOGLE.format("TRAIN", "1.jpg", 8) + GOOGLE.format("TEST", "1.jpg", 7)},
        id="Google",
    ),
    pytest.param(
        {
            "csv/train_labels.csv": f"{HEADER}1.jpg,{ONE}\n",
            "csv/test_labels.csv": f"{HEADER}1.jpg,{TWO}\n",
        },
        id="files",
    ),
]


@pytest.mark.parametrize("files", SPLITS)
@pytest.mark.parametrize("folders", [("train", "test"), ("images/train2017", "images/testing")])
def test_rows_of_one_name_are_those_of_their_splits(
    voc_folder: VocFolder, files: dict[str, str], folders: tuple[str, str]
) -> None:
    here = [f"{folder}/1.jpg" for folder in folders]
    dataset = formats.read(lay(voc_folder, {**dict.fromkeys(here, ""), **files}))
    assert marks(dataset) == dict(zip(here, ("train", "test"), strict=True))
    assert len(dataset.boxes) == 2


@pytest.mark.parametrize(
    ("first", "second", "home"),
    [
        ("data/train_labels.csv", "data/test_labels.csv", "images/train"),
        ("csv/clip1.csv", "csv/clip2.csv", "frames/clip1"),
    ],
)
def test_the_other_rows_of_a_file_are_in_its_folder_too(
    voc_folder: VocFolder, first: str, second: str, home: str
) -> None:
    files = {f"{home}/1.jpg": "", f"{home}/2.jpg": ""}
    files |= {first: f"{HEADER}1.jpg,{ONE}\n2.jpg,{ONE}\n", second: f"{HEADER}1.jpg,{TWO}\n"}
    root = lay(voc_folder, files)
    assert lefts(root) == {f"{home}/1.jpg": [1], f"{home}/2.jpg": [1]}
    assert {"BW101", "BW113"} & {*codes(formats.read(root, tolerant=True))}  # of the second


def test_files_of_a_class_each_are_put_together(voc_folder: VocFolder) -> None:
    files = {f"images/{i}.jpg": "" for i in (1, 2)}
    for name, row in (("cat", ONE), ("dog", TWO.replace("cat", "dog"))):
        files[f"labels/{name}.csv"] = f"{HEADER}1.jpg,{row}\n2.jpg,{row}\n"
    assert lefts(lay(voc_folder, files)) == {"images/1.jpg": [1, 5], "images/2.jpg": [1, 5]}


FAR = "cat,40,6,50,20"


def listed(*rows: tuple[str, str]) -> str:
    return HEADER + "".join(f"{image}.jpg,{row}\n" for image, row in rows)


PARTS = {
    "csv/1.csv": listed(("a", ONE), ("b", ONE)),
    "csv/2.csv": listed(("b", FAR), ("c", ONE)),
    "csv/3.csv": listed(("d", ONE), ("e", ONE)),
}


@pytest.mark.parametrize("home", ["", "images/", "day 1/"])
def test_a_file_goes_on_where_another_one_ends(voc_folder: VocFolder, home: str) -> None:
    root = lay(voc_folder, {**{f"{home}{image}.jpg": "" for image in "abcde"}, **PARTS})
    alone = {f"{home}{image}.jpg": [1] for image in "acde"}
    assert lefts(root) == {**alone, f"{home}b.jpg": [1, 40]}
    assert not {"BW113", "BW153"} & {*codes(formats.read(root))}


@pytest.mark.parametrize(
    "files",
    [
        {**PARTS, "csv/2.csv": listed(("c", ONE), ("b", FAR))},  # not its first one
        {**PARTS, "csv/4.csv": listed(("e", ONE), ("b", TWO), ("c", FAR))},
        {**PARTS, "csv/1.csv": listed(("b", ONE))},
        {**PARTS, "csv/2.csv": listed(("b", FAR))},
        {**PARTS, "csv/2.csv": listed(("b", FAR), ("gone", ONE))},
        {"csv/1.csv": listed(("b", ONE), ("c", ONE)), "csv/2.csv": listed(("c", ONE), ("b", FAR))},
    ],
)
def test_a_file_that_does_not_go_on_may_be_of_other_images(
    voc_folder: VocFolder, files: dict[str, str]
) -> None:
    root = lay(voc_folder, {**{f"images/{image}.jpg": "" for image in "abcde"}, **files})
    with pytest.raises(DataError, match=r"'b\.jpg' may be images/b\.jpg, or another one") as caught:
        formats.read(root)
    assert "keep one" in caught.value.remedy
    assert "images/b.jpg" not in lefts(root)


@pytest.mark.parametrize("folder", ["{}", "frames/{}"])
def test_clips_with_classes_of_their_own_keep_their_frames(
    voc_folder: VocFolder, folder: str
) -> None:
    first, second = folder.format("clip1"), folder.format("clip2")
    files = {f"{first}/1.jpg": "", f"{first}/2.jpg": "", f"{second}/3.jpg": ""}
    files["csv/clip1.csv"] = listed(("1", ONE), ("2", ONE))
    files["csv/clip2.csv"] = listed(("2", FAR.replace("cat", "dog")), ("3", ONE))
    root = lay(voc_folder, files)
    assert lefts(root)[f"{first}/2.jpg"] == [1]
    voc_folder.image(f"{second}/2.jpg")
    assert lefts(root)[f"{second}/2.jpg"] == [40]


@pytest.mark.parametrize(
    ("one", "other", "image"),
    [("{}.csv", "1.jpg", "1.jpg"), ("csv/{}.csv", "images/1.jpg", "images/1.jpg")],
)
def test_boxes_of_two_people_are_not_put_together(
    voc_folder: VocFolder, one: str, other: str, image: str
) -> None:
    files = {one.format("anna"): f"{HEADER}{other},cat,4,6,30,40\n"}
    files |= {one.format("bob"): f"{HEADER}{other},cat,5,7,32,42\n{other},cat,40,6,50,20\n"}
    root = lay(voc_folder, {image: "", **files})
    assert lefts(root) == {image: [4]}
    (finding,) = formats.read(root).findings
    assert (finding.code, finding.where) == ("BW113", f"{one.format('bob')}:2")


@pytest.mark.parametrize(
    ("title", "cell"),
    [("folder", "images"), ("path", "/old/images/{}.jpg"), ("url", "https://a.b/x/{}.jpg")],
)
def test_images_of_unique_names_may_have_been_sorted_since(
    voc_folder: VocFolder, title: str, cell: str
) -> None:
    rows = "".join(f"{cell.format(i)},{i}.jpg,{ONE}\n" for i in (1, 2))
    here = {"images/train/1.jpg": "", "images/test/2.jpg": ""}
    root = lay(voc_folder, {**here, "labels.csv": f"{title},{HEADER}{rows}"})
    assert lefts(root) == {"images/train/1.jpg": [1], "images/test/2.jpg": [1]}


def test_an_empty_split_is_that_of_the_row_before(voc_folder: VocFolder) -> None:
    text = f"split,{HEADER}train,1.jpg,{ONE}\n,1.jpg,{TWO}\n"
    root = lay(voc_folder, {"images/1.jpg": "", "l.csv": text})
    assert lefts(root) == {"images/1.jpg": [1, 5]}
    assert marks(formats.read(root)) == {"images/1.jpg": "train"}


def test_boxes_of_a_path_in_several_splits_stay_together(voc_folder: VocFolder) -> None:
    text = f"split,{HEADER}train,images/1.jpg,{ONE}\ntest,images/1.jpg,{TWO}\n"
    root = lay(voc_folder, {"images/1.jpg": "", "l.csv": text})
    assert lefts(root) == {"images/1.jpg": [1, 5]}
    assert marks(formats.read(root)) == {"images/1.jpg": "test"}


@pytest.mark.parametrize("files", [*FOLDERS, CLIPS, *SPLITS])
@pytest.mark.parametrize("here", ["1.jpg", "images/1.jpg"])
def test_rows_that_could_be_of_one_image_are_refused(
    voc_folder: VocFolder, files: dict[str, str], here: str
) -> None:
    files = {**files, "o.csv": f"{HEADER}other.jpg,{ONE}\n", "other.jpg": ""}
    root = lay(voc_folder, {here: "", **files})
    with pytest.raises(DataError, match="2 annotations") as caught:
        formats.read(root)
    assert caught.value.code == "BW153"
    assert here in caught.value.message
    assert lefts(root) == {"other.jpg": [1]}


@pytest.mark.parametrize(
    "files",
    [
        column("split", "train", "train"),
        column("split", "", ""),
        column("folder", "", ""),
        column("folder", "images", "images"),
        {"csv/a.csv": f"{HEADER}1.jpg,{ONE}\n", "csv/b.csv": f"{HEADER}1.jpg,{ONE}\n1.jpg,{TWO}\n"},
        {"images/a.csv": f"{HEADER}1.jpg,{ONE}\n", "images/b.csv": f"{HEADER}1.jpg,{TWO}\n"},
        {f"csv/{i}.csv": f"{HEADER}images/1.jpg,{row}\n" for i, row in ((1, ONE), (2, TWO))},
        {"csv/a.csv": f"{HEADER}images\\1.jpg,{ONE}\nimages/1.jpg,{TWO}\n"},
    ],
    ids=[
        *("a split", "no split", "no folder", "a folder", "a box in common", "beside", "a path"),
        "backslashes",
    ],
)
def test_rows_of_one_image_are_put_together(voc_folder: VocFolder, files: dict[str, str]) -> None:
    root = lay(voc_folder, {"images/1.jpg": "", **files})
    assert lefts(root) == {"images/1.jpg": [1, 5]}


def test_an_image_in_two_splits_is_kept_from_training(voc_folder: VocFolder) -> None:
    text = f"split,{HEADER}train,1.jpg,{ONE}\ntest,1.jpg,{ONE}\n"
    dataset = formats.read(lay(voc_folder, {"1.jpg": "", "l.csv": text}))
    assert marks(dataset) == {"1.jpg": "test"}
    assert "BW113" in codes(dataset)


def test_a_row_that_is_too_short_for_its_folder_spoils_all_images_of_its_name(
    voc_folder: VocFolder,
) -> None:
    text = f"filename,{BOX},folder\n1.jpg,{ONE},cam1\n2.jpg,{ONE},cam1\n1.jpg,cat,1\n"
    files = {f"cam1/{i}.jpg": "" for i in (1, 2)}
    assert lefts(lay(voc_folder, {**files, "l.csv": text})) == {"cam1/2.jpg": [1]}


@pytest.mark.parametrize(
    ("header", "row", "name"),
    [
        ("folder,filename", ["cam1", "1.jpg"], "cam1/1.jpg"),
        ("folder,filename", ["cam1", "cam1/1.jpg"], "cam1/1.jpg"),
        ("folder,filename", ["data", "/x/1.jpg"], "/x/1.jpg"),
        ("folder,filename", ["data", "gs://x/1.jpg"], "gs://x/1.jpg"),
        ("folder,filename", ["nan", "1.jpg"], "1.jpg"),
        ("folder,path", ["cam1", "1.jpg"], "cam1/1.jpg"),
        ("filename,path", ["1.jpg", "a/1.jpg"], "a/1.jpg"),
        ("filename,path", ["1.jpg", "a/2.jpg"], "1.jpg"),
        ("image_id,path", ["1", "a/1.jpg"], "a/1.jpg"),
        ("filename,image_id", ["1.jpg", "17"], "1.jpg"),
        ("folder,filename,path", ["cam1", "1.jpg", "a/1.jpg"], "a/1.jpg"),
    ],
)
def test_the_folders_of_a_name(header: str, row: list[str], name: str) -> None:
    cells = [*row, "cat", "1", "2", "3", "4"]
    columns = understand([f"{header},{BOX}".split(","), cells])
    assert isinstance(columns, Columns)
    assert columns.name_in(cells) == name


@pytest.mark.parametrize("files", [column("folder", "cam1", "cam2"), CLIPS.values[0]])
def test_an_edit_is_of_the_rows_of_one_image(voc_folder: VocFolder, files: dict[str, str]) -> None:
    root = lay(voc_folder, {"cam1/1.jpg": "", "cam2/1.jpg": "", **files})
    with closing(LabelStore.open(root)) as store:
        for index in range(2):
            labels = store.read(index)
            (box,) = labels.boxes
            moved = replace(box, box=(10.0 + index, 2.0, 30.0, 40.0))
            store.write(index, replace(labels, boxes=(moved,)), labels.etag)
    assert lefts(root) == {"cam1/1.jpg": [10], "cam2/1.jpg": [11]}


def test_rows_of_several_splits_are_not_edited(voc_folder: VocFolder) -> None:
    root = lay(voc_folder, {"train/1.jpg": "", "test/1.jpg": "", **column("set", "train", "test")})
    with pytest.raises(DataError, match="several splits") as caught:
        LabelStore.open(root).read(0)
    assert caught.value.code == "BW179"
