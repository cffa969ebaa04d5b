"""CVAT's XML as the tests write it, and what is read of it."""

from __future__ import annotations

from boxwright import formats
from boxwright.structures.dataset import Dataset
from folders import VocFolder

META = """<meta><task><id>7</id><name>yard</name><size>3</size><mode>annotation</mode>
<labels><label><name>dog</name><attributes/></label><label><name>cat</name></label></labels>
</task><dumped>2024-03-01 10:00:00.000000+00:00</dumped></meta>"""
CAT = (
    '<box label="cat" occluded="0" xtl="4.00" ytl="6.00" xbr="30.00" ybr="40.00" z_order="0"></box>'
)


def images(*inner: str, meta: str = META) -> str:
    return f"""<?xml version="1.0" encoding="utf-8"?>
<annotations><version>1.1</version>{meta}{"".join(inner)}</annotations>"""


def image(name: str, *shapes: str, more: str = "") -> str:
    size = 'width="64" height="48"'
    return f'<image id="0" name="{name}" {more} {size}>{"".join(shapes)}</image>'


def read(
    folder: VocFolder, *inner: str, here: tuple[str, ...] = ("a.jpg",), **more: str
) -> Dataset:
    for name in here:
        folder.image(name)
    folder.text("annotations.xml", images(*inner, **more))
    return formats.read(folder.root)


def found(dataset: Dataset) -> dict[str, list[tuple[str, list[float]]]]:
    """Image -> its classes and boxes, rounded."""
    return {
        name: [
            (dataset.classes[label], [round(side, 2) for side in box])
            for label, box in zip(
                dataset.labels[dataset.rows(i)].tolist(),
                dataset.boxes[dataset.rows(i)].tolist(),
                strict=True,
            )
        ]
        for i, name in enumerate(dataset.names)
    }
