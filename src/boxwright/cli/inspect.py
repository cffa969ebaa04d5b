"""`boxwright inspect`"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from boxwright.cli.options import Trust, say_trusted
from boxwright.console import plain, show, show_json
from boxwright.io.shell import quoted

if TYPE_CHECKING:
    from rich.table import Table

    from boxwright.inference.artifact import Artifact
    from boxwright.inference.contract import Contract
    from boxwright.inference.inspection import Description
    from boxwright.inference.tflite_graph import Graph

NAMED = 12  # classes that are named
COMPUTES = {
    "integer": "integers; only the post-processing has float operators",
    "float": "floats",
    "mixed": "integers and floats",
}


def inspect(
    model: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A run folder or an exported file."),
    ],
    trust: Trust = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Describe a detector file.

    Prints its format, size, network, input, classes, threshold and origin, and what programs that
    run it need to know: names, order, shapes and types of inputs and outputs, the form of the
    boxes, the first class id. For a .tflite it also prints the operators. Files of other tools are
    described as far as possible.

    \b
    Examples:
      boxwright inspect run
      boxwright inspect run/detector.tflite
      boxwright inspect coco.tflite --json
    """
    from boxwright.inference.inspection import inspect as described

    if trust:
        say_trusted(model)
    description = described(model, trust=trust)
    if json:
        show_json(description.to_json())
        return
    show(f"[bold]{plain(model)}[/]: {description.kind}, {description.size / 1e6:.1f} MB\n")
    show(_facts(_all_facts(description)))
    if description.contract or description.graph:
        show("")
        show(_tensors(description))
    if description.graph:
        show("")
        show(_operators(description.graph))
    show("\n" + "\n".join(_next(description)))


def _facts(facts: Iterator[tuple[str, str]]) -> Table:
    from rich.table import Table

    rows = Table(box=None, pad_edge=False, show_header=False)
    rows.add_column(style="dim", no_wrap=True)
    rows.add_column()
    for name, value in facts:
        rows.add_row(name, plain(value))
    return rows


def _all_facts(description: Description) -> Iterator[tuple[str, str]]:
    if description.artifact:
        yield from _said(description.artifact)
    else:
        labels = description.labels
        more = f", ... ({len(labels)})" if len(labels) > NAMED else ""
        named = ", ".join(labels[:NAMED]) + more or "no names inside"
        yield "classes", f"{named}; written by another tool"
    if head := description.head:
        yield "head", head.family + ("" if head.detect else "; Boxwright does not decode it")
    if input_range := description.input_range:
        low, high = input_range
        yield "pixels", f"0 to 255 become {low:.3g} to {high:.3g} for the network"
    if mismatch := description.mismatch:
        measured = "`boxwright evaluate` on labeled images tells what it finds"
        yield "warning", f"{mismatch}. It may find less than it could: {measured}"
    if contract := description.contract:
        if contract.needs:
            yield "needs", contract.needs
        yield "takes", contract.pixels
        yield "boxes", contract.boxes
        yield "class ids", "; ".join(_ids(contract))
    if description.graph:
        yield "computes in", COMPUTES[description.graph.arithmetic]
        sizes = description.graph.weights.items()
        yield "constants", ", ".join(f"{size / 1e6:.2f} MB of {kind}" for kind, size in sizes)
    if description.slower is not None:
        left = ", ".join(f"{count} {name}" for name, count in description.slower.items())
        yield "not in XNNPACK", left or "nothing"
    if settings := description.postprocessing:
        said = [name for name in sorted(settings) if not name.startswith("_")]
        yield "post-processing", ", ".join(f"{name} {settings[name]}" for name in said)


def _said(artifact: Artifact) -> Iterator[tuple[str, str]]:
    from boxwright.report.licenses import weights_of

    model, made, origin = artifact.model, artifact.preprocessing, artifact.provenance
    depth, quantization = model.get("depth_multiplier"), model.get("quantization")
    network = [str(model.get("name", "unknown"))]
    network += [f"depth {depth:g}"] if isinstance(depth, int | float) else []
    network += [f"quantization-aware training for {quantization} bits"] if quantization else []
    yield "network", ", ".join(network)
    scaled = f"pixel * {made.scale:g} {'-' if made.offset < 0 else '+'} {abs(made.offset):g}"
    yield "input", f"{made.size} x {made.size} pixels, images stretched to it, {scaled}"
    if made.depth_range:
        yield "depth range", f"{made.depth_range} becomes black to white in images of over 8 bits"
    more = f", ... ({len(artifact.classes)})" if len(artifact.classes) > NAMED else ""
    yield "classes", ", ".join(artifact.classes[:NAMED]) + more
    yield "threshold", f"{artifact.threshold:g}"
    yield "written by", f"Boxwright {origin.get('boxwright', '(unknown version)')}"
    if data := artifact.data_path or artifact.data_name:
        yield "images", f"{data} (fingerprint {artifact.fingerprint})"
    if isinstance(recipe := origin.get("recipe"), dict):
        yield "recipe", _recipe(recipe, origin.get("step"))
    weights = weights_of(artifact)
    yield "started from", f"{weights.name}: {weights.license} ({weights.source})"
    if isinstance(found := origin.get("metrics"), dict):
        yield "measured", ", ".join(_flat(found))
    if isinstance(comparison := origin.get("comparison"), dict):
        yield (
            "comparison",
            f"{'passed' if comparison.get('passed') else 'NOT PASSED'}: {comparison.get('says')}",
        )
        if isinstance(table := comparison.get("table"), dict):
            yield f"on {comparison.get('split')} images", ", ".join(_beside(table))
    if artifact.golden:
        yield "golden image", str(artifact.golden)


