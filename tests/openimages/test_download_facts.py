"""What a download keeps of an image: attributes, verified classes, licenses, EXIF."""

from __future__ import annotations

import csv
import io
import json
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from downloading import boxes_in, get, images_in, run
from typer.testing import CliRunner
from world_of_images import (
    AUTHORS,
    IMAGE_LISTS,
    LICENSES,
    World,
)

from boxwright import BoxwrightError, download_openimages, load
from boxwright.cli.main import app
from boxwright.formats.openimages.format import HEADER
from boxwright.images.preprocessing import Preprocessing
from boxwright.inference.artifact import Artifact
from boxwright.io.files import write_json
from boxwright.openimages.download import choose_images
from boxwright.openimages.licenses import image_licenses
from boxwright.openimages.lists import Lists
from misbehaving import Behaviour, cut, files_in, ignore_range, status


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "fruit"


@pytest.mark.parametrize(
    "flags", [{"IsDepiction": "0"}, {"IsOccluded": "1", "IsInside": "0"}, {"IsGroupOf": "0"}]
)
def test_boxes_with_other_flags_choose_no_image_and_become_groups(
    world: World, out: Path, flags: dict[str, str]
) -> None:
    words = [word for name, value in flags.items() for word in ("--where", f"{name}={value}")]
    names = ("Apple", "Orange", "Wine")
    get(out, *names, *words)
    rows = world.boxes_of("train", *names)
    fits = [all(row[HEADER.index(name)] == v for name, v in flags.items()) for row in rows]
    chosen = {row[0] for row, fit in zip(rows, fits, strict=True) if fit}
    assert images_in(out, "train") == chosen
    group = HEADER.index("IsGroupOf")
    expected = [
        row if fit else [*row[:group], "1", *row[group + 1 :]]
        for row, fit in zip(rows, fits, strict=True)
        if row[0] in chosen
    ]
    assert boxes_in(out, "train") == expected
    assert expected != [row for row in rows if row[0] in chosen], "some are other boxes"


@pytest.mark.parametrize("text", ["IsRed=1", "IsInside", "IsInside=2", "IsInside=-1"])
def test_other_attributes_are_refused(world: World, out: Path, text: str) -> None:
    result = run("Apple", "--where", text, "--out", out)
    assert (result.exit_code, out.exists()) == (2, False)
    assert "IsOccluded=0 or 1, IsTruncated=0 or 1" in result.output


def test_negatives_are_images_in_which_people_found_no_object(world: World, tmp_path: Path) -> None:
    few, more = tmp_path / "few", tmp_path / "more"
    get(few, "Apple", "Wine", "--negatives", 4, "--limit", 5)
    get(more, "Apple", "Wine", "--negatives", 9, "--limit", 5)
    with_object = world.images_of("train", "Apple", "Wine")
    assert len(images_in(few, "train") & with_object) == 5
    for place, count in ((few, 4), (more, 9)):
        negatives = images_in(place, "train") - with_object
        assert len(negatives) == count
        absent = world.absent_from("train", "Apple") | world.absent_from("train", "Wine")
        assert negatives <= absent
    assert images_in(few, "train") < images_in(more, "train")
    dataset = load(few)
    assert len(dataset) == 9
    assert (np.diff(dataset.offsets) == 0).sum() == 4


def test_classes_that_nobody_looked_for_are_unknown(world: World, out: Path) -> None:
    get(out, "Apple", "Orange", "--negatives", 5)
    dataset = load(out)
    verified = dataset.verified_classes
    assert verified is not None
    assert not verified.all()
    for name, row in zip(dataset.names, verified, strict=True):
        for column, known in zip(dataset.classes, row, strict=True):
            image = Path(name).stem
            seen = image in world.images_of("train", column)
            assert known == (seen or image in world.absent_from("train", column))


