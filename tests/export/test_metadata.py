"""What our files say in TFLite's own metadata, read by others: MediaPipe, and its schema."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from numpy.typing import NDArray
from PIL import Image

from boxwright.export.metadata import add_metadata
from boxwright.export.tflite import write_tflite
from boxwright.inference import litert, tflite_metadata
from boxwright.inference.detector import Detector
from boxwright.ops.boxes import iou

DETECT = """
import json, sys
from pathlib import Path
sys.modules["tensorflow"] = None  # MediaPipe would import it, which takes seconds, for nothing
import mediapipe
import numpy as np
from PIL import Image
from mediapipe.tasks.python import BaseOptions, vision

def detections(detector, photo):
    pixels = np.asarray(Image.open(photo).convert("RGB"))
    found = []
    for each in detector.detect(mediapipe.Image(mediapipe.ImageFormat.SRGB, pixels)).detections:
        box = each.bounding_box
        corner = box.origin_x + box.width, box.origin_y + box.height
        for category in each.categories:  # one box for all classes found there
            xyxy = [box.origin_x, box.origin_y, *corner]
            found.append([category.category_name, category.score, xyxy])
    return found

models, photos = json.loads(sys.argv[1])
found = []
for model in models:
    content = BaseOptions(model_asset_buffer=Path(model).read_bytes())
    options = vision.ObjectDetectorOptions(content, score_threshold=0.3)
    with vision.ObjectDetector.create_from_options(options) as detector:
        found.append([detections(detector, photo) for photo in photos])
print(json.dumps(found))
"""
PROVENANCE = {
    "boxwright": "0.1.0",
    "data": {"path": "/home/someone/écureuils", "fingerprint": "0123456789abcdef"},
    "weights": "ssd_mobilenet_v2_coco",
    "step": 56,
}


def mediapipes_detections(models: list[Path], images: list[Path]) -> list[list[list[Any]]]:
    """`[name, score, xyxy in whole pixels]` of each detection of at least 0.3, by model and photo.
    One process for all, because MediaPipe takes seconds to import."""
    asked = json.dumps([[*map(os.fspath, models)], [*map(os.fspath, images)]])
    command = [sys.executable, "-c", DETECT, asked]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    assert done.returncode == 0, done.stderr
    found: list[list[list[Any]]] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Path]]:
    """Photos as large as the network's input, which nobody resizes, and larger ones."""
    folder = tmp_path_factory.mktemp("photos à voir")
    sizes = {"square": (64, 64), "wide": (320, 240)}
    paths = {name: [folder / f"{name} {i}.png" for i in range(4)] for name in sizes}
    for i in range(4):
        coarse = np.random.default_rng(i).integers(0, 256, (4, 4, 3), np.uint8)
        for name, size in sizes.items():
            smooth = Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC)
            smooth.save(paths[name][i])
    return paths


CLASSES = (1, 2, 4)