def _recipe(recipe: dict[str, Any], step: Any) -> str:
    optimizer = recipe.get("optimizer")
    parts = [f"{step} steps" if step is not None else "", f"of {recipe.get('batch_size')} images"]
    parts.append(f"with {optimizer.get('kind')}" if isinstance(optimizer, dict) else "")
    budget = recipe.get("seconds")
    parts.append(f"in a budget of {budget:g} s" if isinstance(budget, int | float) else "")
    parts.append(f"seed {recipe.get('seed')}")
    return ", ".join([" ".join(part for part in parts[:3] if part), *filter(None, parts[3:])])


def _beside(table: dict[str, Any]) -> Iterator[str]:
    """`AP 0.533 (run 0.534)`, ..."""
    for name, sides in table.items():
        both = (sides.get("file"), sides.get("run")) if isinstance(sides, dict) else ()
        if len(both) == 2 and all(isinstance(each, float | int) for each in both):
            yield f"{name} {both[0]:.3f} (run {both[1]:.3f})"


def _flat(found: dict[str, Any]) -> Iterator[str]:
    """`AP 0.533`, ... for all numbers and words."""
    for name, value in found.items():
        if isinstance(value, dict):
            yield from _flat(value)
        elif isinstance(value, float):
            yield f"{name} {value:.3f}"
        elif isinstance(value, int | str):
            yield f"{name} {value}"


def _ids(contract: Contract) -> Iterator[str]:
    for each in contract.interfaces:
        said = contract.ids if each.first_class is None else f"from {each.first_class}"
        yield f"{said} ({each.signature})" if each.signature else said


def _tensors(description: Description) -> Table:
    from rich.table import Table

    from boxwright.inference.contract import Interface

    rows = Table(box=None, pad_edge=False, header_style="dim")
    quantized = description.graph is not None
    for title in (
        "tensor",
        "name",
        "type",
        "shape",
        *(("scale", "zero point") if quantized else ()),
    ):
        rows.add_column(title, overflow="fold")
    graph, contract = description.graph, description.contract
    interfaces = contract.interfaces if contract else ()
    if graph and not contract:
        interfaces = (Interface(graph.inputs, graph.outputs),)
    for interface in interfaces:
        where = f" of {interface.signature}" if interface.signature else ""
        for title, tensors in (("input", interface.inputs), ("output", interface.outputs)):
            for each in tensors:
                shape = " x ".join("?" if side < 0 else str(side) for side in each.shape)
                scale = "" if each.scale is None else f"{each.scale:.6g}"
                zero = "" if each.zero_point is None else str(each.zero_point)
                known = (scale, zero) if quantized else ()
                rows.add_row(title + plain(where), plain(each.name), each.dtype, shape, *known)
    return rows


def _operators(graph: Graph) -> Table:
    from rich.table import Table

    rows = Table(box=None, pad_edge=False, header_style="dim")
    rows.add_column("operator")
    rows.add_column("count", justify="right")
    rows.add_column("computes")
    for each in graph.operators:
        rows.add_row(plain(each.name), str(each.count), each.arithmetic)
    return rows


def _next(description: Description) -> Iterator[str]:
    """Commands to use the file with."""
    path, artifact = plain(quoted(description.path)), description.artifact
    if artifact is None:
        if not description.runs:
            yield "Boxwright cannot run it: it has no detection post-processing."
            return
        labels = "" if description.labels else " --labels labels.txt"
        if labels:
            yield "It has no class names. Give a file with one name per line:"
        yield f"  boxwright predict {path} image.jpg{labels} --out found"
        yield f"  boxwright evaluate {path} IMAGES{labels}"
        yield f"  boxwright bench {path}"
        return
    images = plain(quoted(artifact.data_path)) if artifact.data_path else "images"
    yield "Next:"
    yield f"  boxwright evaluate {path} {images}"
    if description.kind == "run folder":
        yield f"  boxwright export {path} --to tflite"
    else:
        yield f"  boxwright predict {path} image.jpg --out found"
        yield f"  boxwright bench {path} --data {images}"
