"""The doctor: each problem planted and found, each near miss passed over, nothing on clean data."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from boxwright.codes import MEANINGS, SIGNS
from boxwright.datasets.check import run_checks
from boxwright.datasets.checks import measure
from boxwright.datasets.checks.suitability import too_small
from boxwright.models.ssd.reach import REACH
from boxwright.parallel.choice import here
from boxwright.parallel.units import Crew
from boxwright.structures.dataset import Dataset, LabeledImage
from boxwright.structures.findings import Finding
from folders import Box, VocFolder
from planting import (
    CAT,
    HEIGHT,
    WIDTH,
    Plant,
    boxes,
    boxless,
    content,
    copied,
    cut_off,
    files,
    in_splits,
    many,
    named,
    orphan,
    pictures,
    put,
    scene,
    side_by_side,
    turned,
    unlisted,
)

pytestmark = pytest.mark.tiny

BACKGROUND, KNOWN = "item { id: 0 name: 'cat' }", "item { id: 7 name: 'cat' }"
UNKNOWN = "item { id: 1 name: 'Cat' }"
DOG: Box = ("dog", *CAT[1:])
NEAR, FAR = (41, 31, 120, 90), (70, 30, 150, 90)  # from where the cat is
XML = "<annotation><object><name>cat</name></object></annotation>"
NOTHING = "<annotation></annotation>"
BOMB = '<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>'
OUTSIDE = "<annotation><filename>../../b.jpg</filename></annotation>"
INSIDE = "<annotation><filename>sub/../a.jpg</filename></annotation>"
BLURRED = scene(1).filter(ImageFilter.GaussianBlur(4))
SOFT = scene(1).filter(ImageFilter.GaussianBlur(0.8))
NIGHT = scene(2).point(lambda level: level // 8)
DUSK = scene(2).point(lambda level: level // 3)
LAMPS = Image.composite(scene(3), NIGHT, Image.linear_gradient("L").resize(NIGHT.size))
FOG = scene(4).point(lambda level: 235 + level // 13)
PAPER = Image.new("RGB", (WIDTH, HEIGHT), "white")
PAPER.paste(scene(5, (50, 40)), (60, 40))

COPIED, LEAKED = copied("train/a.jpg", "train/b.png"), copied("train/a.jpg", "test/b.jpg")

# code, planted, a near miss, where it is found
TABLE: list[tuple[str, Plant, Plant, str]] = [
    ("BW101", orphan, many(2), "b.xml"),
    ("BW102", cut_off(0.7), cut_off(1.0), "b.jpg"),
    ("BW102", cut_off(0.0), cut_off(1.0), "b.jpg"),
    ("BW103", boxes(("cat", -5, 10, 20, 40)), boxes(("cat", 0, 0, 160, 120)), "a.jpg, box 1"),
    ("BW103", boxes(CAT, ("cat", 170, 10, 190, 40)), boxes(CAT), "a.jpg, box 2"),
    ("BW104", turned((WIDTH, HEIGHT)), turned((HEIGHT, WIDTH)), "a.jpg"),
    ("BW105", boxes(("cat", 50, 10, 20, 40)), boxes(("cat", 20, 10, 50, 40)), "a.jpg, box 1"),
    ("BW106", boxes(CAT, ("cat", 9, 9, 9, 30)), boxes(("cat", 9, 9, 10, 30)), "a.jpg, box 2"),
    ("BW107", named(cat=3, Cat=1), named(cat=3, cats=1), "class 'Cat'"),
    (
        "BW108",
        partial(put, name="a.jpg", stated=(120, 120)),  # type: ignore[list-item]
        partial(put, name="a.jpg", stated=(160, 120)),  # type: ignore[list-item]
        "a.jpg",
    ),
    ("BW109", files("b.jpg"), files(), "."),
    ("BW110", files(b_xml="<annotation><object>"), files(b_xml="<note></note>"), "b.xml:1"),
    ("BW110", files("b.jpg", b_xml=XML), files("b.jpg", b_xml=NOTHING), "b.xml"),
    ("BW111", files(b_xml=BOMB), files("b.jpg", b_xml=NOTHING), "b.xml"),
    ("BW112", files(b_xml=OUTSIDE), files(b_xml=INSIDE), "b.xml"),
    ("BW113", files(old__a_xml=NOTHING), files("old/a.jpg", old__a_xml=NOTHING), "old/a.xml"),
    ("BW116", files(map_pbtxt=BACKGROUND), files(map_pbtxt=KNOWN), "map.pbtxt"),
    ("BW116", files(map_pbtxt=UNKNOWN), files(map_pbtxt=KNOWN), "map.pbtxt"),
    ("BW117", files(train_txt="a\nb\n"), files(train_txt="a\n\n"), "train.txt"),
    ("BW118", files(train_txt="a\n", test_txt="a\n"), files(train_txt="a\n"), "a.jpg"),
    ("BW119", unlisted, files(train_txt="a\n"), "train.txt"),
    ("BW122", in_splits(train="cat", val="cat"), in_splits(train="cat", test="cat"), "all images"),
    ("BW122", in_splits(train="cat"), many(1), "all images"),
    ("BW123", content("a.jpg", "PNG"), content("a.jpeg", "JPEG"), "a.jpg"),
    ("BW123", content("a.png", "JPEG"), content("a.JPG", "JPEG"), "a.png"),
    ("BW124", boxes(CAT, ("cat", 9, 9, 11, 50)), boxes(("cat", 9, 9, 12, 50)), "a.jpg, box 2"),
    ("BW125", boxes(("cat", 0, 0, 160, 119)), boxes(("cat", 2, 2, 158, 118)), "a.jpg, box 1"),
    ("BW126", boxes(CAT, CAT), boxes(CAT, DOG), "a.jpg, box 2"),
    ("BW126", boxes(CAT, ("cat", *NEAR)), boxes(CAT, ("cat", *FAR)), "a.jpg, box 2"),
    ("BW127", named(raccoon=30, racoon=3), named(cat=30, rat=3), "class 'racoon'"),
    ("BW127", named(helmet=30, hlemet=1), named(helmet=30, helmet2=1), "class 'hlemet'"),
    ("BW127", named(hard_hat=5, hardhat=5), named(sedan=12, sudan=11), "class 'hard hat'"),
    ("BW127", named(helmet=30, helmat=1), named(track=30, truck=1), "class 'helmat'"),
    ("BW127", named(person=30, persson=2), named(boat=30, goat=2), "class 'persson'"),
    ("BW128", named(cat=20, dog=19), named(cat=20, dog=20), "class 'dog'"),
    ("BW129", in_splits(train="cat", test="dog"), in_splits(test="dog"), "class 'dog'"),
    ("BW129", in_splits(train="cat", val="dog"), many(1), "class 'dog'"),
    ("BW130", copied("a.jpg", "b.jpg"), many(2), "a.jpg"),
    ("BW130", COPIED, LEAKED, "train/a.jpg"),
    ("BW131", LEAKED, COPIED, "test/b.jpg"),
    ("BW131", copied("train/a.jpg", "val/b.png"), copied("a.jpg", "b.jpg"), "train/a.jpg"),
    ("BW132", side_by_side(7), side_by_side(9), "a.jpg"),
    ("BW133", boxes(("cat", 2, 60, 158, 68)), boxes(CAT), "a.jpg"),
    ("BW134", boxes(CAT, ("dog", *NEAR)), boxes(CAT, ("dog", *FAR)), "a.jpg, box 2"),
    ("BW135", pictures(BLURRED), pictures(SOFT, PAPER), "0.png"),
    ("BW136", pictures(NIGHT), pictures(DUSK, LAMPS), "0.png"),
    ("BW136", pictures(FOG), pictures(PAPER), "0.png"),
    ("BW137", pictures(scene(1, (200, 99))), pictures(scene(1, (200, 100))), "0.png"),
    ("BW138", many(49), many(50), "all images"),
    ("BW149", boxless, boxes(CAT), "a.jpg"),
    ("BW139", partial(put, name="a.jpg", stated=(0, 0)), many(1), "a.jpg"),  # type: ignore[list-item]
]  # fmt: skip


def found(folder: VocFolder, code: str) -> list[Finding]:
    return [
        finding for finding in run_checks(folder.root, reach=REACH).findings if finding.code == code
    ]


@pytest.mark.parametrize(
    ("code", "planted", "where"),
    [(code, planted, where) for code, planted, _, where in TABLE],
    ids=[f"{row[0]}-{i}" for i, row in enumerate(TABLE)],
)
def test_what_is_planted_is_found(
    voc_folder: VocFolder, code: str, planted: Plant, where: str
) -> None:
    planted(voc_folder)
    (finding,) = found(voc_folder, code)
    assert finding.where == where
    assert finding.message


@pytest.mark.parametrize(
    ("code", "near_miss"),
    [(code, near_miss) for code, _, near_miss, _ in TABLE],
    ids=[f"{row[0]}-{i}" for i, row in enumerate(TABLE)],
)
def test_a_near_miss_is_passed_over(voc_folder: VocFolder, code: str, near_miss: Plant) -> None:
    near_miss(voc_folder)
    assert found(voc_folder, code) == []


def test_every_code_of_reading_and_the_doctor_has_its_row() -> None:
    elsewhere = {
        *("BW114", "BW115", "BW120", "BW121"),  # errors, and what the split says
        *("BW140", "BW141", "BW142", "BW145", "BW146"),  # writing
        *("BW143", "BW144", "BW147", "BW148"),  # of formats other than VOC
    }
    doctors = {code for code in MEANINGS if "BW101" <= code <= "BW149"}
    assert {code for code, *_ in TABLE} == doctors - elsewhere


def clean(folder: VocFolder) -> None:
    for i in range(60):
        split = "test" if i % 5 == 0 else "train"
        name = "dog" if i % 2 else "cat"
        put(folder, f"{split}/{i}.jpg", (name, 40 + i % 7, 30, 120, 80 + i % 11))


def test_nothing_is_found_in_clean_data(voc_folder: VocFolder) -> None:
    clean(voc_folder)
    report = run_checks(voc_folder.root)
    assert report.findings == ()
    assert report.repaired.fingerprint() == report.dataset.fingerprint()


def test_findings_come_worst_first_those_of_one_code_together(voc_folder: VocFolder) -> None:
    clean(voc_folder)
    cut_off(0.6)(voc_folder)
    boxes(("cat", 9, 9, 9, 30), ("cat", 50, 10, 20, 40), ("cat", 8, 8, 8, 30))(voc_folder)
    report = run_checks(voc_folder.root)
    codes = [finding.code for finding in report.findings]
    assert codes == ["BW102", "BW106", "BW106", "BW119", "BW105"]
    assert [report.count(severity) for severity in SIGNS] == [1, 3, 1]


def test_boxes_are_named_by_their_place_in_the_annotation(voc_folder: VocFolder) -> None:
    put(voc_folder, "a.jpg", ("cat", 9, 9, 9, 9), CAT, CAT, ("cat", 1, 1, 2, 40), ("dog", *CAT[1:]))
    report = run_checks(voc_folder.root)
    assert [(one.code, one.where) for one in report.findings if one.box] == [
        ("BW106", "a.jpg, box 1"),
        ("BW124", "a.jpg, box 4"),
        ("BW126", "a.jpg, box 3"),
        ("BW134", "a.jpg, box 5"),
    ]
    assert all(one.images == ("a.jpg",) for one in report.findings if one.box)


def test_layered_labels_are_one_finding_per_pair_of_classes(voc_folder: VocFolder) -> None:
    for i in range(6):
        put(voc_folder, f"{i}.jpg", ("person", *CAT[1:]), ("woman", *CAT[1:]))
    (finding,) = found(voc_folder, "BW134")
    assert finding.message == "6 objects are labeled both 'person' and 'woman'"
    assert len(finding.images) == 6


def test_images_with_the_same_fault_are_one_finding_worst_first(voc_folder: VocFolder) -> None:
    worse = scene(9).filter(ImageFilter.GaussianBlur(6))
    pictures(scene(8), BLURRED, worse)(voc_folder)
    (finding,) = found(voc_folder, "BW135")
    assert set(finding.images) == {"1.png", "2.png"}
    assert "2 of 3 images are blurred" in finding.message


@pytest.mark.parametrize(
    ("side", "proposal"),
    [
        (7, "at 384 pixels 0% are"),
        (4, "at 640 pixels 0% are"),
        (2, "cut the images into 4 x 4 tiles"),
    ],
)
def test_an_input_size_is_proposed_for_small_boxes(side: int, proposal: str) -> None:
    corners = [(x, 10, x + side, 10 + side) for x in range(0, 280, 10)]
    image = LabeledImage("a.jpg", 300, 300, corners, ["cat"] * len(corners))
    (finding,) = too_small(Dataset.of("zoo", [image]), 300)
    assert proposal in finding.message


def test_images_that_cannot_be_decoded_are_left_out_of_what_is_repaired(
    voc_folder: VocFolder,
) -> None:
    cut_off(0.7)(voc_folder)
    report = run_checks(voc_folder.root)
    assert report.dataset.names == ("a.jpg", "b.jpg")
    assert report.repaired.names == ("a.jpg",)
    assert report.stats.images == 1


@pytest.mark.parametrize("small", [measure.SMALL, 0])
def test_a_check_in_processes_says_the_same(
    voc_folder: VocFolder, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures(scene(8), BLURRED)(voc_folder)
    cut_off(0.7)(voc_folder)
    usual = run_checks(voc_folder.root)
    monkeypatch.setattr(measure, "MANY", 0)
    monkeypatch.setattr(measure, "SMALL", small)
    monkeypatch.setattr(measure, "FEW", 1)
    seen: list[tuple[int, int]] = []
    report = run_checks(voc_folder.root, progress=lambda *counts: seen.append(counts))
    assert report.findings == usual.findings
    assert {one.code for one in report.findings} >= {"BW102", "BW135"}
    assert (1, 4) in seen


def test_large_images_among_small_ones_are_measured_as_usual(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small ones are measured several at a time, and apart from the large ones."""
    sizes = [(90, 50), (60, 40), (60, 40)] * 4
    for i, size in enumerate(sizes):
        scene(i, size).save(tmp_path / f"{i}.png")
    broken = tmp_path / "4.png"
    broken.write_bytes(broken.read_bytes()[:-300])
    images = [LabeledImage(f"{i}.png", *size, [], []) for i, size in enumerate(sizes)]
    dataset = Dataset.of(tmp_path, images)
    usual = measure.summarize_all(dataset, Crew(here()))
    monkeypatch.setattr(measure, "MANY", 0)
    monkeypatch.setattr(measure, "SMALL", 60 * 40)
    monkeypatch.setattr(measure, "FEW", 2)
    apart = measure.summarize_all(dataset, Crew(here()))
    assert apart.summaries == usual.summaries
    assert np.array_equal(apart.hashes, usual.hashes)
    assert [one.where for one in apart.dataset.findings] == ["4.png"]


