"""Measure training speed in images per second, compared with plain Keras and `model.fit`.

    python benchmarks/train_speed.py ../shared/data/raccoon

SSD MobileNet v1 (depth 1.0), 300 px, batch size 32, end to end: reading, augmentation, step. Turns
alternate in separate processes. Run it on an idle machine. The yardstick is a typical first
implementation: `Conv2D`, `DepthwiseConv2D` and `BatchNormalization` in training mode, a tf.data
pipeline that decodes and augments image by image, Keras' Adam. It uses Boxwright's matching and
losses.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from constant_step import constant_step

from boxwright.api import load
from boxwright.ops.anchors import AnchorSpec
from boxwright.structures.dataset import Dataset
from boxwright.training.cache import padded_boxes
from boxwright.training.events import Event, Step
from boxwright.training.recipe import Recipe

SIDE, BATCH = 300, 32
COMPILED = 3  # steps before the clock starts
BLOCKS = (
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1),
    (512, 1), (512, 1), (512, 1), (512, 1), (1024, 2), (1024, 1),
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument(
        "--steps", type=int, default=20, help="steps of the yardstick; the others take more"
    )
    parser.add_argument(
        "--one", choices=TRAININGS, help="measure only this training, in this process"
    )
    parser.add_argument(
        "--profile", action="store_true", help="print the time of a step by operation"
    )
    given = parser.parse_args()
    if given.profile:
        profile()
        return
    if given.one:
        print(json.dumps(TRAININGS[given.one](load(given.data).split("train"), given.steps)))
        return
    speeds: dict[str, list[float]] = {name: [] for name in TRAININGS}
    for _ in range(given.turns):
        for name, own in speeds.items():
            command = [sys.executable, __file__, given.data, "--one", name, "--steps", given.steps]
            done = subprocess.run(
                [str(word) for word in command], stdout=subprocess.PIPE, check=True
            )
            own.append(json.loads(done.stdout.splitlines()[-1]))
            print(f"{name:10} {own[-1]:6.1f} images/s", flush=True)
    for name, own in speeds.items():
        ratios = [a / b for a, b in zip(own, speeds["yardstick"], strict=True)]
        shown = " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"{name:10} median {statistics.median(own):6.1f} images/s, {shown} x the yardstick")

    limits()


# ---- The machine's limits --------------------------------------------------------------------


def limits() -> None:
    """Print the peak speed of the machine: matrix multiplication and memory copies."""
    from boxwright.backend import framework

    tf = framework.tensorflow()
    for dtype in (tf.float32, tf.bfloat16):
        first, second = tf.ones((8192, 2048), dtype), tf.ones((2048, 2048), dtype)
        product = tf.function(tf.matmul)
        seconds = fastest(lambda: float(tf.cast(product(first, second)[0, 0], tf.float32)))  # noqa: B023
        print(f"{dtype.name:10} {2 * 8192 * 2048**2 / seconds / 1e9:6.0f} GFLOP/s")
    source = np.ones(1 << 28, np.uint8)
    target = np.empty_like(source)
    seconds = fastest(lambda: np.copyto(target, source))
    print(f"{'copying':10} {2 * source.nbytes / seconds / 1e9:6.1f} GB/s read and write")


def fastest(work: Callable[[], Any], turns: int = 8) -> float:
    """Return the seconds of the fastest turn."""
    seconds = []
    for _ in range(turns):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def profile(steps: int = 6) -> None:
    """Print the time of a step of the default recipe by kind of operation."""
    from boxwright.backend import framework

    tf = framework.tensorflow()
    recipe = Recipe(input_size=SIDE, depth_multiplier=1.0, batch_size=BATCH, steps=10, model="ssd")
    step = constant_step(recipe)
    step(0)
    step(1)
    with tempfile.TemporaryDirectory() as folder:
        tf.profiler.experimental.start(folder)
        start = time.perf_counter()
        for number in range(steps):
            step(number)
        wall = (time.perf_counter() - start) / steps
        tf.profiler.experimental.stop()
        spent = seconds_by_operation(next(Path(folder).rglob("*.xplane.pb")).read_bytes())
    whole = sum(spent.values())
    print(f"{1000 * wall:.0f} ms per step, {BATCH / wall:.1f} images/s; operations run in parallel")
    for name, seconds in sorted(spent.items(), key=lambda item: -item[1]):
        if seconds > 0.005 * whole:
            print(f"{1000 * seconds / steps:7.1f} ms {seconds / whole:5.1%}  {name}")


def seconds_by_operation(trace: bytes) -> dict[str, float]:
    """Return the seconds in a TensorFlow profile by kind of operation."""
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    spent: dict[str, float] = {}
    for plane in XSpace.FromString(trace).planes:
        for line in plane.lines:
            for event in line.events:
                name, _, kind = plane.event_metadata[event.metadata_id].name.rpartition(":")
                if name and not name.endswith(":") and not name.startswith("Eager"):
                    spent[kind] = spent.get(kind, 0.0) + event.duration_ps / 1e12
    return spent


# ---- Boxwright -------------------------------------------------------------------------------


class Clock:
    """Records the time of each step."""

    def __init__(self) -> None:
        self.seen: list[tuple[int, float]] = []

    def __call__(self, event: Event) -> None:
        if isinstance(event, Step):
            self.seen.append((event.step, time.monotonic()))


def boxwright(images: Dataset, steps: int, **recipe: Any) -> float:
    """Return images per second of Boxwright, with random weights."""
    from boxwright.training.loop import train

    clock = Clock()
    whole = Recipe(
        input_size=SIDE, depth_multiplier=1.0, batch_size=BATCH, steps=steps, held_out=0.0, **recipe
    )
    with tempfile.TemporaryDirectory() as folder:
        train(images, out=Path(folder) / "run", weights=None, recipe=whole, on_event=clock)
    (first, start), (last, end) = next(s for s in clock.seen if s[0] > COMPILED), clock.seen[-1]
    return (last - first) * BATCH / (end - start)


# ---- The yardstick ---------------------------------------------------------------------------


def yardstick(images: Dataset, steps: int) -> float:
    """Return images per second of `model.fit` on a plain Keras network."""
    model = plain_network(len(images.classes))
    return steps * BATCH / fit_seconds(model, plain_loss(), plain_pipeline(images), steps)


def fit_seconds(model: Any, loss: Any, pipeline: Any, steps: int) -> float:
    """Return the seconds that `model.fit` takes for some steps, after the first ones."""
    from boxwright.backend import framework

    keras = framework.keras()

    class Steps(keras.callbacks.Callback):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.done: list[float] = []

        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            self.done.append(time.monotonic())

    clock = Steps()
    model.compile(optimizer=keras.optimizers.Adam(1e-3), loss=loss, jit_compile=False)
    model.fit(pipeline, steps_per_epoch=steps + COMPILED, callbacks=[clock], verbose=0)
    return clock.done[-1] - clock.done[COMPILED - 1]


def plain_network(classes: int) -> Any:
    """Build a network with box encodings and logits in one output, `(B, A, 4 + C)`."""
    from boxwright.backend import framework

    layers = framework.keras().layers

    def normed(x: Any, layer: Any) -> Any:
        return layers.ReLU(6.0)(layers.BatchNormalization()(layer(x)))

    inputs = layers.Input((SIDE, SIDE, 3), batch_size=BATCH)
    x = normed(inputs, layers.Conv2D(32, 3, 2, padding="same", use_bias=False))
    maps = []
    for block, (filters, stride) in enumerate(BLOCKS, start=1):
        x = normed(x, layers.DepthwiseConv2D(3, stride, padding="same", use_bias=False))
        x = normed(x, layers.Conv2D(filters, 1, use_bias=False))
        if block in {11, 13}:
            maps.append(x)
    for narrow, wide in ((256, 512), (128, 256), (128, 256), (64, 128)):
        x = normed(x, layers.Conv2D(narrow, 1, use_bias=False))
        x = normed(x, layers.Conv2D(wide, 3, 2, padding="same", use_bias=False))
        maps.append(x)
    outputs = []
    for x, anchors in zip(maps, (3, 6, 6, 6, 6, 6), strict=True):
        both = [layers.Conv2D(anchors * columns, 1)(x) for columns in (4, classes)]
        flat = [layers.Reshape((-1, n))(y) for n, y in zip((4, classes), both, strict=True)]
        outputs.append(layers.Concatenate()(flat))
    return framework.keras().Model(inputs, layers.Concatenate(axis=1)(outputs))


def plain_loss() -> Callable[[Any, Any], Any]:
    """Return the loss of targets `(B, G, 5)`, boxes and labels, and the network's output."""
    from boxwright.backend import framework
    from boxwright.models.ssd.losses import detection_loss
    from boxwright.models.ssd.objective import Objective
    from boxwright.ops.anchors import grid_anchors
    from boxwright.training.step_tensorflow import suppress

    tf = framework.tensorflow()
    anchors = tf.constant(grid_anchors(AnchorSpec(), SIDE))

    def loss(truth: Any, outputs: Any) -> Any:
        labels = tf.cast(truth[..., 4], tf.int32)
        weights = tf.cast(labels >= 0, tf.float32)
        parts = {"box_encodings": outputs[..., :4], "class_logits": outputs[..., 4:]}
        boxes = truth[..., :4]
        return detection_loss(parts, boxes, labels, weights, anchors, Objective(), suppress).total

    return loss


