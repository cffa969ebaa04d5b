"""A dataset on a server, as if it were Open Images."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from boxwright.formats.openimages.format import HEADER
from boxwright.openimages.sources import boxes_path, classes_path, image_list_path, labels_path
from boxwright.structures.dataset import Dataset, Split
from misbehaving import Server

SPLITS = {Split.TRAIN: "train", Split.VAL: "validation", Split.TEST: "test"}


def offer(dataset: Dataset, server: Server, version: str = "v7") -> None:
    """Lists and images of a version, on a server whose address is that of both."""
    codes = [f"/m/{i}" for i in range(len(dataset.classes))]
    described = "".join(f"{c},{n}\n" for c, n in zip(codes, dataset.classes, strict=True))
    server.files[classes_path(version)] = described.encode()
    for split, folder in SPLITS.items():
        boxes, labels = [",".join(HEADER)], [",".join(HEADER[:4])]
        for i in np.flatnonzero(dataset.splits == split).tolist():
            image, (width, height) = dataset.image(i), dataset.sizes[i].tolist()
            assert isinstance(image, Path)
            file = io.BytesIO()
            Image.open(image).convert("RGB").save(file, "JPEG", quality=95)
            server.files[f"{folder}/{i:016x}.jpg"] = file.getvalue()
            rows = dataset.rows(i)
            own = dataset.labels[rows].tolist()
            for box, label in zip(dataset.boxes[rows].tolist(), own, strict=True):
                left, top, right, bottom = box
                sides = (left / width, right / width, top / height, bottom / height)
                numbers = ",".join(f"{side:.6f}" for side in sides)
                boxes.append(f"{i:016x},xclick,{codes[label]},1,{numbers},0,0,0,0,0")
            verified = dataset.verified_classes
            known = range(len(codes)) if verified is None else np.flatnonzero(verified[i])
            labels += [f"{i:016x},verification,{codes[k]},{int(k in own)}" for k in known]
        server.files[boxes_path(version, folder)] = "\n".join([*boxes, ""]).encode()
        server.files[labels_path(version, folder)] = "\n".join([*labels, ""]).encode()
        server.files[image_list_path(folder)] = b"ImageID,License,AuthorProfileURL,Author\n"
