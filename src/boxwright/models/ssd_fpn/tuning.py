"""How an SSD with a feature pyramid is tuned: like another SSD. Nothing of it was measured."""

from __future__ import annotations

from dataclasses import replace

from boxwright.models.tuning import USUAL

TUNING = replace(USUAL, sizes=(224, 320, 448, 640), reference_size=320)
