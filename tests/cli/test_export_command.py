"""What `boxwright export` says of a file."""

from __future__ import annotations

import pytest

from boxwright.cli.export import _verdict
from boxwright.export.verify import Comparison, Row

pytestmark = pytest.mark.tiny


@pytest.mark.parametrize(
    ("ap50", "agreeing", "said"),
    [
        (0.8, 9, "Verified"),
        (0.8, 3, "Kept despite its loss"),
        (0.007, 9, "Equal to a run that finds nothing"),
        (None, 9, "Equal to a run that finds nothing"),
    ],
)
def test_a_file_that_finds_nothing_is_not_called_verified(
    ap50: float | None, agreeing: int, said: str
) -> None:
    rows = (Row("AP", ap50, ap50), Row("AP50", ap50, ap50))
    comparison = Comparison("test", rows, {"test": 60}, 0.0, None, 0.001, 10, agreeing, 8)
    assert _verdict(comparison) == said
    assert comparison.to_json()["finds_nothing"] == ((ap50 or 0) < 0.02)
    assert Comparison.from_json(comparison.to_json()) == comparison
