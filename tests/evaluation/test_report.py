"""What `boxwright evaluate` shows."""

from __future__ import annotations

import pytest
from rich.console import Console

from boxwright.evaluation.numbers import Numbers, numbers
from boxwright.evaluation.report import ADVICE, headline, how_to_validate, next_steps, table
from boxwright.evaluation.threshold import FIXED, STANDING, VALIDATED, Threshold
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.structures.detections import Detections

pytestmark = pytest.mark.tiny

BOX = (0, 0, 100, 100)


def evaluated(*class_names: str, threshold: Threshold | None = None) -> Numbers:
    """Every photo shows one big box of one class; only those of the first class are found. The
    baseline finds them too."""
    images = [LabeledImage(f"{name}.jpg", 200, 200, [BOX], [name]) for name in class_names]
    found = Detections([BOX], [0.9], [0], class_names[:1])
    nothing = Detections([], [], [], class_names[:1])
    detections = [found, *[nothing] * (len(images) - 1)]
    return numbers(
        Dataset.of("photos", images, class_names),
        detections,
        threshold or Threshold(0.5, STANDING),
        baseline=detections,
    )


def printed(measured: Numbers, width: int = 80) -> str:
    console = Console(width=width, color_system=None, highlight=False)
    with console.capture() as capture:
        console.print(table(measured))
    return capture.get()


def row(text: str, name: str) -> list[str]:
    return next(line.split() for line in text.splitlines() if line.split()[:1] == [name])


def test_every_number_stands_beside_its_coco_name() -> None:
    text = printed(evaluated("cat", "dog"))
    assert row(text, "AP")[:5] == ["AP", "0.500", "0.000", "to", "1.000"]
    assert row(text, "APsmall")[:4] == ["APsmall", "n/a", "n/a", "0.50:0.95"]
    assert row(text, "ARlarge")[:6] == ["ARlarge", "0.500", "0.000", "to", "1.000", "0.500"]
    assert "2 images, 2 boxes" in text
    for name in ("VOC", "VOC07", "OpenImages"):
        assert "0.500 0.000 to 1.000 0.500 0.50 all" in " ".join(row(text, name))


def test_classes_have_a_table_when_there_are_several() -> None:
    assert row(printed(evaluated("cat", "dog")), "dog") == ["dog", "1", "0.000", "0.000", "0.000"]
    assert "cat" not in printed(evaluated("cat"))
    assert "1 image, 1 box\n" in printed(evaluated("cat"))


def test_a_class_name_is_text_not_markup() -> None:
    assert "[red]" in printed(evaluated("[red]", "dog"))


def test_the_control_is_one_line() -> None:
    text = printed(evaluated("cat", "dog"))
    assert "baseline: the mean box of each class in every image; F1 0.667" in text


def test_the_headline_says_what_happens_at_the_threshold() -> None:
    chosen = Threshold(0.3, VALIDATED, "precision=0.9", met=False, images=7)
    assert list(headline(evaluated("cat", "dog", threshold=chosen))) == [
        "At the score threshold 0.3, chosen for precision=0.9 on 7 validation images:",
        "  finds 50 of 100 objects (95 %: 0 to 100)",
        "  0 false alarms per 100 images (95 %: 0 to 0)",
        "  precision 1.000 (95 %: 1.000 to 1.000)",
        "  F1 0.667 (95 %: 0.000 to 1.000)",
    ]
    nothing = evaluated("cat", threshold=Threshold(0.95, FIXED))
    assert "  precision n/a" in headline(nothing)


def test_what_to_do_next() -> None:
    text = " ".join(next_steps(evaluated("cat", "dog"), "do this."))
    assert text.startswith(f"Next: {ADVICE['missed'].format(count=1)} They cost 0.500 of AP50")
    assert text.endswith("The threshold is not validated: do this.")
    chosen = Threshold(0.3, VALIDATED, "precision=0.9", met=False, images=7)
    text = " ".join(next_steps(evaluated("cat", threshold=chosen)))
    assert text.startswith("No threshold is shown to reach precision=0.9 on other images: 7 images")


@pytest.mark.parametrize(
    ("split", "is_run", "said"),
    [
        (Split.VAL, True, "--aim f1 chooses one on the 1 validation image."),
        (Split.TRAIN, True, "--aim f1 --folds trains three times"),
        (Split.TRAIN, False, "boxwright split sets some aside"),
    ],
)
def test_how_a_threshold_can_be_validated(split: Split, is_run: bool, said: str) -> None:
    images = Dataset.of("photos", [LabeledImage("a.jpg", 9, 9, split=split)])
    assert said in how_to_validate(images, is_run=is_run)


def test_it_fits_a_terminal_of_80_columns() -> None:
    assert max(map(len, printed(evaluated("cat", "dog"), width=200).splitlines())) <= 80
