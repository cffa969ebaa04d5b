"""A model's folder of Triton: ONNX Runtime runs its network with exactly what its config says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray

from boxwright.export.export import destination
from boxwright.inference.detector import Detector
from boxwright.inference.inspection import inspect
from boxwright.io.protobuf_text import Message, parse
from exporting import assert_same, copied

# From Triton's table of data types.
DTYPES = {"TYPE_UINT8": np.uint8, "TYPE_INT32": np.int32, "TYPE_FP32": np.float32}


@pytest.fixture
def folder(tiny_file: Callable[..., Path]) -> Path:
    return tiny_file("triton")


def config_of(folder: Path) -> Message:
    return parse((folder / "config.pbtxt").read_text("utf-8"), "config")


def values(message: Message, name: str) -> list[str]:
    return [field.value.text for field in message.named(name)]  # type: ignore[union-attr]


def tensors(config: Message, name: str) -> dict[str, Message]:
    """The inputs or outputs of a config by name."""
    messages = [field.value for field in config.named(name)]
    return {values(each, "name")[0]: each for each in messages if isinstance(each, Message)}


def shape(tensor: Message, batch: int) -> tuple[int, ...]:
    return (batch, *map(int, values(tensor, "dims")))


def dtype(tensor: Message) -> Any:
    (name,) = values(tensor, "data_type")
    return DTYPES[name]


def as_triton(folder: Path, images: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """What Triton answers to a request, by the config alone."""
    config = config_of(folder)
    assert values(config, "backend") == ["onnxruntime"]
    ((name, source),) = tensors(config, "input").items()
    assert images.shape == shape(source, len(images))
    assert images.dtype == dtype(source)
    outputs = tensors(config, "output")
    session = onnxruntime.InferenceSession((folder / "1" / "model.onnx").read_bytes())
    found = session.run(list(outputs), {name: images})
    answer = {}
    for (output, said), array in zip(outputs.items(), found, strict=True):
        assert array.dtype == dtype(said)
        if said.named("reshape"):  # an empty shape, besides the batch
            assert array.shape == (len(images),)
            array = array.reshape(shape(said, len(images)))
        assert array.shape == shape(said, len(images))
        answer[output] = array
    return answer


@pytest.mark.parametrize("batch", [1, 3, 16])
def test_its_network_runs_as_the_config_says(
    batch: int, folder: Path, random_inputs: NDArray[np.uint8], tiny_detector: Callable[..., Any]
) -> None:
    images = np.resize(random_inputs, (batch, *random_inputs.shape[1:]))
    assert int(values(config_of(folder), "max_batch_size")[0]) >= batch
    answer = as_triton(folder, images)
    counts = answer["num_detections"][:, 0]
    found = [
        tuple(answer[f"detection_{name}"][i][:n] for name in ("boxes", "scores", "classes"))
        for i, n in enumerate(counts)
    ]
    assert counts.min() > 0
    assert_same(tiny_detector(3).detector.engine(images), found)  # type: ignore[arg-type]


def test_it_is_laid_out_as_a_model_of_a_repository(folder: Path) -> None:
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"config.pbtxt", "labels.txt", "1/model.onnx"}
    names = (folder / "labels.txt").read_text("utf-8").splitlines()
    assert names == list(Detector.load(folder).classes)
    assert config_of(folder).named("name") == [], "so that the folder may be renamed"


def test_it_is_described_and_run_like_its_onnx_file(
    folder: Path, random_inputs: NDArray[np.uint8]
) -> None:
    network = folder / "1" / "model.onnx"
    described, inside = inspect(folder), inspect(network)
    assert described.kind == "Triton model"
    assert described.contract == inside.contract
    assert described.artifact == inside.artifact
    found = Detector.load(folder).engine(random_inputs)
    assert_same(found, Detector.load(network).engine(random_inputs))


def test_another_export_replaces_it_and_nothing_else(folder: Path, written: Path) -> None:
    run = written / "run"
    assert destination(run, "triton", None) == run / "triton" / "detector"
    own = copied(folder, written)
    assert destination(run, "triton", own) == own
    (own / "2").mkdir()
    assert destination(run, "triton", own) == own / "detector", "that version is not ours"
