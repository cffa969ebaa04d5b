"""Rows of boxes, parsed with NumPy, against `csv.reader`."""

from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from boxwright.formats.openimages.format import HEADER
from boxwright.openimages.kinds import BOXES, LABELS, columns_of
from boxwright.openimages.rows import (
    Rows,
    code_texts,
    confidences,
    parse_rows,
    sources,
    unpack,
)
from boxwright.openimages.rows_by_csv import read_by_csv
from boxwright.openimages.rows_by_position import read_by_position

pytestmark = pytest.mark.tiny

NUMBERS = [
    *("0", "1", "0.5", ".5", "1.", "0.071905", "1.000000", "0.999999", "0.9999996", "0.0000005"),
    *("0.022673031", "0.5874999999999999", "0.1234567890123456789012", "1e-05", "5.5e-05"),
    *("-0.1", "1.5", "2", "12345678", "9.999999"),
]
ID = "000026e7ee790996"


def parse(*lines: str, header: str = ",".join(HEADER), end: str = "\n") -> Rows:
    columns = columns_of(f"{header}{end}".encode(), BOXES)
    assert columns is not None
    return parse_rows("".join(f"{line}{end}" for line in lines).encode(), columns, BOXES)


def row(
    image: str = ID, code: str = "/m/07j7r", box: str = "0,1,0,1", flags: str = "0,1,-1,0,1"
) -> str:
    return f"{image},xclick,{code},1,{box},{flags}"


def rows(*boxes: str) -> list[str]:
    return [row(box=box) for box in boxes]


@pytest.mark.parametrize("number", NUMBERS)
def test_a_number_of_any_form_is_exact_to_a_millionth(number: str) -> None:
    for column in range(4):
        cells = ["0.25"] * 4
        cells[column] = number
        found = parse(row(box=",".join(cells)), row(box="0.250000,0.5,0.75,1"))
        sides, _ = unpack(found.packed, found.rest)
        expected = min(max(float(number), 0.0), 1.0)
        assert sides[0, column] == pytest.approx(expected, abs=5.1e-7)
        assert sides[1].tolist() == [0.25, 0.5, 0.75, 1.0]
        assert np.delete(sides[0], column).tolist() == [0.25] * 3


def test_many_rows_are_what_csv_reads() -> None:
    rng = np.random.default_rng(0)
    ids = np.repeat(rng.integers(0, 2**64, 300, np.uint64), rng.integers(1, 5, 300))
    codes = rng.choice(["/m/0a", "/m/01g317", "/g/11bc5fgh8q"], len(ids))
    sides = rng.random((len(ids), 4))
    flags = rng.integers(-1, 2, (len(ids), 5))
    places = rng.integers(0, 3, len(ids))
    names = [BOXES.sources[place] for place in places]
    lines = [
        f"{i:016x},{s},{c},1,{','.join(f'{v:.6f}' for v in b)},{','.join(map(str, f))}"
        for i, s, c, b, f in zip(ids.tolist(), names, codes, sides, flags, strict=True)
    ]
    found = parse(*lines)
    boxes, read_flags = unpack(found.packed, found.rest)
    cells = list(csv.reader(lines))
    assert np.array_equal(boxes, [[float(v) for v in line[4:8]] for line in cells])
    assert np.array_equal(read_flags, flags)
    assert np.array_equal(sources(found.rest), places)
    assert code_texts(found.codes) == codes.tolist()
    counts = np.diff(found.starts, append=len(lines))
    assert np.array_equal(np.repeat(found.images, counts), ids)
    assert found.unusable == 0


SIDE = st.one_of(
    st.sampled_from(NUMBERS),
    st.floats(0, 1).map(lambda value: f"{value:.6f}"),
    st.floats(0, 1).map(str),
    st.text("0123456789.-e", max_size=24),
)
LINES = st.builds(
    "{},{},{},{},{},{}".format,
    st.sampled_from([*[ID, ID[::-1]] * 5, ID[1:], ID.upper(), f'"{ID}"']),
    st.sampled_from([*BOXES.sources, "xclicks", "human"]),
    st.sampled_from([*["/m/0a", "/m/01g317", "/g/11bc5fgh8q"] * 5, "/g/" + "x" * 13, "x" * 17, ""]),
    st.sampled_from(["1", "0.93"]),
    st.lists(SIDE, min_size=4, max_size=4).map(",".join),
    st.lists(st.sampled_from(["0", "1", "-1"]), min_size=5, max_size=6).map(",".join),
)


