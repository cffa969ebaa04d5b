"""What `boxwright evaluate` shows."""

from __future__ import annotations

import pytest
from rich.console import Console

from boxwright.evaluation.coco import Evaluation, evaluate
from boxwright.evaluation.report import table
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny

BOX = (0, 0, 100, 100)


def evaluated(*class_names: str) -> Evaluation:
    """Every photo shows one big box of one class; only those of the first class are found."""
    images = [LabeledImage(f"{name}.jpg", 200, 200, [BOX], [name]) for name in class_names]
    found = Detections([BOX], [0.9], [0], class_names[:1])
    nothing = Detections([], [], [], class_names[:1])
    return evaluate(
        Dataset.of("photos", images, class_names), [found, *[nothing] * (len(images) - 1)]
    )


def printed(evaluation: Evaluation, control: Evaluation | None = None, width: int = 80) -> str:
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(table(evaluation, control=control))
    return capture.get()


def row(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def test_every_number_stands_beside_its_coco_name() -> None:
    text = printed(evaluated("cat", "dog"))
    assert row(text, "AP")[:5] == ["AP", "0.500", "0.000", "to", "1.000"]
    assert row(text, "APsmall")[:3] == ["APsmall", "n/a", "0.50:0.95"]
    assert row(text, "ARlarge")[:2] == ["ARlarge", "0.500"]
    assert "2 images, 2 boxes" in text
    assert "Pascal VOC AP50 0.500" in text


def test_classes_have_a_table_when_there_are_several() -> None:
    assert row(printed(evaluated("cat", "dog")), "dog") == ["dog", "1", "0.000", "0.000", "0.000"]
    assert "cat" not in printed(evaluated("cat"))
    assert "1 image, 1 box\n" in printed(evaluated("cat"))


def test_a_class_name_is_text_not_markup() -> None:
    assert "[red]" in printed(evaluated("[red]", "dog"))


def test_the_control_is_one_line() -> None:
    text = printed(evaluated("cat"), control=evaluated("cat", "dog"))
    assert "constant-box baseline: AP 0.500, AP50 0.500 (ignores the image)" in text


def test_it_fits_a_terminal_of_80_columns() -> None:
    assert max(map(len, printed(evaluated("cat", "dog"), width=200).splitlines())) <= 80
