"""`boxwright check`: what a person reads, what a script reads, what is written."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

from boxwright import formats
from boxwright.cli.main import app

if TYPE_CHECKING:
    from folders import VocFolder

pytestmark = pytest.mark.tiny

COORDINATES = {"x": 20, "y": 20, "width": 10, "height": 10}


@pytest.fixture
def faulty(voc_folder: VocFolder) -> VocFolder:
    """One box inside out, one without area, one photo cut off."""
    voc_folder.pair("good")
    voc_folder.pair("backwards", [("cat", 30, 40, 4, 6)])
    voc_folder.pair("click", [("cat", 4, 6, 30, 40), ("cat", 5, 5, 5, 5)])
    voc_folder.pair("cut")
    cut = voc_folder.root / "cut.jpg"
    cut.write_bytes(cut.read_bytes()[:-200])
    return voc_folder


def test_every_fault_is_said_with_its_place_and_remedy(faulty: VocFolder) -> None:
    done = CliRunner().invoke(app, ["check", str(faulty.root)])
    assert done.exit_code == 1, "a photo that cannot be opened is an error"
    said = " ".join(done.stdout.split())
    for code, place in (
        ("BW102", "cut.jpg"),
        ("BW105", "backwards.jpg, box 1"),
        ("BW106", "click.jpg, box 2"),
    ):
        assert code in said
        assert place in said
    assert said.index("BW102") < said.index("BW106") < said.index("BW138"), "worst first"
    assert "1 error" in said
    assert "--html" in done.stderr
    assert "Write a copy with 3 repairs: boxwright check" in done.stderr
    assert "boxwright train" not in done.stderr, "first the error"


@pytest.mark.parametrize("to", [None, "coco", "csv", "voc"])
def test_names_cannot_command_the_terminal(voc_folder: VocFolder, to: str | None) -> None:
    voc_folder.image("a.jpg")
    box = {"label": "\x1b]0;mine\x07\x9b31m[red]cat", "coordinates": COORDINATES}
    voc_folder.text("a.json", json.dumps([{"image": "a.jpg", "annotations": [box]}]))
    out = ["convert", str(voc_folder.root), str(voc_folder.root.parent / "out"), "--to"]
    done = CliRunner().invoke(app, [*out, to] if to else ["check", str(voc_folder.root)])
    said = done.stdout + done.stderr
    assert not {"\x1b", "\x07", "\x9b"} & set(said)
    assert r"\x1b]0;mine\x07\x9b31m[red]cat" in said or "BW141" in said


def test_it_proposes_only_what_helps(voc_folder: VocFolder) -> None:
    voc_folder.pair("good")
    said = CliRunner().invoke(app, ["check", str(voc_folder.root)]).stderr
    assert "--html" in said, "to look at the note on few photos"
    assert "--fix" not in said, "there is nothing to repair"
    assert f"Train: boxwright train {voc_folder.root}" in said


def test_json_holds_the_same(faulty: VocFolder) -> None:
    done = CliRunner().invoke(app, ["check", str(faulty.root), "--json"])
    findings = {one["code"]: one for one in json.loads(done.stdout)["findings"]}
    assert findings["BW106"]["images"] == ["click.jpg"]
    assert findings["BW106"]["severity"] == "warning"


def test_fix_writes_a_copy_that_is_clean_and_leaves_the_original(faulty: VocFolder) -> None:
    before = {path: path.read_bytes() for path in faulty.root.rglob("*")}
    out = faulty.root.parent / "repaired"
    done = CliRunner().invoke(app, ["check", str(faulty.root), "--fix", str(out)])
    assert f"Copy with 3 repairs: {out} (list: {out / 'changes.txt'})" in done.stderr
    assert f"Train: boxwright train {out}" in done.stderr
    assert {path: path.read_bytes() for path in faulty.root.rglob("*")} == before
    changes = (out / "changes.txt").read_text(encoding="utf-8")
    assert all(code in changes for code in ("BW102", "BW105", "BW106"))
    repaired = formats.read(out)
    assert len(repaired) == 3
    assert (repaired.boxes[:, :2] < repaired.boxes[:, 2:]).all()
    again = CliRunner().invoke(app, ["check", str(out)])
    assert again.exit_code == 0


def test_a_taken_place_is_said_before_anything_is_looked_at(faulty: VocFolder) -> None:
    done = CliRunner().invoke(app, ["check", str(faulty.root), "--fix", str(faulty.root / "in")])
    assert done.exit_code == 1
    assert done.stderr.startswith("BW194")
    assert done.stdout == ""


@pytest.mark.parametrize("more", [[], ["--json"]])
def test_html_is_written_and_named(more: list[str], faulty: VocFolder) -> None:
    page = faulty.root.parent / "a page.html"
    done = CliRunner().invoke(app, ["check", str(faulty.root), "--html", str(page), *more])
    assert "a page.html (3 of 4 images, 0.0 MB)" in done.stderr
    assert f"Open it in a browser: {page.as_uri()}" in done.stderr
    assert "data:image/jpeg" in page.read_text(encoding="utf-8")
    if more:
        assert {"BW102", "BW106"} <= {one["code"] for one in json.loads(done.stdout)["findings"]}
    else:
        assert "BW102" in done.stdout
        assert "--html" not in done.stderr, "the page is there"
        assert "Write a copy" in done.stderr


@pytest.mark.parametrize("name", ["data", "data/good.jpg", "data/good.xml", "data.zip"])
def test_a_page_replaces_no_data(name: str, faulty: VocFolder) -> None:
    before = {path: path.read_bytes() for path in faulty.root.rglob("*")}
    target = faulty.root.parent / name
    done = CliRunner().invoke(app, ["check", str(faulty.root), "--html", str(target)])
    assert done.exit_code == 2
    assert "BW804" in done.stderr
    assert not done.stdout, "it is refused before anything is checked"
    assert {path: path.read_bytes() for path in faulty.root.rglob("*")} == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the names of files are Unicode")
def test_a_name_that_is_no_unicode_is_kept_by_json_and_page(voc_folder: VocFolder) -> None:
    voc_folder.image("a\udcff.jpg")
    voc_folder.xml("a\udcff.xml", [("cat", 5, 5, 5, 5)], filename=None)
    page = voc_folder.root.parent / "page.html"
    done = CliRunner().invoke(app, ["check", str(voc_folder.root), "--json", "--html", str(page)])
    assert ["a\udcff.jpg"] in [one["images"] for one in json.loads(done.stdout)["findings"]]
    assert "a\\udcff.jpg" in page.read_text(encoding="utf-8")


def test_a_folder_that_is_not_there_is_one_coded_sentence(faulty: VocFolder) -> None:
    done = CliRunner().invoke(app, ["check", str(faulty.root / "nowhere")])
    assert done.exit_code == 1
    assert "BW115" in done.stderr
    assert "Traceback" not in done.stderr
