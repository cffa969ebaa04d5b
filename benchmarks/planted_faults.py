"""Faults in labels, images, runs and files, planted for `benchmarks/diagnose.py`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import boxwright
from boxwright.diagnosis.moves import FIXED, labels_before, scale, shift_by_sizes
from boxwright.export.calibrate import Calibration
from boxwright.export.conversion import Quantization
from boxwright.export.targets import TARGETS
from boxwright.inference.file_kinds import remember
from boxwright.inference.run import Run
from boxwright.structures.dataset import Dataset, Split

FOLDERS = {"raccoon": "raccoon", "bccd": "bccd/BCCD", "hardhat": "hardhat"}
HEALTHY, FAULTY = 100, 60  # steps
FAST = {"learning_rate.peak": 0.1}
MOVES = {move.cause: move for move in FIXED}


@dataclass(frozen=True)
class Place:
    """Where faults are planted.

    Attributes:
        shared: the real datasets.
        work: what is written.
        data: the name of the dataset.
        fault: the name of the fault.
    """

    shared: Path
    work: Path
    data: str
    fault: str

    @property
    def dataset(self) -> Dataset:
        return boxwright.load(self.shared / FOLDERS[self.data])

    @property
    def folder(self) -> Path:
        return self.work / self.fault.replace(" ", "-")

    def run(self) -> Path:
        """The healthy run."""
        return self.trained(self.shared / FOLDERS[self.data], self.work / self.data, HEALTHY)

    def trained(self, data: Path, out: Path, steps: int = FAULTY, **options: Any) -> Path:
        if not (out / "run.json").exists():
            shutil.rmtree(out, ignore_errors=True)
            boxwright.train(data, out=out, steps=steps, **options)
        return out

    def copy(self) -> Run:
        """A copy of the healthy run, to be changed."""
        run = self.run()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for name in ("run.json", "best.weights.h5"):
            shutil.copy(run / name, self.folder / name)
        remember(self.folder)
        return Run(self.folder)

    def written(self, dataset: Dataset, images: Callable[[Image.Image], Any] | None = None) -> Path:
        """A dataset in files, with changed images."""
        target = self.folder / "data"
        shutil.rmtree(target, ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        boxwright.write(dataset, target, "voc")
        for path in target.rglob("*") if images else ():
            if path.suffix in {".jpg", ".png"}:
                with Image.open(path) as picture:
                    changed = images(picture.convert("RGB"))
                changed.save(path, quality=95) if path.suffix == ".jpg" else changed.save(path)
        return target


Planted = tuple[Path, Any]
Plant = Callable[[Place], Planted]


# ---- Labels --------------------------------------------------------------------------------------


def moved(dataset: Dataset, move: Any) -> Dataset:
    """All boxes moved."""
    opposite = move._replace(change=move.undo, undo=move.change)
    sizes = dataset.sizes[dataset.image_of_box].astype(np.float32)
    boxes = labels_before(opposite, dataset) * np.tile(sizes, 2)
    sides = boxes[:, 2:] - boxes[:, :2]
    return replace(dataset, boxes=boxes.astype(np.float32)).keep_boxes((sides > 1).all(axis=1))


def of_next(dataset: Dataset) -> Dataset:
    """Every image has the labels of the next."""
    order = np.argsort(dataset.names)
    theirs = dataset.select(np.roll(order, -1))
    own = dataset.select(order)
    limit = np.tile(own.sizes, 2)[theirs.image_of_box]
    boxes = np.minimum(theirs.boxes, limit).astype(np.float32)
    changed = replace(
        theirs,
        names=own.names,
        sizes=own.sizes,
        splits=own.splits,
        boxes=boxes,
        byte_ranges=own.byte_ranges,
    )
    sides = boxes[:, 2:] - boxes[:, :2]
    return changed.keep_boxes((sides > 1).all(axis=1))


def same(dataset: Dataset) -> Dataset:
    return dataset


def swapped(dataset: Dataset) -> Dataset:
    return moved(dataset, MOVES["x and y are swapped"])


def flipped(dataset: Dataset) -> Dataset:
    return moved(dataset, MOVES["left and right are swapped"])


def read_as_size(dataset: Dataset) -> Dataset:
    return moved(dataset, MOVES["the far corner was read as width and height"])


def to_the_right(dataset: Dataset) -> Dataset:
    return moved(dataset, shift_by_sizes(0.4, 0.0))


def half_size(dataset: Dataset) -> Dataset:
    return moved(dataset, scale(0.5, 0.5))


def relabeled(dataset: Dataset) -> Dataset:
    """Every class has the name of the next."""
    return replace(dataset, labels=(dataset.labels + 1) % len(dataset.classes))


def renamed(dataset: Dataset) -> Dataset:
    return replace(dataset, classes=tuple(f"{name} in Latin" for name in dataset.classes))


def dropped(dataset: Dataset) -> Dataset:
    """Half of the boxes are not labeled."""
    keep = np.random.default_rng(0).random(len(dataset.boxes)) < 0.5
    return dataset.keep_boxes(keep)


def labels(change: Callable[[Dataset], Dataset]) -> Plant:
    """The healthy run on data with changed labels."""
    return lambda place: (place.run(), place.written(change(place.dataset)))


def learned(change: Callable[[Dataset], Dataset], **options: Any) -> Plant:
    """A run that was trained on data with changed labels."""

    def plant(place: Place) -> Planted:
        run = place.folder / "run"
        data = place.folder / "data"
        if not (run / "run.json").exists():
            data = place.written(change(place.dataset))
        return place.trained(data, run, **options), ()

    return plant


# ---- Images --------------------------------------------------------------------------------------


def images(change: Callable[[Image.Image], Image.Image]) -> Plant:
    return lambda place: (place.run(), place.written(place.dataset, change))


def bgr(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(picture)[:, :, ::-1].copy())


def night(picture: Image.Image) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, 6, (picture.height, picture.width, 3))
    return Image.fromarray(np.clip(np.asarray(picture) * 0.12 + noise, 0, 255).astype(np.uint8))


def turned(place: Place) -> Planted:
    data = place.dataset
    height = data.sizes[data.image_of_box, 1].astype(np.float32)
    a, b, c, d = data.boxes.T
    boxes = np.stack([height - d, a, height - b, c], axis=1)
    changed = replace(data, boxes=boxes.astype(np.float32), sizes=data.sizes[:, ::-1].copy())
    target = place.written(data)
    shutil.rmtree(target)
    root = place.folder / "turned"
    for name in data.names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        with Image.open(data.root / name) as picture:
            picture.convert("RGB").transpose(Image.Transpose.ROTATE_270).save(root / name)
    boxwright.write(replace(changed, root=root), target, "voc")
    return place.run(), target


def tiny(place: Place) -> Planted:
    """Objects an eighth as large, in the corner of a large image."""
    data = place.dataset
    root, target = place.folder / "tiny", place.folder / "data"
    shutil.rmtree(place.folder, ignore_errors=True)
    some = data.split(Split.TEST) if (data.splits == Split.TEST).any() else data.split(Split.VAL)
    for name, (width, height) in zip(some.names, some.sizes.tolist(), strict=True):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        canvas = Image.new("RGB", (width, height), (120, 120, 120))
        with Image.open(some.root / name) as picture:
            canvas.paste(picture.convert("RGB").resize((width // 8, height // 8)), (0, 0))
        canvas.save(root / name)
    boxes = (some.boxes / 8).astype(np.float32)
    boxwright.write(replace(some, root=root, boxes=boxes), target, "voc")
    return place.run(), target


def other_domain(place: Place) -> Planted:
    """Photographs for a detector of blood cells."""
    data = boxwright.load(place.shared / FOLDERS["raccoon"])
    own = place.dataset
    return place.run(), place.written(replace(data, classes=(own.classes[0],)))


# ---- Runs ----------------------------------------------------------------------------------------


def described(change: Callable[[dict[str, Any]], None]) -> Plant:
    """A run with a changed run.json."""

    def plant(place: Place) -> Planted:
        run = place.copy()
        said = json.loads(run.description.read_text("utf-8"))
        change(said)
        run.description.write_text(json.dumps(said), "utf-8")
        return run.folder, ()

    return plant


def weights(change: Callable[[Any], None]) -> Plant:
    """A run with changed weights."""

    def plant(place: Place) -> Planted:
        run = place.copy()
        model = run.build_model()
        change(model.network)
        run.save(run.artifact, model)
        remember(run.folder)
        return run.folder, ()

    return plant


def not_a_number(network: Any) -> None:
    kernel = next(layer for layer in network.layers[8:] if hasattr(layer, "kernel")).kernel
    values = kernel.numpy()
    values.ravel()[0] = np.nan
    kernel.assign(values)


def half_random(network: Any) -> None:
    random = np.random.default_rng(0)
    for layer in [each for each in network.layers if hasattr(each, "kernel")][::2]:
        values = layer.kernel.numpy()
        layer.kernel.assign(random.normal(0, values.std(), values.shape))


def swapped_input(network: Any) -> None:
    first = next(layer for layer in network.layers if hasattr(layer, "kernel"))
    first.kernel.assign(first.kernel.numpy()[:, :, ::-1])


# ---- Files ---------------------------------------------------------------------------------------


def file_of(
    place: Place, change: Callable[[Any, Any], tuple[Any, Any]], how: Any = None
) -> Planted:
    """A .tflite beside its run, written from a changed network or description."""
    run = place.copy()
    model, artifact = change(run.build_model(), run.artifact)
    target = run.folder / "detector.tflite"
    TARGETS["tflite"].write(target, model, artifact, *([how] if how else []))
    remember(target)
    return target, place.shared / FOLDERS[place.data]


def one_image(place: Place) -> Planted:
    preprocessing = Run(place.run()).artifact.preprocessing
    calibration = Calibration.of(place.dataset, preprocessing)
    single = Calibration(np.zeros_like(calibration.inputs[:1]) + 128, preprocessing)
    target, data = file_of(place, lambda *same: same, Quantization("int8", single))
    return target, data


def alone(planted: Planted) -> Planted:
    """The file without its run."""
    path, data = planted
    target = path.parent.with_name(path.parent.name + "-file") / path.name
    shutil.rmtree(target.parent, ignore_errors=True)
    target.parent.mkdir()
    shutil.copy(path, target)
    remember(target)
    return target, data


def first_kernel(model: Any, artifact: Any) -> tuple[Any, Any]:
    swapped_input(model.network)
    return model, artifact


def from_zero(model: Any, artifact: Any) -> tuple[Any, Any]:
    made = replace(artifact.preprocessing, scale=1 / 255, offset=0.0)
    return model, replace(artifact, preprocessing=made)


def reversed_names(model: Any, artifact: Any) -> tuple[Any, Any]:
    return model, replace(artifact, classes=artifact.classes[::-1])


def older(place: Place) -> Planted:
    """A file of a run that was trained again meanwhile."""
    run = place.copy()
    before = place.trained(place.shared / FOLDERS[place.data], place.folder / "b", 20, seed=3)
    target = run.folder / "detector.tflite"
    shutil.copy(boxwright.export(before, accept_loss=True).path, target)
    remember(target)
    return target, place.shared / FOLDERS[place.data]


def apart(change: Callable[[Any, Any], tuple[Any, Any]]) -> Plant:
    return lambda place: alone(file_of(place, change))


def named(*names: str) -> Plant:
    """A file with names that are given wrongly."""

    def plant(place: Place) -> Planted:
        target, data = alone(file_of(place, lambda *same: same))
        return target, {"data": data, "labels": names}

    return plant


def scaled(said: dict[str, Any]) -> None:
    said["preprocessing"] |= {"scale": 1 / 255, "offset": 0.0}


def threshold(said: dict[str, Any]) -> None:
    said["threshold"] = 0.99


def other_order(said: dict[str, Any]) -> None:
    said["classes"] = said["classes"][::-1]


def other_size(said: dict[str, Any]) -> None:
    said["preprocessing"]["size"] += 64
