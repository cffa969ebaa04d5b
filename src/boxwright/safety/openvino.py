"""Checks of OpenVINO's folders before the runtime sees them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from boxwright.safety import limits
from boxwright.safety.limits import DefectError

LARGEST_XML = 1 << 26  # bytes
BITS = {
    **{"f64": 64, "f32": 32, "f16": 16, "bf16": 16, "i64": 64, "i32": 32, "i16": 16, "i8": 8},
    **{"i4": 4, "u64": 64, "u32": 32, "u16": 16, "u8": 8, "u4": 4, "u1": 1, "boolean": 8},
    **{"f8e4m3": 8, "f8e5m2": 8, "nf4": 4, "f4e2m1": 4, "f8e8m0": 8, "u2": 2, "u3": 3, "u6": 6},
}


def check_openvino(network: Path) -> None:
    """Refuse an OpenVINO network whose constants are not where it says, or that asks for too much.

    Args:
        network: the .xml file; the weights are in the .bin file beside it.

    Raises:
        DefectError: it is damaged.
        TooLargeError: it asks for too much.
    """
    from defusedxml import ElementTree
    from defusedxml.common import DefusedXmlException

    if network.stat().st_size > LARGEST_XML:
        raise limits.TooLargeError(f"its network has more than {LARGEST_XML:,} bytes of XML")
    weights = network.with_suffix(".bin")
    available = weights.stat().st_size if weights.is_file() else 0
    total = 0
    try:
        for _, element in ElementTree.iterparse(network):
            if element.tag == "port":
                sides = [_number(each.text) for each in element.iter("dim")]
                bits = BITS.get(str(element.get("precision", "")).lower(), 8)
                limits.tensor_bytes(sides, bits, "a tensor")
            elif element.tag == "data" and element.get("offset") is not None:
                total += _constant(element, available)
    except (ElementTree.ParseError, DefusedXmlException, LookupError) as error:
        raise DefectError(f"its network is not XML ({error})") from error
    if total > limits.LARGEST_NETWORK:
        raise limits.TooLargeError(f"its constants have {total:,} bytes")


def _constant(data: Any, available: int) -> int:
    """Check that a constant is in the .bin file; return its bytes."""
    offset, size = _number(data.get("offset")), _number(data.get("size"))
    if offset < 0 or size < 0 or offset + size > available:
        raise DefectError("a constant is outside of the weights")
    shape = [_number(side) for side in str(data.get("shape", "")).split(",") if side.strip()]
    bits = BITS.get(str(data.get("element_type")))
    if bits and size != (math.prod(shape) * bits + 7) // 8:
        raise DefectError(f"a constant has {size:,} bytes, which do not fit its shape")
    return size


def _number(text: str | None) -> int:
    try:
        return int(text or "")
    except ValueError as error:
        raise DefectError(f"{str(text)[:40]!r} is not a whole number") from error
