"""Each code: its fault is planted, and what is printed is held against what `explain` says."""

from __future__ import annotations

import re

import plants_of_archives
import plants_of_commands
import plants_of_data
import plants_of_detectors
import plants_of_downloads
import plants_of_editing
import plants_of_training
import pytest
from place import Place, Plant

from boxwright.codes import MEANINGS
from boxwright.codes.meaning import FACT
from boxwright.console import fail
from boxwright.errors import BoxwrightError
from folders import VocFolder

PLANTS: dict[str, Plant] = {
    **plants_of_data.PLANTS,
    **plants_of_archives.PLANTS,
    **plants_of_downloads.PLANTS,
    **plants_of_editing.PLANTS,
    **plants_of_training.PLANTS,
    **plants_of_detectors.PLANTS,
    **plants_of_commands.PLANTS,
}
FINDINGS_ALONE = {"BW121", "BW140", "BW142"}  # printed in a line, without what to do


@pytest.mark.tiny
def test_every_code_is_planted() -> None:
    assert PLANTS.keys() == MEANINGS.keys()


@pytest.mark.parametrize("code", MEANINGS)
def test_what_is_printed_is_what_explain_says(
    code: str,
    voc_folder: VocFolder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    place = Place(voc_folder, monkeypatch)
    monkeypatch.setenv("COLUMNS", "200")
    try:
        printed = PLANTS[code](place)
    except BoxwrightError as error:
        with pytest.raises(SystemExit):
            fail(error)
        printed = capsys.readouterr().err
    said, remedy = block(code, printed)
    title, cause, explained = place.cli("explain", code).strip().split("\n\n")
    assert title == f"{code} {MEANINGS[code].title} ({MEANINGS[code].severity})"
    assert cause == MEANINGS[code].cause
    assert explained == f"What to do: {MEANINGS[code].remedy}"
    if code in FINDINGS_ALONE:
        assert not remedy
        return
    if said.startswith(code):  # an error: a sentence
        assert said.endswith(".")
    else:  # a finding of `check`
        assert MEANINGS[code].title in said
    assert remedy
    assert re.fullmatch(template(code), remedy), remedy
    assert not re.search(r"<[a-z]+>", remedy), "a fact is not known"


def block(code: str, printed: str) -> tuple[str, str]:
    """The line that names a code, and what it says to do; empty if it says nothing."""
    lines = printed.splitlines()
    starts = [i for i, line in enumerate(lines) if re.match(rf"(\S )?{code}\b", line)]
    assert starts, printed
    arrows = (line.strip() for line in lines[starts[0] + 1 :])
    remedy = next((line for line in arrows if line.startswith("-> ")), "")
    return lines[starts[0]], remedy.removeprefix("-> ")


def template(code: str) -> str:
    """What a remedy looks like: the sentences that `explain` prints, each of which may lack."""
    sentences = MEANINGS[code].sentences
    patterns = [FACT.sub(".+", re.sub(r"([.?*+()\[\]|\\^$])", r"\\\1", each)) for each in sentences]
    return "".join(f"(?:{each} ?)?" for each in patterns)