def plain_pipeline(images: Dataset, side: int = SIDE, batch: int = BATCH) -> Any:
    """Decode, crop, flip and color-jitter image by image, again in every epoch."""
    from boxwright.backend import framework

    tf = framework.tensorflow()
    boxes, labels = padded_boxes(images)
    truth = np.concatenate([boxes, labels[..., None].astype(np.float32)], axis=2)
    files = [str(images.root / name) for name in images.names]

    def read(file: Any, truth: Any) -> tuple[Any, Any]:
        image = tf.io.decode_image(tf.io.read_file(file), 3, expand_animations=False)
        image = tf.cast(image, tf.float32)
        part = tf.random.uniform([], 0.4, 1.0)
        corner = tf.random.uniform([2]) * (1.0 - part)
        window = tf.concat([corner, corner + part], 0)
        image = tf.image.crop_and_resize(image[None], window[None], [0], [side, side])[0]
        seen = tf.clip_by_value((truth[:, :4] - tf.tile(corner, [2])) / part, 0.0, 1.0)
        if tf.random.uniform([]) < 0.5:
            image = image[:, ::-1]
            ymin, xmin, ymax, xmax = tf.unstack(seen, axis=1)
            seen = tf.stack([ymin, 1.0 - xmax, ymax, 1.0 - xmin], axis=1)
        image = tf.image.random_contrast(image, 0.75, 1.25)
        image = tf.image.random_saturation(image, 0.7, 1.3)
        image = tf.image.random_brightness(image, 38.0)
        inside = tf.reduce_all(seen[:, 2:] > seen[:, :2], axis=1)
        label = tf.where(inside, truth[:, 4], -1.0)
        return image / 127.5 - 1.0, tf.concat([seen, label[:, None]], axis=1)

    pipeline = tf.data.Dataset.from_tensor_slices((files, truth)).repeat().shuffle(len(files))
    pipeline = pipeline.map(read, num_parallel_calls=tf.data.AUTOTUNE)
    return pipeline.batch(batch, drop_remainder=True).prefetch(tf.data.AUTOTUNE)


TRAININGS: dict[str, Callable[[Dataset, int], float]] = {
    "yardstick": yardstick,
    "all layers": lambda images, steps: boxwright(
        images, 2 * steps, frozen_through=-1, train_depthwise=True
    ),
    "default": lambda images, steps: boxwright(images, 5 * steps),
}

if __name__ == "__main__":
    main()
