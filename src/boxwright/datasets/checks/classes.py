"""Suspicious classes: one function per problem; nothing is changed."""

from __future__ import annotations

import re
from itertools import combinations, zip_longest

import numpy as np
from numpy.typing import NDArray

from boxwright.datasets.checks.locations import counted_boxes
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.findings import Finding
from boxwright.structures.labels import spelling_key

MIN_LETTERS = 4  # shorter words are often one letter apart: car, cars, cart
MIN_REPLACED = 6  # shorter words often differ by one replaced letter: truck, track
MAX_LENGTH = 100  # letters; longer names are not typed by hand
SERIES = 30  # more names of one pattern, such as grade_a to grade_z, are intended
RARE = 0.1  # of the other's boxes: a typo is rare
MIN_BOXES = 20
SEPARATORS = str.maketrans("", "", " _-")
WORDS, DIGITS = re.compile(r"[^\W\d_]+"), re.compile(r"\d+")


def nearly_the_same_name(dataset: Dataset) -> list[Finding]:
    """Class names that are probably one name (BW127).

    They differ only by spaces, underscores or hyphens, or by a typo if one of them is rare: a few
    `racoon` and many `raccoon`. A typo omits, doubles, swaps or, in a long word, replaces letters
    after the first. Names that differ by a digit or in a short word, and two frequent names, are
    regarded as intended.
    """
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    keys = [spelling_key(name) for name in dataset.classes]
    findings = []
    for first, second in sorted(_one_edit_apart(keys)):
        rare, common = sorted((first, second), key=lambda label: (counts[label], label))
        joined = keys[rare].translate(SEPARATORS) == keys[common].translate(SEPARATORS)
        if joined:
            difference = "equal except for spaces, hyphens or underscores"
        elif counts[rare] <= RARE * counts[common] and _slip(keys[rare], keys[common]):
            difference = "one letter apart"
        else:
            continue
        a, b = dataset.classes[rare], dataset.classes[common]
        message = (
            f"its {counted_boxes(counts[rare])} may be meant for '{b}' "
            f"({counted_boxes(counts[common])})"
        )
        findings.append(
            Finding(
                "BW127",
                f"class '{a}'",
                f"{message}: the names are {difference}",
                images=_images_with(dataset, rare),
                classes=(a, b),
            )
        )
    return findings


def too_few(dataset: Dataset) -> list[Finding]:
    """Classes with at least one but fewer than `MIN_BOXES` training boxes (BW128)."""
    counts = _boxes_in(dataset, _training(dataset))
    where = " in train" if (dataset.splits == Split.TRAIN).any() else ""
    return [
        Finding(
            "BW128",
            f"class '{dataset.classes[label]}'",
            f"has only {counted_boxes(counts[label])}{where}; dozens are needed",
            images=_images_with(dataset, label),
            classes=(dataset.classes[label],),
        )
        for label in np.flatnonzero((counts > 0) & (counts < MIN_BOXES))
    ]


def not_trained(dataset: Dataset) -> list[Finding]:
    """Classes with test or validation boxes but no training boxes (BW129)."""
    training = _training(dataset)
    if not training.any():
        return []
    learnt = _boxes_in(dataset, training)
    findings = []
    for split in (Split.VAL, Split.TEST):
        judged = _boxes_in(dataset, dataset.splits == split)
        findings += [
            Finding(
                "BW129",
                f"class '{dataset.classes[label]}'",
                f"has {counted_boxes(judged[label])} in {split.name.lower()}, none in train",
                images=_images_with(dataset, label),
                classes=(dataset.classes[label],),
            )
            for label in np.flatnonzero((judged > 0) & (learnt == 0))
        ]
    return findings


def _training(dataset: Dataset) -> NDArray[np.bool_]:
    """The training images; all images if the dataset has no split."""
    if (dataset.splits == Split.UNASSIGNED).all():
        return np.ones(len(dataset), np.bool_)
    training: NDArray[np.bool_] = dataset.splits == Split.TRAIN
    return training


def _boxes_in(dataset: Dataset, images: NDArray[np.bool_]) -> NDArray[np.int64]:
    chosen = dataset.labels[images[dataset.image_of_box]]
    return np.bincount(chosen, minlength=len(dataset.classes))


def _images_with(dataset: Dataset, label: int | np.integer) -> tuple[str, ...]:
    return tuple(dataset.names[i] for i in dataset.images_showing(label))


def _one_edit_apart(keys: list[str]) -> set[tuple[int, int]]:
    """Pairs of names that may be one edit apart, or equal except for separators."""
    near: dict[str, list[int]] = {}
    for label, key in enumerate(keys):
        variants = {key, key.translate(SEPARATORS)}
        if len(key) <= MAX_LENGTH:
            variants |= {key[:i] + key[i + 1 :] for i in range(len(key))}
        for variant in variants:
            near.setdefault(variant, []).append(label)
    few = (same for same in near.values() if len(same) <= SERIES)
    return {pair for same in few for pair in combinations(same, 2)}


def _slip(first: str, second: str) -> bool:
    """True if one name may be a typo of the other."""
    if DIGITS.findall(first) != DIGITS.findall(second):
        return False
    words = zip_longest(WORDS.findall(first), WORDS.findall(second), fillvalue="")
    different = [(a, b) for a, b in words if a != b]
    if len(different) != 1:
        return False
    a, b = sorted(different[0], key=len)
    if len(a) < MIN_LETTERS or a[0] != b[0]:
        return False
    start = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), len(a))
    a, b, length = a[start:], b[start:], len(a)
    missing = a == b[1:]
    swapped = len(a) > 1 and a[1::-1] == b[:2] and a[2:] == b[2:]
    replaced = len(a) == len(b) and a[1:] == b[1:] and length >= MIN_REPLACED
    return missing or swapped or replaced
