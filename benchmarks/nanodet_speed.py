"""Measure the training speed of NanoDet-Plus-m, compared with plain Keras and with yolo11n.

    python -m venv others && others/bin/pip install ultralytics
    python benchmarks/nanodet_speed.py ../shared/data/raccoon --others others/bin/python

320 px, 8 images per step, end to end: reading, augmentation, step; with all layers trained, and
with those frozen that a recipe freezes. Turns alternate in separate processes. Run it on an idle
machine. The yardstick has the same layers as `Conv2D`, `DepthwiseConv2D` and `BatchNormalization`,
and the pipeline of `train_speed.py`. It uses Boxwright's assignment and losses. With `--others`,
Ultralytics trains yolo11n in its own environment, with its own pipeline, on the same images.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from train_speed import COMPILED, Clock, fit_seconds, plain_pipeline

from boxwright.api import load, write
from boxwright.models.registry import family
from boxwright.structures.dataset import Dataset
from boxwright.training.recipe import Recipe

FAMILY, SIDE, BATCH = "nanodet_plus", 320, 8
LAYERS = family(FAMILY).tuning.layers
KINDS = ("all layers", "frozen layers")
TRAININGS = ("yardstick", "boxwright")
YOLO = Path(__file__).with_name("ultralytics_training.py")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--one", nargs=2, help="measure only this training, in this process")
    parser.add_argument("--others", type=Path, help="Python with Ultralytics")
    given = parser.parse_args()
    if given.one:
        name, kind = given.one
        images = load(given.data).split("train")
        measure = yardstick if name == "yardstick" else boxwright
        print(json.dumps(measure(images, given.steps, frozen=kind == "frozen layers")))
        return
    with tempfile.TemporaryDirectory() as folder:
        ours = [sys.executable, __file__, str(given.data), "--one"]
        commands = {name: [*ours, name] for name in TRAININGS}
        if given.others:
            yolo = as_yolo(load(given.data).split("train"), Path(folder))
            commands["yolo11n"] = [str(given.others), str(YOLO), str(yolo)]
        for kind in KINDS:
            compare(kind, commands, given.turns, given.steps)


def compare(kind: str, commands: dict[str, list[str]], turns: int, steps: int) -> None:
    """Run trainings in turns, and print how much faster Boxwright is."""
    speeds: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(turns):
        for name, own in speeds.items():
            if name == "yolo11n":
                more = [str(steps), str(BATCH), str(SIDE), *(["frozen"] * (kind == KINDS[1]))]
            else:
                more = [kind, "--steps", str(steps)]
            done = subprocess.run([*commands[name], *more], stdout=subprocess.PIPE, check=True)
            own.append(float(done.stdout.splitlines()[-1]))
            print(f"{kind:14} {name:10} {own[-1]:6.1f} images/s", flush=True)
    for name, own in speeds.items():
        if name != "boxwright":
            pairs = zip(speeds["boxwright"], own, strict=True)
            ratios = [ours / other for ours, other in pairs]
            shown = " ".join(f"{ratio:.2f}" for ratio in ratios)
            print(f"{kind}: {statistics.median(ratios):.2f} x {name} ({shown})")


def as_yolo(images: Dataset, folder: Path) -> Path:
    """Write images and labels as Ultralytics reads them; returns the description of the data."""
    write(images, folder / "data", "yolo")
    used = str(folder / "data/images/train")
    names = dict(enumerate(images.classes))
    description = folder / "data.yaml"
    description.write_text(json.dumps({"train": used, "val": used, "names": names}), "utf-8")
    return description


def boxwright(images: Dataset, steps: int, *, frozen: bool) -> float:
    """Return images per second of Boxwright, with random weights."""
    from boxwright.training.loop import train

    clock = Clock()
    objective, _ = family(FAMILY).usual_objective(pretrained=True)
    recipe = Recipe(
        SIDE,
        batch_size=BATCH,
        steps=steps + COMPILED,
        model=FAMILY,
        objective=objective,
        cache_side=SIDE * 4 // 3,
        held_out=0.0,
        frozen_through=LAYERS.frozen_through if frozen else -1,
        train_depthwise=not frozen or LAYERS.train_depthwise,
    )
    with tempfile.TemporaryDirectory() as folder:
        train(images, out=Path(folder) / "run", weights=None, recipe=recipe, on_event=clock)
    (first, start), (last, end) = next(s for s in clock.seen if s[0] > COMPILED), clock.seen[-1]
    return (last - first) * BATCH / (end - start)


def yardstick(images: Dataset, steps: int, *, frozen: bool) -> float:
    """Return images per second of `model.fit` on the same network of plain Keras layers."""
    from boxwright.backend import framework
    from boxwright.models.model import Truth

    keras, tf = framework.keras(), framework.tensorflow()
    model = family(FAMILY)
    spec = model.spec_for(len(images.classes), SIDE)
    network = plain_network(spec, frozen)
    detector: Any = model(spec, network)

    def loss(truth: Any, outputs: Any) -> Any:
        labels = tf.cast(truth[..., 4], tf.int32)
        weights = tf.cast(labels >= 0, tf.float32)
        parts = {"class_logits": outputs[..., :-32], "side_logits": outputs[..., -32:]}
        return detector.losses(parts, Truth(truth[..., :4], labels, weights), None).total

    keras.utils.clear_session()
    pipeline = plain_pipeline(images, SIDE, BATCH)
    return steps * BATCH / fit_seconds(network, loss, pipeline, steps)


def plain_network(spec: Any, frozen: bool) -> Any:
    """Build a network with class and side logits in one output, `(B, A, C + 32)`."""
    from boxwright.backend import framework
    from boxwright.models.nanodet_plus.layout import heads

    keras = framework.keras()
    inputs = keras.Input((SIDE, SIDE, 3), batch_size=BATCH)
    outputs = heads(inputs, PlainBuilder(frozen), spec)
    flat = [
        keras.layers.Concatenate(axis=1)(
            [keras.layers.Reshape((-1, part.shape[-1]))(part) for part in parts]
        )
        for parts in outputs.values()
    ]
    return keras.Model(inputs, keras.layers.Concatenate()(flat))


class PlainBuilder:
    """A `layers.builder.Builder` of plain Keras layers."""

    def __init__(self, frozen: bool) -> None:
        from boxwright.backend import framework

        self._keras = framework.keras()
        self._frozen = frozen

    def channels(self, x: Any) -> int:
        return int(x.shape[-1])

    def convolution(
        self, x: Any, name: str, filters: int, kernel_size: int, strides: int = 1,
        *, linear: bool = False, block: int | None = None,
    ) -> Any:  # fmt: skip
        layer = self._keras.layers.Conv2D(
            filters, kernel_size, strides, padding="same", use_bias=False, name=name
        )
        return self._normed(layer, x, linear, trains=not self._is_frozen(block))

    def depthwise(
        self, x: Any, name: str, kernel_size: int, strides: int = 1,
        *, linear: bool = False, block: int | None = None,
    ) -> Any:  # fmt: skip
        layer = self._keras.layers.DepthwiseConv2D(
            kernel_size, strides, padding="same", use_bias=False, name=name
        )
        layer.trainable = LAYERS.train_depthwise or not self._frozen
        return self._normed(layer, x, linear, trains=not self._is_frozen(block))

    def predictor(self, x: Any, name: str, filters: int) -> Any:
        return self._keras.layers.Conv2D(filters, 1, name=name)(x)

    def concat(self, *parts: Any) -> Any:
        return self._keras.layers.Concatenate()(parts)

    def add(self, x: Any, y: Any) -> Any:
        return self._keras.layers.Add()([x, y])

    def halves(self, x: Any) -> tuple[Any, Any]:
        first, second = self._keras.ops.split(x, 2, axis=-1)
        return first, second

    def shuffled(self, x: Any) -> Any:
        _, height, width, channels = x.shape
        layers = self._keras.layers
        parts = layers.Reshape((height, width, 2, channels // 2))(x)
        return layers.Reshape((height, width, channels))(layers.Permute((1, 2, 4, 3))(parts))

    def pooled(self, x: Any) -> Any:
        return self._keras.layers.MaxPooling2D(3, 2, padding="same")(x)

    def doubled(self, x: Any) -> Any:
        return self._keras.layers.UpSampling2D(2, interpolation="bilinear")(x)

    def _is_frozen(self, block: int | None) -> bool:
        return self._frozen and block is not None and block <= LAYERS.frozen_through

    def _normed(self, layer: Any, x: Any, linear: bool, *, trains: bool) -> Any:
        layer.trainable = layer.trainable and trains
        norm = self._keras.layers.BatchNormalization()
        norm.trainable = trains
        x = norm(layer(x))
        return x if linear else self._keras.layers.LeakyReLU(0.1)(x)


if __name__ == "__main__":
    main()
