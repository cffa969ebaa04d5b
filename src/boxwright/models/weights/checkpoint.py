"""Weights from a checkpoint of the Object Detection API: `PREFIX.index` and `PREFIX.data-*`."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from boxwright.backend import framework
from boxwright.errors import WeightsError
from boxwright.models.weights.network import PREPROCESSING, classes_of, for_every_map, spec_of
from boxwright.models.weights.object_graph import GRAPH, named
from boxwright.models.weights.pretrained import Arrays, Pretrained
from boxwright.models.weights.variables import place_of

STATE = "checkpoint"  # the file with the name of a folder's latest checkpoint
GLOBAL_STEP = "global_step"
AVERAGE = "/ExponentialMovingAverage"

_PART = re.compile(r"(?P<prefix>.+)\.(?:index|meta|data-\d+-of-\d+)$")
_NUMBERED = re.compile(r"-\d{1,18}$")
_LATEST = re.compile(r'^model_checkpoint_path:\s*"([^"]+)"', re.MULTILINE)
_LISTED = re.compile(r'^all_model_checkpoint_paths:\s*"([^"]+)"', re.MULTILINE)


def exists(path: str | Path) -> bool:
    """True if `path` exists or is the prefix of a checkpoint."""
    return Path(path).exists() or _index_of(Path(path)).is_file()


def find_prefix(path: str | Path) -> Path:
    """The prefix of a checkpoint: `path` itself, or the latest checkpoint of a folder.

    Raises:
        WeightsError: BW201 there is no checkpoint, BW202 it is another kind of file, BW205 it is
            one file of a checkpoint.
    """
    path = Path(path)
    if _index_of(path).is_file():
        return path
    if part := _PART.match(path.name):
        prefix = path.with_name(part["prefix"])
        raise WeightsError(
            "BW205",
            "is one file of a checkpoint; give the prefix that its files' names have in common.",
            where=path,
            prefix=prefix,
        )
    if path.is_dir():
        return _latest(path)
    if path.suffix == ".pb":
        raise WeightsError(
            "BW202",
            "is a frozen graph, whose weights are constants that cannot be trained.",
            where=path,
            prefix=path.with_name("model.ckpt"),
        )
    if path.is_file():
        raise _no_checkpoint(path, "is neither a .tflite file nor a checkpoint prefix")
    raise WeightsError(
        "BW201",
        f"there is no checkpoint of that name: {_index_of(path).name} is missing.",
        where=path.absolute(),
    )


def listed(folder: Path) -> list[str]:
    """Names of the checkpoints in a folder's state file, oldest first."""
    return [name for name in _state(folder, _LISTED) if _index_of(folder / name).is_file()]


def read_variables(path: str | Path) -> dict[str, NDArray[Any]]:
    """All variables of a checkpoint by name, unchanged; an object-based one's by the names that
    TensorFlow 1 would give them.

    Raises:
        WeightsError: errors of `find_prefix`; BW202 the checkpoint is damaged.
    """
    prefix = find_prefix(path)
    tf = framework.tensorflow()
    try:
        reader = tf.train.load_checkpoint(str(prefix))
        values = {
            name: reader.get_tensor(name) for name in sorted(reader.get_variable_to_shape_map())
        }
        return named(values) if GRAPH in values else values
    except (tf.errors.OpError, ValueError, RuntimeError, LookupError) as error:
        reason = str(error).splitlines()[0]
        raise _no_checkpoint(prefix, f"is a damaged checkpoint ({reason})") from error


def read_checkpoint(path: str | Path, *, averages: bool = False) -> Pretrained:
    """Read an SSD MobileNet v1 or v2, or the backbone of a MobileNet classifier.

    The file contains no input size and no anchors, so the spec has the API's defaults. The class
    head has a background column.

    Args:
        path: prefix, or folder.
        averages: use the moving averages of variables if present.

    Raises:
        WeightsError: errors of `read_variables`; BW202 it is another network.
    """
    prefix = find_prefix(path)
    variables = read_variables(prefix)
    layers: dict[str, Arrays] = defaultdict(dict)
    others = {}
    for name, value in variables.items():
        if place := place_of(name):
            averaged = variables.get(name + AVERAGE) if averages else None
            layers[place.layer][place.variable] = value if averaged is None else averaged
        else:
            others[name] = reason_to_ignore(name)
    expanded = for_every_map(layers)
    spec = spec_of(expanded, prefix)
    classes = classes_of(spec)
    return Pretrained(prefix, spec, classes, PREPROCESSING, expanded, True, others)


def _index_of(prefix: Path) -> Path:
    return prefix.with_name(prefix.name + ".index")


def _latest(folder: Path) -> Path:
    """The checkpoint in the state file, in this folder; without that file the only complete
    checkpoint, or the one with the highest step."""
    for name in _state(folder, _LATEST):
        if _index_of(folder / name).is_file():
            return folder / name
    parts = [part for path in folder.iterdir() if (part := _PART.match(path.name))]
    begun = {part["prefix"] for part in parts}
    with_values = {part["prefix"] for part in parts if ".data-" in part.string}
    complete = [name for name in with_values if _index_of(folder / name).is_file()]
    if len(complete) == 1:
        return folder / complete[0]
    steps = {int(name.rpartition("-")[2]): name for name in complete if _NUMBERED.search(name)}
    if steps:
        return folder / steps[max(steps)]
    what = (
        f"contains {len(complete) or 'no'} checkpoints, and no file named {STATE} tells which is "
        "the latest"
    )
    if begun and not complete:
        there = ", ".join(sorted(part.string for part in parts))
        what = f"has parts of checkpoints, but no pair of .index and .data: {there}"
    raise WeightsError("BW201", f"the folder {what}.", where=folder.absolute())


def _state(folder: Path, line: re.Pattern[str]) -> list[str]:
    """Names in the state file, without folders, which may be Windows paths."""
    state = folder / STATE
    text = state.read_text(encoding="utf-8", errors="replace") if state.is_file() else ""
    return [re.split(r"[/\\]+", path)[-1] for path in line.findall(text)]


def reason_to_ignore(name: str) -> str:
    """The reason for ignoring a checkpoint variable that is not part of the network."""
    if name == GLOBAL_STEP:
        return "training starts its own step count"
    if (
        name.startswith(("beta", "optimizer/"))
        or place_of(name.rsplit("/", 1)[0])
        or "_quant/" in name
    ):
        return "optimizer state of an earlier training"
    return "not part of the network"


def _no_checkpoint(path: Path, fault: str) -> WeightsError:
    return WeightsError("BW202", f"{fault}.", where=path)
