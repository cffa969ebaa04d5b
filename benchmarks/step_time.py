"""Compare the predicted time of a training step with the measured one, for every input size.

    python benchmarks/step_time.py

For each family and input size that a recipe may choose, the kernels and some steps are timed in
turns in one process. The overhead in a family's tuning is the median ratio of its rows. Run it on
an idle machine.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time

from constant_step import constant_step

from boxwright.models.registry import FAMILIES, family
from boxwright.models.tuning import Tuning
from boxwright.training.recipe import CACHE_MARGIN, Recipe

OBJECTS = 5  # in each image, of padded rows
ROWS = 12


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    errors = []
    for name in sorted(FAMILIES):
        tuning, ratios = family(name).tuning, []
        for size in tuning.sizes:
            predicted, measured = times(name, tuning, size, given.steps, given.rounds)
            ratios.append(measured / predicted)
            errors.append(abs(tuning.overhead * predicted / measured - 1))
            print(
                f"{name:14} {size} px  kernels {1000 * predicted:6.1f} ms an image, step "
                f"{1000 * measured:6.1f} ms, {ratios[-1]:.2f} times",
                flush=True,
            )
        print(f"{name:14} overhead {statistics.median(ratios):.2f}, now {tuning.overhead}")
    print(f"median error of a predicted step {statistics.median(errors):.0%}")


def times(name: str, tuning: Tuning, size: int, steps: int, rounds: int) -> tuple[float, float]:
    """Return seconds for an image by the kernels alone, and measured; medians over rounds."""
    from boxwright.training import step_tensorflow
    from boxwright.training.speed import measured

    objective, _ = family(name).usual_objective(pretrained=True)
    recipe = Recipe(
        size,
        batch_size=tuning.batch_size[0],
        steps=10,
        model=name,
        objective=objective,
        cache_side=math.ceil(size * CACHE_MARGIN),
        frozen_through=tuning.layers.frozen_through,
        train_depthwise=tuning.layers.train_depthwise,
    )
    step = constant_step(recipe, objects=OBJECTS, rows=ROWS)
    step(0)
    step(1)
    predicted, real = [], []
    for _ in range(rounds):
        speed = measured(step_tensorflow)
        area = (size / tuning.reference_size) ** 2
        predicted.append(area * speed.of_image(tuning.layers.work))
        began = time.perf_counter()
        for number in range(steps):
            step(number)
        real.append((time.perf_counter() - began) / steps / tuning.batch_size[0])
    return statistics.median(predicted), statistics.median(real)


if __name__ == "__main__":
    main()
