"""The formats of annotations on the command line."""

from __future__ import annotations

from enum import StrEnum


class FormatName(StrEnum):
    """The names in `boxwright.formats.FORMATS`, which takes too long to import for `--help`."""

    voc = "voc"
    coco = "coco"
    yolo = "yolo"
    labelme = "labelme"
    createml = "createml"
    labelstudio = "labelstudio"
    vott = "vott"
    openimages = "openimages"
    csv = "csv"
    tfrecord = "tfrecord"
