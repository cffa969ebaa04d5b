"""Measure the cost of int8: test AP of a network trained with QAT, and of its .tflite file.

    python benchmarks/quantized.py ../shared/data/raccoon \
        --weights ../shared/weights/ssd_mobilenet_v1_coco_quant.tflite --steps 240 --delay 120

The export is that of the Object Detection API: checkpoint, export_tflite_ssd_graph, toco. With a
delay as long as the training, QAT only records ranges and the network stays float.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from boxwright import load
from boxwright.backend import framework
from boxwright.evaluation.coco import evaluate
from boxwright.inference.run import Run
from boxwright.io.files import write_text
from boxwright.models.ssd.objective import Objective
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections
from boxwright.tfod import export_tflite_ssd_graph, toco
from boxwright.tfod.config import sample_config
from boxwright.tfod.flags import parse
from boxwright.training import loop
from boxwright.training.config import Quantization
from boxwright.training.recipe import recipe_for
from boxwright.training.validation import ValidationSet, Validator

SAMPLE = "ssd_mobilenet_v1_0.75_depth_quantized_300x300_coco14_sync"
RAW = ("raw_outputs/box_encodings", "raw_outputs/class_predictions")
POSTPROCESS = "TFLite_Detection_PostProcess"
OUTPUTS = (POSTPROCESS, *(f"{POSTPROCESS}:{i}" for i in (1, 2, 3)))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=240)
    parser.add_argument("--delay", type=int, default=120)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    data = load(given.data)
    with tempfile.TemporaryDirectory() as folder:
        run = trained(data, given, Path(folder))
        compare(run, data, Path(folder))


def trained(data: Dataset, given: argparse.Namespace, folder: Path) -> Run:
    recipe = recipe_for(data, pretrained=True, steps=given.steps, input_size=300, seed=given.seed)
    recipe = replace(
        recipe, objective=Objective(background=0.0), quantization=Quantization(given.delay)
    )
    return loop.train(data, out=folder / "run", weights=given.weights, recipe=recipe).run


def compare(run: Run, data: Dataset, folder: Path) -> None:
    """Print AP of the network without and with simulated quantization, of its file, and after
    post-training quantization by TFLite's converter; and how much file and network differ."""
    model, artifact = run.build_model(), run.artifact
    test, train = (data.select(data.splits == mark) for mark in (Split.TEST, Split.TRAIN))
    images = ValidationSet.read(test, artifact.preprocessing, seed=0)
    validator = Validator(images)
    floats = model.build(replace(model.spec, quantization=None))
    values = {variable.path: variable for variable in model.network.weights}
    for variable in floats.network.weights:
        variable.assign(values[variable.path])
    for name, each in (("float", floats), ("QAT", model)):
        found = validator.validate(each).evaluation
        print(f"Keras, {name}: AP {found.ap:.3f}, AP50 {found.ap50:.3f}", flush=True)
    files = Files(model.network, len(test.classes), folder)
    found = evaluate(test, list(detections(files.detector(), images)), resamples=0, sizes=False)
    print(f"quantized file: AP {found.ap:.3f}, AP50 {found.ap50:.3f}", flush=True)
    examples = ValidationSet.read(
        train.select(np.arange(64)), artifact.preprocessing, seed=0
    ).inputs
    rounded = type(model)(floats.spec, floats.network)
    rounded.compiled = PostTraining(floats.network, examples)
    found = validator.validate(rounded).evaluation
    print(f"post-training quantization: AP {found.ap:.3f}, AP50 {found.ap50:.3f}", flush=True)
    raw = files.interpreter(RAW, "--noadd_postprocessing_op")
    for output, steps in differences(raw, model.network, images.inputs).items():
        print(
            f"{output}: difference between file and network in quantization steps: mean "
            f"{steps.mean():.2f}, p99.9 {np.quantile(steps, 0.999):.1f}, max {steps.max():.1f}"
        )


