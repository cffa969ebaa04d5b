"""Findings on the command line: the worst first, a few of each code."""

from __future__ import annotations

import pytest

from boxwright.cli.describe import say_findings
from boxwright.datasets.describe import counted
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.structures.findings import Finding, summary

pytestmark = pytest.mark.tiny


def test_at_most_three_of_a_code_are_shown_and_the_rest_is_counted() -> None:
    findings = [Finding("BW105", f"{i}.jpg", "is odd", "swapped back") for i in range(5)]
    assert list(summary(findings, "my photos")) == [
        "BW105 0.jpg: is odd -> swapped back",
        "BW105 1.jpg: is odd -> swapped back",
        "BW105 2.jpg: is odd -> swapped back",
        "BW105 ... and 2 more. A box has swapped corners.",
        "`boxwright check 'my photos'` shows all.",
    ]


def test_errors_come_before_warnings_and_these_before_notes() -> None:
    codes = ["BW103", "BW119", "BW102", "BW103", "BW101"]
    findings = [Finding(code, f"{i}", "is odd") for i, code in enumerate(codes)]
    assert list(summary(findings, "d")) == [
        "BW102 2: is odd",
        "BW101 4: is odd",
        "BW119 1: is odd",
        "BW103 0: is odd",
        "BW103 3: is odd",
    ]


def test_nothing_odd_nothing_said() -> None:
    assert list(summary([], "d")) == []


def test_they_go_to_standard_error_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    say_findings([Finding("BW101", "[bold]a[/].jpg", "is missing")], "d")
    out, err = capsys.readouterr()
    assert (out, err) == ("", "BW101 [bold]a[/].jpg: is missing\n")


@pytest.mark.parametrize(
    ("images", "said"),
    [
        ([], "no images"),
        ([LabeledImage("a.jpg", 9, 9)], "1 image, 0 boxes: 1 unassigned"),
        (
            [
                LabeledImage("a.jpg", 9, 9, [(1, 1, 4, 4)], ["cat"], split=Split.TRAIN),
                LabeledImage("b.jpg", 9, 9, split=Split.TEST),
            ],
            "2 images, 1 box of 1 class (cat): 1 train, 1 test",
        ),
    ],
)
def test_a_data_set_in_a_line(images: list[LabeledImage], said: str) -> None:
    assert counted(Dataset.of(".", images)) == said
