"""`boxwright train`"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Any

import typer

from boxwright.console import INTERRUPTED, plain, quoted, say, show, show_json

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
    data: Annotated[Path, typer.Argument(metavar="DATA", help="A folder of labelled photos.")],
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
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Train a detector on labelled photos.

    Classes, sizes and splits are read from the data; everything else is decided from them and
    from the budget, and said. Photos marked for testing are never opened. Ctrl-C leaves a usable
    run. With KERAS_BACKEND=jax in the environment it trains on JAX, for graphics cards.

    \b
    Examples:
      boxwright train photos --budget 2m --out run
      boxwright train photos --weights ssd_mobilenet_v2_coco --out run
      boxwright train photos --weights nets/model.ckpt-20000 --out run
      boxwright train photos --out run --resume
    """
    if budget and steps:
        raise typer.BadParameter("give either --budget or --steps.")
    seconds = seconds_of(budget) if budget else None
    if from_scratch and weights:
        raise typer.BadParameter("--from-scratch and --weights exclude each other.")
    if depth_multiplier and not (from_scratch or resume):
        raise typer.BadParameter("--depth-multiplier needs --from-scratch: weights have their own.")
    if deterministic and not (steps or resume):
        raise typer.BadParameter(
            "--deterministic needs --steps: no time holds as many steps twice."
        )
    from boxwright.api import load
    from boxwright.cli.describe import counted, say_findings
    from boxwright.cli.models import fetched
    from boxwright.cli.progress import ProgressLine
    from boxwright.inference.run import Run
    from boxwright.models.weights import zoo
    from boxwright.training import loop
    from boxwright.training.run_folder import check_options

    start = zoo.chosen(weights) if weights else None if from_scratch or resume else zoo.DEFAULT
    if resume:
        named = start.name if isinstance(start, zoo.Published) else start and zoo.title(start)
        asked = {
            "--weights": named,
            "--from-scratch": from_scratch or None,
            "--seed": seed,
            "--input-size": input_size,
            "--depth-multiplier": depth_multiplier,
            "--deterministic": deterministic or None,
        }
        check_options(Run(out), asked)
        start = None
    dataset = load(data)
    say_findings(dataset.findings, data)
    say(plain(counted(dataset)))
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
            seconds=seconds,
            steps=steps,
            input_size=input_size,
            depth_multiplier=depth_multiplier,
            seed=seed or 0,
            deterministic=deterministic,
            resume=resume,
            on_event=line,
            started=STARTED,
            source=data,
        )
    chosen = outcome.evaluation
    if json:
        show_json(
            {
                "run": str(out),
                "step": outcome.step,
                "interrupted": outcome.interrupted,
                "seconds": round(time.monotonic() - STARTED, 1),
                "validation": chosen.to_json() if chosen else None,
            }
        )
    else:
        show(_ending(out, data, outcome, tested=len(dataset.split("test")) > 0))
    if outcome.interrupted:
        say(f"Stopped. Go on with: boxwright train {plain(data)} --out {plain(out)} --resume")
        raise typer.Exit(INTERRUPTED)


def _ending(out: Path, data: Path, outcome: Any, *, tested: bool) -> str:
    lines = [f"[bold]{plain(out)}[/] holds the weights of step {outcome.step}."]
    if outcome.evaluation and outcome.evaluation.ap is not None:
        images = outcome.evaluation.images
        lines.append(
            f"AP {outcome.evaluation.ap:.3f}, AP50 {outcome.evaluation.ap50:.3f} on the {images} "
            "photos that chose them."
        )
    else:
        lines.append("Too few photos to choose by: these are the last averaged weights.")
    run, images = (plain(quoted(path)) for path in (out, data))
    if tested:
        lines[-1] += " For a number to trust:"
        lines.append(f"  boxwright evaluate {run} {images}")
    else:
        lines[-1] += " None is for testing. Set some aside and train again for a number to trust:"
        lines.append(f"  boxwright split {images} --anew")
    lines.append(f"  boxwright export {run} --to tflite")
    return "\n".join(lines)
