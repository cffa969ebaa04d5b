"""How a NanoDet-Plus is tuned: numbers of `benchmarks/step_time.py` and `benchmarks/decide.py`."""

from __future__ import annotations

from boxwright.models.tuning import TrainedLayers, Tuning, Work

LAYERS = TrainedLayers(
    12,
    False,
    Work(401, 228, 61, 0, 9.1, 3.4),
    "the first stages already detect parts of objects; a third faster",
)
TUNING = Tuning(
    sizes=(224, 320, 416, 512, 640),
    reference_size=320,
    layers=LAYERS,
    many_layers=LAYERS,
    batch_size=(8, "16 are hardly faster and give half as many steps"),
    overhead=0.66,
    images=103,
    steepness=1.03,
    pixels=5.2,
    sharpness=1.36,
    side=117,
    rate_per_object=1e-3,
    peaks=(1e-3, 2e-3),
)