def test_if_no_image_can_be_decoded_the_report_says_so(voc_folder: VocFolder) -> None:
    put(voc_folder, "b.jpg")
    image = voc_folder.root / "b.jpg"
    image.write_bytes(image.read_bytes()[:-300])
    report = run_checks(voc_folder.root)
    assert [one.code for one in report.findings] == ["BW102", "BW128", "BW138"]
    assert len(report.repaired) == 0


@pytest.mark.parametrize(
    ("code", "planted", "classes"),
    [
        ("BW103", boxes(CAT, ("dog", -5, 10, 20, 40)), ("dog",)),
        ("BW107", named(cat=3, Cat=1), ("Cat", "cat")),
        ("BW127", named(raccoon=30, racoon=3), ("racoon", "raccoon")),
        ("BW128", named(cat=20, dog=19), ("dog",)),
        ("BW129", in_splits(train="cat", test="dog"), ("dog",)),
        ("BW134", boxes(CAT, ("dog", *NEAR)), ("cat", "dog")),
        ("BW138", many(1), ()),
    ],
)
def test_a_finding_names_its_classes(
    voc_folder: VocFolder, code: str, planted: Plant, classes: tuple[str, ...]
) -> None:
    planted(voc_folder)
    assert found(voc_folder, code)[0].classes == classes


