"""`boxwright train`"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.cli.options import Classes, ExcludeClass, Rename, class_choice
from boxwright.console import INTERRUPTED, plain, quoted, say, show, show_json

if TYPE_CHECKING:
    from boxwright.api import Run

# What Python needed before this line, so that the budget counts from the command's start.
STARTED = time.monotonic() - time.process_time()


def train(
    context: typer.Context,
    data: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="DATA",
            help="A folder of labelled images, or an annotation file with images around it. "
            "Several are trained on as one.",
        ),
    ] = None,
    out: Annotated[Path, typer.Option("--out", help="The run folder to write.")] = Path("run"),
    budget: Annotated[
        str | None,
        typer.Option(
            metavar="TIME",
            help="Wall time from start to last line: 30s, 2m, 1h. [default: until the AP on the "
            "validation photos stops rising]",
        ),
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|PATH",
            help="A model of `boxwright models`, downloaded once, or weights of yours: a .tflite "
            "or a checkpoint's prefix. [default: ssd_mobilenet_v1_coco_quant]",
        ),
    ] = None,
    from_scratch: Annotated[
        bool, typer.Option("--from-scratch", help="Start without pretrained weights.")
    ] = False,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume",
            help="Go on with the stopped run in --out, from its last checkpoint. Options are the "
            "run's own; --budget and --steps may be new.",
        ),
    ] = False,
    seed: Annotated[
        int | None,
        typer.Option(min=0, max=2**32 - 1, help="Of everything random. [default: 0]"),
    ] = None,
    input_size: Annotated[
        int | None, typer.Option(min=64, max=1024, help="Side of the network's input, pixels.")
    ] = None,
    depth_multiplier: Annotated[
        float | None,
        typer.Option(min=0.1, max=2.0, help="Of the network's filters, from scratch only."),
    ] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="Count steps instead of time.")] = None,
    deterministic: Annotated[
        bool,
        typer.Option(
            "--deterministic",
            help="The same photos, options and machine give the same weights to the last bit, "
            "stopped and resumed or not. Needs --steps, since no time holds the same number of "
            "steps twice; trains in float32, up to a third slower where bfloat16 would be faster.",
        ),
    ] = False,
    classes: Classes = None,
    exclude_class: ExcludeClass = None,
    rename: Rename = None,
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
        typer.Option("--explain", help="Print the recipe with its reasons, and train nothing."),
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a detector on labelled photos.

    Classes, sizes and splits are read from the data; everything else is decided from them and
    from the budget, and said. Photos marked for testing are never opened. Ctrl-C leaves a usable
    run. With KERAS_BACKEND=jax in the environment it trains on JAX, for graphics cards.

    \b
    Examples:
      boxwright train photos --budget 2m --out run
      boxwright train monday tuesday.json --out run
      boxwright train photos --weights ssd_mobilenet_v2_coco --out run
      boxwright train photos --weights nets/model.ckpt-20000 --out run
      boxwright train photos --set learning_rate.peak=5e-4 --set augmentation.horizontal_flip=0
      boxwright train photos --classes car,bus --rename bus=car
      boxwright train photos --budget 2m --explain
      boxwright train photos --out run --resume
    """
    from boxwright import api
    from boxwright.cli.progress import ProgressLine
    from boxwright.training.settings import parse

    chosen = class_choice(classes, exclude_class, rename)
    asked: dict[str, Any] = {
        "budget": budget,
        "steps": steps,
        "weights": weights,
        "from_scratch": from_scratch,
        "recipe": parse(settings or ()),
        "input_size": input_size,
        "depth_multiplier": depth_multiplier,
        "seed": seed,
        "deterministic": deterministic,
        "resume": resume,
    }
    if explain:
        _explain(tuple(data or ()), out, choice=chosen, json=json, **asked)
        return
    with ProgressLine() as line:
        trains = context.obj or api.train  # whoever calls the command may bring another
        run = trains(
            data or (),
            out=out,
            classes=chosen.classes,
            exclude=chosen.exclude,
            rename=chosen.rename,
            on_event=line,
            started=STARTED,
            **asked,
        )
    if json:
        show_json(
            {
                "run": str(out),
                "step": run.step,
                "interrupted": run.interrupted,
                "seconds": round(time.monotonic() - STARTED, 1),
                "validation": run.validation.to_json() if run.validation else None,
            }
        )
    else:
        show(_ending(out, run.paths, run))
    if run.interrupted:
        words = f"{_words(run.paths)} --out {_words([out])}"
        say(f"Stopped. Go on with: boxwright train {words} --resume")
        raise typer.Exit(INTERRUPTED)


def _explain(data: tuple[Path, ...], out: Path, *, json: bool, **asked: Any) -> None:
    from boxwright.cli.recipe import show_recipe
    from boxwright.training.request import TrainingRequest

    request = TrainingRequest(data, out, **asked)
    dataset = request.dataset()
    for line in request.described(dataset):
        say(plain(line))
    show_recipe(request.recipe_for(dataset), json=json)


def _words(paths: Sequence[Path]) -> str:
    return " ".join(plain(quoted(path)) for path in paths)


def _ending(out: Path, data: Sequence[Path], ended: Run) -> str:
    lines = [f"[bold]{plain(out)}[/] holds the weights of step {ended.step}."]
    validation = ended.validation
    if validation and validation.ap is not None:
        count = validation.images
        lines.append(
            f"AP {validation.ap:.3f}, AP50 {validation.ap50:.3f} on the {count} "
            "photos that chose them."
        )
    else:
        lines.append("Too few photos to choose by: these are the last averaged weights.")
    run, images = _words([out]), _words(data)
    if len(ended.dataset.split("test")):
        lines[-1] += " For a number to trust:"
        lines.append(f"  boxwright evaluate {run} {images}")
    else:
        lines[-1] += " None is for testing. Set some aside and train again for a number to trust:"
        lines.append(f"  boxwright split {images} --anew")
    lines.append(f"  boxwright export {run} --to tflite")
    return "\n".join(lines)
