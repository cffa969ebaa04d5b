"""Time the reading of 100,000 Pascal VOC annotations, compared with a bare loop over the xml.

    python benchmarks/read_voc.py [--images 100000] [--rounds 3]

The bare loop only parses each xml file and extracts its numbers. Boxwright parses safely, and also
finds the images, reads their headers, checks the boxes and fills the columns. Both alternate in
separate processes. Prints the ratio and the peak memory.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

XML = """\
<annotation>
	<folder>images</folder>
	<filename>{name}.jpg</filename>
	<path>C:\\Users\\somebody\\images\\{name}.jpg</path>
	<source><database>Unknown</database></source>
	<size><width>64</width><height>48</height><depth>3</depth></size>
	<segmented>0</segmented>
	{objects}
</annotation>
"""
OBJECT = """\
<object>
		<name>{label}</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
		<bndbox><xmin>{x}</xmin><ymin>4</ymin><xmax>40</xmax><ymax>44</ymax></bndbox>
	</object>"""

BARE = """
import resource, sys, time
from pathlib import Path
from xml.etree import ElementTree
started = time.perf_counter()
boxes = []
for path in sorted(Path(sys.argv[1]).glob('*.xml')):
    root = ElementTree.fromstring(path.read_bytes())
    root.findtext('filename'), root.findtext('size/width'), root.findtext('size/height')
    for thing in root.iter('object'):
        box = thing.find('bndbox')
        sides = [float(box.findtext(side)) for side in ('xmin', 'ymin', 'xmax', 'ymax')]
        boxes.append((thing.findtext('name'), *sides))
seconds = time.perf_counter() - started
print(len(boxes), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""
OURS = """
import resource, sys, time
from boxwright import formats
started = time.perf_counter()
dataset = formats.read(sys.argv[1])
seconds = time.perf_counter() - started
print(len(dataset.boxes), seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        boxes = make(Path(folder), options.images)
        for _ in range(options.rounds):
            (bare_boxes, bare, _), (our_boxes, ours, memory) = (
                run(script, folder) for script in (BARE, OURS)
            )
            assert bare_boxes == our_boxes == boxes
            numbers = {"bare_s": bare, "ours_s": ours, "ratio": ours / bare, "peak_gb": memory}
            print(json.dumps({key: round(value, 2) for key, value in numbers.items()}), flush=True)


def make(folder: Path, images: int) -> int:
    """Write images with one to four boxes each. Returns the number of boxes."""
    picture = io.BytesIO()
    Image.new("RGB", (64, 48), "grey").save(picture, "JPEG")
    boxes = 0
    for i in range(images):
        name = f"image {i:06}"
        objects = [OBJECT.format(label="cat" if j else "dog", x=j) for j in range(1 + i % 4)]
        boxes += len(objects)
        (folder / f"{name}.jpg").write_bytes(picture.getvalue())
        text = XML.format(name=name, objects="\n\t".join(objects))
        (folder / f"{name}.xml").write_text(text, encoding="utf-8")
    return boxes


def run(script: str, folder: str) -> tuple[int, float, float]:
    """Run a script in a fresh process. Returns number of boxes, seconds and peak GB."""
    command = [sys.executable, "-c", script, folder]
    boxes, seconds, memory = subprocess.run(
        command, check=True, capture_output=True, text=True
    ).stdout.split()
    return int(boxes), float(seconds), float(memory)


if __name__ == "__main__":
    main()
