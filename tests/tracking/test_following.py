"""Tracked streams: a tracker for each video, which gets what it needs and decides identities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import boxwright
from boxwright.errors import ArgumentError, SourceError
from boxwright.tracking.tracker import TRACKERS
from filming import film
from nearest import Nearest, finding, walk

pytestmark = pytest.mark.tiny


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return film(tmp_path / "clip.mp4", 6)


def test_objects_keep_their_identities(clip: Path) -> None:
    detector = finding(walk(6, ((10, 10), (3, 0), 0), ((50, 30), (-3, 0), 1)))
    found = list(detector.stream(clip, track=Nearest))
    assert [frame.number for frame, _ in found] == [*range(6)]
    for _, detections in found:
        assert detections.track_ids is not None
        assert detections.track_ids.tolist() == [0, 1]
        assert [each.name for each in detections] == ["cat", "dog"]


def test_predict_and_stream_yield_the_same(clip: Path) -> None:
    frames = list(walk(6, ((10, 10), (3, 0), 0), ((50, 30), (-20, 0), 1)))
    one = finding(frames).stream(clip, track=Nearest)
    other = boxwright.predict(clip, finding(frames), stream=True, track=Nearest)
    assert [each.to_json() for _, each in one] == [each.to_json() for _, each in other]


def test_without_a_tracker_there_are_no_identities(clip: Path) -> None:
    for _, detections in finding(walk(6, ((10, 10), (3, 0), 0))).stream(clip):
        assert detections.track_ids is None


def test_each_video_has_a_tracker_that_knows_its_rate_and_the_threshold(tmp_path: Path) -> None:
    trackers: list[Nearest] = []

    def new(rate: float, threshold: float) -> Nearest:
        trackers.append(Nearest(rate, threshold))
        return trackers[-1]

    clips = [film(tmp_path / "a.mp4", 3, rate=10), film(tmp_path / "b.mp4", 3, rate=20)]
    detector = finding(walk(6, ((10, 10), (3, 0), 0)))
    found = [each.track_ids.tolist() for _, each in detector.stream(clips, track=new)]
    assert found == [[0]] * 6
    used = [each for each in trackers if each.sizes]
    assert [(each.rate, each.threshold, each.sizes) for each in used] == [
        (10, 0.5, [(64, 48)] * 3),
        (20, 0.5, [(64, 48)] * 3),
    ]


def test_weak_detections_continue_objects_and_begin_none(clip: Path) -> None:
    """0.5 is the detector's threshold."""
    scores = (0.9, 0.2, 0.05, 0.2, 0.9, 0.3)
    frames = [[(10.0, 10.0, score, 0), (50.0, 30.0, 0.3, 1)] for score in scores]
    found = [each for _, each in finding(frames).stream(clip, track=Nearest)]
    kept = [[round(score, 2) for score in each.scores.tolist()] for each in found]
    assert kept == [[0.9], [0.2], [], [], [0.9], [0.3]]
    assert [each.track_ids.tolist() for each in found] == [[0], [0], [], [], [1], [1]]


def test_a_given_threshold_holds_for_new_objects(clip: Path) -> None:
    frames = [[(10.0, 10.0, 0.06, 0)]] * 6
    for threshold, expected in ((0.05, [[0]] * 6), (0.07, [[]] * 6), (0.0, [[0]] * 6)):
        found = finding(frames).stream(clip, track=Nearest, threshold=threshold)
        assert [each.track_ids.tolist() for _, each in found] == expected


def test_images_beside_a_video_are_not_tracked(clip: Path, tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    detector = finding(walk(7, ((10, 10), (1, 0), 0)))
    found = [each for _, each in detector.stream([tmp_path / "a.png", clip], track=Nearest)]
    assert found[0].track_ids is None
    assert all(each.track_ids is not None for each in found[1:])


def test_images_alone_are_refused(tmp_path: Path) -> None:
    Image.new("RGB", (64, 48)).save(tmp_path / "a.png")
    with pytest.raises(SourceError) as raised:
        next(finding([]).stream(tmp_path / "a.png", track=Nearest))
    assert raised.value.code == "BW522"


def test_a_tracker_that_forgets_objects_is_not_believed(clip: Path) -> None:
    class Forgetful(Nearest):
        def update(self, *given: object) -> np.ndarray:
            return np.zeros(0, np.int64)

    with pytest.raises(ValueError, match="0 track_ids do not fit 1 boxes"):
        list(finding(walk(6, ((10, 10), (3, 0), 0))).stream(clip, track=Forgetful))


def test_trackers_have_names(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRACKERS, "sort", Nearest)
    found = finding(walk(6, ((10, 10), (3, 0), 0))).stream(clip, track="sort")
    assert [each.track_ids.tolist() for _, each in found] == [[0]] * 6
    with pytest.raises(ArgumentError) as raised:
        next(finding([]).stream(clip, track="magic"))
    assert (raised.value.code, "'bytetrack'" in raised.value.remedy) == ("BW803", True)


def test_only_a_stream_is_tracked(clip: Path) -> None:
    with pytest.raises(ArgumentError) as raised:
        boxwright.predict(clip, finding([]), track="sort")  # type: ignore[call-overload]
    assert raised.value.code == "BW802"
