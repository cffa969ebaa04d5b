"""The page of `check`: one file, whole, small, safe to open, with pictures of what was found."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from boxwright.errors import ArgumentError
from boxwright.report.charts import STYLES
from boxwright.report.check_page import MAX_LISTED, write_page
from boxwright.report.html import asset, check_name
from boxwright.report.selection import FOR_FINDINGS, GALLERY, PER_CODE
from boxwright.structures.dataset import Dataset, LabeledImage, Split
from boxwright.structures.findings import Finding

pytestmark = pytest.mark.tiny

MAX_BYTES = 5_000_000
MANY = 60
SIZE = (640, 480)
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "</style><style>*{display:none}</style>",
    "\"' onload='alert(1)' x=\"",
    "--><svg/onload=alert(1)>",
    "javascript:alert(1)",
    "&lt;b&gt;&#0;&amp;",
    "cafe\u0301",
    "\u202egpj.exe",
    "half \udcff of a pair",
    "\x00\x1b[31m\x9b\x07",
    "x" * 5000,
]
LINKS = {"src", "href", "action", "data", "poster", "srcset", "formaction", "background"}


class Tags(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def values(self, tag: str, name: str) -> list[str]:
        return [str(values[name]) for each, values in self.tags if each == tag and name in values]


@pytest.fixture
def dataset(tmp_path: Path) -> Dataset:
    for name in ("a.png", "b.png"):
        Image.new("RGB", SIZE, (40, 90, 160)).save(tmp_path / name)
    images = [
        LabeledImage("a.png", *SIZE, [(10, 10, 60, 60)], ["cat"], split=Split.TRAIN),
        LabeledImage("b.png", *SIZE, [(10, 10, 60, 60)], ["dog"], split=Split.TEST),
    ]
    return Dataset.of(tmp_path, images)


def page(dataset: Dataset, *findings: Finding) -> str:
    target = dataset.root / "report.html"
    write_page(target, dataset, findings)
    content = target.read_bytes()
    assert len(content) <= MAX_BYTES
    return content.decode("utf-8")


def jpegs(text: str) -> list[bytes]:
    return [base64.b64decode(each) for each in re.findall(r"data:image/jpeg;base64,([^\"]+)", text)]


def section(text: str, name: str) -> str:
    found = re.search(rf'<section [^>]*id="{name}".*?</section>', text, re.DOTALL)
    assert found, f"there is no section {name}"
    return found[0]


def test_it_says_what_was_found_where_and_what_to_do(dataset: Dataset) -> None:
    found = Finding("BW106", "a.png, box 1", "has no area", "dropped", ("a.png",), (9, 9, 9, 9))
    text = section(page(dataset, found), "BW106")
    for said in ("A box has no area", "a.png, box 1", "has no area", "dropped", "What to do"):
        assert said in text


def test_nothing_found_is_said_too(dataset: Dataset) -> None:
    text = page(dataset)
    assert "No problems found" in text
    assert "2 of 2 images with their boxes" in text


@pytest.mark.parametrize("name", HOSTILE, ids=[*map(str, range(len(HOSTILE)))])
def test_names_cannot_become_markup(name: str, dataset: Dataset) -> None:
    boxes = [(10, 10, 60, 60), (5, 5, 9, 9)]
    hostile = Dataset.of(dataset.root, [LabeledImage("a.png", *SIZE, boxes, [name, "cat"])])
    findings = [
        Finding("BW101", name, f"its image {name} is not here", name, (name,), classes=(name,)),
        Finding("BW103", name, name, "", ("a.png",), (1, 1, 9, 9), ("other" + name,)),
    ]
    plain = Tags(page(dataset))
    tags = Tags(page(hostile, *findings))
    of_findings = {"a", "b", "code", "details", "h2", "h3", "nav", "span", "summary", "wbr"}
    assert {tag for tag, _ in tags.tags} <= {tag for tag, _ in plain.tags} | of_findings
    assert len(tags.values("script", "src")) == 0
    assert [tag for tag, _ in tags.tags].count("script") == 1
    for _, attributes in tags.tags:
        assert not [each for each in attributes if each.startswith("on") or each == "style"]
        for link in LINKS & attributes.keys():
            assert re.match(r"#\w+$|data:(image/jpeg;base64)?,", str(attributes[link]))
    shown = "".join(tags.text)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", shown)
    if name.isprintable() and len(name) < 40:
        assert name in shown


def test_its_policy_forbids_everything_that_is_not_in_it(dataset: Dataset) -> None:
    (policy,) = [
        str(values["content"])
        for tag, values in Tags(page(dataset)).tags
        if tag == "meta" and values.get("http-equiv") == "Content-Security-Policy"
    ]
    directives = dict(each.split(" ", 1) for each in policy.split("; "))
    assert directives["default-src"] == "'none'"
    assert directives["img-src"] == "data:"
    for name in ("script-src", "style-src"):
        assert re.fullmatch(r"'sha256-[A-Za-z0-9+/=]+'", directives[name])


@pytest.mark.parametrize(
    "box",
    [
        (10, 10, 60, 60),
        (300.0, 200.0, 300.0, 200.0),
        (60, 60, 10, 10),
        (-50, -50, 5000, 5000),
        (700, 500, 900, 600),
        (-1e30, 5, 1e30, 7),
        (630, 470, 640, 480),
    ],
)
def test_every_box_is_seen_in_its_picture(
    dataset: Dataset, box: tuple[float, float, float, float]
) -> None:
    found = Finding("BW103", "a.png, box 1", "odd", "", ("a.png",), box)
    text = section(page(dataset, found), "BW103")
    (view,) = set(re.findall(r'viewBox="([^"]+)"', text))
    left, top, width, height = map(float, view.split())
    assert width <= 1.31 * SIZE[0]
    assert height <= 1.31 * SIZE[1]
    (line,) = re.findall(r'class="found" d="M(\S+) ([^h]+)h([^v]+)v([^h]+)h', text)
    x, y, across, down = map(float, line)
    assert left <= x < x + across <= left + width
    assert top <= y < y + down <= top + height
    assert max(across / width, down / height) > 0.02


@pytest.mark.parametrize("box", [(np.nan, 0, 1, 1), (0, 0, np.inf, 1)])
def test_a_box_without_numbers_shows_the_whole_image(
    dataset: Dataset, box: tuple[float, float, float, float]
) -> None:
    text = section(page(dataset, Finding("BW103", "a.png", "odd", "", ("a.png",), box)), "BW103")
    assert 'viewBox="0 0 640 480"' in text


def test_images_that_belong_together_are_side_by_side(dataset: Dataset) -> None:
    same = Finding("BW131", "a.png, b.png", "are near-duplicates", "", ("a.png", "b.png"))
    text = section(page(dataset, same), "BW131")
    assert len(jpegs(text)) == 2
    assert text.count('<figure class="pair"') == 1


@pytest.mark.parametrize("name", ["gone.jpg", "../../etc/passwd", "/etc/passwd"])
def test_an_image_outside_of_the_dataset_is_only_named(dataset: Dataset, name: str) -> None:
    text = section(page(dataset, Finding("BW102", name, "damaged", "", (name,))), "BW102")
    assert jpegs(text) == []
    assert Path(name).name in text


def test_a_damaged_image_has_no_picture(dataset: Dataset) -> None:
    (dataset.root / "a.png").write_bytes(b"\x89PNG")
    text = page(dataset, Finding("BW102", "a.png", "damaged", "", ("a.png",)))
    assert jpegs(section(text, "BW102")) == []
    assert "1 of 2 images with their boxes" in text


def test_what_a_camera_wrote_beside_the_pixels_is_not_in_it(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "SECRET"
    exif.get_ifd(0x8825).update({1: "N", 2: (52.0, 31.0, 12.0), 3: "E", 4: (13.0, 24.0, 18.0)})
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    Image.new("RGB", SIZE).save(
        tmp_path / "a.jpg", exif=exif, comment=b"SECRET", icc_profile=profile, xmp=b"<x>SECRET</x>"
    )
    assert (tmp_path / "a.jpg").read_bytes().count(b"SECRET") == 3
    dataset = Dataset.of(tmp_path, [LabeledImage("a.jpg", *SIZE, [(1, 1, 9, 9)], ["cat"])])
    for box in (None, (1.0, 1.0, 9.0, 9.0)):
        text = page(dataset, Finding("BW103", "a.jpg", "odd", "", ("a.jpg",), box))
        for jpeg in jpegs(text):
            picture = Image.open(io.BytesIO(jpeg))
            assert not picture.getexif()
            assert picture.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
            assert b"SECRET" not in jpeg


def test_a_flood_is_counted_and_partly_listed(dataset: Dataset) -> None:
    many = [Finding("BW103", f"{i}.png", "outside", "", ("a.png",)) for i in range(1000)]
    text = section(page(dataset, *many), "BW103")
    assert len(jpegs(text)) == PER_CODE
    assert text.count('<li data-kind="finding"') == MAX_LISTED
    assert "1,000 times" in text
    assert f"and {1000 - PER_CODE - MAX_LISTED:,} more" in text


def test_a_finding_of_many_images_names_them(dataset: Dataset) -> None:
    names = ("a.png", "b.png", *(f"{i}.png" for i in range(300)))
    text = section(page(dataset, Finding("BW135", "a.png and more", "blurred", "", names)), "BW135")
    assert "2 of 302 images shown" in text
    assert "and 202 more" in text


@pytest.fixture
def crowded(tmp_path: Path) -> Dataset:
    """Images that compress badly, with many boxes of many classes that need many escapes."""
    rng = np.random.default_rng(0)
    noise = Image.fromarray(rng.integers(0, 256, (240, 320, 3), np.uint8))
    noise.save(tmp_path / "0.png", compress_level=0)
    images = []
    for i in range(MANY):
        if i:
            (tmp_path / f"{i}.png").hardlink_to(tmp_path / "0.png")
        corners = rng.integers(0, 200, (130, 2))
        boxes = np.hstack([corners, corners + 40.5])
        names = [f"{k} " + '"' * 80 for k in rng.integers(0, 900, 130)]
        images.append(LabeledImage(f"{i}.png", 320, 240, boxes, names))
    return Dataset.of(tmp_path, images)


def test_a_page_of_any_data_is_below_5_mb(crowded: Dataset) -> None:
    codes = [f"BW{number}" for number in (*range(101, 114), *range(122, 140))]
    said = "'" * 400
    findings = [
        Finding(code, f"{i}.png{said}", said, said, (f"{i}.png",), (9, 9, 60, 60))
        for code, i in product(codes, range(MANY))
    ]
    text = page(crowded, *findings)
    assert len(text) > MAX_BYTES / 2, "there is no need to be so small"
    shown = len(jpegs(text))
    assert GALLERY < shown <= FOR_FINDINGS + len(codes) + GALLERY
    assert "boxes not drawn" in text


def test_without_findings_the_images_have_their_room(crowded: Dataset) -> None:
    text = page(crowded)
    assert len(jpegs(text)) == GALLERY
    assert max(map(len, jpegs(text))) > 20_000, "there is no need to be so small"


def test_images_with_findings_come_first_and_all_classes_are_seen(tmp_path: Path) -> None:
    images = []
    for i in range(80):
        Image.new("RGB", (20, 20)).save(tmp_path / f"{i}.png")
        name = "rare" if i == 70 else "common"
        images.append(LabeledImage(f"{i}.png", 20, 20, [(1, 1, 9, 9)], [name]))
    names = tuple(f"{i}.png" for i in range(30, 60))
    blurred = Finding("BW135", "30.png and more", "blurred", "", names)
    text = section(page(Dataset.of(tmp_path, images), blurred), "images")
    shown = re.findall(r"<figcaption><b>(\d+)\.png", text)
    assert [int(name) for name in shown[:30]] == [*range(30, 60)]
    assert "70" in shown[30:]
    assert f"{GALLERY} of 80 images with their boxes, those with findings first" in text
    assert "30 of 80 images have findings" in text
    others = np.array(shown[30:], int)
    assert others.min() < 20
    assert others.max() > 65


@pytest.mark.parametrize("name", ["report.html", "report.HTM", "new/report.html"])
def test_a_page_may_be_named(name: str, tmp_path: Path) -> None:
    check_name(tmp_path / name, "--html")


@pytest.mark.parametrize("name", [".", "a.png", "labels.json", "report", "folder.html"])
def test_a_page_replaces_no_data(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder.html").mkdir()
    with pytest.raises(ArgumentError, match="BW804"):
        check_name(tmp_path / name, "--html")


def colors(scheme: str) -> dict[str, str]:
    return dict(re.findall(r"--(\w+): (#\w{6});", scheme))


def luminance(color: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in channels]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def schemes() -> Iterator[dict[str, str]]:
    light, dark = asset("page.css").split("@media screen and (prefers-color-scheme: dark)", 1)
    yield colors(light)
    yield colors(dark.split("* {", 1)[0])


@pytest.mark.parametrize("scheme", [*schemes()], ids=["light", "dark"])
def test_text_is_readable_in_light_and_dark(scheme: dict[str, str]) -> None:
    lines = [f"c{style}" for style in range(STYLES)]
    inks = ("ink", "faint", "link", "error", "warning", "note", *lines)
    pairs = [*product(inks, ("card", "ground"))]
    for text, ground in [*pairs, ("ink", "code")]:
        dark, bright = sorted((luminance(scheme[text]), luminance(scheme[ground])))
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, f"{text} on {ground}"