class Files:
    """Exports quantized .tflite files of a network, as with the Object Detection API."""

    def __init__(self, model: Any, classes: int, folder: Path) -> None:
        from boxwright.tfod.checkpoint import save

        self._folder, self._classes = folder, classes
        self._checkpoint = save(folder / "training", model, 1)
        self._config = folder / "pipeline.config"
        write_text(self._config, sample_config(SAMPLE))

    def detector(self) -> Any:
        return self.interpreter(OUTPUTS, "--max_detections=100")

    def interpreter(self, outputs: tuple[str, ...], *options: str) -> Any:
        override = (
            f"model {{ ssd {{ num_classes: {self._classes} }} }} "
            "eval_config { use_moving_averages: false }"
        )
        words = [
            f"--pipeline_config_path={self._config}",
            f"--trained_checkpoint_prefix={self._checkpoint}",
            f"--output_directory={self._folder}",
            f"--config_override={override}",
            *options,
        ]
        obey(export_tflite_ssd_graph, words)
        target = self._folder / "detector.tflite"
        words = [
            f"--graph_def_file={self._folder / 'tflite_graph.pb'}",
            f"--output_file={target}",
            "--input_shapes=1,300,300,3",
            "--input_arrays=normalized_input_image_tensor",
            f"--output_arrays={','.join(outputs)}",
            "--inference_type=QUANTIZED_UINT8",
            "--mean_values=128",
            "--std_dev_values=128",
            "--allow_custom_ops",
        ]
        obey(toco, words)
        interpreter = Interpreter(model_content=target.read_bytes())
        interpreter.allocate_tensors()
        return interpreter


class PostTraining:
    """An int8 file with per-channel ranges, called like a compiled network."""

    def __init__(self, floats: Any, images: NDArray[np.uint8]) -> None:
        tf = framework.tensorflow()
        module = tf.Module()
        module.weights = [variable.value for variable in floats.variables]

        def serve(images: Any) -> dict[str, Any]:
            raw = floats(images, training=False)
            return {name: raw[name] for name in ("box_encodings", "class_logits")}

        signature = [tf.TensorSpec((1, *images.shape[1:]), tf.float32)]
        module.serve = tf.function(serve, input_signature=signature)
        with tempfile.TemporaryDirectory() as folder, framework.hushed():
            tf.saved_model.save(module, folder, signatures=module.serve)
            converter = tf.lite.TFLiteConverter.from_saved_model(folder)
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.representative_dataset = lambda: ([scaled(image)] for image in images)
            content = converter.convert()
        self._run = Interpreter(model_content=content).get_signature_runner()

    def __call__(self, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        found = [self._run(images=image[None]) for image in images]
        return {name: np.concatenate([each[name] for each in found]) for name in found[0]}


def scaled(image: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return a batch of one image, scaled to the network's input range."""
    return image[None].astype(np.float32) / np.float32(128) - np.float32(1)


def obey(command: Any, words: list[str]) -> None:
    """Run a command of the Object Detection API."""
    command.run(parse(command.Flags, words).flags, lambda _: None)


def detections(interpreter: Any, images: ValidationSet) -> Any:
    for image, size in zip(images.inputs, images.truth.sizes, strict=True):
        boxes, labels, scores, count = (values[0] for values in results(interpreter, image))
        rows = slice(int(count))
        yield Detections(
            images.preprocessing.to_image(boxes[rows], *(int(side) for side in size)),
            scores[rows],
            labels[rows].astype(np.int32),
            images.truth.classes,
        )


def differences(
    interpreter: Any, model: Any, images: NDArray[np.uint8]
) -> dict[str, NDArray[np.float32]]:
    """Return the differences of raw outputs of file and network, in quantization steps."""
    apart: dict[str, list[Any]] = {"box encodings": [], "scores": []}
    for image in images:
        found = results(interpreter, image)
        raw = model(scaled(image))
        logits = np.concatenate([raw["background_logits"], raw["class_logits"]], axis=-1)
        wanted = (np.asarray(raw["box_encodings"]), 1 / (1 + np.exp(-logits)))
        details = interpreter.get_output_details()
        for own, each, values, expected in zip(apart, details, found, wanted, strict=True):
            step, zero = each["quantization"]
            numbers = (values.astype(np.float32) - zero) * step
            apart[own].append(np.abs(numbers - expected).ravel() / step)
    return {name: np.concatenate(parts) for name, parts in apart.items()}


def results(interpreter: Any, image: NDArray[np.uint8]) -> list[Any]:
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image[None])
    interpreter.invoke()
    return [interpreter.get_tensor(each["index"]) for each in interpreter.get_output_details()]


if __name__ == "__main__":
    main()
