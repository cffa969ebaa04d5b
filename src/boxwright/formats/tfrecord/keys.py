"""The Object Detection API's keys of an Example (its core/standard_fields.py)."""

from __future__ import annotations

from boxwright.structures.dataset import CROWD, DIFFICULT, OCCLUDED, TRUNCATED

ENCODED, KIND = b"image/encoded", b"image/format"
FILENAME, SOURCE_ID, SHA256 = b"image/filename", b"image/source_id", b"image/key/sha256"
WIDTH, HEIGHT = b"image/width", b"image/height"
SIDES = (  # fractions of the stored image
    b"image/object/bbox/xmin",
    b"image/object/bbox/ymin",
    b"image/object/bbox/xmax",
    b"image/object/bbox/ymax",
)
TEXT, LABEL = b"image/object/class/text", b"image/object/class/label"
VIEW, MASK = b"image/object/view", b"image/object/mask"
FLAGS = {
    b"image/object/difficult": DIFFICULT,
    b"image/object/truncated": TRUNCATED,
    b"image/object/occluded": OCCLUDED,
    b"image/object/is_crowd": CROWD,
    b"image/object/group_of": CROWD,
}
