"""The weights of a run are those of its file, also after the file was damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from boxwright.errors import DetectorError
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.inference.run import Run


@pytest.mark.usefixtures("centers")
def test_weights_are_read_anew_when_a_damaged_file_was_repaired(tmp_path: Path) -> None:
    from toy_family import CenterModel, CenterSpec

    run, network = Run(tmp_path / "run"), CenterModel.build(CenterSpec(1, 64))
    run.save(Artifact(network.to_json(), ("cat",), Preprocessing(64)), network)
    whole = run.weights.read_bytes()
    run.weights.write_bytes(whole.replace(b"vars", b"none"))
    with pytest.raises(DetectorError, match=r"BW502 .*cannot be loaded into the run's model"):
        run.build_model()
    run.weights.write_bytes(whole)
    run.build_model()
