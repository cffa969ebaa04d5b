"""Faults of the Object Detection API's commands and configs, of arguments, and of the machine:
BW7xx, BW8xx, BW9xx."""

from __future__ import annotations

import errno
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import typer
from place import Place, Plant, raised

from boxwright.backend import framework
from boxwright.bench.limits import Cost, Limits, chosen
from boxwright.console import echo
from boxwright.datasets.evaluation_set import images_of_split
from boxwright.formats.tfrecord.framing import write_record
from boxwright.io.files import write_text
from boxwright.parallel.choice import executor
from boxwright.parallel.cluster import VERSION
from boxwright.parallel.units import Crew
from boxwright.serving.names import named
from boxwright.structures.dataset import Dataset
from boxwright.structures.detections import Detections
from boxwright.studio.finish import Finish
from boxwright.studio.wire import labels_from
from boxwright.tfod.config import checked, parse_config
from boxwright.web.listening import bound
from fake_ray import FakeRay, Numbers, doubled

CONFIG = (Path(__file__).parents[1] / "tfod" / "configs" / "helmet.config").read_text("utf-8")
RATE = CONFIG[CONFIG.index("exponential_decay") : CONFIG.index("momentum_optimizer_value")]
FROM_ZERO = "manual_step_learning_rate { schedule { step: 0 learning_rate: .1 } } }\n"
PASCAL = ("create_pascal_tf_record", "--output_path=x.record", "--data_dir")
TOCO = ["--graph_def_file=g.pb", "--output_file=d.tflite", "--input_arrays=i", "--output_arrays=o"]


def strange_variable(place: Place) -> str:
    place.patch.setenv("TF_CONFIG", "{")
    return place.cli("tfod", "train", "--pipeline_config_path=a.config", "--train_dir=training")


def tfod(*words: str) -> Plant:
    return lambda place: place.cli("tfod", *words)


def config(old: str, new: str) -> Plant:
    """Check a config whose files are there, with a change."""

    def plant(place: Place) -> object:
        assert old in CONFIG
        text = CONFIG.replace(old, new, 1)
        for name in ("train", "val"):
            path = place.root / "data" / f"{name}.record"
            path.parent.mkdir(exist_ok=True)
            with path.open("wb") as file:
                write_record(file, b"an example")
        place.folder.text("data/label_map.pbtxt", "item { id: 1 name: 'helmet' }")
        place.folder.text("notes.csv", "filename,width,height")
        place.folder.text("models/model.ckpt.index", "")
        place.folder.text("models/model.ckpt.data-00000-of-00001", "")
        place.patch.chdir(place.root)
        return checked(parse_config(text))

    return raised(plant)


def pascal(place: Place, label_map: str, listed: str) -> str:
    """Write the listed photos as a record; there is one, with a cat."""
    place.folder.image("JPEGImages/a.jpg")
    place.folder.xml("Annotations/a.xml")
    place.folder.text("ImageSets/Main/train.txt", listed)
    place.folder.text("pascal_label_map.pbtxt", label_map)
    place.patch.chdir(place.root)
    return place.cli("tfod", *PASCAL, place.root)


def installation(place: Place) -> str:
    from boxwright.tfod import model_builder_test

    place.raise_instead(model_builder_test, "_network", ValueError("no such operator"))
    return place.cli("tfod", "model_builder_test")


def toco(*words: str) -> Plant:
    """Convert a graph with TensorFlow faked: it reads any file, and converts none."""

    def plant(place: Place) -> str:
        from boxwright.tfod import toco

        nodes = [SimpleNamespace(name=name, op="Relu") for name in "io"]
        graph = SimpleNamespace(node=nodes, ParseFromString=lambda content: None)
        v1 = SimpleNamespace(GraphDef=lambda: graph)
        tf = SimpleNamespace(compat=SimpleNamespace(v1=v1), float32=None, uint8=None)
        place.patch.setattr(toco.framework, "tensorflow", lambda: tf)
        place.folder.text("g.pb", "")
        place.patch.chdir(place.root)
        return place.cli("tfod", "toco", *TOCO, *words)

    return plant


def other_optimizer(place: Place) -> object:
    from boxwright.tfod.mapping.start import _check_optimizer

    recipe: Any = SimpleNamespace(optimizer=SimpleNamespace(slots={"Adam": 0.0}))
    return _check_optimizer(recipe, {}, place.root / "model.ckpt-7")


def doctored(place: Place) -> str:
    place.folder.text("p.config", CONFIG.replace("num_layers: 6", "num_layers: 7", 1))
    place.patch.chdir(place.root)
    return place.cli("tfod", "doctor", "p.config")


def without_pandas(place: Place) -> object:
    place.patch.setitem(sys.modules, "pandas", None)
    return Detections([], [], [], ("cat",)).to_pandas()


