"""How often `boxwright diagnose` names a planted fault, and what it says of healthy runs.

    python benchmarks/diagnose.py ../shared/data WORK [NAME ...]

Trains a detector on raccoon, BCCD and hardhat for 100 steps, about a minute, and others with a
fault for 60 steps. WORK keeps
the trainings, so that a second call is short. NAME chooses faults; all by default.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import planted_faults as faults
from planted_faults import (
    FAST,
    FOLDERS,
    Place,
    Plant,
    apart,
    described,
    images,
    labels,
    learned,
    named,
    weights,
)

import boxwright
from boxwright.diagnosis.registry import RUNGS
from boxwright.errors import TrainingError
from boxwright.inference.detector import Detector
from boxwright.safety import trial

FAULTS: dict[str, tuple[str, Plant, str]] = {  # dataset, plant, rung and cause that name it
    "x and y swapped": ("hardhat", labels(faults.swapped), "data.*x and y"),
    "boxes shifted": ("bccd", labels(faults.to_the_right), "data.*shifted"),
    "off by one file": ("raccoon", labels(faults.of_next), "data.*off by 1"),
    "left and right swapped": ("hardhat", labels(faults.flipped), "data.*left and right"),
    "corner read as size": ("bccd", labels(faults.read_as_size), "data.*far corner"),
    "other resolution": ("raccoon", labels(faults.half_size), "data.*another size"),
    "class order of data": ("bccd", labels(faults.relabeled), "classes.*order"),
    "other class name": ("raccoon", labels(faults.renamed), "classes.*no class"),
    "half the labels": ("bccd", labels(faults.dropped), "labels.*without labels"),
    "BGR images": ("bccd", images(faults.bgr), "preprocessing.*BGR"),
    "dark images": ("hardhat", images(faults.night), "similarity.*unlike"),
    "turned images": ("raccoon", faults.turned, "preprocessing.*turned"),
    "tiny objects": ("hardhat", faults.tiny, "sizes.*small"),
    "other domain": ("bccd", faults.other_domain, "similarity.*unlike"),
    "zero to one": ("hardhat", described(faults.scaled), r"preprocessing.*\[0, 1\]"),
    "threshold .99": ("bccd", described(faults.threshold), "scores.*too high"),
    "class order of run": ("bccd", described(faults.other_order), "classes.*order"),
    "wrong input size": ("raccoon", described(faults.other_size), "preprocessing.*input size"),
    "weights not numbers": ("raccoon", weights(faults.not_a_number), "weights.*not numbers"),
    "two steps": ("bccd", learned(faults.same, steps=2), "training.*too little"),
    "half the weights": ("bccd", weights(faults.half_random), "weights.*not loaded"),
    "BGR network": ("hardhat", weights(faults.swapped_input), "preprocessing.*BGR"),
    "frozen": ("raccoon", learned(faults.same, recipe={"frozen_names": "."}), "overfit.*frozen"),
    "learning rate x 100": ("bccd", learned(faults.same, recipe=FAST), "learning.rate"),
    "trained off by one": ("bccd", learned(faults.of_next), "data.*off by 1"),
    "trained swapped": ("hardhat", learned(faults.swapped), "data.*x and y"),
    "trained shifted": ("bccd", learned(faults.to_the_right), "data.*shifted"),
    "trained on half": ("bccd", learned(faults.dropped), "labels.*without labels"),
    "int8 of one image": ("bccd", faults.one_image, "file.*int8"),
    "class order of file": ("bccd", apart(faults.reversed_names), "classes.*order"),
    "wrong label file": ("bccd", named("RBC", "WBC", "Platelets"), "classes.*order"),
    "labels of others": ("raccoon", named("person"), "classes.*no class"),
    "BGR file": ("hardhat", apart(faults.first_kernel), "preprocessing.*BGR"),
    "zero to one in file": ("hardhat", apart(faults.from_zero), "preprocessing.*scaled"),
    "older file": ("raccoon", faults.older, "file.*differs"),
}


def remembered(read: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Train on four images only once for each recipe and set of training images: it does not depend
    on anything else but the start."""
    known: dict[str, Any] = {}

    def reading(case: Any) -> Any:
        if case.training is None or case.recipe is None:
            return read(case)
        key = f"{case.training.fingerprint()} {case.recipe}"
        if key not in known:
            known[key] = read(case)
        return known[key]

    return reading


def loaded(load: Any) -> Any:
    """Load a healthy run once."""
    known: dict[Path, Any] = {}

    def opened(path: Any, **options: Any) -> Any:
        if Path(path).name not in FOLDERS:
            return load(path, **options)
        return known.setdefault(Path(path), known.get(Path(path)) or load(path, **options))

    return opened


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shared", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    trial.attempt = lambda target, path: None  # the files are our own
    Detector.load = loaded(Detector.load)  # type: ignore[method-assign]
    RUNGS["overfit"] = RUNGS["overfit"]._replace(read=remembered(RUNGS["overfit"].read))
    shared = given.shared.resolve()
    for data in FOLDERS:
        if not given.names or data in given.names:
            report(f"healthy {data}", Place(shared, given.work, data, data).run(), (), "^none")
    right = total = 0
    for name, (data, plant, expected) in FAULTS.items():
        if given.names and name not in given.names:
            continue
        total += 1
        try:
            path, images = plant(Place(shared, given.work, data, name))
        except TrainingError as error:  # which may name the fault itself
            right += (good := bool(re.search(expected, str(error))))
            print(f"{'right' if good else 'WRONG'} | {name} ({data}) | the training: {error}")
        else:
            right += report(f"{name} ({data})", path, images, expected)
    print(f"{right} of {total} faults named right")


def report(name: str, path: Path, data: Any, expected: str) -> bool:
    """Print what is found, and tell whether it is what was expected."""
    options = data if isinstance(data, dict) else {"data": data}
    start = time.perf_counter()
    diagnosis = boxwright.diagnose(path, **options)
    fault = diagnosis.fault
    said = f"{fault.name}: {fault.reading.cause}" if fault else "none"
    good = bool(re.search(expected, said))
    ap50 = diagnosis.agreement.ap50 if diagnosis.agreement else float("nan")
    seconds = time.perf_counter() - start
    print(f"{'right' if good else 'WRONG'} | {name} | AP50 {ap50:.2f} | {said} | {seconds:.0f} s")
    if not good or not fault:
        for step in diagnosis.steps:
            print(
                "      ",
                step.name,
                step.reading.status,
                f"{step.seconds:.1f} s",
                step.reading.found,
            )
    return good


if __name__ == "__main__":
    main()
