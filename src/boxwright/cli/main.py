"""The `boxwright` command. Each verb has its own file and imports its dependencies when called, so
that `boxwright --help` is fast."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Sequence
from typing import Annotated

import typer

from boxwright import __version__
from boxwright.backend import framework
from boxwright.cli import (
    bench,
    card,
    check,
    compare,
    convert,
    demo,
    diagnose,
    dockerfile,
    download,
    evaluate,
    explain,
    export,
    forecast,
    inspect,
    label,
    licenses,
    merge,
    models,
    predict,
    report,
    serve,
    split,
    suspects,
    tfod,
    train,
)
from boxwright.console import INTERRUPTED, fail, guarded, prepare_streams, printing
from boxwright.errors import BoxwrightError

app = typer.Typer(
    name="boxwright",
    help="Train an object detector on a folder of labeled images.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # plain help takes 0.1 s, panels 0.3 s
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"boxwright {__version__}")
        raise typer.Exit


@app.callback(epilog="Start with `boxwright demo`: it needs no data and no network.")
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Train an object detector on a folder of labeled images."""


for command in (
    download.download,
    label.label,
    check.check,
    convert.convert,
    merge.merge,
    split.split,
    models.models,
    train.train,
    evaluate.evaluate,
    compare.compare,
    report.report,
    diagnose.diagnose,
    suspects.suspects,
    forecast.forecast,
    export.export,
    predict.predict,
    serve.serve,
    inspect.inspect,
    dockerfile.dockerfile,
    card.card,
    bench.bench,
    licenses.licenses,
    explain.explain,
    demo.demo,
):
    app.command()(guarded(command))
app.command("licences", hidden=True)(guarded(licenses.licenses))  # its British spelling
app.command(context_settings=tfod.PASS_THROUGH)(guarded(tfod.tfod))


def _end_like_ctrl_c() -> None:
    """Let a shutdown or a closed terminal stop a command as Ctrl-C does, so that a training
    writes its checkpoint. What the caller ignores, as `nohup` does, stays ignored."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        return  # which alone may set handlers
    for name in ("SIGTERM", "SIGHUP"):  # the latter is not on Windows
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) == signal.SIG_DFL:
            signal.signal(number, stop)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the console script, with its own arguments by default."""
    prepare_streams()
    _end_like_ctrl_c()
    framework.leave_out_data_frames()
    try:
        with printing():  # help and version, by typer
            app(arguments)
    except BoxwrightError as error:
        fail(error)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
