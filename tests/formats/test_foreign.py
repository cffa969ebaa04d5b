"""Annotations that are not read are named, with their tool and what to export there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from boxwright import formats
from boxwright.cli.main import app
from boxwright.errors import DataError
from boxwright.formats.foreign import SIGNATURES, recognized
from folders import VocFolder, packed_gzip
from misbehaving import zipped

pytestmark = pytest.mark.tiny

BOX = {"top": 6, "left": 4, "height": 34, "width": 26}
LABELBOX = {
    "data_row": {
        "id": "cl9",
        "external_id": "a.jpg",
        "global_key": "a.jpg",
        "row_data": "https://x",
    },
    "media_attributes": {"height": 48, "width": 64, "mime_type": "image/jpeg"},
    "projects": {
        "p1": {
            "name": "cats",
            "labels": [
                {
                    "label_kind": "Default",
                    "annotations": {
                        "objects": [
                            {
                                "name": "cat",
                                "annotation_kind": "ImageBoundingBox",
                                "bounding_box": BOX,
                            }
                        ],
                        "classifications": [],
                        "relationships": [],
                    },
                }
            ],
        }
    },
}
LABELBOX_OLD = [
    {
        "ID": "ck1",
        "DataRow ID": "ck2",
        "Labeled Data": "https://storage/a.jpg",
        "Label": {"objects": [{"title": "cat", "value": "cat", "bbox": BOX}]},
        "External ID": "a.jpg",
    }
]
MANIFEST = {
    "source-ref": "s3://bucket/a.jpg",
    "cats": {
        "image_size": [{"width": 64, "height": 48, "depth": 3}],
        "annotations": [{"class_id": 0, **BOX}],
    },
    "cats-metadata": {
        "objects": [{"confidence": 0.9}],
        "class-map": {"0": "cat"},
        "type": "groundtruth/object-detection",
        "human-annotated": "yes",
    },
}
EDGE_BOX = {"label": "cat", "x": 4, "y": 6, "width": 26, "height": 34}
EDGE = {"version": 1, "type": "bounding-box-labels", "boundingBoxes": {"a.jpg": [EDGE_BOX]}}
EDGE_INFO = {
    "version": 1,
    "files": [
        {
            "path": "training/a.jpg",
            "name": "a",
            "category": "training",
            "label": {"type": "unlabeled"},
            "boundingBoxes": [EDGE_BOX],
        }
    ],
}
VOTT = {
    "name": "cats",
    "securityToken": "cats Token",
    "sourceConnection": {"name": "here", "providerType": "localFileSystemProxy"},
    "tags": [{"name": "cat", "color": "#5db300"}],
    "id": "1",
    "version": "2.2.0",
    "lastVisitedAssetId": "2",
    "assets": {"2": {"format": "jpg", "id": "2", "name": "a.jpg", "path": "file:/a.jpg"}},
}
DATUMARO = {
    "dm_format_version": "1.0",
    "media_type": 2,
    "infos": {},
    "categories": {"label": {"labels": [{"name": "cat", "parent": ""}], "attributes": []}},
    "items": [
        {
            "id": "a",
            "annotations": [
                {"id": 0, "type": "bbox", "label_id": 0, "bbox": [4.0, 6.0, 26.0, 34.0]}
            ],
            "image": {"path": "a.jpg", "size": [48, 64]},
        }
    ],
}
DATUMARO_OLD = {key: DATUMARO[key] for key in ("categories", "items")} | {"info": {}}
CVAT_BACKUP = [
    {
        "version": 0,
        "tags": [],
        "shapes": [
            {"type": "rectangle", "points": [4.0, 6.0, 30.0, 40.0], "frame": 0, "label": "cat"}
        ],
        "tracks": [],
    }
]
DLIB = """<?xml version='1.0' encoding='ISO-8859-1'?>
<?xml-stylesheet type='text/xsl' href='image_metadata_stylesheet.xsl'?>
<dataset>
<name>imglab dataset</name>
<comment>Created by imglab tool.</comment>
<images>
  <image file='a.jpg' width='64' height='48'>
    <box top='6' left='4' width='26' height='34'>
      <label>cat</label>
    </box>
  </image>
