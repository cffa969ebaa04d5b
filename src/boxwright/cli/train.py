"""`boxwright train`"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.cli.options import (
    BoxUnits,
    Classes,
    Depth,
    ExcludeClass,
    Format,
    MaxPixels,
    Rename,
    UnlabeledImages,
    class_choice,
    read_options,
)
from boxwright.console import INTERRUPTED, plain, say, show, show_json
from boxwright.errors import BoxwrightError
from boxwright.io.shell import quoted

if TYPE_CHECKING:
    from boxwright.api import Run
    from boxwright.report.run_report import Report

# The start of the process, before the imports, so that the budget includes them.
STARTED = time.monotonic() - time.process_time()


def train(
    context: typer.Context,
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DATA",
            help="A folder of labeled images, its archive, or an annotation file with images "
            "around it. Several are combined. With --resume it may be left out.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The run folder to write.")] = Path("run"),
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Total wall time: 30s, 2m, 1h. [default: until the validation AP stops rising]",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            help="Weights of `boxwright models`, downloaded once, or your own: a .tflite file, a "
            "checkpoint's prefix, an .onnx or ncnn's .param. They decide the model.",
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="auto|NAME",
            help="A model of `boxwright models`, which starts from its usual weights. "
            "[default: auto]",
        ),
    ] = None,
    latency: Annotated[
        str | None,
        typer.Option(
            metavar="fast|MS[@THREADS]",
            help="The longest time of the exported float .tflite for an image on this machine. "
            "Models are timed before training; the result decides model and input size.",
        ),
    ] = None,
    size_limit: Annotated[
        float | None,
        typer.Option(metavar="MB", min=0.0, help="The largest size of that file."),
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Start without pretrained weights.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Continue the stopped run in --out from its last checkpoint, with its own "
            "options; only --budget and --steps may change.",
        ),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**32 - 1, help="Random seed. [default: 0]"),
    ] = None,
    input_size: Annotated[
        int | None, typer.Option(min=64, max=1024, help="Side of the network's input in pixels.")
    ] = None,
    tile: Annotated[
        str | None,
        typer.Option(
            metavar="N|HxW",
            help="Cut large images into tiles of N x N or H x W pixels, for small objects. The "
            "detector then cuts its images too.",
        ),
    ] = None,
    depth_multiplier: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            max=2.0,
            help="Multiplier of the network's filter counts, only with --from-scratch.",
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Number of training steps, instead of --budget.")
    ] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic",
            help="Make training reproducible to the last bit on one machine, even if stopped and "
            "resumed. Needs --steps, because a time budget gives a different number of steps each "
            "time. Trains in float32, which is up to a third slower where bfloat16 would be used.",
        ),
    ] = False,
    classes: Classes = None,
    exclude_class: ExcludeClass = None,
    rename: Rename = None,
    form: Format = None,
    unlabeled: UnlabeledImages = None,
    units: BoxUnits = None,
    max_pixels: MaxPixels = None,
    depth_range: Depth = None,
    devices: Annotated[
        str,
        typer.Option(
            metavar="all|N",
            help="The number of devices that share each batch, of each process. Needs JAX.",
        ),
    ] = "1",
    coordinator: Annotated[
        str | None,
        typer.Option(
            metavar="auto|HOST:PORT",
            help="Train in several processes, on JAX: the host of process 0 and a free port there. "
            "auto takes it and the next two from SLURM, Kubernetes or MPI.",
        ),
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="The number of these processes.")
    ] = None,
    process: Annotated[
        int | None,
        typer.Option(min=0, help="The number of this one. 0 evaluates and writes the run."),
    ] = None,
    cache_dir: Annotated[
        Path | None,
        typer.Option(
            "--cache-dir",
            help="Folder for decoded images that do not fit into memory. [default: the folder for "
            "temporary files]",
        ),
    ] = None,
    cache_size: Annotated[
        float | None,
        typer.Option(
            "--cache-size",
            metavar="GB",
            min=0.0,
            help="The most decoded images to store; others are decoded each time. [default: all]",
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PATH=VALUE",
            help="Set a field of the recipe, such as learning_rate.peak=5e-4; may be repeated. "
            "--explain lists paths and values.",
        ),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option("--explain", help="Print the recipe with its reasons, without training."),
    ] = False,
    no_report: Annotated[
        bool,
        typer.Option("--no-report", help="Write no report.html into the run after the training."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a detector on labeled images.

    Classes, sizes and splits are read from the data. All other settings are chosen from the data
    and the budget, and printed. It never learns from test images and decides nothing with them.
    After the budget it writes report.html, from validation images only.
    Stop with Ctrl-C at any time; --resume continues the run. With KERAS_BACKEND=jax in the
    environment it trains on JAX, for GPUs, several of them, and several hosts.

    \b
    Examples:
      boxwright train images --budget 2m --out run
      boxwright train monday tuesday.json --out run
      boxwright train images --model ssd_mobilenet_v1 --out run
      boxwright train images --latency 20@1 --size-limit 5 --out run
      boxwright train images --weights ssd_mobilenet_v2_coco --out run
      boxwright train images --weights nets/model.ckpt-20000 --out run
      boxwright train images --set learning_rate.peak=5e-4 --set augmentation.horizontal_flip=0
      boxwright train images --classes car,bus --rename bus=car
      boxwright train sites --tile 640 --budget 5m --out run
      boxwright train images --budget 2m --explain
      boxwright train images --out run --resume
      KERAS_BACKEND=jax boxwright train images --devices all
      KERAS_BACKEND=jax boxwright train images --coordinator 10.0.0.5:7000 --processes 2 --process 0
    """
    from boxwright import api
    from boxwright.cli.members import members, take_part
    from boxwright.cli.progress import ProgressLine
    from boxwright.cli.report import say_written
    from boxwright.training.settings import parse

    chosen = class_choice(classes, exclude_class, rename)
    options = read_options(form, unlabeled, units, max_pixels, depth_range)
    asked: dict[str, Any] = {
        "budget": budget,
        "steps": steps,
        "weights": weights,
        "from_scratch": from_scratch,
        "model": model,
        "latency": latency,
        "size_limit": size_limit,
        "recipe": {**parse(settings or ()), **_tile(tile)},
        "input_size": input_size,
        "depth_multiplier": depth_multiplier,
        "seed": seed,
        "deterministic": deterministic,
        "resume": resume,
    }
    if explain:
        _explain(tuple(data or ()), out, choice=chosen, options=options, json=json, **asked)
        return
    machine: dict[str, Any] = {"devices": devices, "cache_dir": cache_dir, "cache_size": cache_size}
    with members(coordinator, processes, process) as (own, control), ProgressLine() as line:
        if own.leads:
            trains = context.obj or api.train  # a caller may substitute another
            run = trains(
                data or (),
                out=out,
                classes=chosen.classes,
                exclude=chosen.exclude,
                rename=chosen.rename,
                form=options,
                on_event=line,
                control=control,
                started=STARTED,
                processes=own,
                **machine,
                **asked,
            )
        else:
            stopped = take_part(own, data or (), options, line, **machine)
    if not own.leads:
        raise typer.Exit(INTERRUPTED if stopped else 0)
    seconds = round(time.monotonic() - STARTED, 1)
    report = None if no_report or run.interrupted else _report(run)
    if json:
        show_json(
            {
                "run": str(out),
                "step": run.step,
                "interrupted": run.interrupted,
                "seconds": seconds,
                "validation": run.validation.to_json() if run.validation else None,
                "report": str(report.page) if report else None,
            }
        )
    else:
        show(_ending(run))
    if report:
        say_written(report)
    if run.interrupted:
        words = f"{_words(run.paths)} --out {_words([out])}"
        say(f"Stopped. To continue: boxwright train {words} --resume")
        raise typer.Exit(INTERRUPTED)


