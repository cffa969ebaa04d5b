"""`boxwright explain`: what a code means."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from boxwright.cli.main import app
from boxwright.codes import MEANINGS, RANGES

pytestmark = pytest.mark.tiny


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["explain", *arguments])


@pytest.mark.parametrize("asked", ["BW104", "bw104", "104", " BW 104 ", "BW-104"])
def test_a_code_is_explained(asked: str) -> None:
    result = run(asked)
    meaning = MEANINGS["BW104"]
    assert result.exit_code == 0
    assert result.stdout.startswith(f"BW104 {meaning.title} (warning)\n")
    assert meaning.cause in result.stdout
    assert f"What to do: {meaning.remedy}" in result.stdout


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("BW100", "There is no code BW100. The nearest is BW101: An image is missing."),
        ("bw1", "There is no code BW1. The nearest is BW101"),
        ("0104", "There is no code BW0104. The nearest is BW104"),
        ("998", "The nearest is BW999: Internal error."),
        ("exif", "'exif' is not a code. A code is BW and three digits, such as BW104."),
        ("[bold]", "'[bold]' is not a code."),
    ],
)
def test_an_unknown_code_gives_the_nearest(asked: str, said: str) -> None:
    result = run(asked)
    assert (result.exit_code, result.stdout) == (1, "")
    assert said in result.stderr


def test_without_a_code_all_are_listed_by_range() -> None:
    lines = run().stdout.splitlines()
    for code, meaning in MEANINGS.items():
        assert f"  {code}  {meaning.title}" in lines
    assert [line for line in lines if line in RANGES.values()] == list(RANGES.values())


def test_json() -> None:
    one = json.loads(run("104", "--json").stdout)
    assert one.pop("code") == "BW104"
    assert one == {name: getattr(MEANINGS["BW104"], name) for name in one}
    assert list(one) == ["severity", "title", "cause", "remedy"]
    assert [each["code"] for each in json.loads(run("--json").stdout)] == list(MEANINGS)