@given(st.lists(LINES, min_size=1, max_size=20), st.sampled_from(["", ",0.5,-1.000000"]))
def test_rows_read_by_position_are_those_read_by_csv(lines: list[str], more: str) -> None:
    columns = columns_of(",".join([*HEADER, *more.split(",")[1:]]).encode(), BOXES)
    assert columns is not None
    text = "".join(f"{line}{more}\n" for line in lines).encode()
    found, others = read_by_position(text, columns, BOXES)
    expected, _ = read_by_csv(text.split(b"\n"), len(lines), columns, BOXES)
    assert np.array_equal(others, ~found.usable)
    assert not (found.usable & ~expected.usable).any()
    kept = found.usable
    assert np.array_equal(found.digits[:, kept], expected.digits[:, kept])
    assert np.array_equal(found.codes[:, kept], expected.codes[:, kept])
    assert np.array_equal(sources(found.rest[kept]), sources(expected.rest[kept]))
    (sides, flags), (csv_sides, csv_flags) = (
        unpack(cells.packed[kept], cells.rest[kept]) for cells in (found, expected)
    )
    assert np.array_equal(flags, csv_flags)
    assert np.abs(sides - csv_sides).max(initial=0) < 1.1e-6  # 0.1234565 is rounded up or down


def test_most_rows_are_read_by_position() -> None:
    columns = columns_of(",".join(HEADER).encode(), BOXES)
    assert columns is not None
    boxes = ["0.1,0.25,0.5874999999999999,1", "0.071905,0.145346,0.206591,1.000000"]
    lines = [row(box=box, flags=flags) for box in boxes for flags in ("0,1,0,1,0", "-1,0,-1,1,-1")]
    text = "".join(f"{line}\n" for line in lines).encode()
    found, others = read_by_position(text, columns, BOXES)
    assert found.usable.all()
    assert not others.any()


@pytest.mark.parametrize(
    ("lines", "usable"),
    [
        pytest.param([",".join(f'"{cell}"' for cell in row().split(","))], 1, id="quotes"),
        pytest.param([f" {row()} ", row()], 2, id="blanks"),
        pytest.param([row() + ",", row(), "", "x"], 1, id="too many cells, or too few"),
        pytest.param([row("../../../etc/pas"), row()], 1, id="an id that leads elsewhere"),
        pytest.param([row(ID[:-1]), row(ID + "0"), row(ID.upper())], 0, id="no ids"),
        pytest.param([row(code=""), row(code="/m/" + "x" * 14)], 0, id="no codes"),
        pytest.param(rows("0,1,0,x", "0,,0,1", "nan,1,0,1"), 0, id="no numbers"),
        pytest.param(rows("0.12345x,1,0,1", "0.12345678x,1,0,1"), 0, id="nearly numbers"),
        pytest.param(['"' + row(), row()], 1, id="a quote that does not end"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_unusable_rows_are_left_out_and_counted(lines: list[str], usable: int, end: str) -> None:
    found = parse(*lines, end=end)
    assert (len(found.packed), found.unusable) == (usable, len(lines) - usable)
    sides, flags = unpack(found.packed, found.rest)
    assert sides.tolist() == [[0, 1, 0, 1]] * usable
    assert flags.tolist() == [[0, 1, -1, 0, 1]] * usable
    assert sources(found.rest).tolist() == [1] * usable
    assert code_texts(found.codes) == ["/m/07j7r"] * usable
    assert found.images.tolist() == [int(ID, 16)] * min(usable, 1)


def test_a_list_may_be_empty() -> None:
    assert len(parse().images) == 0


def test_columns_are_found_by_their_names() -> None:
    header = ",".join([*reversed(HEADER), "XClick1X"])
    cells = [*reversed(row(flags="1,0,0,-1,1").split(",")), "0.5"]
    found = parse(",".join(cells), header="\ufeff" + header)
    sides, flags = unpack(found.packed, found.rest)
    assert sides.tolist() == [[0, 1, 0, 1]]
    assert flags.tolist() == [[1, 0, 0, -1, 1]]
    assert columns_of(b"ImageID,Source,LabelName\n", BOXES) is None


def test_labels_of_images_have_a_confidence() -> None:
    columns = columns_of(b"ImageID,Source,LabelName,Confidence", LABELS)
    assert columns is not None
    lines = ["verification,/m/0a,0", "crowdsource-verification,/m/0b,1", "machine,/m/0a,0.7"]
    text = "".join(f"{ID},{line}\n" for line in [*lines, "other,/m/0a,x"])
    found = parse_rows(text.encode(), columns, LABELS)
    assert confidences(found.rest).tolist() == [0, 1, 0.7]
    kinds = [LABELS.sources[place] for place in sources(found.rest)]
    assert kinds == [line.split(",")[0] for line in lines]
    assert code_texts(found.codes) == ["/m/0a", "/m/0b", "/m/0a"]
    assert found.unusable == 1