@pytest.fixture(scope="module")
def drawn(
    own_detector: Callable[..., Any],
    images: dict[str, list[Path]],
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[int, tuple[Detector, list[Any]]]:
    """By number of classes: a detector, and what MediaPipe detects with it in all photos."""
    folder, paths = tmp_path_factory.mktemp("à dessiner"), []
    for classes in CLASSES:
        tiny = own_detector(classes)
        encodings = tiny.model.network.get_layer("box_encodings").kernel
        encodings.assign(encodings * 0.2)  # so that another way to resize moves no box far
        paths.append(folder / f"détecteur {classes}.tflite")
        write_tflite(paths[-1], tiny.model, tiny.artifact)
    theirs = mediapipes_detections(paths, [*images["square"], *images["wide"]])
    return dict(zip(CLASSES, zip(map(Detector.load, paths), theirs, strict=True), strict=True))


@pytest.mark.parametrize("classes", CLASSES)
def test_mediapipe_draws_the_same_boxes(
    classes: int,
    drawn: dict[int, tuple[Detector, list[Any]]],
    images: dict[str, list[Path]],
) -> None:
    detector, theirs = drawn[classes]
    for image, found in zip(images["square"], theirs[:4], strict=True):
        ours = detector.predict(image, threshold=0.3)
        assert len(ours) == len(found) > 80
        for name, score, box in found:  # whole pixels: corner and size are both cut
            differences = np.abs(ours.boxes - box).max(axis=1)
            same = (differences < 2) & (np.abs(ours.scores - score) < 1e-3)
            assert name in {each.name for each, fits in zip(ours, same, strict=True) if fits}
    for image, found in zip(images["wide"], theirs[4:], strict=True):
        ours = [[*each] for each in detector.predict(image, threshold=0.3)]
        assert share_found(ours, found) > 0.95
        assert share_found(found, ours) > 0.95


def share_found(wanted: list[list[Any]], found: list[list[Any]]) -> float:
    """Of the detections of at least 0.5, those that are among others, up to a resize."""
    names, scores, boxes = (list(column) for column in zip(*found, strict=True))
    there = []
    for name, score, box in wanted:
        if score >= 0.5:
            overlap = iou(np.array([box], np.float32), np.array(boxes, np.float32))[0]
            same = (np.array(names) == name) & (np.abs(np.array(scores) - score) <= 0.1)
            there.append(bool((same & (overlap >= 0.89)).any()))
    assert len(there) > 10
    return sum(there) / len(there)


@pytest.fixture(scope="module")
def described(tiny_detector: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of two classes whose origin is known."""
    tiny = tiny_detector(2)
    artifact = replace(tiny.artifact, threshold=0.25, provenance=PROVENANCE)
    path = tmp_path_factory.mktemp("described") / "détecteur.tflite"
    write_tflite(path, tiny.model, artifact)
    return path


def metadata_buffer(content: bytes) -> bytes:
    model = schema.Model.GetRootAs(content)
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    (index,) = (entry.Buffer() for entry in entries if entry.Name() == b"TFLITE_METADATA")
    return bytes(model.Buffers(index).DataAsNumpy())


def test_the_published_schema_reads_what_we_wrote(described: Path) -> None:
    """By MediaPipe's classes for it, taken from their file: the package imports half the world."""
    found = importlib.util.find_spec("mediapipe")
    assert found is not None
    assert found.submodule_search_locations is not None
    source = Path(found.submodule_search_locations[0], "tasks", "metadata")
    spec = importlib.util.spec_from_file_location(
        "published", source / "metadata_schema_py_generated.py"
    )
    assert spec is not None
    assert spec.loader is not None
    published = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(published)
    packed = metadata_buffer(described.read_bytes())
    assert published.ModelMetadata.ModelMetadataBufferHasIdentifier(packed, 0)
    model = published.ModelMetadataT.InitFromObj(
        published.ModelMetadata.GetRootAsModelMetadata(packed, 0)
    )
    assert model.name == b"tiny"
    assert model.description.decode() == (
        "Detects Klasse ü0, Klasse ü1. Trained on the images of écureuils (fingerprint "
        "0123456789abcdef). Training started from ssd_mobilenet_v2_coco. Written by Boxwright "
        "0.1.0. For details, see the zip at the end of this file."
    )
    assert model.version == b"step 56"
    assert model.license == b"Apache-2.0 (the weights ssd_mobilenet_v2_coco)"
    assert model.author is None
    assert model.minParserVersion == b"1.2.0"
    (network,) = model.subgraphMetadata
    (image,) = network.inputTensorMetadata
    assert image.name == b"image"
    assert image.content.contentPropertiesType == published.ContentProperties.ImageProperties
    properties = image.content.contentProperties
    assert properties.colorSpace == published.ColorSpaceType.RGB
    assert (properties.defaultSize.width, properties.defaultSize.height) == (64, 64)
    (unit,) = image.processUnits
    assert unit.optionsType == published.ProcessUnitOptions.NormalizationOptions
    assert (list(unit.options.mean), list(unit.options.std)) == ([0], [1])
    assert (list(image.stats.min), list(image.stats.max)) == ([0], [255])
    location, category, score, count = network.outputTensorMetadata
    names = [location.name, category.name, score.name, count.name]
    assert names == [b"location", b"category", b"score", b"number of detections"]
    box = location.content.contentProperties
    assert (list(box.index), box.type) == ([1, 0, 3, 2], published.BoundingBoxType.BOUNDARIES)
    assert box.coordinateType == published.CoordinateType.RATIO
    (labels,) = category.associatedFiles
    assert labels.type == published.AssociatedFileType.TENSOR_VALUE_LABELS
    with zipfile.ZipFile(described) as attached:
        assert attached.read(labels.name.decode()).decode() == "Klasse ü0\nKlasse ü1\n"
    assert score.processUnits[0].options.globalScoreThreshold == 0.25
    (group,) = network.outputTensorGroups
    assert group.tensorNames == names[:3]


def test_the_file_keeps_what_the_converter_said_and_aligns_its_weights(described: Path) -> None:
    content = described.read_bytes()
    model = schema.Model.GetRootAs(content)
    entries = [model.Metadata(i).Name() for i in range(model.MetadataLength())]
    assert entries == [b"min_runtime_version", b"CONVERSION_METADATA", b"TFLITE_METADATA"]
    start = np.frombuffer(content, np.uint8).ctypes.data
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    filled = [buffer.DataAsNumpy().ctypes.data for buffer in buffers if buffer.DataLength()]
    assert len(filled) > 5
    assert all((at - start) % 16 == 0 for at in filled)


def test_boxes_end_where_the_image_ends(described: Path, random_inputs: NDArray[np.uint8]) -> None:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_content=described.read_bytes())
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], random_inputs[:1])
    interpreter.invoke()
    boxes = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    assert (boxes.min(), boxes.max()) == (0, 1)


def test_we_read_what_we_wrote(described: Path) -> None:
    said = litert.read_metadata(described.read_bytes())
    assert said is not None
    assert said.name == "tiny"
    assert said.description.startswith("Detects Klasse ü0, Klasse ü1.")
    assert (said.mean, said.std, said.threshold) == ((0,), (1,), 0.25)
    assert said.labels == ["Klasse ü0", "Klasse ü1"]


def test_a_quantized_input_is_described_by_its_scale(described: Path) -> None:
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(described.read_bytes()))
    (network,) = model.subgraphs
    network.tensors[network.inputs[0]].quantization = schema.QuantizationParametersT(
        scale=np.array([1 / 128], np.float32), zeroPoint=np.array([128], np.int64)
    )
    add_metadata(model, Detector.load(described).artifact)
    fields = tflite_metadata.unpack(model.buffers[-1].data.tobytes())
    (image,) = fields["subgraph_metadata"][0]["input_tensor_metadata"]
    (unit,) = image["process_units"]
    assert unit["options"] == ("NormalizationOptions", {"mean": [128], "std": [128]})
