"""Evaluation of checkpoints on the images of a config's input readers."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from boxwright.evaluation import summary
from boxwright.evaluation.coco import Evaluation, evaluate
from boxwright.inference.artifact import Artifact
from boxwright.inference.detector import Detector
from boxwright.inference.engines import KerasEngine
from boxwright.structures.dataset import Dataset, Split
from boxwright.structures.detections import Detections
from boxwright.tfod.commands import Say
from boxwright.tfod.config import Config, checked
from boxwright.tfod.config.pipeline import EvalConfig
from boxwright.tfod.mapping.network import Trained, nms_config_of, read_trained
from boxwright.tfod.readers import read_images
from boxwright.training.event_file import EventFile

COCO, PASCAL = "coco_detection_metrics", "pascal_voc_detection_metrics"
POLL_SECONDS = 5.0  # interval of checks for a newer checkpoint


def images_of(config: Config, *, training: bool = False, each: int = 1) -> Dataset:
    """Return every `each`-th image of the eval_input_reader, or of the train_input_reader if
    `training`, at most num_examples of eval_config. Raises as `checked` and `read_images`."""
    ready = checked(config, train=training, evaluate=not training)
    split = Split.TRAIN if training else Split.VAL
    return sample(config, read_images(ready, [split]), split, each)


def sample(config: Config, images: Dataset, split: Split, each: int) -> Dataset:
    """Return every `each`-th image of a split, at most num_examples of eval_config."""
    max_evaluations = config.pipeline.eval_config.num_examples
    own = images.split(split)
    return own.select(np.arange(0, len(own), each)[: max_evaluations or None])


def evaluate_folder(
    config: Config,
    images: Dataset,
    checkpoints: Path,
    events: Path,
    say: Say,
    *,
    once: bool,
    patience: float = math.inf,
) -> None:
    """Evaluate the latest checkpoint of a folder, and unless `once` each newer one as it appears.

    Ends after max_evals of eval_config, at the last step of train_config, or if `patience` seconds
    bring no newer checkpoint.

    Raises:
        WeightsError: BW201 there is no checkpoint and `once` is set; BW206 it is from another
            network.
    """
    pipeline = config.pipeline
    max_evaluations, last = pipeline.eval_config.max_evals, pipeline.train_config.num_steps
    interval = pipeline.eval_config.eval_interval_secs
    newest = _newest(checkpoints, interval, patience, say, once=once)
    for done, prefix in enumerate(newest, start=1):
        trained = read_trained(config, prefix, quantization_aware=True)
        measure(trained, images, events, say)
        if once or done == max_evaluations or 0 < last <= trained.step:
            return


def measure(trained: Trained, images: Dataset, events: Path, say: Say) -> None:
    """Evaluate a network, print its metrics, and write them to TensorBoard with pictures."""
    config, step = trained.config.pipeline.eval_config, trained.step
    found = detect(trained, images)
    numbers = numbers_of(evaluate(images, found, resamples=0), config)
    say(f"{len(images)} images at global step {step}:")
    for name, value in numbers.items():
        say(f"  {name} = {'n/a' if value is None else f'{value:.6f}'}")
    with EventFile(events) as file:
        file.write(step, numbers)
        shown = summary.pictures(
            images,
            found,
            images=config.num_visualizations,
            boxes=config.max_num_boxes_to_visualize,
            threshold=config.min_score_threshold,
        )
        file.pictures(step, shown)


def detect(trained: Trained, images: Dataset) -> list[Detections]:
    """Return the detections of each image, with the config's post-processing."""
    preprocessing, nms_config = trained.preprocessing, nms_config_of(trained.config)
    engine = KerasEngine(trained.model, preprocessing, nms_config)
    detector = Detector(engine, Artifact({}, images.classes, preprocessing))
    return list(detector.detections_in(images))


def numbers_of(evaluation: Evaluation, config: EvalConfig) -> dict[str, float | None]:
    """Return the metrics of the config's metrics_set by their API names; default is COCO."""
    metrics = {COCO, PASCAL}.intersection(config.metrics_set) or {COCO}
    numbers: dict[str, float | None] = {}
    if COCO in metrics:
        numbers |= summary.coco_numbers(evaluation)
    if PASCAL in metrics:
        numbers |= summary.pascal_numbers(evaluation)
    return numbers


def _newest(
    folder: Path, interval: float, patience: float, say: Say, *, once: bool
) -> Iterator[Path]:
    """Yield the latest checkpoint of a folder, then each newer one, until none comes."""
    from boxwright.errors import WeightsError
    from boxwright.models.weights.checkpoint import find_prefix

    seen: Path | None = None
    waiting_since = time.monotonic()
    while True:
        started = time.monotonic()
        try:
            newest = find_prefix(folder)
        except WeightsError:
            if once:
                raise
            newest = None
        if newest and newest != seen:
            seen = newest
            yield newest
            waiting_since = time.monotonic()
        elif time.monotonic() - waiting_since >= patience:
            say(f"no newer checkpoint in {folder} for {patience:.0f} s")
            return
        else:
            awaited = "newer" if seen else "first"
            say(f"waiting for a {awaited} checkpoint in {folder}; stop with Ctrl-C")
        time.sleep(max(interval - (time.monotonic() - started), POLL_SECONDS))
