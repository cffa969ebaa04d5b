"""The types and ranges of an architecture that comes from a file."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from boxwright.errors import DetectorError
from boxwright.inference.run import Run
from boxwright.models.ranges import check_ranges
from boxwright.models.registry import restored

RUN = Path(__file__).parents[1] / "earlier" / "files" / "run"


def test_those_of_boxwright_pass() -> None:
    _, spec = restored(Run(RUN).artifact.model)
    check_ranges(spec)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"input_size": 20_000}, "BW515"),
        ({"input_size": "300"}, "BW502"),
        ({"input_size": 300.5}, "BW502"),
        ({"input_size": True}, "BW502"),
        ({"input_size": -1}, "BW502"),
        ({"depth_multiplier": 1e9}, "BW502"),
        ({"depth_multiplier": math.nan}, "BW502"),
        ({"depth_multiplier": None}, "BW502"),
        ({"maps": 10_000}, "BW502"),
        ({"maps": []}, "BW502"),
        ({"heads": {"kernel": 999}}, "BW502"),
        ({"heads": {"layers": 10**9}}, "BW502"),
        ({"heads": []}, "BW502"),
        ({"anchors": {"scales": [0.1] * 1000}}, "BW502"),
        ({"anchors": {"aspect_ratios": ["x"]}}, "BW502"),
        ({"anchors": None}, "BW502"),
        ({"box_scales": 3}, "BW502"),
        ({"quantization": {"weights": 99}}, "BW502"),
        ({"name": "ssd_of_elsewhere"}, "BW502"),
        ({"family": ["ssd"]}, "BW502"),
        ({"family": "nanodet_plus", "input_size": 20_000}, "BW502"),
        ({"unknown": 1}, "BW502"),
    ],
)
def test_others_are_refused_before_a_network_is_built(
    change: dict[str, Any], code: str, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(RUN, folder, ignore=lambda _, names: {*names} - {"run.json"})
    said = json.loads((folder / "run.json").read_text("utf-8"))
    said["model"] |= change
    (folder / "run.json").write_text(json.dumps(said), encoding="utf-8")
    with pytest.raises(DetectorError) as caught:
        Run(folder).build_model()
    assert caught.value.code == code
