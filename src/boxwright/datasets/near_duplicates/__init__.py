"""Duplicate and near-duplicate images: resized, cropped, recompressed or captioned copies, and
adjacent video frames.

A near-duplicate of a training image in the test set makes the score too high.

    hashes.py     an image becomes a digest of its pixels and a small gray thumbnail
    views.py      vectors that describe a thumbnail's center and all places where one may lie
    search.py     an inverted index finds candidate pairs by these vectors
    alignment.py  a candidate pair is aligned and compared square by square
    grouping.py   the pairs that pass form groups

Mirrored copies, and copies rotated by more than a degree or two, are not found.
"""

from boxwright.datasets.near_duplicates.grouping import Duplicates, duplicates, groups
from boxwright.datasets.near_duplicates.hashes import HASHED, image_hash

__all__ = ["HASHED", "Duplicates", "duplicates", "groups", "image_hash"]
