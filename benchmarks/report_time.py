"""What a report takes beyond its numbers.

    python benchmarks/report_time.py /tmp/report --images 5000

Draws labeled images (see large_dataset.py) and detections of them: the boxes, moved, and others. In
turns, `boxwright evaluate` measures the detections, and `boxwright report` writes their page. Aim:
5,000 images take at most 20 s more. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from large_dataset import BOXES, CLASSES, LABELS, make

FALSE = 3  # detections of an image that are of no object


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--images", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    data = given.folder / "data"
    make(data, given.images)
    found, page = given.folder / "detections.json", given.folder / "report.html"
    detect(data, found)
    asked = [str(data), "--detections", str(found), "--split", "all"]
    commands = {
        "evaluate": ["evaluate", *asked],
        "report": ["report", *asked, "--out", str(page)],
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(given.rounds):
        for name, command in commands.items():
            started = time.perf_counter()
            program = [sys.executable, "-m", "boxwright", *command]
            subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.perf_counter() - started)
            print(f"{name:9} {seconds[name][-1]:6.1f} s", flush=True)
    evaluated, reported = (statistics.median(each) for each in seconds.values())
    print(f"beyond the numbers {reported - evaluated:.1f} s, {page.stat().st_size / 1e6:.1f} MB")


def detect(data: Path, found: Path) -> None:
    """Write detections as COCO results: nine of ten objects, and false ones with lower scores."""
    random = np.random.default_rng(0)
    labels = json.loads((data / LABELS).read_text(encoding="utf-8"))
    detections = []
    for one in labels["annotations"]:
        if random.random() < 0.9:
            moved = np.array(one["bbox"]) * random.uniform(0.92, 1.08, 4)
            detections.append((one["image_id"], one["category_id"], moved, random.beta(5, 2)))
    for _ in range(FALSE * len(labels["annotations"]) // BOXES):
        image = labels["images"][random.integers(len(labels["images"]))]["id"]
        drawn = [*random.uniform(0, 400, 2), *random.uniform(20, 80, 2)]
        detections.append((image, 1 + random.integers(CLASSES), drawn, random.beta(2, 5)))
    results = [
        {
            "image_id": image,
            "category_id": int(category),
            "bbox": [round(float(side), 2) for side in box],
            "score": round(float(score), 4),
        }
        for image, category, box, score in detections
    ]
    found.write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main()
