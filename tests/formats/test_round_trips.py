"""A data set written in a format and read again is the same, but for what the format can't hold."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from boxwright import formats
from boxwright.formats import ReadOptions
from boxwright.formats.annotations import Holds
from boxwright.formats.folder import Folder
from boxwright.formats.roundtrip import difference, held
from boxwright.formats.writing import target_names
from boxwright.structures.dataset import WHOLE_FILE, Dataset, LabeledImage, Split

WIDTH, HEIGHT = 40, 30
ONE_WORD = {"kitti"}  # these refuse class names with spaces: see `test_convert`

class_names = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=["Cc", "Cs", "Zl", "Zp"],
        exclude_characters="/\\\ufffe\uffff\xa0",
    ),
    min_size=1,
    max_size=12,
).filter(lambda name: name == name.strip())


def one_word(name: str) -> str:
    """A name as a format can hold it whose columns are separated by spaces."""
    return "_".join(name.split())


@st.composite
def boxes(draw: st.DrawFn) -> tuple[float, float, float, float]:
    """Boxes inside of the photo, on whole pixels or between them."""
    across = st.integers(0, WIDTH) | st.floats(0, WIDTH, width=32)
    down = st.integers(0, HEIGHT) | st.floats(0, HEIGHT, width=32)
    (left, right), (top, bottom) = (
        sorted(draw(st.tuples(each, each).filter(lambda pair: abs(pair[0] - pair[1]) > 0.1)))
        for each in (across, down)
    )
    return left, top, right, bottom


@st.composite
def datasets(draw: st.DrawFn) -> Dataset:
    """Data sets of photos that are not there yet: `put_images` makes them."""
    classes = draw(
        st.lists(
            class_names, min_size=1, max_size=4, unique_by=lambda name: one_word(name).casefold()
        )
    )
    labeled = st.lists(st.tuples(st.sampled_from(classes), boxes(), st.integers(0, 15)), max_size=4)
    images = []
    for i in range(draw(st.integers(1, 4))):
        found = draw(labeled)
        images.append(
            LabeledImage(
                draw(st.sampled_from(["", "some where/", "else/"])) + f"photo {i}.png",
                WIDTH,
                HEIGHT,
                [box for _, box, _ in found],
                [name for name, _, _ in found],
                [flags for _, _, flags in found],
                draw(st.sampled_from(Split)),
                ignored=draw(st.lists(boxes(), max_size=2)),
                verified=draw(st.booleans()),
            )
        )
    if draw(st.booleans()):
        images = [replace(image, split=Split.UNASSIGNED) for image in images]
    return Dataset.of("", images, classes)


def put_images(dataset: Dataset, root: Path) -> Dataset:
    """Make the photos of a data set below `root`, one like no other."""
    for i, name in enumerate(dataset.names):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (WIDTH, HEIGHT), (i, 2 * i, 3 * i)).save(root / name)
    return replace(dataset, root=root)


def described(dataset: Dataset, holds: Holds) -> dict[str, object]:
    """A data set by photo name, without what its format does not hold."""
    images = {}
    for i, name in enumerate(dataset.names):
        rows = dataset.rows(i)
        images[Path(name).name] = (
            tuple(dataset.sizes[i]),
            int(dataset.splits[i]),
            [dataset.classes[label] for label in dataset.labels[rows]],
            dataset.flags[rows].tolist(),
            bool(dataset.verified[i]),
        )
    used = [name for i, name in enumerate(dataset.classes) if (dataset.labels == i).any()]
    classes = list(dataset.classes) if Holds.UNUSED_CLASSES in holds else used
    return {
        "photos": images,
        "classes": classes if Holds.CLASS_ORDER in holds else sorted(classes),
    }


def in_order(dataset: Dataset) -> np.ndarray:
    """All boxes, those of the photo whose name comes first in the alphabet first."""
    order = sorted(range(len(dataset)), key=lambda i: Path(dataset.names[i]).name)
    return dataset.select(order).boxes


@pytest.mark.parametrize("name", formats.FORMATS)
@settings(max_examples=30, deadline=None)
@given(made=datasets())
def test_what_is_written_reads_back_the_same(name: str, made: Dataset) -> None:
    form = formats.FORMATS[name]
    holds = form.HOLDS
    if name in ONE_WORD:
        made = replace(made, classes=tuple(map(one_word, made.classes)))
    with tempfile.TemporaryDirectory() as folder:
        written = put_images(made, Path(folder) / "source")
        expected = held(written, form)
        names = list(target_names(written, Path(folder) / "copy", form))
        formats.write(written, Path(folder) / "copy", name)
        if not len(expected):
            return
        back = formats.read(Path(folder) / "copy", ReadOptions(name, units="format"))
        here = Folder.scan(Path(folder) / "copy")
        assert [name for name, each in formats.FORMATS.items() if each.detect(here)] == [name]
        unmarked = {"BW119"} if (expected.splits == Split.UNASSIGNED).any() else set()
        expected_findings = unmarked | ({"BW109"} if len(expected) < len(written) else set())
        assert {finding.code for finding in back.findings} <= expected_findings
        assert difference(written, names, back, form) == ""
        assert described(back, holds) == described(expected, holds)
        np.testing.assert_allclose(in_order(back), in_order(expected), rtol=0, atol=1e-4)
        for i, image in enumerate(back.names):
            (source,) = (each for each in made.names if Path(each).name == Path(image).name)
            where = back.image(i)
            if back.byte_ranges[i, 1] == WHOLE_FILE[1]:
                assert Path(str(where)).read_bytes() == (written.root / source).read_bytes()
