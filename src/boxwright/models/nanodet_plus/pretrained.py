"""Pretrained NanoDet-Plus networks from files of ncnn and ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from boxwright.errors import WeightsError
from boxwright.images.preprocessing import Preprocessing
from boxwright.models.backbones.shufflenet_v2 import PUBLISHED
from boxwright.models.nanodet_plus.layout import (
    KERNEL_FACTORS,
    PIXEL_OFFSET,
    PIXEL_SCALE,
    heads,
)
from boxwright.models.nanodet_plus.spec import BINS, SIDES, NanoDetSpec, name_of
from boxwright.models.weights import coco_names
from boxwright.models.weights.graph import (
    INPUT,
    Convolution,
    NetworkFile,
    Traced,
    Tracer,
    damaged,
)
from boxwright.models.weights.loading import NEW_CLASSES, LoadReport, load_layers
from boxwright.models.weights.ncnn import is_ncnn, read_ncnn
from boxwright.models.weights.onnx import read_onnx
from boxwright.models.weights.pretrained import Arrays, Pretrained, folded_norm

COCO = tuple(name for name in coco_names.NAMES if name)  # the published networks' classes
STEM, HEADS = "stem", ("classes", "sides")
BACKBONE = ("stem", "stage")  # what its layers' names begin with


def read_pretrained(path: str | Path) -> Pretrained:
    """Read a .param and .bin of ncnn, or an .onnx file.

    Raises:
        WeightsError: BW201 no such file, BW202 it is damaged or another network.
        SystemFaultError: BW901 the package `onnx` is not installed.
    """
    path = Path(path)
    if is_ncnn(path):
        return _pretrained(read_ncnn(path))
    if not path.is_file():
        raise WeightsError("BW201", "there are no weights of that name.", where=path.absolute())
    if path.suffix == ".onnx":
        return _pretrained(read_onnx(path))
    raise damaged(
        path, "is neither an .onnx file nor a .param or .bin of ncnn with the other beside it"
    )


def load(network: Any, pretrained: Pretrained, *, keep_class_head: bool = False) -> LoadReport:
    """Copy pretrained arrays into a network, the class head only if `keep_class_head`.

    Raises:
        WeightsError: BW202 the backbone does not fit.
    """
    heads = [layer.name for layer in network.layers if layer.name.endswith("_classes")]
    resets = {} if keep_class_head else dict.fromkeys(heads, NEW_CLASSES)
    return load_layers(network, pretrained, resets, lambda name: name.startswith(BACKBONE))


def _pretrained(file: NetworkFile) -> Pretrained:
    spec, layers = _recognized(file)
    known = len(COCO) == spec.num_classes
    return Pretrained(
        source=file.path,
        spec=spec,
        classes=COCO if known else tuple(f"class {i}" for i in range(spec.num_classes)),
        preprocessing=Preprocessing(spec.input_size, PIXEL_SCALE, PIXEL_OFFSET),
        layers={name: _arrays(name, each) for name, each in layers.items()},
        statistics_known=False,
    )


def _recognized(file: NetworkFile) -> tuple[NanoDetSpec, dict[str, Convolution]]:
    """The network of a file, and its convolutions by our layer names."""
    columns = {each.bias.shape[0] for each in file.last()}
    classes = max(columns, default=0) - SIDES * BINS
    if len(columns) != 1 or classes < 1:
        raise damaged(file.path, "has no heads of a NanoDet-Plus, so it is another network")
    tried = []
    for multiplier in PUBLISHED:
        spec = NanoDetSpec(classes, depth_multiplier=multiplier, name=name_of(multiplier))
        tracer = Tracer(file)
        heads(Traced(INPUT, 3), tracer, spec)
        tracer.finish()
        if not tracer.missing:
            return spec, tracer.layers
        tried.append(tracer)
    nearest = min(tried, key=lambda tracer: len(tracer.missing))
    name, shape = next(iter(nearest.missing.items()))
    raise damaged(file.path, f"is another network than NanoDet-Plus-m: it lacks {name}, a {shape}")


def _arrays(name: str, convolution: Convolution) -> Arrays:
    kernel, bias = convolution.kernel, convolution.bias
    if name.endswith(HEADS):
        return {"kernel": kernel, "bias": bias}
    if name == STEM:
        factors = np.array(KERNEL_FACTORS, np.float32)
        kernel = kernel[:, :, ::-1] * factors[:, None]  # the file takes BGR
    return {"kernel": kernel, **folded_norm(bias)}
