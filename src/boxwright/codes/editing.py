"""Codes of editing labels in place."""

from __future__ import annotations

from boxwright.codes.meaning import Meaning

EDITING: dict[str, Meaning] = {
    "BW170": Meaning(
        "error",
        "A file of keys cannot be used",
        "A file of keys for the studio is JSON: an object that has, for some actions, a key or a "
        "list of keys.",
        'Press "?" in the studio, save its keys as a file, change that file, and name it with '
        "`boxwright label FOLDER --keys FILE`.",
    ),
    "BW179": Meaning(
        "error",
        "Labels cannot be edited in place",
        "The studio writes labels into the files in which they are, without losing what other "
        "tools have put there. It can do that for some formats only, in a folder whose files have "
        "the format's own units and one list of classes, and for images whose boxes are in one "
        "place.",
        "Convert the folder first, for example with `boxwright convert FOLDER NEW --to voc`, and "
        "label the new one.",
    ),
    "BW180": Meaning(
        "error",
        "The format cannot store an edit",
        "Formats differ in what they can say: YOLO, for example, knows no difficult objects, and "
        "two images in one folder whose names differ only in the suffix have the same label file.",
        "Leave the edit out, rename the image, or convert the folder to a format that can store "
        "it: `boxwright convert FOLDER NEW --to voc`.",
    ),
    "BW185": Meaning(
        "error",
        "The labels are only shown",
        "This studio was opened to look at images and labels, for example by `boxwright tfod "
        "main.py visualizer`. It changes nothing in the folder.",
        "To edit labels, open the folder with `boxwright label FOLDER`. Folders of the OIDv4 "
        "ToolKit are converted first: `boxwright convert OID/Dataset NEW --to voc`.",
    ),
}
