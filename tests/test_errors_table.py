"""Every row of reference/object-detection-api-errors.md: the fault is planted, and what follows."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from boxwright.codes import MEANINGS
from boxwright.datasets.check import run_checks
from boxwright.errors import BoxwrightError
from boxwright.models.ssd.reach import REACH
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.labels import label_map_text, parse_label_map
from folders import CAT, VocFolder

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "reference" / "object-detection-api-errors.md"
ROW = re.compile(r"^\| (?!what is printed|---)(.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
ROWS = {said.strip("`"): here for said, _, here in ROW.findall(PAGE.read_text(encoding="utf-8"))}


def found(folder: VocFolder) -> set[str]:
    return {finding.code for finding in run_checks(folder.root, reach=REACH).findings}


def raised(call: Callable[[], object]) -> str:
    with pytest.raises(BoxwrightError) as caught:
        call()
    return caught.value.code


def not_a_number(folder: VocFolder) -> set[str]:
    from boxwright.models.model import Loss
    from boxwright.training.sanity_checks import check_loss

    folder.pair("a", [("cat", -9, 4, 30, 99), ("cat", 40, 30, 8, 6), ("cat", 9, 9, 9, 20)])
    codes = found(folder) & {"BW103", "BW105", "BW106"}
    nan = Loss(total=float("nan"), classes=float("nan"), boxes=0.0)
    return codes | {raised(lambda: check_loss(nan, 3, ["a.jpg"]))}


def no_ground_truth(folder: VocFolder) -> set[str]:
    for i in range(12):
        folder.pair(f"train/{i}")
    folder.pair("train/a", [("Cat", *CAT[1:]), ("raccoon", 30, 2, 60, 40)])
    folder.pair("test/b", [("dog", *CAT[1:])])
    for i in range(12):
        folder.pair(f"train/r{i}", [("raccoon", *CAT[1:])])
    folder.pair("train/c", [("racoon", *CAT[1:])])
    folder.text("label_map.pbtxt", "item { id: 1 name: 'CAT' }")
    unused = Dataset.of("zoo", [LabeledImage("a.jpg", 9, 9)], ["cat"])
    from boxwright.datasets.repair import repair

    assert [finding.code for finding in repair(unused).findings] == ["BW128"]
    return found(folder) & {"BW107", "BW116", "BW127", "BW128", "BW129"}


def background(folder: VocFolder) -> set[str]:
    folder.pair("a")
    folder.text("label_map.pbtxt", "item { id: 0 name: 'cat' }")
    report = run_checks(folder.root)
    assert report.repaired.classes == ("cat",)
    assert parse_label_map(label_map_text(report.repaired.classes)) == {1: "cat"}
    return {finding.code for finding in report.findings} & {"BW116"}


def first_step(folder: VocFolder) -> set[str]:
    from boxwright.tfod.config import checked, parse_config
    from boxwright.training.learning_rates import BudgetCosine

    rate = BudgetCosine()
    assert min(rate.at(step, step / 1000) for step in range(1000)) > 0
    schedule = "manual_step_learning_rate { schedule { step: 0 learning_rate: 0.1 } }"
    published = (ROOT / "tests/tfod/configs/quantized.config").read_text(encoding="utf-8")
    config, changed = re.subn(r"cosine_decay_learning_rate \{[^}]*\}", schedule, published)
    assert changed == 1
    return {raised(lambda: checked(parse_config(config)))} & {"BW729"}


def weights(folder: VocFolder) -> set[str]:
    from boxwright.models.weights.loading import read_pretrained
    from boxwright.tfod.config.paths import checkpoint

    part = folder.root / "model.ckpt.data-00000-of-00001"
    other = folder.root / "model.tflite"
    nowhere = folder.root / "model.ckpt"
    for path in (part, other):
        path.write_bytes(bytes(999))
    given = {raised(lambda path=path: read_pretrained(path)) for path in (part, other, nowhere)}
    in_config = {
        raised(lambda path=path: checkpoint(str(path), "pipeline.config:99"))
        for path in (part, other, nowhere)
    }
    return given | in_config


def no_variables(folder: VocFolder) -> set[str]:
    from boxwright.models.weights.loading import read_pretrained

    shared = Path(__file__).resolve().parents[2] / "shared" / "weights"
    if not shared.is_dir():
        pytest.skip("the folder ../shared with weights is not here")
    pretrained = read_pretrained(shared / "ssd_mobilenet_v1_coco_quant.tflite")
    assert len(pretrained.layers) > 40
    return set()


def pickled(folder: VocFolder) -> set[str]:
    folder.pair("a")
    classes = run_checks(folder.root).repaired.classes
    assert copy.deepcopy(classes) == classes
    assert type(classes) is tuple
    return set()


def no_path(folder: VocFolder) -> set[str]:
    command = [sys.executable, "-I", "-c", "import boxwright.datasets.check"]
    subprocess.run(command, cwd=folder.root, check=True)
    return set()


def no_pycocotools(folder: VocFolder) -> set[str]:
    from boxwright.evaluation.matching import gather, match

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pycocotools", None)
        assert match(Dataset.of("zoo", []), gather(Dataset.of("zoo", []), []))["all"] == []
    return set()


def whole_numbers(folder: VocFolder) -> set[str]:
    from pycocotools.cocoeval import Params

    assert len(Params().iouThrs) == 10
    assert len(Params().recThrs) == 101
    return set()


def erratic(folder: VocFolder) -> set[str]:
    long, small = ("cat", 2, 60, 190, 64), ("cat", 20, 20, 22, 22)
    sharp = np.random.default_rng(1).integers(0, 256, (150, 200, 3), np.uint8)
    blurred = Image.fromarray(sharp[:15, :20]).resize((200, 150), Image.Resampling.BICUBIC)
    images = {
        "blurred": blurred.filter(ImageFilter.GaussianBlur(5)),
        "dark": Image.fromarray(sharp // 20),
        "tiny": Image.fromarray(sharp[:60, :80]),
    }
    for name, image in images.items():
        image.save(folder.root / f"{name}.png")
        folder.xml(f"{name}.xml", [long, small], filename=f"{name}.png", size=image.size)
    return found(folder) & {"BW132", "BW133", "BW135", "BW136", "BW137", "BW138"}


CASES: dict[str, Callable[[VocFolder], set[str]]] = {
    "LossTensor is inf or nan. : Tensor had NaN values": not_a_number,
    "The following classes have no ground truth examples": no_ground_truth,
    "ValueError: Label map id 0 is reserved for the background label": background,
    "ValueError: First step cannot be zero.": first_step,
    "DataLossError: Unable to open table file model.ckpt.data-00000-of-00001": weights,
    "ValueError: No variables to save": no_variables,
    "TypeError: can't pickle dict_values objects": pickled,
    "ModuleNotFoundError: No module named 'nets'": no_path,
    "ModuleNotFoundError: No module named 'pycocotools'": no_pycocotools,
    "TypeError: object of type <class 'numpy.float64'> cannot be safely interpreted as an "
    "integer.": whole_numbers,
    "mean average precision and total loss are erratic": erratic,
}


@pytest.mark.tiny
def test_every_row_has_a_case() -> None:
    assert ROWS.keys() == CASES.keys()


@pytest.mark.tiny
@pytest.mark.parametrize("said", ROWS)
def test_a_row_names_codes_or_says_that_it_cannot_happen(said: str) -> None:
    codes = re.findall(r"BW\d{3}", ROWS[said])
    assert bool(codes) != ROWS[said].startswith("cannot happen: ")
    assert set(codes) <= MEANINGS.keys()


@pytest.mark.parametrize("said", CASES)
def test_the_fault_is_what_the_row_says(said: str, voc_folder: VocFolder) -> None:
    assert CASES[said](voc_folder) == set(re.findall(r"BW\d{3}", ROWS[said]))
