"""Faults of weights and of training: BW2xx and BW3xx."""

from __future__ import annotations

import importlib
import tempfile
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from place import Place, Plant, raised

from boxwright.backend import framework
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run
from boxwright.io.download import SomethingElseError, UnreachableError
from boxwright.models.model import DetectionModel
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.training.checkpoint import Checkpoint
from boxwright.training.data import check_same
from boxwright.training.placement import Placement
from boxwright.training.processes import Cluster, Processes, ended
from boxwright.training.resources import Resources
from boxwright.training.run_folder import check_options, checkpoint_of, only_training
from boxwright.training.sanity_checks import SUSTAINED, LossWatch, check_loss, check_trainable


class Alien(DetectionModel):
    """A family without pretrained weights."""

    family = "alien"


def weights(name: str) -> Plant:
    def plant(place: Place) -> object:
        from boxwright.models.weights.loading import read_pretrained

        (place.root / name).write_bytes(b"x")
        return read_pretrained(place.root / name)

    return raised(plant)


def fetching(error: Exception) -> Plant:
    def plant(place: Place) -> str:
        from boxwright.models.weights import zoo

        place.patch.setenv("BOXWRIGHT_CACHE", str(place.root))
        place.raise_instead(zoo, "download", error)
        return place.cli("models", "--fetch", "ssd_mobilenet_v1_coco")

    return plant


def resuming(place: Place) -> object:
    from boxwright.tfod import checkpoint

    variable = SimpleNamespace(shape=(3, 3))
    place.patch.setattr(checkpoint, "read_variables", lambda path: {})
    place.patch.setattr(checkpoint, "variables_by_name", lambda model: {"a/weights": variable})
    place.patch.setattr(checkpoint, "is_range", lambda variable: False)
    place.patch.setattr(checkpoint, "find_prefix", lambda path: path)
    return checkpoint.resume(SimpleNamespace(name="ssd_mobilenet_v1"), place.root / "model.ckpt-7")


def run_of(place: Place, **recipe: object) -> Run:
    """A run that has begun, with nothing but its description."""
    artifact = Artifact(
        {}, ("cat",), Preprocessing(300), provenance={"recipe": recipe, "weights": None}
    )
    (place.root / "run.json").write_text(artifact.to_text(), encoding="utf-8")
    return Run(place.root)


def checkpoint(fraction: float = 0.5) -> Checkpoint:
    numbers: dict[str, Any] = dict.fromkeys(Checkpoint.__dataclass_fields__, 0)
    numbers |= {"fraction": fraction, "fingerprint": "the photos' of then", "arrays": {}}
    return Checkpoint(**numbers)


def other_framework(place: Place) -> object:
    step = importlib.import_module("boxwright.training.step")
    place.patch.setattr(step.framework, "engine", lambda: "torch")
    return step.engine_module()


def twice(place: Place) -> None:
    with only_training(Run(place.root)), only_training(Run(place.root)):
        raise AssertionError("two trainings in one folder")


def without_room(place: Place) -> object:
    from boxwright.training.cache import build_cache

    place.raise_instead(tempfile, "TemporaryFile", OSError(28, "No space left on device"))
    unlabeled = Dataset.of(place.root, [LabeledImage("a.jpg", 64, 48)])
    return build_cache(unlabeled, side=8, in_memory=0)


def demo(trained: float, control: float) -> Plant:
    def plant(_: Place) -> None:
        from boxwright.demo.run import Result

        nothing: dict[str, Any] = dict.fromkeys(Result.__dataclass_fields__)
        nothing["trained"] = SimpleNamespace(ap50=trained)
        nothing["by_color"] = nothing["by_position"] = SimpleNamespace(ap50=control)
        Result(**nothing).check()

    return raised(plant)


def exploding(_: Place) -> None:
    watch = LossWatch()
    for total in (7.0, *[1e13] * SUSTAINED):
        watch.check(SimpleNamespace(total=total), 9, 80.0)  # type: ignore[arg-type]


NAN = SimpleNamespace(total=np.nan, classes=np.nan, boxes=0.0)


def fake_jax(place: Place, **functions: Any) -> None:
    place.patch.setattr(framework, "jax", lambda: SimpleNamespace(**functions))


def too_many_devices(place: Place) -> object:
    one = SimpleNamespace(process_index=0)
    fake_jax(place, devices=lambda: [one])
    return Placement(Resources(4), batch_size=8)


def other_data(place: Place) -> None:
    here = Dataset.of(place.root, [])
    there = Dataset.of(place.root, [LabeledImage("a.jpg", 64, 48)])
    both = [np.frombuffer(each.fingerprint().encode(), np.uint8) for each in (here, there)]

    class Two(Processes):
        def gather(self, values: NDArray[np.uint8]) -> NDArray[np.uint8]:
            return np.stack(both)

    check_same(here, Two(0, 2))


def killed(_: Place) -> None:
    raise ended("the one that is watched here: signal 9")


def not_connected(place: Place) -> None:
    def initialize(*_: Any, **__: Any) -> None:
        raise RuntimeError("DEADLINE_EXCEEDED: Barrier timed out.")

    fake_jax(place, distributed=SimpleNamespace(initialize=initialize))
    with Cluster("10.0.0.5:7000", 2, 0).joined():
        pass


PLANTS: dict[str, Plant] = {
    "BW201": lambda place: place.cli("models", "--fetch", "ssd_mobilnet_v1_coco"),
    "BW202": weights("model.pb"),
    "BW203": fetching(UnreachableError("there is no network")),
    "BW204": fetching(SomethingElseError("a login page")),
    "BW205": weights("model.ckpt.index"),
    "BW206": raised(resuming),
    "BW207": raised(lambda place: Alien.read_pretrained(place.root)),
    "BW301": raised(lambda place: check_trainable(Dataset.of(place.root, []))),
    "BW302": raised(lambda p: check_trainable(Dataset.of(p.root, [LabeledImage("a.jpg", 64, 48)]))),
    "BW303": raised(lambda _: check_loss(NAN, 3, ["a.jpg"])),  # type: ignore[arg-type]
    "BW304": raised(lambda place: checkpoint_of(run_of(place), resume=False)),
    "BW305": raised(lambda place: checkpoint_of(Run(place.root), resume=True)),
    "BW306": raised(lambda place: checkpoint().check_data("another", place.root)),
    "BW307": raised(lambda _: checkpoint(fraction=1.0).remaining_recipe(None, None)),
    "BW308": raised(other_framework),
    "BW309": raised(twice),
    "BW310": raised(lambda place: check_options(run_of(place, seed=1), {"--seed": 2})),
    "BW311": raised(without_room),
    "BW312": lambda place: place.cli("train", place.root, "--set", "learning_rate.peek=1e-3"),
    "BW313": lambda place: place.cli("train", place.root, "--set", "batch_size=many"),
    "BW314": raised(exploding),
    "BW315": raised(lambda _: Resources.of(2, None, None, None)),
    "BW316": raised(too_many_devices),
    "BW317": raised(other_data),
    "BW318": raised(killed),
    "BW319": raised(not_connected),
    "BW391": demo(trained=0.2, control=0.0),
    "BW392": demo(trained=0.95, control=0.9),
}
