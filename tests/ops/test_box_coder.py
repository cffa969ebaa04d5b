"""The box coder with scales of its own."""

from __future__ import annotations

import numpy as np
import pytest

from boxwright.ops import box_coder

pytestmark = pytest.mark.tiny

BOX, ANCHOR = np.array([0.2, 0.3, 0.6, 0.5]), np.array([0.1, 0.2, 0.5, 0.6])


def test_scales_multiply_their_codes() -> None:
    plain = box_coder.encode(BOX, ANCHOR, scales=(1.0, 1.0, 1.0, 1.0))
    np.testing.assert_allclose(plain, [0.25, 0.0, 0.0, np.log(0.5)], atol=1e-6)
    own = box_coder.encode(BOX, ANCHOR, scales=(2.0, 3.0, 4.0, 5.0))
    np.testing.assert_allclose(own, plain * [2, 3, 4, 5])
    np.testing.assert_allclose(box_coder.encode(BOX, ANCHOR), plain * box_coder.SCALES)


def test_what_was_encoded_is_decoded() -> None:
    scales = (2.0, 3.0, 4.0, 5.0)
    codes = box_coder.encode(BOX, ANCHOR, scales=scales)
    np.testing.assert_allclose(box_coder.decode(codes, ANCHOR, scales=scales), BOX, atol=1e-6)
