"""Where the files of Open Images are, version by version.

Two environment variables give other addresses, such as those of a mirror.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

LISTS_VARIABLE = "BOXWRIGHT_OPENIMAGES_URL"
IMAGES_VARIABLE = "BOXWRIGHT_OPENIMAGES_IMAGES_URL"
LISTS = "https://storage.googleapis.com/openimages"
IMAGES = "https://open-images-dataset.s3.amazonaws.com"
SPLITS = ("train", "validation", "test")
ALL = "all"  # the choice of all splits
VERSIONS = ("v4", "v5", "v6", "v7")
NEWEST = "v7"
OLD_CLASSES = "v5/class-descriptions-boxable.csv"
OLD_BOXES = "2018_04/{split}/{split}-annotations-bbox.csv"
BOXES = "v5/{split}-annotations-bbox.csv"
TRAIN_BOXES = "v6/oidv6-train-annotations-bbox.csv"
CLASSES = {
    "v4": "2018_04/class-descriptions-boxable.csv",
    "v5": OLD_CLASSES,
    "v6": OLD_CLASSES,
    "v7": "v7/oidv7-class-descriptions-boxable.csv",
}
ALL_CLASSES = "2018_04/class-descriptions.csv"  # with those that have no boxes
HUMAN, MACHINE = "human", "machine"  # who says what an image shows
LABELS = "v5/{split}-annotations-human-imagelabels-boxable.csv"
OLD_LABELS = "2018_04/{split}/{split}-annotations-human-imagelabels-boxable.csv"
ALL_LABELS = "2018_04/{split}/{split}-annotations-{by}-imagelabels.csv"
IMAGE_LIST = "2018_04/{split}/{name}"
HIERARCHY = "2018_04/bbox_labels_600_hierarchy.json"
IMAGE_BYTES = 294_000  # of an image on average: 513 GB for 1,743,042 images


def classes_path(version: str) -> str:
    """The list of classes with boxes, below the address of the lists."""
    return CLASSES[version]


def boxes_path(version: str, split: str) -> str:
    """The list of boxes of a split, below the address of the lists.

    The training boxes of V4 and V5 have 13 columns, those of V6 and V7 have 21.
    """
    if version == "v4" or (version == "v5" and split == "train"):
        return OLD_BOXES.format(split=split)
    return TRAIN_BOXES if split == "train" else BOXES.format(split=split)


def labels_path(version: str, split: str) -> str:
    """The list of the classes that people looked for in the images of a split; those with boxes."""
    return (OLD_LABELS if version == "v4" else LABELS).format(split=split)


def all_labels_path(split: str, by: str) -> str:
    """The list of all classes that people, or machines, looked for in the images of a split."""
    return ALL_LABELS.format(split=split, by=by)


def image_list_name(split: str) -> str:
    """The name of the list of images of a split, with their authors and licenses."""
    return f"{split}-images-{'boxable-' if split == 'train' else ''}with-rotation.csv"


def image_list_path(split: str) -> str:
    return IMAGE_LIST.format(split=split, name=image_list_name(split))


def list_url(path: str) -> str:
    return f"{(os.environ.get(LISTS_VARIABLE) or LISTS).rstrip('/')}/{path}"


def image_url(split: str, image: str) -> str:
    return f"{(os.environ.get(IMAGES_VARIABLE) or IMAGES).rstrip('/')}/{split}/{image}.jpg"


def hosts() -> frozenset[str]:
    """The hosts of both addresses; redirects to others are refused."""
    addresses = (list_url(""), image_url("", ""))
    return frozenset(host for each in addresses if (host := urlsplit(each).hostname))
