"""A model card: the README.md of a detector on the Hugging Face Hub, from the report of its run."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from boxwright.errors import ExportError
from boxwright.export.new_file import write_new
from boxwright.inference.artifact import Artifact
from boxwright.inference.litert import LABELS_NAME
from boxwright.inference.run import Run
from boxwright.models.model import FAMILY_KEY
from boxwright.models.registry import DEFAULT
from boxwright.report.card_text import body, measured_folder
from boxwright.report.facts import FORMAT, SCHEMA, ExportedFile, exports_of

NAME = "README.md"
UNKNOWN_LICENSE = "unknown"  # one of the Hub's identifiers
METRICS = {"AP": ("map", "AP, IoU 0.50 to 0.95"), "AP50": ("map_50", "AP50, IoU 0.50")}
RATES = {"precision": "Precision", "recall": "Recall", "f1": "F1"}


class Card(NamedTuple):
    """A model card that was written.

    Attributes:
        path: the file.
        files: patterns of the files of the run folder that belong to it, without images.
        metadata: the content of its YAML block.
    """

    path: Path
    files: tuple[str, ...]
    metadata: dict[str, Any]


def write_card(
    run: str | PathLike[str],
    out: str | Path | None = None,
    *,
    name: str | None = None,
    license: str = UNKNOWN_LICENSE,
) -> Card:
    """Write the model card of a run: what `report.json` measured, and on which images.

    It contains no image, and no path of this machine.

    Args:
        run: the run folder of a training, with its report.
        out: the file to write; `README.md` in the run folder by default.
        name: the detector's name; that of the run folder by default.
        license: the detector's license, an identifier of the Hub such as `apache-2.0`.

    Raises:
        DetectorError: BW501 `run` is no run, BW502 it is damaged.
        ExportError: BW412 there is such a file already, with other content, BW413 the run has no
            report of its weights.
        SystemFaultError: BW902, BW903 it cannot be written.
    """
    folder = Run(Path(run))
    artifact = folder.artifact
    report = _report_of(folder, artifact)
    exports = exports_of(folder.folder)
    shown = name or folder.folder.absolute().name
    metadata = _metadata(shown, license, artifact, report, exports)
    block = yaml.safe_dump(metadata, sort_keys=False, allow_unicode=True, width=1000)
    path = folder.folder / NAME if out is None else Path(out)
    lines = body(shown, license, artifact, report, exports)
    write_new(path, f"---\n{block}---\n\n" + "\n".join(lines) + "\n")
    own = [each.name for each in exports] + [LABELS_NAME]
    paths = [each for each in (folder.folder / one for one in own) if each.exists()]
    files = tuple(f"{each.name}/*" if each.is_dir() else each.name for each in paths)
    return Card(path, files, metadata)


def _report_of(run: Run, artifact: Artifact) -> dict[str, Any]:
    """The content of a run's report, which must be of its weights and threshold."""
    path = run.report.with_suffix(".json")
    try:
        report = json.loads(path.read_bytes())
        known = report["format"] == FORMAT and report["schema"] == SCHEMA
        numbers = report["numbers"]
        threshold = numbers["threshold"]["value"] if numbers else artifact.threshold
        newer = run.weights.stat().st_mtime > path.stat().st_mtime
    except FileNotFoundError:
        raise _without_report("has no report.json.", run) from None
    except (KeyError, OSError, RecursionError, TypeError, ValueError) as error:
        raise _without_report(f"has a report.json that cannot be read ({error}).", run) from error
    if not known:
        raise _without_report("has a report.json of another version.", run)
    if newer:
        raise _without_report("was trained after report.json was written.", run)
    if threshold != artifact.threshold:
        said = f"was measured at the score threshold {threshold:g}, and now has"
        raise _without_report(f"{said} {artifact.threshold:g}.", run)
    return dict(report)


def _without_report(what: str, run: Run) -> ExportError:
    return ExportError("BW413", what, where=run.folder)


def _metadata(
    name: str,
    license: str,
    artifact: Artifact,
    report: Mapping[str, Any],
    exports: Sequence[ExportedFile],
) -> dict[str, Any]:
    """The YAML block, as the Hub's modelcard.md describes it."""
    kinds = {Path(each.name).suffix.removeprefix(".") for each in exports}
    family = str(artifact.model.get(FAMILY_KEY, DEFAULT)).replace("_", "-")
    known: dict[str, Any] = {
        "license": license,
        "library_name": "boxwright",
        "pipeline_tag": "object-detection",
        "tags": ["boxwright", "object-detection", family, *sorted(kinds - {""})],
    }
    if report["numbers"] is None:
        return known
    data = measured_folder(report)
    result = {
        "task": {"type": "object-detection", "name": "Object Detection"},
        "dataset": {
            "type": re.sub(r"[^a-z0-9]+", "-", data.lower()).strip("-") or "images",
            "name": data,
            "split": report["split"],
        },
        "metrics": list(_metrics(report["numbers"])),
    }
    return {**known, "model-index": [{"name": name, "results": [result]}]}


def _metrics(numbers: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The metrics that are defined, with the names that people read."""
    for key, (kind, title) in METRICS.items():
        if (value := numbers["coco"][key]) is not None:
            yield {"type": kind, "value": round(value, 4), "name": title}
    for key, title in RATES.items():
        if (value := numbers["at_threshold"][key]["value"]) is not None:
            at = f"{title} at score {numbers['threshold']['value']:g}, IoU 0.50"
            yield {"type": key, "value": round(value, 4), "name": at}
