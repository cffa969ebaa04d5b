"""`boxwright train`"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.cli.options import Classes, ExcludeClass, Rename, class_choice
from boxwright.console import INTERRUPTED, plain, quoted, say, show, show_json

if TYPE_CHECKING:
    from boxwright.datasets.source import DataSource
    from boxwright.structures.dataset import Dataset
    from boxwright.training.recipe import Recipe

UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0}
SHORTEST = 15.0  # seconds; starting alone takes ten
ENOUGH_FROM_SCRATCH = 10_000  # photos

# What Python needed before this line, so that the budget counts from the command's start.
STARTED = time.monotonic() - time.process_time()


def seconds_of(budget: str) -> float:
    """`90`, `90s`, `2m` or `1.5h` in seconds; raises `typer.BadParameter` for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh]?)", budget.strip().lower())
    if not found:
        raise typer.BadParameter(f"{budget!r} is not a time; write 30s, 2m or 1h.")
    seconds = float(found[1]) * UNITS[found[2]]
    if seconds < SHORTEST:
        raise typer.BadParameter(
            f"{budget} is too short: starting alone takes ten seconds. Try 30s."
        )
    return seconds


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
    seconds = seconds_of(budget) if budget else None
    exclusive = {
        "give either --budget or --steps.": budget and steps,
        "--from-scratch and --weights exclude each other.": from_scratch and weights,
        "--depth-multiplier needs --from-scratch: weights have their own.": (
            depth_multiplier and not (from_scratch or resume)
        ),
        "--deterministic needs --steps: no time holds as many steps twice.": (
            deterministic and not (steps or resume)
        ),
        "Missing argument 'DATA'.": not (data or resume),
    }
    if wrong := next((what for what, holds in exclusive.items() if holds), None):
        raise typer.BadParameter(wrong)
    chosen = class_choice(classes, exclude_class, rename)
    from boxwright.cli.describe import counted, say_findings
    from boxwright.cli.models import fetched
    from boxwright.cli.progress import ProgressLine
    from boxwright.cli.recipe import show_recipe
    from boxwright.datasets.source import DataSource
    from boxwright.models.weights import zoo
    from boxwright.training import loop
    from boxwright.training.deciding import checked
    from boxwright.training.settings import parse

    start = zoo.chosen(weights) if weights else None if from_scratch or resume else zoo.DEFAULT
    fields = parse(settings or ())
    if resume:
        named = start.name if isinstance(start, zoo.Published) else start and zoo.title(start)
        asked = {
            "--weights": named,
            "--from-scratch": from_scratch or None,
            "--seed": seed,
            "--input-size": input_size,
            "--depth-multiplier": depth_multiplier,
            "--deterministic": deterministic or None,
            **chosen.as_options(),
        }
        source, start = _resumed_source(out, data, asked), None
    else:
        checked(fields, pretrained=start is not None)  # before minutes of reading
        source = DataSource(tuple(data or ()), chosen)
    dataset = source.load(strict=not resume)
    say_findings(dataset.findings, source.paths[0] if len(source.paths) == 1 else None)
    say(plain(counted(dataset)))
    how: dict[str, Any] = {
        "seconds": seconds,
        "steps": steps,
        "input_size": input_size,
        "depth_multiplier": depth_multiplier,
        "seed": seed or 0,
        "deterministic": deterministic,
    }
    if explain:
        show_recipe(_recipe(dataset, out if resume else None, start, fields, how), json=json)
        return
    if from_scratch and len(dataset.split("train")) < ENOUGH_FROM_SCRATCH:
        say("From scratch, with so few photos: pretrained weights would get much further. They are")
        say("what training starts from without --from-scratch.")
    if isinstance(start, zoo.Published):
        start = fetched(start)
    with ProgressLine() as line:
        trains = context.obj or loop.train  # whoever calls the command may bring another
        outcome = trains(
            dataset,
            out=out,
            weights=start,
            recipe=fields,
            resume=resume,
            on_event=line,
            started=STARTED,
            source=source,
            **how,
        )
    if json:
        show_json(
            {
                "run": str(out),
                "step": outcome.step,
                "interrupted": outcome.interrupted,
                "seconds": round(time.monotonic() - STARTED, 1),
                "validation": outcome.evaluation.to_json() if outcome.evaluation else None,
            }
        )
    else:
        show(_ending(out, source.paths, outcome, tested=len(dataset.split("test")) > 0))
    if outcome.interrupted:
        folders = " ".join(plain(quoted(path)) for path in source.paths)
        say(f"Stopped. Go on with: boxwright train {folders} --out {plain(quoted(out))} --resume")
        raise typer.Exit(INTERRUPTED)


def _resumed_source(out: Path, data: list[Path] | None, asked: dict[str, Any]) -> DataSource:
    """What a run that goes on learns from: its own data and classes, or where they are now."""
    from boxwright.datasets.source import DataSource, choice_of, source_of
    from boxwright.inference.run import Run
    from boxwright.training.checkpoint import nothing_to_resume
    from boxwright.training.run_folder import check_options

    run = Run(out)
    check_options(run, asked)
    if not (data or run.exists()):
        raise nothing_to_resume(run.checkpoint)
    provenance = run.artifact.provenance if run.exists() else {}
    known = source_of(provenance)
    paths = data or (known.paths if known else ())
    if not paths:
        raise typer.BadParameter("Missing argument 'DATA': the run does not say where it is.")
    return DataSource(tuple(paths), choice_of(provenance))


def _recipe(
    dataset: Dataset, run: Path | None, start: Any, fields: dict[str, str], how: dict[str, Any]
) -> Recipe:
    """How a training would train: a new one, or that of a run that goes on."""
    from boxwright.inference.run import Run
    from boxwright.training.checkpoint import Checkpoint
    from boxwright.training.data import images_to_cache
    from boxwright.training.deciding import recipe_for_run
    from boxwright.training.sanity_checks import check_trainable

    seen = images_to_cache(dataset)
    check_trainable(seen)
    checkpoint = Checkpoint.load(Run(run).checkpoint) if run else None
    return recipe_for_run(seen, checkpoint, fields, pretrained=start is not None, **how)


def _ending(out: Path, data: Sequence[Path], outcome: Any, *, tested: bool) -> str:
    lines = [f"[bold]{plain(out)}[/] holds the weights of step {outcome.step}."]
    if outcome.evaluation and outcome.evaluation.ap is not None:
        images = outcome.evaluation.images
        lines.append(
            f"AP {outcome.evaluation.ap:.3f}, AP50 {outcome.evaluation.ap50:.3f} on the {images} "
            "photos that chose them."
        )
    else:
        lines.append("Too few photos to choose by: these are the last averaged weights.")
    run, images = (" ".join(plain(quoted(path)) for path in paths) for paths in ([out], data))
    if tested:
        lines[-1] += " For a number to trust:"
        lines.append(f"  boxwright evaluate {run} {images}")
    else:
        lines[-1] += " None is for testing. Set some aside and train again for a number to trust:"
        lines.append(f"  boxwright split {images} --anew")
    lines.append(f"  boxwright export {run} --to tflite")
    return "\n".join(lines)
