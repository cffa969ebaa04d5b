"""The notebooks do what they show: their cells run from top to bottom, with fewer photos and steps.

They are run as Jupyter would run them, without Jupyter: a line that begins with ! is a command,
and runs in the same process, where TensorFlow has been imported once.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
COMMAND = re.compile(r"^!(.+)$", re.MULTILINE)
BEFORE = """
import shlex

from boxwright.backend import framework
from boxwright.cli.main import app
from boxwright.models.backbones import mobilenet_v1

mobilenet_v1.BLOCKS, mobilenet_v1.TAPS = ((64, 2), (128, 2), (128, 2), (256, 2)), (3, 4)
framework.tensorflow().config.run_functions_eagerly(True)  # a graph takes longer than one step

def command(line):
    name, *words = shlex.split(line)
    assert name == "boxwright"
    app(words, standalone_mode=False)
"""
AFTER = """
import matplotlib.pyplot as plt

for number in plt.get_fignums():
    plt.figure(number).savefig(f"figure{number}.png")
"""


def cells(notebook: Path, kind: str) -> list[dict[str, Any]]:
    loaded = json.loads(notebook.read_text(encoding="utf-8"))
    return [cell for cell in loaded["cells"] if cell["cell_type"] == kind]


def program(notebook: Path, **constants: int) -> str:
    """The notebook's code, `constants` in place of those that its first cell names."""
    first, *rest = ("".join(cell["source"]) for cell in cells(notebook, "code"))
    assert re.match(rf"{', '.join(constants)} = ", first), first
    given = "\n".join(f"{name} = {value}" for name, value in constants.items())
    return "\n".join(
        [BEFORE, given, *(COMMAND.sub(r'command(f"\1")', cell) for cell in rest), AFTER]
    )


@pytest.mark.slow
def test_hard_hats_are_found_with_a_frozen_graph_and_in_three_lines(tmp_path: Path) -> None:
    shutil.copytree(
        EXAMPLES, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("hard_hats")
    )
    done = subprocess.run(
        [sys.executable, "-c", program(tmp_path / "hard_hats.ipynb", IMAGES=8, STEPS=1)],
        cwd=tmp_path,
        env=os.environ | {"MPLBACKEND": "Agg", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    figures = sorted(tmp_path.glob("figure*.png"))
    assert len(figures) == 3
    for figure in figures:
        assert np.asarray(Image.open(figure)).std() > 20, "four photos beside each other"


@pytest.mark.tiny
@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_without_what_they_print(notebook: Path) -> None:
    for cell in cells(notebook, "code"):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)


@pytest.mark.tiny
@pytest.mark.parametrize("notebook", sorted(EXAMPLES.glob("*.ipynb")), ids=lambda path: path.name)
def test_links_in_notebooks_lead_somewhere(notebook: Path) -> None:
    for cell in cells(notebook, "markdown"):
        for target in re.findall(r"\]\(([^)#]+)", "".join(cell["source"])):
            assert (EXAMPLES / target).exists(), target
