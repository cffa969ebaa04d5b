"""Images per second of Ultralytics yolo11n in training; see nanodet_speed.py, which runs it.

    others/bin/python benchmarks/ultralytics_training.py data.yaml 20 8 320 [frozen]

Random weights, no validation, no plots: the steps alone, after the first ones. With `frozen`, the
backbone, its first ten parts, does not train. It prints one number.
"""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from pathlib import Path

from ultralytics import YOLO

FIRST = 3  # steps before the clock starts
BACKBONE = 10
ENOUGH = 1000  # epochs


class EnoughError(Exception):
    """The steps that are timed are done."""


def main() -> None:
    data, steps, batch, side = sys.argv[1], *map(int, sys.argv[2:5])
    model = YOLO("yolo11n.yaml")
    done: list[float] = []

    def clock(trainer: object) -> None:
        done.append(time.monotonic())
        if len(done) == FIRST + steps:
            raise EnoughError

    model.add_callback("on_train_batch_end", clock)
    with suppress(EnoughError):
        model.train(
            data=data, imgsz=side, batch=batch, epochs=ENOUGH, device="cpu", workers=2, val=False,
            plots=False, save=False, pretrained=False, verbose=False, exist_ok=True,
            project=str(Path(data).with_name("runs")),
            freeze=BACKBONE if "frozen" in sys.argv else None,
        )  # fmt: skip
    print(batch * steps / (done[-1] - done[FIRST - 1]))


if __name__ == "__main__":
    main()