def refused(number: int) -> Plant:
    """The system refuses to write a file."""

    def plant(place: Place) -> object:
        place.raise_instead(Path, "write_text", OSError(number, "no"))
        return write_text(place.root / "a.txt", "text")

    return raised(plant)


class Waiting:
    """A child that tells nothing until it is closed."""

    def __init__(self, request: object) -> None:
        self._closed = Event()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        self._closed.wait()
        return iter(())

    def close(self) -> None:
        self._closed.set()


def two_steps(place: Place) -> object:
    with closing(Finish(place.root, lambda name, event: None, start=Waiting)) as finish:
        finish.train("1m")
        return finish.train("1m")


def nothing_printed(place: Place) -> object:
    place.raise_instead(typer, "echo", OSError(errno.ENOSPC, "no"))
    return echo("text")


def unforeseen(place: Place) -> str:
    from boxwright.datasets import check

    place.patch.setattr(tempfile, "tempdir", str(place.root))
    place.raise_instead(check, "run_checks", ZeroDivisionError("division by zero"))
    return place.cli("check", place.root)


def with_ray(place: Place, on: str) -> None:
    """Work on a cluster whose machine does not see the images, and which answers nowhere else."""
    fake = FakeRay()
    fake.seen["1"] = lambda paths: (VERSION, [None])
    place.patch.setattr(framework, "ray", lambda: fake)
    with executor(on) as chosen:
        list(Crew(chosen).run(Numbers, 9, doubled))


PLANTS: dict[str, Plant] = {
    "BW701": tfod("create_pascal_record"),
    "BW702": tfod("xml_to_csv", "--inptu=x"),
    "BW703": tfod("xml_to_csv"),
    "BW704": tfod("create_pet_tf_record", "--data_dir=x", "--output_dir=y", "--num_shards=ten"),
    "BW705": lambda place: place.cli("tfod", "xml_to_csv", "-i", place.root, "-o", "l.csv"),
    "BW706": lambda place: pascal(place, "item { id: 1 name: 'Cat' }", "a\n"),
    "BW707": installation,
    "BW708": toco("--inference_type=QUANTIZED_UINT8", "--mean_values=128", "--std_dev_values=128"),
    "BW709": toco(),
    "BW710": tfod(
        *["export_inference_graph", "--pipeline_config_path=p", "--output_directory=o"],
        *["--trained_checkpoint_prefix=m", "--input_shape=1,9,9,3", "--input_type=tf_example"],
    ),
    "BW711": lambda place: pascal(place, "item { id: 1 name: 'cat' }", "a\nb\n"),
    "BW721": config("num_classes: 1", "num_classes"),
    "BW722": config("activation: RELU_6", "activation: RELU6"),
    "BW723": config("num_classes: 1", ""),
    "BW724": config("width: 300", "width: 400"),
    "BW725": config('"data/train.record"', '"PATH_TO_BE_CONFIGURED/train.record"'),
    "BW726": config('"data/train.record"', '"data/train.recrod"'),
    "BW727": config("num_classes: 1", "num_classes: 90"),
    "BW728": config('"models/model.ckpt"', '"models/model.chpt"'),
    "BW729": config(RATE, FROM_ZERO),
    "BW730": config('"data/train.record"', '"notes.csv"'),
    "BW731": tfod("sample_config", "ssd_mobilnet_v1_coco"),
    "BW732": raised(other_optimizer),
    "BW733": config("max_evals: 10", "num_examples: 71"),
    "BW740": doctored,
    "BW801": lambda place: place.cli("train", place.root, "--budget", "soon"),
    "BW802": lambda place: place.cli("train", place.root, "--deterministic"),
    "BW803": raised(lambda place: images_of_split(Dataset.of(place.root, []), "tests")),
    "BW804": lambda place: place.cli("check", place.root, "--html", place.root),
    "BW805": raised(lambda place: Limits("quick")),
    "BW806": raised(
        lambda place: chosen("1", None, None, None, print, lambda *measured: Cost(9.0, 5.0))
    ),
    "BW807": lambda place: place.cli("evaluate", place.root, "--aim", "best"),
    "BW808": raised(lambda place: labels_from({"boxes": [{"box": [1, 2, 3]}]}, "")),
    "BW809": raised(two_steps),
    "BW810": raised(lambda place: named(["one/d.onnx", "other/d.onnx"])),
    "BW815": raised(lambda place: with_ray(place, "ray=nowhere")),
    "BW901": raised(without_pandas),
    "BW902": refused(errno.ENOSPC),
    "BW903": refused(errno.EACCES),
    "BW904": raised(nothing_printed),
    "BW905": raised(lambda place: bound("192.0.2.1", 0)),  # an address of documentation
    "BW906": raised(lambda place: with_ray(place, "ray")),
    "BW907": strange_variable,
    "BW999": unforeseen,
}
