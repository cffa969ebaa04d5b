"""The parts of pages that show labeled data."""

from __future__ import annotations

from boxwright.datasets.stats import count_classes
from boxwright.report.charts import bar
from boxwright.report.html import NAME, shown, table
from boxwright.structures.dataset import Dataset
from boxwright.structures.findings import counted

OPEN_ROWS = 12  # of a table that is open at first


def class_details(dataset: Dataset, css: str = "") -> str:
    """The boxes of each class, and of each split if the dataset has several; on demand if there
    are many classes, and nothing without any."""
    classes = count_classes(dataset)
    if not classes:
        return ""
    splits = [*classes[0].splits] if len(classes[0].splits) > 1 else []
    rows = [
        [shown(one.name, NAME), *(f"{one.splits[split]:,}" for split in splits), f"{one.boxes:,}"]
        for one in classes
    ]
    bars = [bar(one.boxes / max(1, classes[0].boxes)) for one in classes]
    is_open = " open" if len(classes) <= OPEN_ROWS else ""
    return f"""<details class="{css}"{is_open}>
<summary>{counted(len(classes), "class", "classes")}</summary>
{table(("class", *splits, "boxes"), rows, "Boxes of each class", bars)}
</details>"""
