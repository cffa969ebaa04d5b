"""Videos with their boxes drawn, which browsers play."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from boxwright.backend import framework
from boxwright.io.files import writing
from boxwright.outputs.output import Add, Job, Output, Record
from boxwright.outputs.own_files import fresh, video_stem
from boxwright.outputs.picture import draw_prediction
from boxwright.sources.frame import Video
from boxwright.sources.video import CONVERTING

SUFFIX = ".mp4"
MARK = "Drawn by Boxwright"  # comment of videos that may be replaced
CODECS = {"libx264": "h264", "libvpx-vp9": "VP9", "mpeg4": "mp4v"}  # encoders, the best first
OPTIONS = {
    "libx264": {"preset": "veryfast", "crf": "23"},
    "libvpx-vp9": {"deadline": "realtime", "cpu-used": "6", "crf": "32", "b": "0"},
}
PLAYED = {"aac", "mp3", "opus", "flac"}  # sound that browsers play in an .mp4
RECORDED = "+faststart"  # browsers play the file while it arrives
LIVE = "+frag_keyframe+empty_moov+default_base_moof"  # the table of frames is not kept in memory
TICKS = 90_000  # of a second, the unit of times in the file
USUAL_RATE = Fraction(25)  # frames a second of videos that state none
BT709, LIMITED = 1, 1  # numbers in FFmpeg of the colors of HD video


@contextmanager
def video(job: Job) -> Iterator[Add]:
    """Draw on every frame and write `<video>.mp4`; a new one if the size of the frames changes."""
    writer: _Writer | None = None
    with ExitStack() as current:

        def add(record: Record) -> None:
            nonlocal writer
            frame, picture = record.prediction.frame, record.picture
            if frame.video is None:
                return
            if writer is None or (writer.video, writer.size) != (frame.video, picture.size):
                current.close()
                name = fresh(video_stem(frame.name), job.taken, job.out, SUFFIX, _is_own)
                opened = _written(job.out / name, frame.video, picture.size)
                writer = current.enter_context(opened)
                for note in writer.notes:
                    job.tell(f"{name}: {note}")
            shown = picture.copy()
            draw_prediction(shown, record.prediction)
            writer.add(shown, frame.seconds or 0.0)
            record.entry["drawn"] = writer.path.name

        yield add


@contextmanager
def _written(path: Path, video: Video, size: tuple[int, int]) -> Iterator[_Writer]:
    with writing(path) as draft:
        options = {"movflags": RECORDED if video.file else LIVE}
        with framework.av().open(str(draft), "w", format="mp4", options=options) as out:
            out.metadata["comment"] = MARK
            with ExitStack() as sources:
                writer = _Writer(path, video, size, out, sources)
                yield writer
                writer.finish()


def _is_own(path: Path) -> bool:
    with suppress(Exception), framework.av().open(str(path)) as container:
        return bool(container.metadata.get("comment") == MARK)
    return False  # it is no video


class _Writer:
    """Encodes frames of one size, and copies the sound that belongs to them."""

    def __init__(
        self, path: Path, video: Video, size: tuple[int, int], out: Any, sources: ExitStack
    ) -> None:
        self.path, self.video, self.size = path, video, size
        self.notes: list[str] = []
        self._out, self._rate = out, video.rate or USUAL_RATE
        self._start: float | None = None  # of the first frame, seconds
        self._last = -1  # ticks of the last frame
        self._stream = self._add_stream()
        self._sound = self._add_sound(sources)

    def _add_stream(self) -> Any:
        known = framework.av().codecs_available
        codec = next(each for each in CODECS if each in known)
        if codec != "libx264":
            self.notes.append(f"it is {CODECS[codec]}: this PyAV has no encoder for h264.")
        stream = self._out.add_stream(codec, rate=self._rate, options=OPTIONS.get(codec, {}))
        stream.width, stream.height = (side // 2 * 2 for side in self.size)  # as 4:2:0 needs
        stream.pix_fmt = "yuv420p"
        context = stream.codec_context
        context.time_base = Fraction(1, TICKS)
        context.sample_aspect_ratio = self.video.aspect
        context.colorspace = context.color_primaries = context.color_trc = BT709
        context.color_range = LIMITED
        return stream

    def _add_sound(self, sources: ExitStack) -> Iterator[Any]:
        """The packets of the sound track; none without one that can be copied."""
        if self.video.file is None:
            return iter(())
        container = sources.enter_context(framework.av().open(str(self.video.file)))
        if not container.streams.audio:
            return iter(())
        track = container.streams.audio[0]
        codec = track.codec_context.name
        if codec not in PLAYED:
            self.notes.append(f"its sound is left out: browsers do not play {codec} in an .mp4.")
            return iter(())
        self._copy = self._out.add_stream_from_template(track)
        packets: Iterator[Any] = container.demux(track)
        return packets

    def add(self, picture: Image.Image, seconds: float) -> None:
        """Encode a frame, with the sound up to its time."""
        if self._start is None:
            self._start = seconds
        ticks = round((seconds - self._start) * TICKS)
        if ticks <= self._last:  # the clock of a stream began anew
            ticks = self._last + round(TICKS / self._rate)
            self._start = seconds - ticks / TICKS
        self._last = ticks
        pixels = np.asarray(picture)[: self._stream.height, : self._stream.width]
        frame = framework.av().VideoFrame.from_ndarray(np.ascontiguousarray(pixels), "rgb24")
        colors = {"dst_colorspace": BT709, "dst_color_range": LIMITED}
        frame = frame.reformat(format="yuv420p", threads=CONVERTING, **colors)
        frame.pts, frame.time_base = ticks, Fraction(1, TICKS)
        self._mux(self._stream.encode(frame))
        self._add_sound_until(seconds)

    def finish(self) -> None:
        if self._start is not None:
            self._mux(self._stream.encode(None))
            self._add_sound_until(self._start + self._last / TICKS + float(1 / self._rate))

    def _mux(self, packets: Any) -> None:
        for packet in packets:
            packet.duration = round(TICKS / self._rate)
            self._out.mux(packet)

    def _add_sound_until(self, seconds: float) -> None:
        for packet in self._sound:
            if packet.dts is None:
                continue
            at = float(packet.pts * packet.time_base)
            start = self._start or 0.0
            if at >= start:
                shift = round(start / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = self._copy
                self._out.mux(packet)
            if at > seconds:
                return


OUTPUT = Output(video, lambda _: "full", only="videos")
