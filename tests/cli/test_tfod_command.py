"""`boxwright tfod` and `python -m boxwright.tfod.NAME`: one command line, in both spellings."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from boxwright.tfod.commands import COMMANDS, named
from folders import VocFolder

pytestmark = pytest.mark.tiny

WAYS: dict[str, Sequence[str]] = {
    "boxwright tfod": ("boxwright", "tfod", "xml_to_csv"),
    "the script's path": ("boxwright", "tfod", r"E:\scripts\xml_to_csv.py"),
    "python -m": ("boxwright.tfod.xml_to_csv",),
}


def start(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("way", WAYS)
def test_both_spellings_do_the_same(way: str, voc_folder: VocFolder) -> None:
    voc_folder.pair("a b")
    out = voc_folder.root / "labels.csv"
    answer = start(*WAYS[way], "-i", voc_folder.root, "-o", out, "--logtostderr")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout == f"{out}: 1 image, 1 box\n"
    assert out.read_text(encoding="utf-8").endswith("a b.jpg,64,48,cat,4,6,30,40\n")


def test_a_slip_is_a_hint_with_the_line_as_it_should_be(voc_folder: VocFolder) -> None:
    voc_folder.pair("a")
    out = voc_folder.root / "my labels.csv"
    answer = start(*WAYS["python -m"], "--input=", voc_folder.root, f"output={out}")
    assert answer.returncode == 0
    assert answer.stderr.splitlines()[1:] == [
        f"hint 'output={out}' needs two dashes: read as --output={out}.",
        "hint Corrected command: "
        f'boxwright tfod xml_to_csv --input={voc_folder.root} "--output={out}"',
    ]


@pytest.mark.parametrize(
    ("words", "code", "status"),
    [
        (["boxwright", "tfod", "xml_to_csw"], "BW701", 2),
        (["boxwright", "tfod", "xml_to_csv", "--inptu=a", "-o", "b"], "BW702", 2),
        (["boxwright", "tfod", "xml_to_csv"], "BW703", 2),
        (["boxwright", "tfod", "xml_to_csv", "-i", "nowhere", "-o", "b"], "BW115", 1),
        (["boxwright.tfod.xml_to_csv"], "BW703", 2),
        (["boxwright.tfod.xml_to_csv", "-i", "nowhere", "-o", "b"], "BW115", 1),
    ],
)
def test_failures_are_coded_and_have_their_exit_codes(
    words: list[str], code: str, status: int
) -> None:
    answer = start(*words)
    assert (answer.returncode, answer.stdout) == (status, "")
    assert answer.stderr.startswith(code)
    assert "\n-> " in answer.stderr


def test_alone_it_lists_the_commands() -> None:
    lines = start("boxwright", "tfod").stdout.splitlines()
    assert [line.split()[0] for line in lines] == list(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    kind = named(name).Flags
    assert name == kind.NAME
    assert (kind.__doc__ or "").splitlines()[0].endswith(".")


def test_help_goes_to_the_command() -> None:
    answer = start("boxwright", "tfod", "create_pet_tf_record", "--helpfull")
    assert answer.returncode == 0
    assert "--[no]faces_only" in answer.stdout
    assert "boxwright tfod create_pet_tf_record --data_dir=" in answer.stdout
