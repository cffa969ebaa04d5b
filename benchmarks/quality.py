"""Measure a training with a budget: wall time, peak memory and test AP over several seeds.

    python benchmarks/quality.py ../shared/data/raccoon \
        --weights ../shared/weights/ssd_mobilenet_v1_coco_quant.tflite --budget 1m

Runs the command line as a user would, one run after the other. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

COMMAND = [sys.executable, "-m", "boxwright"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--budget", default="1m")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--all", action="store_true", help="also train on the validation set of a VOC folder"
    )
    parser.add_argument("options", nargs="*", help="more options for `boxwright train`, after --")
    given = parser.parse_args()
    if given.all:
        with tempfile.TemporaryDirectory() as folder:
            given.data = without_validation(given.data, Path(folder) / given.data.name)
            run_seeds(given)
        return
    run_seeds(given)


def without_validation(data: Path, copy: Path) -> Path:
    """Copy a dataset in VOC layout and move its validation set into the training set."""
    shutil.copytree(data, copy)
    for validation in copy.rglob("ImageSets/Main/val.txt"):
        with validation.with_name("train.txt").open("a", encoding="utf-8") as train:
            train.write("\n" + validation.read_text("utf-8"))
        validation.unlink()
    for both in copy.rglob("ImageSets/Main/trainval.txt"):
        both.unlink()
    return copy


def run_seeds(given: argparse.Namespace) -> None:
    """Train and evaluate with each seed, and print the median and the range."""
    results = []
    for seed in range(given.seeds):
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder) / "run"
            results.append(
                measure(given.data, given.weights, given.budget, seed, run, given.options)
            )
        print(json.dumps(results[-1]), flush=True)
    for key in ("AP", "AP50", "seconds", "photos", "peak_gb"):
        values = sorted(result[key] for result in results)
        print(
            f"{key:8} median {statistics.median(values):.3f}  {values[0]:.3f} to {values[-1]:.3f}"
        )


def measure(
    data: Path,
    weights: Path | None,
    budget: str | None,
    seed: int,
    run: Path,
    options: Sequence[str] = (),
    *,
    source: Path | None = None,
    split: str = "test",
) -> dict[str, float]:
    """Train and evaluate once, with the package in the folder `source` or the installed one.
    Without a budget, `options` have to end the training."""
    environment = {**os.environ, **({"PYTHONPATH": str(source)} if source else {})}
    train = [*COMMAND, "train", data, "--seed", seed, "--out", run, "--json", *options]
    train += ["--budget", budget] if budget else []
    train += ["--weights", weights] if weights else []
    start = time.monotonic()
    peak = run_and_watch([str(word) for word in train], run, environment)
    seconds = time.monotonic() - start
    evaluated = subprocess.run(
        [*COMMAND, "evaluate", str(run), str(data), "--split", split, "--json"],
        check=True, capture_output=True, text=True, encoding="utf-8", env=environment,
    )  # fmt: skip
    coco = json.loads(evaluated.stdout)["coco"]
    log = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    recipe = json.loads((run / "run.json").read_text("utf-8"))["provenance"]["recipe"]
    return {
        "seed": seed,
        "AP": coco["AP"],
        "AP50": coco["AP50"],
        "seconds": round(seconds, 1),
        "steps": log[-1]["step"],
        "photos": log[-1]["step"] * recipe["batch_size"],
        "peak_gb": round(peak / 1e9, 2),
        "input": recipe["input_size"],
    }


def run_and_watch(command: list[str], run: Path, environment: dict[str, str]) -> int:
    """Run `command` and return the peak resident memory of its process in bytes, 0 if unknown."""
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet, env=environment)
    status = Path(f"/proc/{process.pid}/status")
    peak = 0
    while process.poll() is None:
        if status.exists():
            for line in status.read_text("utf-8").splitlines():
                if line.startswith("VmHWM"):
                    peak = max(peak, int(line.split()[1]) * 1024)
        time.sleep(0.05)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}; see {run}")
    return peak


if __name__ == "__main__":
    main()
