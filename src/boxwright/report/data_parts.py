"""The parts of pages that show labeled data."""

from __future__ import annotations

from boxwright.datasets.stats import count_classes
from boxwright.report.charts import bar
from boxwright.report.html import NAME, shown, table
from boxwright.structures.dataset import Dataset


def class_table(dataset: Dataset) -> str:
    """The boxes of each class, and of each split if the dataset has several."""
    classes = count_classes(dataset)
    splits = [*classes[0].splits] if len(classes[0].splits) > 1 else []
    rows = [
        [shown(one.name, NAME), *(f"{one.splits[split]:,}" for split in splits), f"{one.boxes:,}"]
        for one in classes
    ]
    bars = [bar(one.boxes / max(1, classes[0].boxes)) for one in classes]
    return table(("class", *splits, "boxes"), rows, "Boxes of each class", bars)
