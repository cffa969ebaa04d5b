"""Suspect labels by hotcoco and by ObjectLab of cleanlab; see suspects.py, which runs it.

    others/bin/python benchmarks/suspects_of_others.py content.json

It prints a JSON object: the tool's name to a list of `[kind, image, box, row of the label]`, the
most suspicious first. Both tools leave most of their list empty at their own thresholds, because
scores of small detectors seldom exceed 0.5 and never 0.95; so each is also run with thresholds for
such scores.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import hotcoco
import numpy as np
from cleanlab.object_detection import rank

Row = tuple[str, int, list[float], int | None]


def main() -> None:
    content = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    lists = {
        "hotcoco": by_hotcoco(content, 0.5),
        "hotcoco from 0.05": by_hotcoco(content, 0.05),
        "ObjectLab": by_objectlab(content, {}),
        "ObjectLab from 0.3": by_objectlab(content, {"high_probability_threshold": 0.3}),
    }
    print(json.dumps(lists))


def by_hotcoco(content: dict[str, Any], lowest: float) -> list[Row]:
    """`label_errors`, which are sorted by the score of the detection."""
    truth, results = as_coco(content)
    with tempfile.TemporaryDirectory() as folder:
        paths = Path(folder) / "truth.json", Path(folder) / "results.json"
        for path, value in zip(paths, (truth, results), strict=True):
            path.write_text(json.dumps(value), "utf-8")
        known = hotcoco.COCO(str(paths[0]))
        evaluation = hotcoco.COCOeval(known, known.load_res(str(paths[1])), "bbox")
        evaluation.evaluate()
        errors = evaluation.image_diagnostics(score_thr=lowest)["label_errors"]
    rows: list[Row] = []
    for one in errors:
        x, y, width, height = results[one["dt_id"] - 1]["bbox"]
        kind = "missed" if one["type"] == "missing_annotation" else "wrong class"
        label = None if one["gt_id"] is None else one["gt_id"] - 1
        rows.append((kind, one["image_id"] - 1, [x, y, x + width, y + height], label))
    return rows


def as_coco(content: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Truth and results in COCO's JSON; the id of a label is its row, counted from 1."""
    images, labels, results = [], [], []
    for number, one in enumerate(content["images"], 1):
        width, height = one["size"]
        name = f"{number}.jpg"
        images.append({"id": number, "width": width, "height": height, "file_name": name})
        for row, (box, label) in enumerate(zip(one["boxes"], one["labels"], strict=True)):
            shape = sides(box)
            labels.append({
                "id": one["first_row"] + row + 1, "image_id": number, "category_id": label + 1,
                "bbox": shape, "area": shape[2] * shape[3], "iscrowd": 0,
            })  # fmt: skip
        detected = one["detected"]
        for box, score, label in zip(
            detected["boxes"], detected["scores"], detected["labels"], strict=True
        ):
            results.append({
                "image_id": number, "category_id": label + 1, "bbox": sides(box), "score": score,
            })  # fmt: skip
    categories = [{"id": i, "name": name} for i, name in enumerate(content["classes"], 1)]
    return {"images": images, "annotations": labels, "categories": categories}, results


def sides(box: list[float]) -> list[float]:
    left, top, right, bottom = box
    return [left, top, right - left, bottom - top]


def by_objectlab(content: dict[str, Any], thresholds: dict[str, float]) -> list[Row]:
    """The scores of boxes, lowest first: the lower, the more suspicious."""
    classes = range(len(content["classes"]))
    labels, predictions, boxes = [], [], []
    for one in content["images"]:
        detected = np.array(one["detected"]["boxes"], float).reshape(-1, 4)
        scores = np.array(one["detected"]["scores"], float)
        of_class = [np.array(one["detected"]["labels"], int) == label for label in classes]
        columns = np.column_stack([detected, scores])
        predictions.append(np.array([columns[rows] for rows in of_class], dtype=object))
        boxes.append(np.concatenate([detected[rows] for rows in of_class]))
        own = np.array(one["boxes"], float).reshape(-1, 4)
        labels.append({"bboxes": own, "labels": np.array(one["labels"], int)})
    usable = [i for i, one in enumerate(labels) if len(one["labels"]) and len(boxes[i])]
    given = {
        "labels": [labels[i] for i in usable],
        "predictions": [predictions[i] for i in usable],
    }
    missed = rank.compute_overlooked_box_scores(**given, **thresholds)
    swapped = rank.compute_swap_box_scores(**given, **thresholds)
    loose = rank.compute_badloc_box_scores(**given)
    scored: list[tuple[float, Row]] = []
    for place, i in enumerate(usable):
        one, first = labels[i]["bboxes"].tolist(), content["images"][i]["first_row"]
        for score, box in zip(missed[place], boxes[i].tolist(), strict=True):
            scored.append((score, ("missed", i, box, None)))
        for kind, values in (("wrong class", swapped[place]), ("loose", loose[place])):
            scored += [
                (score, (kind, i, one[row], first + row)) for row, score in enumerate(values)
            ]
    known = [pair for pair in scored if not np.isnan(pair[0])]
    return [row for _, row in sorted(known, key=lambda pair: pair[0])]


if __name__ == "__main__":
    main()
