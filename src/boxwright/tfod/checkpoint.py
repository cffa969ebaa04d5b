"""Checkpoints from which both Boxwright and the Object Detection API can resume.

`model.ckpt-N.data-00000-of-00001` contains the values, `.index` their names, shapes and offsets,
and `.meta` a graph of the variables with the operations that save and restore them. The file
`checkpoint` names the latest checkpoint. TensorFlow 2's `ckpt-N` has no `.meta`, and a graph of
objects among the values (`models.weights.object_graph`).
"""

from __future__ import annotations

import errno
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import WeightsError
from boxwright.io.files import write_text, writing
from boxwright.models.layers.quantized import DECAY as RANGE_DECAY
from boxwright.models.layers.quantized import is_range
from boxwright.models.weights.checkpoint import (
    GLOBAL_STEP,
    STATE,
    find_prefix,
    listed,
    read_variables,
)
from boxwright.models.weights.object_graph import GRAPH, graph_of
from boxwright.models.weights.variables import variables_by_name
from boxwright.tfod.meta_graph import Variable, meta_graph
from boxwright.training.optimizers import Adam, Optimizer

if TYPE_CHECKING:
    from boxwright.training.session import Snapshot

KEPT = 5  # checkpoints per folder, as in the API
PREFIX, OBJECT_BASED = "model.ckpt-", "ckpt-"  # of TensorFlow 1 and 2
EXPORTED = "model.ckpt"
DATA = ".data-00000-of-00001"
NUMBERED = re.compile(r"(?:model\.)?ckpt-\d+\.(?:index|meta|data-\d+-of-\d+)$")


class Resumed(NamedTuple):
    """A checkpoint's step, and its values by name other than the network's variables: optimizer
    slots, such as `BoxPredictor_0/ClassPredictor/weights/RMSProp`, and moving averages."""

    step: int
    slots: dict[str, NDArray[Any]]


def save(
    folder: str | Path,
    model: Any,
    step: int,
    slots: Mapping[str, NDArray[Any]] | None = None,
    *,
    kept: int = KEPT,
    object_based: bool = False,
) -> Path:
    """Write `model.ckpt-STEP` into `folder` and remove all but the `kept` latest.

    Args:
        folder: the training folder; created if it does not exist.
        model: Keras network of an SSD with the background column.
        step: number of training steps so far.
        slots: further values to write, by name, as `resume` returns them.
        kept: number of checkpoints to keep.
        object_based: True to write `ckpt-STEP` for TensorFlow 2.

    Returns:
        The prefix of the checkpoint's files.

    Raises:
        SystemFaultError: BW902 the disk is full, BW903 the folder cannot be written.
    """
    prefix = Path(folder) / f"{OBJECT_BASED if object_based else PREFIX}{step}"
    _write_network(prefix, model, step, slots or {})
    _remember(prefix, kept)
    return prefix


def companions(snapshot: Snapshot, optimizer: Optimizer) -> dict[str, NDArray[Any]]:
    """Return the further values that TensorFlow 1 needs to resume: the powers of Adam's betas,
    and for each averaged quantization range its step count and biased average.

    Source of the range names and formulas: `zero_debias` in TensorFlow's moving_averages.
    """
    values: dict[str, NDArray[Any]] = {}
    if isinstance(optimizer, Adam):
        for number, beta in enumerate((optimizer.beta_1, optimizer.beta_2), start=1):
            values[f"beta{number}_power"] = np.array(beta ** (snapshot.step + 1), np.float32)
    convert = framework.keras().ops.convert_to_numpy
    for name, variable in variables_by_name(snapshot.model.network).items():
        scope = name.rpartition("/")[0]
        if is_range(variable) and not scope.endswith("/weights_quant"):
            steps = np.array(snapshot.step, np.float32)
            biased = convert(variable) * (1 - RANGE_DECAY**steps)
            values |= {f"{scope}/{name}/local_step": steps, f"{scope}/{name}/biased": biased}
    return values


def save_exported(
    folder: str | Path,
    model: Any,
    step: int,
    ranges: Mapping[str, NDArray[Any]],
    name: str = EXPORTED,
) -> None:
    """Write the network without optimizer slots, as the only checkpoint of `folder`.

    `ranges` are the range variables of a network trained with QAT. Raises as `save`.
    """
    prefix = Path(folder) / name
    _write_network(prefix, model, step, ranges)
    _write_state(prefix.parent, [name])


def latest(folder: Path) -> Path | None:
    """Return the checkpoint from which a training in this folder goes on; None for a new one.

    Without the file `checkpoint`, numbered checkpoints are those of an earlier training, too.

    Raises:
        WeightsError: BW201 there are parts of checkpoints, but none is complete.
    """
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return find_prefix(folder) if STATE in names or any(map(NUMBERED.match, names)) else None


