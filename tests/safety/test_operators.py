"""A graph from a stranger only computes, or it is not loaded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from graphs import field, function, graph, saved_model

import boxwright
from boxwright.cli.main import main
from boxwright.errors import DetectorError
from boxwright.inference.detector import Detector
from boxwright.safety.limits import DefectError
from boxwright.safety.operators import ALLOWED, CHECKPOINT
from boxwright.safety.tensorflow_graph import check_frozen, check_saved_model

pytestmark = pytest.mark.tiny

OURS = Path(__file__).parents[1] / "earlier" / "files" / "run"
SIDE_EFFECTS = re.compile(
    "File|Func|Save|Restore|Checkpoint|Reader|Dataset|Print|Library|Send|Recv|Debug|Dump|Summary"
    "|Copy|Remote|Rpc|Session|Custom|Xla|Decode(Csv|Proto)|Immutable|Stage|Queue"
)
BAD = (
    *("DebugIdentity", "DebugIdentityV2", "WriteFile", "ReadFile", "PyFunc", "EagerPyFunc"),
    *("PrintV2", "MatchingFiles", "ImmutableConst", "CopyHost", "DumpTensor"),
    *("LoadAndRemapMatrix", "InitializeTableFromTextFileV2", "TFRecordDatasetV2", "Neu\u00df"),
)


def test_the_list_has_nothing_with_a_side_effect() -> None:
    harmless = {"DisableCopyOnRead", "ShardedFilename"}  # the latter only joins words
    assert [op for op in ALLOWED - harmless if SIDE_EFFECTS.search(op)] == []


@pytest.mark.parametrize("operator", BAD)
@pytest.mark.parametrize("inside", [False, True])
def test_a_graph_that_does_more_is_refused(operator: str, inside: bool, tmp_path: Path) -> None:
    body = [function("__inference_f_1", "AddV2", operator)] if inside else []
    content = graph(["Const", *([] if inside else [operator])], body)
    frozen = tmp_path / "frozen.pb"
    frozen.write_bytes(content)
    saved = saved_model(tmp_path / "saved", content)
    with pytest.raises(DetectorError, match=operator) as by_frozen:
        check_frozen(frozen)
    with pytest.raises(DetectorError, match=operator) as by_saved:
        Detector.load(saved)
    assert (by_frozen.value.code, by_saved.value.code) == ("BW512", "BW512")


SAVE = function("__inference__traced_save_1", "ShardedFilename", "SaveV2", "MergeV2Checkpoints")
RESTORE = function("__inference__traced_restore_2", "RestoreV2", "AssignVariableOp")


def test_the_functions_that_save_and_restore_pass(tmp_path: Path) -> None:
    definition = graph(["Const", "StatefulPartitionedCall"], [SAVE, RESTORE])
    check_saved_model(saved_model(tmp_path / "saved", definition, b"__inference_detect_3"))


@pytest.mark.parametrize(
    ("definition", "objects"),
    [
        (graph(["SaveV2"]), b"an object"),
        (graph(["Const"], [SAVE]), b"it names __inference__traced_save_1"),
        (graph([], [SAVE, function("g", calls="__inference__traced_save_1")]), b"an object"),
        (graph([], [RESTORE, RESTORE]), b"an object"),
        (graph([], [function("", "SaveV2")]), b"an object"),
        (graph([], [SAVE]), None),  # TensorFlow 1: the graph itself is run
        (graph([], [function("__inference__traced_save_1", "SaveV2", "ReadFile")]), b"an object"),
    ],
)
def test_saving_that_may_be_called_is_refused(
    definition: bytes, objects: bytes | None, tmp_path: Path
) -> None:
    with pytest.raises(DetectorError) as caught:
        check_saved_model(saved_model(tmp_path / "saved", definition, objects))
    assert caught.value.code == "BW512"


def test_of_two_graphs_neither_may_save(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "saved", graph([], [SAVE]))
    path = folder / "saved_model.pb"
    path.write_bytes(path.read_bytes() + field(2, field(2, graph(["Const"]))))
    with pytest.raises(DetectorError, match="MergeV2Checkpoints, SaveV2"):
        check_saved_model(folder)


@pytest.mark.parametrize(
    "content",
    [
        b"\x0a",
        b"\x0a\x05abc",
        b"\x0b\x0c",  # a group, which some readers skip
        b"\x8a\x80\x80\x80\x80\x01\x00",  # a field's number in more bytes than it may have
        b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7f",
        b"\x02\x00",
        b"\x12\x02\x08\x01",  # a number instead of a function
        b"\xff" * 20,
    ],
)
def test_bytes_that_readers_may_understand_differently_are_refused(
    content: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "frozen.pb"
    path.write_bytes(content)
    with pytest.raises(DefectError):
        check_frozen(path)


def test_files_of_boxwright_pass() -> None:
    check_frozen(OURS / "frozen_inference_graph.pb")
    check_saved_model(OURS / "saved_model")


def test_checkpoint_operators_are_no_ordinary_ones() -> None:
    assert not ALLOWED & CHECKPOINT


def test_trust_is_the_only_way_round_and_says_what_it_trusts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = saved_model(tmp_path / "saved", graph(["WriteFile"]))
    for words, code, said in (
        ([], 1, "BW512"),
        (["--trust"], 0, "trusted, although it has operators that may read or write files"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["inspect", str(saved), *words])
        assert (ended.value.code, said in capsys.readouterr().err) == (code, True)
    with pytest.raises(SystemExit):
        main(["inspect", str(OURS / "saved_model"), "--trust"])
    assert "--trust is not needed" in capsys.readouterr().err


def test_nothing_rebuilds_a_keras_model_from_a_file() -> None:
    """Weights are read into networks that Boxwright builds: no file's Lambda or class is run."""
    rebuilding = r"\w+\.(?:load_model|model_from_json|deserialize_keras_object|load_weights)\("
    found = {
        call
        for path in Path(boxwright.__file__).parent.rglob("*.py")
        for call in re.findall(rebuilding, path.read_text(encoding="utf-8"))
    }
    assert found == {"onnx.load_model(", "network.load_weights("}