def test_licenses_and_authors_of_the_images_are_counted(world: World, out: Path) -> None:
    get(out, "Apple", "--split", "all")
    listed = out / "train-images-boxable-with-rotation.csv"
    with listed.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["ImageID"] for row in rows} == images_in(out, "train")
    assert {row["Author"] for row in rows} == set(AUTHORS)
    found = image_licenses(out)
    assert found is not None
    assert sum(found.counts.values()) == sum(len(images_in(out, split)) for split in world.rows)
    assert found.counts.keys() == set(LICENSES)
    assert found.counts[LICENSES[0]] > found.counts[LICENSES[1]]
    assert found.authors == len(AUTHORS)
    artifact = Artifact(
        {}, ("Apple",), Preprocessing(size=32), provenance={"data": {"path": out.as_posix()}}
    )
    write_json(out.parent / "run" / "run.json", artifact.to_json())
    said = CliRunner().invoke(app, ["licenses", str(out.parent / "run"), "--json"])
    *_, images = json.loads(said.stdout)
    assert images["license"].startswith(f"{LICENSES[0]} ({found.counts[LICENSES[0]]}), ")
    assert images["source"].startswith("3 authors, listed in train-images-boxable")
    listed.write_text(listed.read_text("utf-8").splitlines()[0] + "\n", "utf-8")
    again = image_licenses(out)
    assert again is not None
    assert again.counts["unknown"] == len(images_in(out, "train"))
    assert image_licenses(out / "train") is None


@pytest.mark.parametrize(
    "behaviors", [[cut(400), cut(100)], [status(503)], [cut(300), ignore_range]]
)
def test_the_list_of_licenses_is_resumed(
    world: World, out: Path, behaviors: list[Behaviour]
) -> None:
    path = IMAGE_LISTS["validation"]
    world.server.behaviors_of[path] = list(behaviors)
    get(out, "Apple", "--split", "validation")
    with (out / Path(path).name).open(encoding="utf-8", newline="") as file:
        assert {row["ImageID"] for row in csv.DictReader(file)} == images_in(out, "validation")


@pytest.mark.parametrize("changed", [False, True])
def test_the_list_of_licenses_goes_on_after_an_interruption(world: World, changed: bool) -> None:
    def stop(received: int, total: int | None) -> None:
        raise KeyboardInterrupt

    path = IMAGE_LISTS["train"]
    world.server.behaviors_of[path] = [cut(300)]
    with pytest.raises(KeyboardInterrupt):
        Lists(show=lambda name, url: nullcontext(stop)).images("train")
    world.server.files[path] += b"another row\n" * changed
    assert Lists().images("train").read_bytes() == world.server.files[path]
    assert "bytes=300-" in world.server.ranges


def test_the_function_does_what_the_command_does(world: World, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    get(one, "Apple", "Orange", "--split", "all", "--limit", 6, "--negatives", 2)
    done = download_openimages(["Apple", "Orange"], other, "all", limit=6, negatives=2)
    assert files_in(one) == files_in(other)
    assert all((one / name).read_bytes() == (other / name).read_bytes() for name in files_in(one))
    assert done.failures == ()
    assert done.classes == ("Apple", "Orange")
    assert set(done.images.values()) == {8}
    with pytest.raises(BoxwrightError, match="negatives"):
        choose_images(Lists(), [], images=tmp_path / "list.txt", negatives=1)


@pytest.mark.parametrize("tag", [1, 3, 6, 8])
@pytest.mark.parametrize("rotation", ["0.0", "90.0"])
def test_exif_turns_an_image_and_the_column_rotation_does_not(
    world: World, out: Path, tag: int, rotation: str
) -> None:
    """The boxes are fractions of the image as EXIF turns it, as browsers show it."""
    image = min(world.images_of("validation", "Apple"))
    exif = PIL.Image.Exif()
    exif[0x0112] = tag
    file = io.BytesIO()
    PIL.Image.new("RGB", (40, 30)).save(file, "JPEG", exif=exif)
    world.server.files[world.path(f"validation/{image}")] = file.getvalue()
    path = IMAGE_LISTS["validation"]
    lines = world.server.files[path].decode().splitlines()
    turned = [f"{line[:-3]}{rotation}" if line.startswith(image) else line for line in lines]
    world.server.files[path] = "\n".join(turned).encode()
    get(out, "Apple", "--split", "validation")
    dataset = load(out)
    place = dataset.names.index(f"validation/{image}.jpg")
    width, height = (30, 40) if tag in {6, 8} else (40, 30)
    assert dataset.sizes[place].tolist() == [width, height]
    rows = [row for row in world.boxes_of("validation", "Apple") if row[0] == image]
    sides = [[float(row[i]) for i in (4, 6, 5, 7)] for row in rows]
    expected = np.array(sides) * [width, height, width, height]
    np.testing.assert_allclose(dataset.boxes[dataset.rows(place)], expected, atol=1e-3)
    assert ("BW104" in {each.code for each in dataset.findings}) == (tag != 1)
