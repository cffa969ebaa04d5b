"""What toco and tflite_convert ask for before TensorFlow is imported."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from data_commands import code_of

from boxwright.tfod import toco
from boxwright.tfod.flags import parse

pytestmark = pytest.mark.tiny

GRAPH = ["--graph_def_file=g.pb", "--input_arrays=i", "--output_arrays=o"]
BYTES = ["--inference_type=QUANTIZED_UINT8", "--mean_values=128", "--std_values=128"]
RANGES = ["--default_ranges_min=0", "--default_ranges_max=6"]


def flags(*words: str) -> toco.Flags:
    return parse(toco.Flags, ["--output_file=d.tflite", *words]).flags


@pytest.mark.parametrize("ranges", [[], RANGES])
def test_ranges_that_are_made_up_replace_none_of_a_graph(ranges: list[str]) -> None:
    """With them TensorFlow's converter does not end."""
    graph = SimpleNamespace(node=[SimpleNamespace(name=name, op="Relu") for name in "io"])
    asked = flags(*GRAPH, *BYTES, *ranges)
    assert code_of(lambda: toco._check(asked, Path("g.pb"), graph)) == "BW708"


def test_ranges_of_a_graph_are_enough() -> None:
    names = {"i": "Placeholder", "o": "FakeQuantWithMinMaxVars"}
    graph = SimpleNamespace(node=[SimpleNamespace(name=n, op=op) for n, op in names.items()])
    toco._check(flags(*GRAPH, *BYTES), Path("g.pb"), graph)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], "BW703"),
        (["--graph_def_file=g.pb", "--input_arrays=i"], "BW703"),
        ([*GRAPH, "--saved_model_dir=s"], "BW710"),
    ],
)
def test_one_graph_with_all_that_it_needs(words: list[str], code: str) -> None:
    assert code_of(lambda: toco._source(flags(*words))) == code


def test_a_saved_model_is_a_folder_with_its_file_and_has_no_ranges(tmp_path: Path) -> None:
    asked = flags(f"--saved_model_dir={tmp_path}", *BYTES)
    assert toco._source(asked) == tmp_path
    assert code_of(lambda: toco._check_saved(asked, tmp_path)) == "BW705"
    (tmp_path / "saved_model.pb").touch()
    assert code_of(lambda: toco._check_saved(asked, tmp_path)) == "BW708"