</images>
</dataset>"""
DETRAC = """<?xml version="1.0" encoding="utf-8"?>
<sequence name="MVI_20011"><sequence_attribute camera_state="unstable"/>
<frame density="1" num="1"><target_list><target id="1"><box left="4" top="6" width="26"
height="34"/></target></target_list></frame></sequence>"""
VOC_OBJECT = "<name>cat</name><bndbox><xmin>4</xmin><ymin>6</ymin><xmax>30</xmax></bndbox>"
COLABELER = f"""<?xml version="1.0" ?>
<doc><path>C:\\a.jpg</path><outputs><object><item>{VOC_OBJECT}</item></object></outputs>
<labeled>true</labeled></doc>"""
INRIA = """# PASCAL Annotation Version 1.00

Image filename : "Train/pos/a.jpg"
Image size (X x Y x C) : 64 x 48 x 3
Bounding box for object 1 "PASperson" (Xmin, Ymin) - (Xmax, Ymax) : (4, 6) - (30, 40)"""
LABEL_STUDIO_CSV = """image,id,label,annotator
/data/upload/a.jpg,1,"[{""x"":6.25,""y"":12.5,""width"":40,""height"":70,""rectanglelabels"":[""cat""]}]",1
"""
FIFTYONE = {
    "samples": [
        {"filepath": "data/a.jpg", "ground_truth": {"_cls": "Detections", "detections": []}}
    ]
}
DARWIN = {
    "version": "2.0",
    "schema_ref": "https://darwin-public.s3.eu-west-1.amazonaws.com/darwin_json/2.0/schema.json",
    "item": {"name": "a.jpg", "slots": [{"type": "image", "width": 64, "height": 48}]},
    "annotations": [{"bounding_box": {"h": 34.0, "w": 26.0, "x": 4.0, "y": 6.0}, "name": "cat"}],
}
SUPERANNOTATE = {
    "metadata": {"name": "a.jpg", "width": 64, "height": 48, "status": "Completed"},
    "instances": [{"type": "bbox", "className": "cat", "points": {"x1": 4.0, "x2": 30.0}}],
    "tags": [],
}
BDD = [{"name": "a.jpg", "labels": [{"category": "cat", "box2d": {"x1": 4, "y1": 6, "x2": 30}}]}]
VERTEX = {
    "imageGcsUri": "gs://bucket/a.jpg",
    "boundingBoxAnnotations": [{"displayName": "cat", "xMin": "0.1", "yMin": "0.1"}],
}
ULTRALYTICS = {"type": "dataset", "task": "detect", "name": "cats", "class_names": {"0": "cat"}}
HUGGING_FACE = {"file_name": "a.jpg", "objects": {"bbox": [[4, 6, 26, 34]], "categories": [0]}}
PALIGEMMA = {
    "image": "a.jpg",
    "prefix": "detect cat",
    "suffix": "<loc0128><loc0064><loc0853><loc0480> cat",
}

KITTI = "0.00 0 -1.57 4 6 30 40 1.5 1.6 3.9 1.8 1.5 8.4 -1.6\n"
VIA_3 = {
    "project": {"pid": "x", "data_format_version": "3.1.1", "creator": "VGG Image Annotator"},
    "config": {},
    "attribute": {"1": {"aname": "class", "options": {"0": "cat"}}},
    "file": {"1": {"fid": "1", "fname": "a.jpg", "type": 2, "loc": 1, "src": "a.jpg"}},
    "metadata": {"1_abc": {"vid": "1", "flg": 0, "z": [], "xy": [2, 4, 6, 26, 34], "av": {}}},
    "view": {"1": {"fid_list": ["1"]}},
}
REGION = {"type": "rectanglelabels", "value": {"x": 1, "y": 2, "rectanglelabels": ["cat"]}}
TASK = {"id": 1, "data": {"image": "a.jpg"}}
PREDICTED = [{**TASK, "annotations": [], "predictions": [{"result": [REGION]}]}]
STORED = {"id": 5, "result": [REGION], "task": TASK}
HASTY = {
    "project_name": "cats",
    "export_format_version": "1.1",
    "label_classes": [{"class_name": "cat"}],
    "images": [{"image_name": "a.jpg", "labels": [{"class_name": "cat", "bbox": [4, 6, 30, 40]}]}],
}

SAMPLES: tuple[tuple[str, object, str], ...] = (
    ("annotations.ndjson", LABELBOX, "Labelbox NDJSON"),
    ("export.json", LABELBOX, "Labelbox NDJSON"),
    ("export.json", LABELBOX_OLD, "a JSON export of Labelbox"),
    ("output.manifest", MANIFEST, "a SageMaker manifest"),
    ("output.json", MANIFEST, "a SageMaker manifest"),
    ("bounding_boxes.labels", EDGE, "Edge Impulse's labels"),
    ("bounding_boxes.json", EDGE, "Edge Impulse's labels"),
    ("info.labels", EDGE_INFO, "Edge Impulse's labels"),
    ("cats.vott", VOTT, "a VoTT project without its boxes"),
    ("default.json", DATUMARO, "Datumaro JSON"),
    ("annotations/train.json", DATUMARO_OLD, "Datumaro JSON"),
    ("annotations.json", CVAT_BACKUP, "a CVAT backup"),
    ("training.xml", DLIB, "dlib XML"),
    ("MVI_20011.xml", DETRAC, "UA-DETRAC XML"),
    ("outputs/a.xml", COLABELER, "Colabeler XML"),
    ("a.xml", f"<root><object>{VOC_OBJECT}</object></root>", "XML like Pascal VOC's"),
    ("a.xml", f"<Annotation><object>{VOC_OBJECT}</object></Annotation>", "XML like Pascal VOC's"),
    ("a.txt", INRIA, "PASCAL annotations of version 1.00"),
    ("train.txt", "images/a.jpg 4,6,30,40,0 1,1,5,5,1\nb.jpg 1,2,3,4,0\n", "a keras-yolo list"),
    ("_annotations.txt", "a.jpg 4,6,30,40,0\r\n", "a keras-yolo list"),
    ("list.txt", "C:\\my images\\a b.jpg 4.5,6,30,40,12\nc.jpg\n", "a keras-yolo list"),
    ("wider.txt", "0--Parade/a.jpg\n1\n4 6 26 34 0 0 0 0 0 0 \n", "WIDER FACE's list"),
    ("gt/gt.txt", "1,1,4,6,26,34,1,1,0.86\n2,1,4,6,26,34,1,1,1\n", "MOTChallenge text"),
    ("annotations/a.txt", "4,6,26,34,1,4,0,0\n40,2,5,6,0,11,1,2\n", "VisDrone text"),
    ("label_02/0000.txt", f"0 -1 DontCare {KITTI}0 1 Car {KITTI}", "KITTI's labels of tracking"),
    ("via.json", VIA_3, "a project of VIA 3"),
    ("export.json", PREDICTED, "Label Studio's predictions without annotations"),
    ("1", STORED, "a file of Label Studio's storage, with one task"),
    ("1.json", STORED | {"task": 1}, "a file of Label Studio's storage, with one task"),
    ("hasty.json", HASTY, "Hasty JSON"),
    ("labelTxt/P0.txt", "4.0 6.0 30.0 6.0 30.0 40.0 4.0 40.0 ship 0\n", "DOTA text"),
    ("labels.json", BDD, "Scalabel JSON"),
    ("samples.json", FIFTYONE, "a FiftyOne data set"),
    ("a.json", DARWIN, "V7 Darwin JSON"),
    ("a.jpg___objects.json", SUPERANNOTATE, "SuperAnnotate JSON"),
    ("data.jsonl", VERTEX, "Vertex AI JSONL"),
    ("project-1.csv", LABEL_STUDIO_CSV, "a Label Studio table"),
    ("train.jsonl", PALIGEMMA, "text for vision-language models"),
    ("cats.ndjson", ULTRALYTICS, "Ultralytics NDJSON"),
    ("metadata.jsonl", HUGGING_FACE, "metadata of a Hugging Face ImageFolder"),
    ("train-00000-of-00001.parquet", b"PAR1\x15\x04\x15", "Parquet"),
    ("gt.mat", b"MATLAB 5.0 MAT-file, Platform: GLNXA64" + bytes(200), "a MATLAB file"),
    ("boxes.xlsx", zipped({"xl/workbook.xml": b"<workbook/>"}), "a workbook"),
    ("labels.zip", zipped({"a.txt": b"0 0.5 0.5 0.1 0.1"}), "an archive"),
    ("labels.json.gz", packed_gzip(b"{}"), "a compressed file"),
)

PACKED = {"a workbook", "an archive"}  # are unpacked where they are given themselves


def put(root: Path, name: str, content: object) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = content if isinstance(content, str | bytes) else json.dumps(content)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(("name", "content", "title"), SAMPLES)
def test_a_file_is_named_with_its_tool_and_the_way_out(
    voc_folder: VocFolder, name: str, content: object, title: str
) -> None:
    voc_folder.image("a.jpg")
    voc_folder.text("readme.md", "hello")
    path = put(voc_folder.root, name, content)
    (row,) = {one for one in SIGNATURES if one.title.startswith(title)}
    given = [voc_folder.root, path] if title not in PACKED else [voc_folder.root]
    for where in given:
        with pytest.raises(DataError, match="BW114") as caught:
            formats.read(where)
        shown = name if where == voc_folder.root else path.name
        assert f"; {shown} (" in caught.value.message
        assert f"is {row.title}, which is not read." in caught.value.message
        assert f"These annotations are from {row.tool}: {row.export}." in caught.value.remedy
        printed = CliRunner().invoke(app, ["check", str(where)]).output
        assert row.tool.split()[0] in printed


def test_each_row_has_a_sample() -> None:
    titles = {title for _, _, title in SAMPLES}
    assert len(titles) == len(SIGNATURES)
    assert len({one.title for one in SIGNATURES}) == len(SIGNATURES)


@pytest.mark.parametrize("encode", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_recognized(tmp_path: Path, encode: str) -> None:
    for name, content, title in SAMPLES:
        if isinstance(content, dict | list):
            path = put(tmp_path, name, json.dumps(content, indent=2).encode(encode))
            known = recognized(path)
            assert known, name
            assert known.title == title


def test_many_files_of_one_kind_are_counted(voc_folder: VocFolder) -> None:
    for i in range(4):
        put(voc_folder.root, f"{i}.xml", COLABELER + " " * i)
    put(voc_folder.root, "large.bin", bytes(2_500_000))
    put(voc_folder.root, "x.ndjson", LABELBOX)
    with pytest.raises(DataError) as caught:
        formats.read(voc_folder.root)
    assert "x.ndjson" in caught.value.message
    assert "3.xml (" in caught.value.message
    assert "and 3 more are Colabeler XML" in caught.value.message


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"notes.txt": b"hello"}, "; the only other file is notes.txt (5 B)."),
        (
            {"a.bin": bytes(2_500_000), "b.dat": bytes(12_345), "c": b"1", "d": b""},
            "; the largest other files are a.bin (2.5 MB), b.dat (12 kB) and c (1 B).",
        ),
    ],
)
def test_unknown_files_are_named_by_size(
    voc_folder: VocFolder, files: dict[str, bytes], said: str
) -> None:
    voc_folder.image("a.jpg")
    for name, content in files.items():
        put(voc_folder.root, name, content)
    with pytest.raises(DataError) as caught:
        formats.read(voc_folder.root)
    assert caught.value.message.endswith(f"annotations in any known format{said}")
    assert "These formats are read: Pascal VOC" in caught.value.remedy


def test_files_of_known_formats_are_not_foreign(voc_folder: VocFolder) -> None:
    voc_folder.pair("data/a")
    dataset = formats.read(voc_folder.root / "data")
    for form in formats.FORMATS:
        formats.write(dataset, voc_folder.root / form, form)
        for path in (voc_folder.root / form).rglob("*.*"):
            assert recognized(path) is None, path
