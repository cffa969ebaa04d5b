"""Loading of pretrained weights into a model, by layer name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from boxwright.errors import WeightsError
from boxwright.models.layers.quantized import is_range
from boxwright.models.ssd.extra_maps import EXTRA_MAP
from boxwright.models.weights.checkpoint import exists, read_checkpoint, read_variables
from boxwright.models.weights.pretrained import Arrays, Pretrained
from boxwright.models.weights.tflite import read_tflite
from boxwright.models.weights.variables import SHARED, stored_variables

MIN_LOADED = 0.9  # fraction of the backbone; below, the file is of another network
NEW_CLASSES = "the class head is for other classes"


@dataclass(frozen=True)
class LoadReport:
    """The result of loading weights, by layer or variable.

    Attributes:
        loaded: layers with the file's values.
        reset: layers with initial values, and the reason.
        ignored: unused content of the file, and the reason.
        unit: what is counted, layers or variables.
    """

    loaded: tuple[str, ...]
    reset: Mapping[str, str]
    ignored: Mapping[str, str]
    unit: str = "layers"

    def __str__(self) -> str:
        kept = f", {len(self.reset)} reset" if self.reset else ""
        return f"{len(self.loaded)} {self.unit} loaded{kept}"

    def table(self) -> list[tuple[str, str, str]]:
        """Rows `(result, layers, reason)`, one for each reason."""
        rows = [("loaded", _several(self.loaded), "same name, same shape")]
        for fate, each in (("reset", self.reset), ("ignored", self.ignored)):
            reasons = defaultdict(list)
            for name, reason in each.items():
                reasons[reason].append(name)
            rows += [(fate, _several(names), reason) for reason, names in reasons.items()]
        return rows


def readable(path: Path) -> bool:
    """True for a .tflite and for a checkpoint's prefix or folder."""
    return (path.suffix == ".tflite" or not path.is_file()) and exists(path)


def has_pyramid(path: Path) -> bool:
    """True if a readable file is a network whose maps share their heads; False if it is another
    one, or damaged."""
    if path.suffix == ".tflite" and path.is_file():
        return SHARED.encode() in path.read_bytes()
    try:
        return any(name.startswith(f"{SHARED}/") for name in read_variables(path))
    except WeightsError:
        return False


def read_pretrained(path: str | Path) -> Pretrained:
    """Read a .tflite or a checkpoint of the Object Detection API, without a background column.

    Raises:
        WeightsError: BW201 no such file, BW202 another network, BW205 one file of a checkpoint.
    """
    path = Path(path)
    if path.suffix == ".tflite" and path.is_file():
        return read_tflite(path).without_background()
    if exists(path):
        return read_checkpoint(path).without_background()
    raise WeightsError("BW201", "there are no weights of that name.", where=path.absolute())


def load(
    model: Any, pretrained: Pretrained, *, keep_box_head: bool = True, keep_class_head: bool = False
) -> LoadReport:
    """Copy pretrained arrays into an SSD by layer and variable name.

    The class head is reset unless `keep_class_head`, since its classes differ. Layers with another
    shape, or missing in the file, are reset too.

    Raises:
        WeightsError: BW202 less than 90 % of the backbone's variables fit (another depth
            multiplier, say).
    """
    resets = {}
    for layer in model.layers:
        if layer.name.endswith("ClassPredictor") and not keep_class_head:
            resets[layer.name] = NEW_CLASSES
        elif "BoxEncodingPredictor" in layer.name and not keep_box_head:
            resets[layer.name] = "the box head is reset together with the class head"
    others = re.compile(rf"BoxPredictor|.*{EXTRA_MAP.pattern}")
    return load_layers(model, pretrained, resets, lambda name: not others.match(name))


def load_layers(
    model: Any,
    pretrained: Pretrained,
    resets: Mapping[str, str],
    in_backbone: Callable[[str], bool],
) -> LoadReport:
    """Copy pretrained arrays into the layers of the same name and shapes.

    Args:
        model: Keras network.
        pretrained: the file.
        resets: layers that keep their initial values, with the reason.
        in_backbone: tells the layers of the backbone by their names.

    Raises:
        WeightsError: BW202 less than 90 % of the backbone's layers fit.
    """
    loaded, reset = [], {}
    for layer in (layer for layer in model.layers if _loadable(layer)):
        arrays = pretrained.layers.get(layer.name)
        if reason := resets.get(layer.name) or _misfit(layer, arrays):
            reset[layer.name] = reason
            continue
        for variable in _loadable(layer):
            variable.assign(pretrained.layers[layer.name][variable.name])
        loaded.append(layer.name)
    _check_backbone(model, pretrained, reset, in_backbone)
    strange = sorted(set(pretrained.layers) - {layer.name for layer in model.layers})
    ignored = dict.fromkeys(strange, "the model has no such layer")
    return LoadReport(tuple(loaded), reset, {**ignored, **pretrained.others})


def _loadable(layer: Any) -> list[Any]:
    """The layer's variables without quantization ranges, which training determines again."""
    return [variable for variable in stored_variables(layer) if not is_range(variable)]


def _misfit(layer: Any, arrays: Arrays | None) -> str | None:
    """The reason why the file's arrays do not fit the layer; None if they do."""
    if arrays is None:
        return "not in the file"
    for variable in _loadable(layer):
        if variable.name not in arrays:
            return f"{variable.name} is not in the file"
        here, there = tuple(variable.shape), arrays[variable.name].shape
        if here != there:
            return f"{variable.name} is {there} in the file but {here} in the model"
    return None


def _check_backbone(
    model: Any,
    pretrained: Pretrained,
    reset: Mapping[str, str],
    in_backbone: Callable[[str], bool],
) -> None:
    backbone = [
        layer.name for layer in model.layers if _loadable(layer) and in_backbone(layer.name)
    ]
    missing = [name for name in backbone if name in reset]
    share = 1 - len(missing) / len(backbone)
    if share < MIN_LOADED:
        raise WeightsError(
            "BW202",
            f"fits only {share:.0%} of the backbone's layers, so it is of another network than "
            f"{model.name}: {missing[0]}/{reset[missing[0]]}.",
            where=pretrained.source,
        )


def _several(names: list[str] | tuple[str, ...]) -> str:
    """`a` or `a, b` or `a ... z (12)`."""
    if len(names) <= 2:
        return ", ".join(names)
    return f"{names[0]} ... {names[-1]} ({len(names)})"
