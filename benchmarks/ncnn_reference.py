"""Compute what ncnn itself gets from published NanoDet-Plus files, for `tests/models`.

It needs `pip install ncnn numpy pillow`, in an environment of its own:

    python benchmarks/ncnn_reference.py ../shared/weights/nanodet_plus ../shared/images \
        tests/models/nanodet_ncnn.npz

For each file and image it stores raw outputs of every 32nd cell, `(n, C + 32)`, and detections with
a score of at least 0.4: boxes in pixels of the input, xyxy. ncnn computes an int8 file in int8; its
name with `-dequantized` stands for the same weights, computed in float32.
"""

from __future__ import annotations

import importlib
import re
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

ncnn: Any = importlib.import_module("ncnn")

STRIDES, BINS, CLASSES = (8, 16, 32, 64), 8, 80
MEAN, DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)  # BGR
STORED_EVERY = 32
SCORE, IOU = 0.4, 0.6


INT8, FLOAT32 = b"\x38\x4b\x0d\x00", b"\x00\x00\x00\x00"  # tags of kernels


def dequantized(param: Path, folder: Path) -> Path:
    """The network of an int8 file with kernels in float32, written into `folder`."""
    content, at, kernels = param.with_suffix(".bin").read_bytes(), 0, []

    def floats(count: int) -> np.ndarray:
        nonlocal at
        at += 4 * count
        return np.frombuffer(content[at - 4 * count : at], "<f4")

    lines = param.read_text(encoding="utf-8").splitlines()
    for i, line in enumerate(lines):
        if not line.startswith("Convolution"):
            continue
        values = dict(re.findall(r" (-?\d+)=(\S+)", line))
        outputs, count, scaled = (int(values.get(key, 0)) for key in ("0", "6", "8"))
        tag, at = content[at : at + 4], at + 4
        if tag != INT8 or not scaled:
            raise ValueError(f"{param} is no int8 file at {line}")
        kernel = np.frombuffer(content[at : at + count], "i1").astype(np.float32)
        at += count + -count % 4
        bias, scales = floats(outputs), floats(outputs)
        floats(2 if scaled > 100 else 1)
        kernel = kernel.reshape(outputs, -1) / scales[:, None]
        kernels += [FLOAT32, kernel.astype("<f4").tobytes(), bias.tobytes()]
        lines[i] = line.replace(f" 8={scaled}", "")
    new = folder / param.name.replace("_int8", "_int8-dequantized")
    new.write_text("\n".join(lines) + "\n", encoding="utf-8")
    new.with_suffix(".bin").write_bytes(b"".join(kernels))
    return new


def loaded(param: Path) -> Any:
    """The network, computed in float32 as far as its weights are."""
    net = ncnn.Net()
    for reduced in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, f"use_{reduced}", False)
    net.load_param(str(param))
    net.load_model(str(param.with_suffix(".bin")))
    return net


def head_blobs(param: Path) -> list[str]:
    """The blobs with the outputs of the heads, finest first."""
    text = param.read_text(encoding="utf-8")
    return [
        re.findall(rf"^Slice\s+\S+\s+1 2 (\S+) \S+ dis{stride}_pre ", text, re.MULTILINE)[0]
        for stride in STRIDES
    ]


def raw_outputs(param: Path, pixels: np.ndarray) -> np.ndarray:
    """`(A, C + 32)` for an RGB image `(S, S, 3)`."""
    inputs = (pixels[..., ::-1] - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
    channels = np.ascontiguousarray(inputs.transpose(2, 0, 1), np.float32)
    extractor = loaded(param).create_extractor()
    extractor.input("data", ncnn.Mat(channels))
    maps = [np.array(extractor.extract(blob)[1]) for blob in head_blobs(param)]
    return np.concatenate([each.reshape(len(each), -1).T for each in maps])


def detections(raw: np.ndarray, side: int) -> np.ndarray:
    """`(n, 6)`: box, class, score, after NMS."""
    places = []
    for stride in STRIDES:
        cells = -(-side // stride)
        yx = np.indices((cells, cells)).reshape(2, -1).T * stride
        places.append(np.concatenate([yx, np.full((cells**2, 1), stride)], axis=1))
    y, x, stride = np.concatenate(places).T
    bins = np.exp(raw[:, CLASSES:].reshape(-1, 4, BINS))
    sides = (bins @ np.arange(BINS)) / bins.sum(-1) * stride[:, None]
    boxes = np.stack([x - sides[:, 0], y - sides[:, 1], x + sides[:, 2], y + sides[:, 3]], axis=1)
    boxes = boxes.clip(0, side)
    scores = 1 / (1 + np.exp(-raw[:, :CLASSES]))
    found = []
    for label in range(CLASSES):
        rows = np.flatnonzero(scores[:, label] >= SCORE)
        rows = rows[np.argsort(-scores[rows, label])]
        while len(rows):
            best, rows = rows[0], rows[1:]
            found.append([*boxes[best], label, scores[best, label]])
            near = np.maximum(boxes[rows, :2], boxes[best, :2])
            far = np.minimum(boxes[rows, 2:], boxes[best, 2:])
            shared = (far - near).clip(0).prod(axis=1)
            areas = [
                (each[..., 2:] - each[..., :2]).prod(-1) for each in (boxes[rows], boxes[best])
            ]
            rows = rows[shared / (areas[0] + areas[1] - shared) <= IOU]
    return np.array(found, np.float32).reshape(-1, 6)


def main(weights: Path, images: Path, target: Path) -> None:
    stored = {}
    scratch = Path(tempfile.mkdtemp())
    files = sorted(weights.glob("*.param"))
    files += [dequantized(each, scratch) for each in files if "int8" in each.name]
    for param in files:
        side = int(re.findall(r"_(\d+)", param.name)[0])
        for path in sorted(images.glob("*.jpg")):
            with Image.open(path) as image:
                upright = ImageOps.exif_transpose(image.convert("RGB"))
            pixels = np.asarray(upright.resize((side, side), Image.Resampling.BILINEAR))
            raw = raw_outputs(param, pixels)
            found = detections(raw, side)
            key = f"{param.name.removesuffix('.ncnn.param')}/{path.stem}"
            stored[f"{key}/raw"], stored[f"{key}/found"] = raw[::STORED_EVERY], found
            print(key, raw.shape, f"largest {np.abs(raw).max():.2f}, {len(found)} detections")
    np.savez_compressed(target, **stored)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
