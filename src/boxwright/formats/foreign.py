"""Annotations in formats that are not read: which tool wrote them, and what to export there.

The table `SIGNATURES` recognizes a file by its first bytes. A row costs nothing while annotations
in a known format are found: it only makes BW114 say more.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from boxwright.formats.folder import Folder

HEAD = 1 << 15  # bytes at the start of a file that are read
LOOKED_AT = 50  # largest files that are read
SHOWN = 3  # files in a message
AS_CSV = "write its boxes as CSV with the columns filename, class, xmin, ymin, xmax and ymax"


class Foreign(NamedTuple):
    """A format that is not read.

    Attributes:
        title: name in messages.
        tool: the program that writes it.
        export: what to do in the program; the end of a sentence about it.
        pattern: found in the first bytes of a file, decoded.
        suffixes: of the files, where programs use such bytes for other files too; empty for any.
    """

    title: str
    tool: str
    export: str
    pattern: re.Pattern[str]
    suffixes: tuple[str, ...] = ()

    def fits(self, path: Path, *starts: str) -> bool:
        """True if a file that starts with one of these texts is in this format."""
        is_called_so = not self.suffixes or path.name.lower().endswith(self.suffixes)
        return is_called_so and any(map(self.pattern.match, starts))


def _row(
    title: str, tool: str, export: str, *patterns: str, suffixes: tuple[str, ...] = ()
) -> Foreign:
    """A format whose files have all of these patterns in their first bytes, in any order."""
    every = "".join(rf"(?=.*?{pattern})" for pattern in patterns)
    return Foreign(
        title, tool, export, re.compile(rf"\A{every}", re.DOTALL | re.MULTILINE), suffixes
    )


SIGNATURES: tuple[Foreign, ...] = (
    _row(
        "Labelbox NDJSON",
        "Labelbox",
        "it exports nothing else, so convert the file to COCO, for example with Labelformat",
        '"data_row" *:',
        '"(projects|media_attributes)" *:',
    ),
    _row(
        "a JSON export of Labelbox",
        "Labelbox",
        "convert the file to COCO, for example by importing it into Roboflow",
        '"Labeled Data" *:',
    ),
    _row(
        "a SageMaker manifest",
        "Amazon SageMaker Ground Truth",
        "it writes nothing else, so convert the manifest to COCO, for example by importing it "
        "into Roboflow",
        '"source-ref" *:',
    ),
    _row(
        "Edge Impulse's labels",
        "Edge Impulse",
        f"it exports nothing else, so {AS_CSV}",
        '"(boundingBoxes" *:|type" *: *"bounding-box-labels")',
    ),
    _row(
        "a VoTT project without its boxes",
        "VoTT",
        "choose the export provider 'VoTT JSON', or give the folder with the *-asset.json files",
        '"(sourceConnection|lastVisitedAssetId|activeLearningSettings)" *:',
    ),
    _row(
        "Datumaro JSON",
        "Datumaro or CVAT",
        "choose 'COCO 1.0' in CVAT, or run `datum convert -if datumaro -f coco`",
        r'"categories"\s*:\s*\{',
        '"(info|items|dm_format_version)" *:',
    ),
    _row(
        "a CVAT backup",
        "CVAT",
        "choose 'Export task dataset' with 'COCO 1.0', not 'Backup task'",
        r'\A\s*\[\s*\{\s*"(version|tags|shapes)"',
        '"frame" *:',
    ),
    _row(
        "dlib XML",
        "dlib's imglab",
        "open it in the web tool ImgLab and save it as Pascal VOC or COCO",
        r"<dataset[\s>]",
        r"<image\s+file *=",
    ),
    _row(
        "UA-DETRAC XML",
        "the UA-DETRAC data set",
        f"{AS_CSV}",
        r"<sequence[\s>]",
        "<target_list>",
    ),
    _row(
        "Colabeler XML",
        "Colabeler",
        "choose the export 'Pascal VOC'",
        r"\A\s*(<\?xml[^>]*>\s*)?<doc[\s>]",
        "<outputs>",
    ),
    _row(
        "XML like Pascal VOC's, but without <annotation> as its root",
        "a script or tool that changed Pascal VOC",
        "make each file one image, with <annotation> as its root, or export COCO",
        r"\A\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(?!annotation\b)\w",
        "<(xmin|bndbox|bbox)>",
    ),
    _row(
        "PASCAL annotations of version 1.00, as text",
        "data sets of 2005 such as INRIA Person",
        f"{AS_CSV}",
        r"\A# PASCAL Annotation Version",
    ),
    _row(
        "a keras-yolo list",
        "a script of keras-yolo3 or yolov4, or Roboflow",
        "give the annotations that the list was made of, often Pascal VOC; in Roboflow choose COCO",
        r"^\S[^\n]*\.\w+( -?\d+(\.\d+)?(,-?\d+(\.\d+)?){3},\d+)+[ \r]*$",
    ),
    _row(
        "WIDER FACE's list",
        "the WIDER FACE data set",
        f"{AS_CSV}",
        r"^\S+\.\w+\r?\n\d+ *\r?\n(\d+ ){9}\d+",
    ),
    _row(
        "VisDrone text",
        "the VisDrone data set",
        f"{AS_CSV}",
        r"\A(-?\d+, *){4}[01], *\d\d?, *-?[01], *-?[012],?[ \r]*(\n|\Z)",
    ),
    _row(
        "MOTChallenge text",
        "the MOTChallenge data sets or CVAT",
        "choose 'COCO 1.0' in CVAT, or write its boxes as COCO",
        r"\A(\d+, *-?\d+(, *-?\d+(\.\d+)?){4,8}[ \r]*(\n|\Z))+",
    ),
    _row(
        "KITTI's labels of tracking",
        "the KITTI tracking data set",
        "write a label file for each image, without the first two columns",
        r"\A\d+ -?\d+ [A-Za-z]\S*( -?\d+(\.\d+)?(e-?\d+)?){14,15}[ \r]*$",
    ),
    _row(
        "DOTA text",
        "the DOTA data set or a tool for rotated boxes",
        "export COCO or YOLO with upright boxes",
        r"^(-?\d+(\.\d+)? ){8}[^\s\d]\S* [012][ \r]*$",
    ),
    _row(
        "Scalabel JSON",
        "BDD100K or Scalabel",
        "run `python -m bdd100k.label.to_coco`",
        r'"box2d" *:',
    ),
    _row(
        "a FiftyOne data set",
        "FiftyOne",
        "export with dataset_type=fiftyone.types.COCODetectionDataset",
        '"_cls" *: *"Detections?"|"samples" *: *\\[',
        '"filepath" *:',
    ),
    _row(
        "a project of VIA 3",
        "VGG Image Annotator 3",
        f"use VIA 2, whose files are read, or {AS_CSV}",
        '"(vid_list|fid_list)" *:',
        '"(av|xy)" *:',
    ),
    _row(
        "Label Studio's predictions without annotations",
        "Label Studio",
        "choose 'Create Annotations From Predictions' in the Data Manager, then export JSON",
        r'"predictions"\s*:\s*\[\s*\{',
        r'"data"\s*:\s*\{',
    ),
    _row(
        "a file of Label Studio's storage, with one task",
        "Label Studio",
        "choose the export JSON in the project; the files of a target storage are not exports",
        r'"result"\s*:\s*\[',
        r'"task"\s*:\s*[{\d]',
    ),
    _row(
        "Hasty JSON",
        "Hasty",
        "choose the export COCO or Pascal VOC",
        '"export_format_version" *:',
        '"label_classes" *:',
    ),
    _row(
        "V7 Darwin JSON",
        "V7 Darwin",
        "choose the export format COCO",
        r'"bounding_box"\s*:\s*\{\s*"[hwxy]"|darwin-json',
    ),
    _row(
        "SuperAnnotate JSON",
        "SuperAnnotate",
        "convert the export to COCO with its Python SDK",
        '"instances" *:',
        '"className" *:',
    ),
    _row(
        "Vertex AI JSONL",
        "Google Vertex AI",
        f"it exports nothing else, so {AS_CSV}",
        '"imageGcsUri" *:',
    ),
    _row(
        "a Label Studio table",
        "Label Studio",
        "choose the export JSON or COCO, not CSV or TSV",
        r"\A\s*[^\s\[{]",
        "rectanglelabels",
    ),
    _row(
        "text for vision-language models",
        "Roboflow or a script",
        "in Roboflow choose COCO, not PaliGemma or Florence-2",
        r"<loc_?\d+>",
    ),
    _row(
        "Ultralytics NDJSON",
        "Ultralytics",
        "convert the file with ultralytics.data.converter.convert_ndjson_to_yolo",
        r'\A\s*\{\s*"type" *: *"dataset"',
        '"task" *:',
    ),
    _row(
        "metadata of a Hugging Face ImageFolder",
        "Hugging Face Datasets",
        "write its boxes as COCO",
        '"file_name" *:',
        r'"objects"\s*:\s*\{',
    ),
    _row(
        "Parquet",
        "Hugging Face Datasets",
        "save the images as files and their boxes as COCO",
        r"\APAR1",
    ),
    _row("a MATLAB file", "MATLAB", f"{AS_CSV}", r"\AMATLAB 5\.0 MAT-file"),
    _row(
        "a workbook",
        "a spreadsheet program",
        "save its table as 'CSV UTF-8'",
        r"\APK\x03\x04",
        suffixes=(".xlsx", ".xlsm", ".ods"),
    ),
    _row(
        "an archive",
        "whoever packed the folder",
        "give the archive itself instead of its folder; several archives have to be unpacked into "
        "one folder first",
        r"\A(PK\x03\x04|Rar!\x1a\x07|7z\xbc\xaf\x27\x1c)",
        suffixes=(".zip", ".rar", ".7z"),
    ),
    _row(
        "a compressed file",
        "whoever packed it",
        "unpack it, or if it is a .tar of everything, give it instead of its folder",
        r"\A(\x1f\x8b\x08|BZh|\xfd7zXZ)",
        suffixes=(".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz"),
    ),
)


class Candidates(NamedTuple):
    """Files that may be the annotations of a folder where none were found.

    Attributes:
        said: a clause about the largest ones; empty if there are no files.
        known: the format of the first one, if it is recognized.
    """

    said: str
    known: Foreign | None


def candidates(folder: Folder) -> Candidates:
    """The largest files that may be annotations, those in a recognized format first."""
    files = [path for paths in folder.files.values() for path in paths]
    sizes = _sizes(folder, files)
    largest = list(sizes)
    groups: dict[Foreign, list[str]] = defaultdict(list)
    for path, known in foreign_files(folder, files).items():
        groups[known].append(path)
    if groups:
        said = [_said(known, files, sizes) for known, files in list(groups.items())[:SHOWN]]
        return Candidates(f"{'; '.join(said)}, which is not read", next(iter(groups)))
    if not largest:
        return Candidates("", None)
    names = [f"{path} ({_size(sizes[path])})" for path in largest[:SHOWN]]
    is_one = len(names) == 1
    listed = names[0] if is_one else f"{', '.join(names[:-1])} and {names[-1]}"
    verb = "the only other file is" if is_one else "the largest other files are"
    return Candidates(f"{verb} {listed}", None)


def foreign_files(folder: Folder, files: Iterable[str]) -> dict[str, Foreign]:
    """Those of the files, the largest first, that are in a format that is recognized."""
    largest = list(_sizes(folder, files))[:LOOKED_AT]
    return {path: one for path in largest if (one := recognized(folder.root / path))}


def recognized(path: Path) -> Foreign | None:
    """The format of a file by its first bytes; None if it is unknown."""
    try:
        with path.open("rb") as file:
            data = file.read(HEAD)
    except OSError:
        return None
    binary = data[:8].decode("latin-1")
    text = data.decode(json.detect_encoding(data), "replace").lstrip("\ufeff")
    return next((one for one in SIGNATURES if one.fits(path, text, binary)), None)


def _sizes(folder: Folder, files: Iterable[str]) -> dict[str, int]:
    """The sizes of the files that exist, the largest first."""
    sizes = {}
    for path in files:
        try:
            sizes[path] = (folder.root / path).stat().st_size
        except OSError:
            continue
    return dict(sorted(sizes.items(), key=lambda each: (-each[1], each[0])))


def _said(known: Foreign, files: list[str], sizes: dict[str, int]) -> str:
    more = f" and {len(files) - 1} more" if len(files) > 1 else ""
    verb = "are" if more else "is"
    return f"{files[0]} ({_size(sizes[files[0]])}){more} {verb} {known.title}"


def _size(count: int) -> str:
    """Bytes as people read them: `812 B`, `1.2 kB`."""
    size, units = float(count), iter(("B", "kB", "MB", "GB"))
    unit = next(units)
    while size >= 1000 and unit != "GB":
        size, unit = size / 1000, next(units)
    return f"{size:.0f} {unit}" if unit == "B" or size >= 10 else f"{size:.1f} {unit}"
