"""Class names that lie elsewhere are used, or named in a finding."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tfrecord_samples import CAT_BOX, example, put

from boxwright import formats
from boxwright.errors import DataError
from boxwright.structures.dataset import Dataset
from folders import VocFolder, codes, lay

pytestmark = pytest.mark.tiny

LINE = "0 0.5 0.5 0.25 0.5\n"
NAMES = "cat\ndog\nhen\n"
NOTES = json.dumps(
    {"categories": [{"id": i, "name": name} for i, name in enumerate(NAMES.split())], "info": {}}
)
MAP = "".join(
    f"item {{ id: {i} name: '{name}' }}\n" for i, name in enumerate(NAMES.split(), start=1)
)
OTHER = "bus\ncar\nvan\n"
DATA = "train: {}train/images\nval: {}valid/images\nnames: [cat, dog, hen]\n"


def used(dataset: Dataset) -> list[str]:
    return [dataset.classes[label] for label in dataset.labels]


def yolo(
    voc_folder: VocFolder, files: dict[str, str], label: str = LINE + LINE.replace("0 ", "1 ", 1)
) -> Dataset:
    """Read the folder `train`; files whose names begin with `../` are beside it."""
    lay(voc_folder, {"train/images/a.jpg": "", "train/labels/a.txt": label})
    for path, text in files.items():
        voc_folder.text(f"train/{path}", text)
    return formats.read(voc_folder.root / "train", "yolo")


@pytest.mark.parametrize(
    ("files", "origin"),
    [
        ({"data/predefined_classes.txt": NAMES}, "data/predefined_classes.txt"),  # LabelImg
        ({"../predefined_classes.txt": NAMES}, "../predefined_classes.txt"),
        ({"notes.json": NOTES}, "notes.json"),  # Label Studio
        ({"../notes.json": NOTES}, "../notes.json"),
        ({"label_map.pbtxt": MAP}, "label_map.pbtxt"),
        ({"../annotations/x.txt": "", "../label_map.pbtxt": MAP}, "../label_map.pbtxt"),
        ({"../obj.names": NAMES}, "../obj.names"),
        ({"../classes.txt": NAMES}, "../classes.txt"),
        ({"../data.yaml": DATA.format("", "")}, "../data.yaml"),
        ({"../data.yaml": DATA.format("../", "../")}, "../data.yaml"),  # Roboflow
        ({"../data.yaml": DATA.format("/home/me/x/", "C:\\x\\")}, "../data.yaml"),
        ({"../data.yml": "nc: 3\nnames: {0: cat, 1: dog, 2: hen}\n"}, "../data.yml"),
        ({"data.yaml": "names: [cat, dog, hen]\n"}, "data.yaml"),
        ({"data.yaml": "names:\n  0: cat\n  1: dog\n  2: hen\n"}, "data.yaml"),
        ({"../data.yaml": "names:\n- cat\n- dog\n- hen\n"}, "../data.yaml"),
        ({"data.yaml": "classes: [cat, dog, hen]\n"}, "data.yaml"),
        ({"x/cats.yml": "classes:\n  0: cat\n  1: dog\n  2: hen\n"}, "x/cats.yml"),
        ({"../data.yaml": "class_names:\n- cat\n- dog\n- hen\n"}, "../data.yaml"),
        ({"classes.csv": "0,cat\n1,dog\n2,hen\n"}, "classes.csv"),
        ({"classes.csv": "id,name\n0,cat\n1,dog\n2,hen\n"}, "classes.csv"),
        ({"labels.csv": "cat,0\ndog,1\nhen,2\n"}, "labels.csv"),  # keras-retinanet
        ({"../class_names.tsv": "name\ncat\ndog\nhen\n"}, "../class_names.tsv"),
        ({"classes.csv": "sep=;\n0;cat\n1;dog\n2;hen\n"}, "classes.csv"),
        ({"classes.json": '["cat", "dog", "hen"]'}, "classes.json"),
        ({"x/labels.json": '{"0": "cat", "1": "dog", "2": "hen"}'}, "x/labels.json"),
        ({"names.json": '{"cat": 0, "dog": 1, "hen": 2}'}, "names.json"),
        ({"classes.json": NOTES.replace("categories", "classes")}, "classes.json"),
        ({"../classes.txt": NAMES, "notes.json": NOTES}, "../classes.txt"),  # they agree
    ],
)
def test_names_elsewhere_are_used(
    voc_folder: VocFolder, files: dict[str, str], origin: str
) -> None:
    dataset = yolo(voc_folder, files)
    assert used(dataset) == ["cat", "dog"]
    assert dataset.classes == ("cat", "dog", "hen")
    assert [(one.code, one.where) for one in dataset.findings] == [("BW158", origin)]


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"../classes.txt": "cat\n"}, ["../classes.txt"]),  # too short
        ({"../label_map.pbtxt": "item { id: 1 name: 'cat' }"}, ["../label_map.pbtxt"]),
        (
            {"../classes.txt": NAMES, "notes.json": NOTES.replace('"cat"', '"cow"')},
            ["../classes.txt", "notes.json"],
        ),
        ({"x/classes.txt": NAMES, "y/classes.txt": OTHER}, ["x/classes.txt", "y/classes.txt"]),
        (
            {"../data.yaml": DATA.replace("train/", "other/").format("", "")},
            [],
        ),  # not of this folder
        ({"../label.txt": LINE}, []),  # labels, not names
        ({"../notes.json": "{}"}, []),
        ({"data.yaml": "names: [cat]\n"}, ["data.yaml"]),
        ({"data.yaml": "classes: [cat]\n"}, ["data.yaml"]),
        ({"data.yaml": "classes: 2\n"}, []),
        ({"config.yaml": "classes:\n- id: 0\n  name: cat\n"}, []),
        ({"classes.csv": "1,dog\n2,hen\n"}, ["classes.csv"]),
        ({"labels.csv": "a.jpg,4,6,30,40,cat\n"}, []),
        ({"labels.json": '{"images": [], "annotations": [], "categories": []}'}, []),
        ({"graph.pbtxt": "node { name: 'x' }"}, []),
        ({}, []),
    ],
)
def test_names_that_do_not_fit_are_named(
    voc_folder: VocFolder, files: dict[str, str], named: list[str]
) -> None:
    dataset = yolo(voc_folder, files)
    assert used(dataset) == ["class 0", "class 1"]
    assert [one.where for one in dataset.findings if one.code == "BW158"] == named
    assert "BW148" in codes(dataset)


UNREADABLE = {
    "../classes.txt": "红\n",
    "data/predefined_classes.txt": "红\n",
    "../obj.names": "红\n",
    "notes.json": '{"categories": [{"id": 0, "name": "红"}]}',
    "classes.json": '["红"]',
    "label_map.pbtxt": "item { id: 1 name: '红' }",
    "../data.yaml": "names: ['红']\nnc: 1\n",
    "x/classes.csv": "0,红\n",
}


@pytest.mark.parametrize("path", UNREADABLE)
@pytest.mark.parametrize("encoding", ["gbk", "utf-16-le"])
def test_no_class_gets_a_number_where_a_list_is_unreadable(
    voc_folder: VocFolder, path: str, encoding: str
) -> None:
    (voc_folder.root / "train/data").mkdir(parents=True)
    (voc_folder.root / "train/x").mkdir()
    (voc_folder.root / "train" / path).write_bytes(UNREADABLE[path].encode(encoding))
    with pytest.raises(DataError, match=r"BW160.*1 label file cannot be used without it") as caught:
        yolo(voc_folder, {})
    assert Path(caught.value.where).resolve() == (voc_folder.root / "train" / path).resolve()
    tolerated = formats.read(voc_folder.root / "train", "yolo", tolerant=True)
    assert len(tolerated) == 0
    named = yolo(voc_folder, {"x/names.txt": NAMES})  # another list has them all
    assert used(named) == ["cat", "dog"]


@pytest.mark.parametrize("text", ["[", "nothing"])
def test_a_damaged_list_is_no_reason_for_numbers(voc_folder: VocFolder, text: str) -> None:
    with pytest.raises(DataError, match=r"BW110.*classes\.json"):
        yolo(voc_folder, {"classes.json": text})


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1 cat\n2 dog\n4 hen\n", "begin with numbers, of which some are missing"),
        ("0,cat\n1,dog\n3,hen\n", "begin with numbers, of which some are missing"),
        ("0,cat\n1,dog\n3,hen\n", "an empty line for each number from 0 on that has none"),
        ("# my classes\ncat\ndog\n", "'# my classes', is a comment"),
    ],
)
@pytest.mark.parametrize("path", ["classes.txt", "../classes.txt", "obj.names"])
def test_a_list_in_another_order_than_the_class_numbers_is_refused(
    voc_folder: VocFolder, text: str, reason: str, path: str
) -> None:
    with pytest.raises(DataError, match=rf"BW110.*{reason}.*2? label files? cannot be used"):
        yolo(voc_folder, {path: text})


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("1 euro\n2 euro\n5 euro\n", ["1 euro", "2 euro"]),
        ("#cat\n#dog\n", ["#cat", "#dog"]),
        ("7 up\n3 musketeers\n", ["7 up", "3 musketeers"]),
        ("2 door\n4 wheel\n", ["2 door", "4 wheel"]),
        ("1 penny\n5 nickel\n10 dime\n", ["1 penny", "5 nickel"]),
    ],
)
def test_names_may_begin_with_numbers(voc_folder: VocFolder, text: str, names: list[str]) -> None:
    assert used(yolo(voc_folder, {"classes.txt": text})) == names


@pytest.mark.parametrize(
    ("number", "classes"), [(2, ("cat", "dog")), (1, ("_background_", "cat", "dog"))]
)
def test_what_is_no_class_in_labelme_keeps_its_number(
    voc_folder: VocFolder, number: int, classes: tuple[str, ...]
) -> None:
    text = "__ignore__\n_background_\ncat\ndog\n"
    dataset = yolo(voc_folder, {"classes.txt": text}, LINE.replace("0 ", f"{number} ", 1))
    assert dataset.classes == classes
    assert used(dataset) == [classes[0]]


@pytest.mark.parametrize("text", ["# my classes\ncat\ndog\n", "1 cat\n3 dog\n"])
@pytest.mark.parametrize("path", ["classes.txt", "labels/classes.txt"])
def test_a_list_beside_a_description_is_not_needed(
    voc_folder: VocFolder, text: str, path: str
) -> None:
    dataset = yolo(voc_folder, {path: text, "data.yaml": "train: images\nnames: [cat, dog]\n"})
    assert used(dataset) == ["cat", "dog"]
    found = [(one.code, one.where, one.repair) for one in dataset.findings]
    assert found == [("BW116", path, "not used")]


@pytest.mark.parametrize("path", ["a/classes.txt", "a/data.yaml"])
@pytest.mark.parametrize(
    ("label", "noted"), [("a/labels/y.txt", []), ("b/labels/y.txt", ["BW158"])]
)
def test_names_of_another_data_set_are_noted(
    voc_folder: VocFolder, path: str, label: str, noted: list[str]
) -> None:
    files = {"a/images/x.jpg": "", "a/labels/x.txt": LINE, label: LINE}
    files |= {label.replace("labels", "images").replace(".txt", ".jpg"): ""}
    files[path] = "cat\n" if path.endswith(".txt") else "train: images\nnames: [cat]\n"
    dataset = formats.read(lay(voc_folder, files))
    assert used(dataset) == ["cat", "cat"]
    found = [one for one in dataset.findings if one.code != "BW119"]
    assert [one.code for one in found] == noted
    for one in found:
        assert (one.where, one.repair) == (path, "used")
        assert "of 1 label file elsewhere, such as b/labels/y.txt" in one.message


GRAPHS = [
    "node { name: 'x' op: 'Const' }\nitem { id: 1 name: 'cat' }\n",
    "node { name: 'item' attr { key: 'item' value { s: 'item { id: 1 }' } } }\n",
    "# item: a graph\nnode { name: 'x' attr { key: 'item' } }\nversions { producer: 21 }\n",
    "library { function { signature { name: 'f' } } }\nitem: 3\n",
    "model_config { item { id: 1 name: 'cat' } item { id: 2 name: 'dog' } }\n",
]


@pytest.mark.parametrize("graph", GRAPHS)
@pytest.mark.parametrize("path", ["graph.pbtxt", "../x.pbtxt"])
def test_a_graph_is_no_list_of_names(voc_folder: VocFolder, graph: str, path: str) -> None:
    dataset = yolo(voc_folder, {path: graph})
    assert used(dataset) == ["class 0", "class 1"]
    assert codes(dataset) == ["BW148"]
    dataset = yolo(voc_folder, {path: graph, "label_map.pbtxt": f"# of pets\n\n{MAP}"})
    assert used(dataset) == ["cat", "dog"]


@pytest.mark.parametrize("graph", GRAPHS)
def test_a_graph_says_nothing_about_records(tmp_path: Path, graph: str) -> None:
    put(tmp_path / "train.record", example(**CAT_BOX, label=[2]))
    (tmp_path / "graph.pbtxt").write_text(graph, encoding="utf-8")
    assert [one.where for one in formats.read(tmp_path).findings] == ["train.record"]


def test_numbers_of_a_label_map_may_be_meant(voc_folder: VocFolder) -> None:
    dataset = yolo(voc_folder, {"label_map.pbtxt": MAP}, LINE.replace("0 ", "1 ", 1))
    assert used(dataset) == ["class 1"]  # dog, or cat if the labels count from 1 too
    assert "BW158" in codes(dataset)


def test_usual_files_come_first(voc_folder: VocFolder) -> None:
    dataset = yolo(voc_folder, {"classes.txt": NAMES, "../data.yaml": "nc: 1\nnames: [bus, car]\n"})
    assert used(dataset) == ["cat", "dog"]
    assert codes(dataset) == []


def test_keypoints_are_described_one_folder_up(voc_folder: VocFolder) -> None:
    pose = "0 0.5 0.5 0.25 0.5 0.1 0.1 2 0.9 0.9 2\n"
    text = f"kpt_shape: [2, 3]\n{DATA.format('', '')}"
    dataset = yolo(voc_folder, {"../data.yaml": text}, pose)
    assert used(dataset) == ["cat"]
    assert dataset.boxes.tolist() == [[24, 12, 40, 36]]


# ---- Open Images ----

ROW = "{},xclick,/m/01g317,1,0.125,0.375,0.25,0.75,0,0,0,0,0\n"
HEAD = (
    "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,"
    "IsDepiction,IsInside\n"
)
PEOPLE = "/m/01g317,Person\n/m/0k4j,Car\n"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("metadata/classes.csv", PEOPLE),  # FiftyOne
        ("class-descriptions-boxable.csv", PEOPLE),
        ("oidv7-class-descriptions.csv", f"LabelName,DisplayName\n{PEOPLE}"),
        ("../class-descriptions.csv", PEOPLE),
        ("../classes.csv", PEOPLE),
    ],
)
@pytest.mark.parametrize("file", ["labels/detections.csv", "train-annotations-bbox.csv"])
def test_names_of_open_images(voc_folder: VocFolder, path: str, text: str, file: str) -> None:
    lay(voc_folder, {"x/data/000a.jpg": "", f"x/{file}": HEAD + ROW.format("000a")})
    voc_folder.text(f"x/{path}", text)
    dataset = formats.read(voc_folder.root / "x")
    assert used(dataset) == ["Person"]
    assert "BW148" not in codes(dataset)


def test_names_beside_the_one_given_file(voc_folder: VocFolder) -> None:
    lay(voc_folder, {"000a.jpg": "", "boxes.csv": HEAD + ROW.format("000a"), "names.csv": PEOPLE})
    assert used(formats.read(voc_folder.root / "boxes.csv")) == ["Person"]


# ---- TFRecord and CSV ----


@pytest.mark.parametrize("given", ["records", "records/train.record"])
def test_a_label_map_one_folder_up(tmp_path: Path, given: str) -> None:
    put(tmp_path / "records" / "train.record", example(**CAT_BOX, label=[2]))
    (tmp_path / "label_map.pbtxt").write_text(MAP, encoding="utf-8")
    dataset = formats.read(tmp_path / given)
    assert used(dataset) == ["dog"]
    assert ("BW158", "../label_map.pbtxt") in {(one.code, one.where) for one in dataset.findings}


CSV = "filename,class,xmin,ymin,xmax,ymax\na.jpg,0,4,6,30,40\na.jpg,2,8,9,20,30\n"


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("classes.csv", "0,cat\n1,dog\n2,hen\n"),
        ("classes.csv", "class_id,class_name\n0,cat\n1,dog\n2,hen\n"),
        ("../x.tsv", "id\tname\n0\tcat\n1\tdog\n2\then\n"),
    ],
)
def test_a_table_names_the_numbers_of_csv(voc_folder: VocFolder, path: str, text: str) -> None:
    lay(voc_folder, {"d/a.jpg": "", "d/boxes.csv": CSV})
    voc_folder.text(f"d/{path}", text)
    dataset = formats.read(voc_folder.root / "d")
    assert used(dataset) == ["cat", "hen"]
    assert dataset.classes == ("cat", "dog", "hen")
    assert codes(dataset) == ["BW158"]


XML = (
    "<annotation><filename>a.jpg</filename><object><name>0</name><bndbox><xmin>4</xmin>"
    "<ymin>6</ymin><xmax>30</xmax><ymax>40</ymax></bndbox></object></annotation>"
)
PLACE = {"x": 17, "y": 23, "width": 26, "height": 34}
NUMBERED = {
    "voc": {"a.xml": XML},
    "csv": {"a.csv": CSV},
    "createml": {
        "a.json": json.dumps(
            [{"image": "a.jpg", "annotations": [{"label": "0", "coordinates": PLACE}]}]
        )
    },
}


@pytest.mark.parametrize("form", NUMBERED)
@pytest.mark.parametrize("path", ["classes.txt", "classes.csv", "label_map.pbtxt"])
def test_a_list_for_numbers_is_unreadable(voc_folder: VocFolder, form: str, path: str) -> None:
    lay(voc_folder, {"a.jpg": "", **NUMBERED[form]})
    text = UNREADABLE.get(path) or UNREADABLE[f"{'x' if path.endswith('.csv') else '..'}/{path}"]
    (voc_folder.root / path).write_bytes(text.encode("gbk"))
    with pytest.raises(DataError, match=r"BW160.*only numbers for their classes") as caught:
        formats.read(voc_folder.root)
    assert caught.value.where == str(voc_folder.root / path)
    tolerated = formats.read(voc_folder.root, tolerant=True)
    assert ("BW160", path) in {(one.code, one.where) for one in tolerated.findings}


@pytest.mark.parametrize("form", NUMBERED)
@pytest.mark.parametrize(("path", "text"), [("classes.txt", NAMES), ("../obj.names", NAMES)])
def test_numbers_as_names_name_the_list_beside_them(
    voc_folder: VocFolder, form: str, path: str, text: str
) -> None:
    files = {f"d/{name}": content for name, content in NUMBERED[form].items()}
    lay(voc_folder, {"d/a.jpg": "", **files})
    voc_folder.text(f"d/{path}", text)
    dataset = formats.read(voc_folder.root / "d")
    assert [(one.code, one.where) for one in dataset.findings] == [("BW158", path)]
