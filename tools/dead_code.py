"""Report unused code, using vulture; part of `make lint`.

Vulture does not see external callers. Names that they use are listed here with their user.
Uses in tests do not count.
"""

from __future__ import annotations

import sys
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from vulture import Vulture  # type: ignore[import-untyped]

SOURCE = Path(__file__).resolve().parents[1] / "src"
CONFIDENCE = 60  # vulture's confidence for a name without any use
USED = {
    "__class__": "Python",
    "__dir__": "Python",
    "__getattr__": "Python",
    "to_fiftyone": "users of detections",
    "to_pandas": "users of detections",
    "to_tensorflow": "users of detections",
    "ABOUT": "the page of formats, which docs/generate.py writes",
    "detected": "the page of formats",
    "quirks": "the page of formats",
    "try_frozen": "a child process, by its name",
    "try_openvino": "a child process, by its name",
    "try_run": "a child process, by its name",
    "try_saved_model": "a child process, by its name",
    "try_tflite": "a child process, by its name",
    "try_triton": "a child process, by its name",
    "JSON_LINES": "the registry of outputs, by its place",
    "pix_fmt": "PyAV",
    "color_primaries": "PyAV",
    "color_range": "PyAV",
    "color_trc": "PyAV",
    "colorspace": "PyAV",
    "duration": "PyAV",
    "thread_type": "PyAV",
    "TARGET": "the registry of export targets, by its place",
    "max_shift": "the augmentation of colors, by position",
    "pause": "callers of training, from another thread",
    "create": "CVAT, which loads boxwright.serving.cvat",
    "register": "packages that add a detector family",
    "difficult": "the page, which gets all fields of a labeled box",
    "should_exit": "uvicorn",
    "compute_output_shape": "Keras",
    "supported_ops": "TensorFlow's converter",
    "supported_types": "TensorFlow's converter",
    "optimizations": "TensorFlow's converter",
    "representative_dataset": "TensorFlow's converter",
    "quantized_input_stats": "TensorFlow's converter",
    "default_ranges_stats": "TensorFlow's converter",
    "intra_op_num_threads": "ONNX Runtime",
    "log_severity_level": "ONNX Runtime",
    "only_execute_path_to_fetches": "ONNX Runtime",
    "create_category_index_from_labelmap": "the tutorials' notebooks",
    "visualize_boxes_and_labels_on_image_array": "the tutorials' notebooks",
    "groundtruth_box_visualization_color": "the tutorials' notebooks",
}
# Their fields are part of the config and flag schema, even if they are ignored.
SCHEMAS = ("boxwright/tfod/config/*", "boxwright/tfod/*.py")


def unused() -> list[str]:
    """Return a line for each unused name, and for each listed name that is used or gone."""
    vulture = Vulture()
    vulture.scavenge([SOURCE])
    found = vulture.get_unused_code(min_confidence=CONFIDENCE)
    lines = [item.get_report() for item in found if item.name not in USED and not _field(item)]
    stale = sorted(USED.keys() - {item.name for item in found})
    return [
        *lines,
        *(f"{__file__}: {name} is used or gone: remove it from the list" for name in stale),
    ]


def _field(item: Any) -> bool:
    place = Path(item.filename).relative_to(SOURCE).as_posix()
    is_field: bool = item.typ == "variable" and any(fnmatch(place, pattern) for pattern in SCHEMAS)
    return is_field


if __name__ == "__main__":
    lines = unused()
    sys.stdout.writelines(f"{line}\n" for line in lines)
    sys.exit(bool(lines))
