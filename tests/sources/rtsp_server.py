"""A camera: GStreamer's RTSP server with a moving test picture, at rtsp://127.0.0.1:PORT/live.

It is run by the system's Python, which has GStreamer's bindings:
`python3 rtsp_server.py PORT WIDTH HEIGHT`.
"""

from __future__ import annotations

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

RATE = 30
LAUNCH = (
    "( videotestsrc is-live=true pattern=ball"
    " ! video/x-raw,width={width},height={height},framerate={rate}/1"
    " ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max={rate}"
    " ! rtph264pay name=pay0 pt=96 )"
)


def main() -> None:
    port, width, height = sys.argv[1:]
    Gst.init(None)
    server = GstRtspServer.RTSPServer(service=port, address="127.0.0.1")
    factory = GstRtspServer.RTSPMediaFactory(shared=True)
    factory.set_launch(LAUNCH.format(width=width, height=height, rate=RATE))
    server.get_mount_points().add_factory("/live", factory)
    server.attach(None)
    print("ready", flush=True)  # noqa: T201
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
