"""`boxwright serve`"""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from boxwright.cli.options import Labels, Trust, say_trusted
from boxwright.console import plain, say, show, show_json
from boxwright.serving.settings import PORT, Access, Settings


def _address(url: str | None) -> str | None:
    """One of http or https. Raises typer.BadParameter."""
    from boxwright.serving.origin import Origin

    try:
        return url and Origin(url).url
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error


def serve(
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="MODEL[=NAME]...",
            help="Run folders, or exported files or folders, each with the name that clients use. "
            "[default: the name of the file without suffix]",
        ),
    ],
    host: Annotated[
        str,
        typer.Option(
            metavar="ADDRESS",
            help="The address to listen at; 0.0.0.0 for all of this computer. Give a --token then.",
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The port to listen at; 0 for a free one.")
    ] = PORT,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="BOXWRIGHT_TOKEN",
            help="What requests have to state, as bearer token or as password.",
        ),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Another name of this server in the addresses of clients, such as that of a "
            "proxy; may be repeated; * for any.",
        ),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL", help="A site whose pages may send requests; may be repeated; * for any."
        ),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, max=64, help="Images in work at a time. [default: one per core]"),
    ] = None,
    queue: Annotated[
        int, typer.Option(min=0, help="Requests that may wait; more are answered with 429.")
    ] = Settings.queue,
    timeout: Annotated[
        float, typer.Option(min=0.001, metavar="SECONDS", help="Later answers are 504.")
    ] = Settings.timeout,
    max_megabytes: Annotated[
        int, typer.Option(min=1, help="Requests with more are answered with 413.")
    ] = Settings.max_bytes >> 20,
    max_pixels: Annotated[
        int, typer.Option(min=1, help="Images with more are answered with 413.")
    ] = Settings.max_pixels,
    label_studio_url: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            callback=_address,
            help="The Label Studio whose images are fetched; others are refused. "
            "LABEL_STUDIO_API_KEY is its token.",
        ),
    ] = None,
    labels: Labels = None,
    trust: Trust = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print address and models as JSON when all are ready.")
    ] = False,
) -> None:
    """Answer requests for detections over HTTP.

    POST /detect takes an image and answers with its detections as JSON, or, if asked for
    image/jpeg, with the image and its boxes drawn. /healthz answers 200 when all models are ready,
    and /metrics is for Prometheus. A model whose file is replaced is loaded again without a pause.
    Each request is a line of JSON on standard error. Ctrl-C or SIGTERM ends the server after the
    requests in progress, within 10 seconds.

    \b
    Examples:
      boxwright serve run/detector.tflite
      boxwright serve run/detector.tflite=helmets other.onnx=birds --port 9000
      BOXWRIGHT_TOKEN=... boxwright serve run --host 0.0.0.0 --allow-host images.example.org
    """
    from boxwright.web.installed import check_installed

    check_installed("serve")
    from boxwright.inference.class_names import read_names
    from boxwright.inference.engines.engine import cores
    from boxwright.inference.file_kinds import kind_of
    from boxwright.serving.model import Model, load
    from boxwright.serving.names import named
    from boxwright.serving.server import serve
    from boxwright.structures.findings import counted
    from boxwright.web.listening import LOOPBACK, names_of

    paths = named(models)
    for path in paths.values():
        kind_of(path)  # before anything else takes time
    if labels and len(paths) > 1:
        raise typer.BadParameter("--labels is for one model.")
    if trust:
        say_trusted(*paths.values())
    settings = Settings(
        workers or cores(), queue, timeout, max_megabytes << 20, max_pixels, label_studio_url
    )
    open_file = partial(
        load,
        workers=settings.workers,
        max_pixels=max_pixels,
        classes=read_names(labels) if labels else None,
        trust=trust,
    )
    served = [Model(name, path, open_file) for name, path in paths.items()]
    allowed = [each.lower() for each in allow_host or ()]
    hosts = None if "*" in allowed else names_of(host) | {*allowed}
    access = Access(hosts, token, tuple(allow_origin or ()))
    if host not in (LOOPBACK, "localhost", "::1") and not token:
        say("Everybody on your network can send requests. --token asks for a secret.")

    def ready(address: str) -> None:
        if json:
            about = [{"name": m.name, "file": str(m.path), "kind": m.kind} for m in served]
            show_json({"address": address, "models": about})
            return
        for model in served:
            classes = counted(len(model.classes), "class", "classes")
            show(f"[bold]{plain(model.name)}[/]: {plain(model.path)}, {classes}")
        which = f"?model={served[0].name}" if len(served) > 1 else ""
        show(f"Send an image:  curl --data-binary @image.jpg '{address}/detect{which}'")
        say("Ctrl-C ends the server.")

    serve(served, settings, access, ready, host=host, port=port)