def _tile(tile: str | None) -> dict[str, Any]:
    from boxwright.inference.tiling import Tiling

    try:
        tiling = None if tile is None else Tiling.parse(tile)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    return {"tile": (tiling.height, tiling.width)} if tiling else {}


def _report(run: Run) -> Report | None:
    """Write the report of a training. Its failure is no failure of the training."""
    from boxwright.cli.progress import waiting
    from boxwright.report.run_report import report

    try:
        with waiting("Writing the report"):
            return report(run.folder, run.dataset, split="val", classes=run.dataset.classes)
    except BoxwrightError as error:
        say(f"There is no report: {plain(str(error))}")
        return None


def _explain(
    data: tuple[Path, ...],
    out: Path,
    *,
    json: bool,
    latency: str | None,
    size_limit: float | None,
    model: str | None,
    weights: str | None,
    **asked: Any,
) -> None:
    from boxwright.bench.limits import chosen
    from boxwright.cli.recipe import show_recipe
    from boxwright.training.request import TrainingRequest

    limited = chosen(latency, size_limit, model, weights, lambda text: say(plain(text)))
    request = TrainingRequest(data, out, weights=weights, **limited, **asked)
    dataset = request.dataset()
    for line in request.described(dataset):
        say(plain(line))
    show_recipe(request.recipe_for(dataset), json=json)


def _words(paths: Sequence[Path]) -> str:
    return " ".join(plain(quoted(path)) for path in paths)


def _ending(ended: Run) -> str:
    lines = [f"[bold]{plain(ended.folder)}[/] has the weights of step {ended.step}."]
    validation = ended.validation
    if validation and validation.ap is not None:
        count = validation.images
        lines.append(
            f"Validation AP {validation.ap:.3f}, AP50 {validation.ap50:.3f} ({count} images)."
        )
    else:
        lines.append("Without a validation set, these are the last averaged weights.")
    run, images = _words([ended.folder]), _words(ended.paths)
    if len(ended.dataset.split("test")):
        lines[-1] += " To evaluate on the test set:"
        lines.append(f"  boxwright evaluate {run} {images}")
    else:
        lines[-1] += " There is no test set. To make one for an unbiased AP, then train again:"
        lines.append(f"  boxwright split {images} --anew")
    lines.append(f"  boxwright export {run} --to tflite")
    return "\n".join(lines)