def test_progress_is_told_of_every_image(voc_folder: VocFolder) -> None:
    many(5)(voc_folder)
    told: list[tuple[int, int]] = []
    run_checks(voc_folder.root, progress=lambda done, total: told.append((done, total)))
    decoded, compared = told[:5], told[5:]
    assert decoded == [(i, 5) for i in range(1, 6)]
    assert compared == [(5, 5)]


def test_a_report_is_json(voc_folder: VocFolder) -> None:
    named(cat=3, dog=1)(voc_folder)
    plain = json.loads(json.dumps(run_checks(voc_folder.root, reach=REACH).to_json()))
    assert plain["stats"]["images"] == 4
    assert [one["name"] for one in plain["stats"]["classes"]] == ["cat", "dog"]
    assert plain["stats"]["balance"] == 3
    assert {one["severity"] for one in plain["findings"]} == {"warning", "note"}


def test_ctrl_c_ends_it(voc_folder: VocFolder) -> None:
    many(9)(voc_folder)
    told: list[int] = []

    def stop(done: int, _: int) -> None:
        told.append(done)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_checks(voc_folder.root, progress=stop)
    assert told == [1]


@pytest.mark.shared
@pytest.mark.parametrize(
    ("folder", "expected", "empty", "leak"),
    [
        ("raccoon", {"BW125": 1, "BW130": 7, "BW131": 1}, 0, ("raccoon-186", "raccoon-199")),
        (
            "bccd",
            {"BW106": 2, "BW126": 8, "BW130": 6, "BW131": 11},
            0,
            ("BloodImage_00037", "BloodImage_00038"),
        ),
        ("hardhat", {"BW117": 1, "BW122": 1, "BW133": 1, "BW149": 1}, 25, None),
    ],
)
def test_real_data(
    shared: Path, folder: str, expected: dict[str, int], empty: int, leak: tuple[str, ...] | None
) -> None:
    report = run_checks(shared / "data" / folder, reach=REACH)
    assert Counter(one.code for one in report.findings) == expected
    assert report.stats.empty_images == empty
    leaks = [one.images for one in report.findings if one.code == "BW131"]
    assert leak is None or leak in [tuple(Path(name).stem for name in one) for one in leaks]
