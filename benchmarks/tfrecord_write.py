"""Time the conversion of Pascal VOC to TFRecord, compared with create_pascal_tf_record.

    pip install lxml
    python benchmarks/tfrecord_write.py ../shared/data/raccoon [--rounds 7] [--made 2000 20000]

The script repeats the API's steps for each image: parse the xml with lxml, read the image, check
with Pillow that it is a JPEG, hash it, fill a tf.train.Example and write it with TensorFlow. Both
read the same files and alternate in separate processes. Prints images per second of the loop alone
and of the whole process with its imports, and the peak memory. For synthetic images of 52 KB it
measures Boxwright only.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image

XML = """\
<annotation><folder>images</folder><filename>{name}.jpg</filename>
<size><width>256</width><height>256</height><depth>3</depth></size><segmented>0</segmented>
<object><name>thing</name><pose>Unspecified</pose><truncated>0</truncated><difficult>0</difficult>
<bndbox><xmin>12</xmin><ymin>20</ymin><xmax>200</xmax><ymax>144</ymax></bndbox></object>
</annotation>
"""

SCRIPT = """
import hashlib, io, os, resource, sys, time
import PIL.Image
import tensorflow as tf
from lxml import etree

def as_dict(xml):
    if not len(xml):
        return {xml.tag: xml.text}
    found = {}
    for child in xml:
        value = as_dict(child)[child.tag]
        if child.tag == 'object':
            found.setdefault('object', []).append(value)
        else:
            found[child.tag] = value
    return {xml.tag: found}

def texts(values):
    return tf.train.Feature(bytes_list=tf.train.BytesList(value=values))

def integers(values):
    return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

def floats(values):
    return tf.train.Feature(float_list=tf.train.FloatList(value=values))

def example_of(data, photo):
    with tf.io.gfile.GFile(photo, 'rb') as file:
        encoded = file.read()
    if PIL.Image.open(io.BytesIO(encoded)).format not in ('JPEG', 'PNG'):
        raise ValueError('neither JPEG nor PNG')
    width, height = int(data['size']['width']), int(data['size']['height'])
    xmin, ymin, xmax, ymax, names, labels, difficult, truncated, poses = ([] for _ in range(9))
    for one in data.get('object', []):
        difficult.append(int(one['difficult']))
        xmin.append(float(one['bndbox']['xmin']) / width)
        ymin.append(float(one['bndbox']['ymin']) / height)
        xmax.append(float(one['bndbox']['xmax']) / width)
        ymax.append(float(one['bndbox']['ymax']) / height)
        names.append(one['name'].encode('utf8'))
        labels.append(1)
        truncated.append(int(one['truncated']))
        poses.append(one['pose'].encode('utf8'))
    name = data['filename'].encode('utf8')
    return tf.train.Example(features=tf.train.Features(feature={
        'image/height': integers([height]),
        'image/width': integers([width]),
        'image/filename': texts([name]),
        'image/source_id': texts([name]),
        'image/key/sha256': texts([hashlib.sha256(encoded).hexdigest().encode('utf8')]),
        'image/encoded': texts([encoded]),
        'image/format': texts([b'jpeg']),
        'image/object/bbox/xmin': floats(xmin),
        'image/object/bbox/xmax': floats(xmax),
        'image/object/bbox/ymin': floats(ymin),
        'image/object/bbox/ymax': floats(ymax),
        'image/object/class/text': texts(names),
        'image/object/class/label': integers(labels),
        'image/object/difficult': integers(difficult),
        'image/object/truncated': integers(truncated),
        'image/object/view': texts(poses),
    }))

started, count = time.perf_counter(), 0
root, target = sys.argv[1:]
photos = {name.rpartition('.')[0]: name for name in os.listdir(root + '/images')}
with tf.io.TFRecordWriter(target + '/all.record') as writer:
    for name in sorted(os.listdir(root + '/annotations')):
        with tf.io.gfile.GFile(root + '/annotations/' + name, 'r') as file:
            data = as_dict(etree.fromstring(file.read()))['annotation']
        photo = root + '/images/' + photos[name.rpartition('.')[0]]
        writer.write(example_of(data, photo).SerializeToString())
        count += 1
"""
OURS = """
import resource, sys, time
from boxwright import formats
started = time.perf_counter()
root, target = sys.argv[1:]
dataset = formats.read(root, 'voc')
formats.write(dataset, target, 'tfrecord')
count = len(dataset)
"""
REPORT = """
seconds = time.perf_counter() - started
print(count, seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with annotations/ and images/")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--made", type=int, nargs="*", default=[2000, 20000])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare(given.data, given.rounds, Path(folder))
    for count in given.made:
        with tempfile.TemporaryDirectory() as folder:
            make(Path(folder) / "data", count)
            result = run(OURS, Path(folder) / "data", Path(folder) / "out")
            print(json.dumps({"made photos": count, **result}), flush=True)


def compare(data: Path, rounds: int, folder: Path) -> None:
    """Run both in turns, and print the median ratio of adjacent runs."""
    results = []
    for i in range(rounds):
        theirs = run(SCRIPT, data, folder / f"script-{i}")
        ours = run(OURS, data, folder / f"ours-{i}")
        results.append((theirs, ours))
        print(json.dumps({"script": theirs, "boxwright": ours}), flush=True)
    for key in ("photos per second", "with imports"):
        ratios = sorted(ours[key] / theirs[key] for theirs, ours in results)
        print(f"{key}: {statistics.median(ratios):.2f} times ({ratios[0]:.2f} to {ratios[-1]:.2f})")


def run(program: str, data: Path, target: Path) -> dict[str, float]:
    """Run a program in a separate process."""
    target.mkdir()
    started = time.perf_counter()
    printed = subprocess.run(
        [sys.executable, "-c", program + REPORT, str(data), str(target)],
        check=True, capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )  # fmt: skip
    whole = time.perf_counter() - started
    count, seconds, gigabytes = map(float, printed.stdout.split())
    return {
        "photos per second": round(count / seconds),
        "with imports": round(count / whole),
        "peak_mb": round(1000 * gigabytes),
    }


def make(root: Path, count: int) -> None:
    """Write `count` noise images of 52 KB. All but a hundred are links."""
    for name in ("annotations", "images"):
        (root / name).mkdir(parents=True)
    for i in range(count):
        image = root / "images" / f"{i:06}.jpg"
        if i < 100:
            pixels = np.random.default_rng(i).integers(0, 256, (256, 256, 3), np.uint8)
            Image.fromarray(pixels).save(image, quality=86)
        else:
            image.hardlink_to(root / "images" / f"{i % 100:06}.jpg")
        (root / "annotations" / f"{i:06}.xml").write_text(XML.format(name=f"{i:06}"), "utf-8")


if __name__ == "__main__":
    main()