def resume(model: Any, path: str | Path) -> Resumed:
    """Load all variables of a checkpoint into `model`, bit for bit.

    Args:
        model: Keras network of an SSD with the background column.
        path: prefix of a checkpoint, or a folder, whose latest checkpoint is loaded.

    Raises:
        WeightsError: as `read_variables`; BW206 the checkpoint is from another network.
    """
    values = read_variables(path)
    own = variables_by_name(model)
    for name, variable in own.items():
        here, there = tuple(variable.shape), values[name].shape if name in values else None
        if here != there:
            raise WeightsError(
                "BW206",
                f"has no {name}, so it was trained without the config's graph_rewriter."
                if there is None and is_range(variable)
                else f"has no {name}, so it is from another network than {model.name}."
                if there is None
                else f"has {name} with shape {there}, but the network needs {here}.",
                where=find_prefix(path),
                prefix=find_prefix(path).as_posix(),
            )
    for name, variable in own.items():
        variable.assign(values.pop(name))
    return Resumed(int(values.pop(GLOBAL_STEP, 0)), values)


def _write_network(prefix: Path, model: Any, step: int, slots: Mapping[str, NDArray[Any]]) -> None:
    convert = framework.keras().ops.convert_to_numpy
    own = variables_by_name(model)
    values: dict[str, NDArray[Any]] = {GLOBAL_STEP: np.array(step, np.int64)}
    values |= {name: convert(variable) for name, variable in own.items()}
    if prefix.name.startswith(OBJECT_BASED):
        dropout = any(isinstance(layer, framework.keras().layers.Dropout) for layer in model.layers)
        graph, keys = graph_of(list(own), list(slots), dropout)
        values = {key: {**values, **slots}[name] for name, key in keys.items()}
        _write_objects(prefix, {**values, GRAPH: np.array(graph, object)})
        return
    trainable = {name for name in own if not re.search("/moving_|_quant/", name)}  # frozen ones too
    _write(prefix, {**values, **slots}, trainable)


def _write_objects(prefix: Path, values: Mapping[str, NDArray[Any]]) -> None:
    """Write the two files of an object-based checkpoint."""
    index, data = (prefix.with_name(prefix.name + end) for end in (".index", DATA))
    with writing(index) as draft:
        _save_values(draft.with_suffix(""), sorted(values), [values[key] for key in sorted(values)])
        index.unlink(missing_ok=True)
        draft.with_name(data.name).replace(data)


def _write(prefix: Path, values: Mapping[str, NDArray[Any]], trainable: set[str]) -> None:
    """Write the three files. The index is last because it marks the checkpoint as complete."""
    index, data, meta = (prefix.with_name(prefix.name + end) for end in (".index", DATA, ".meta"))
    names = sorted(values)
    variables = [
        Variable(name, values[name].shape, values[name].dtype.name, name in trainable)
        for name in names
    ]
    with writing(index) as draft:
        _save_values(draft.with_suffix(""), names, [values[name] for name in names])
        draft.with_name(meta.name).write_bytes(meta_graph(variables, KEPT))
        index.unlink(missing_ok=True)
        for part in (data, meta):
            draft.with_name(part.name).replace(part)


def _save_values(prefix: Path, names: list[str], values: list[NDArray[Any]]) -> None:
    tf = framework.tensorflow()
    try:
        tf.raw_ops.SaveV2(
            prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names),
            tensors=values,
        )  # fmt: skip
    except tf.errors.OpError as error:
        full = isinstance(error, tf.errors.ResourceExhaustedError)
        raise OSError(errno.ENOSPC if full else errno.EIO, error.message) from error


def _remember(prefix: Path, kept: int) -> None:
    """Register a checkpoint as the latest of its folder, and remove the oldest ones."""
    folder = prefix.parent
    earlier = [name for name in listed(folder) if name != prefix.name]
    names = [*earlier, prefix.name]
    _write_state(folder, names[-kept:])
    for name in names[:-kept]:
        if name.startswith((PREFIX, OBJECT_BASED)):  # keep checkpoints of other programs
            for end in (".index", DATA, ".meta"):
                (folder / (name + end)).unlink(missing_ok=True)


def _write_state(folder: Path, names: list[str]) -> None:
    """Write the file that lists a folder's checkpoints, the latest last."""
    lines = [f'model_checkpoint_path: "{names[-1]}"']
    lines += [f'all_model_checkpoint_paths: "{name}"' for name in names]
    write_text(folder / STATE, "\n".join(lines) + "\n")
