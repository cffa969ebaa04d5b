"""What the server measures of itself, in the text that Prometheus reads."""

from __future__ import annotations

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
IMAGES = (1, 2, 4, 8, 16, 32, 64)
MEDIA_TYPE = CONTENT_TYPE_LATEST


class Metrics:
    """The metrics of a server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self.requests = Counter(
            "boxwright_requests",
            "Requests by route and status.",
            ["route", "status"],
            registry=registry,
        )
        self.seconds = Histogram(
            "boxwright_request_seconds",
            "From a request's headers to the end of its answer.",
            ["route"],
            buckets=SECONDS,
            registry=registry,
        )
        self.queue_seconds = Histogram(
            "boxwright_queue_seconds", "Waiting for a worker.", buckets=SECONDS, registry=registry
        )
        self.work_seconds = Histogram(
            "boxwright_work_seconds",
            "Decoding and network, of all images of a request.",
            buckets=SECONDS,
            registry=registry,
        )
        self.waiting = Gauge(
            "boxwright_queue_length", "Requests that wait for a worker.", registry=registry
        )
        self.images = Histogram(
            "boxwright_request_images",
            "Images of a request.",
            ["model"],
            buckets=IMAGES,
            registry=registry,
        )
        self.detections = Counter(
            "boxwright_detections",
            "Objects above the detector's own thresholds, or drawn.",
            ["model", "class"],
            registry=registry,
        )
        self.version = Gauge(
            "boxwright_model_version",
            "Version of a model that is in use.",
            ["model"],
            registry=registry,
        )
        self.replacements = Counter(
            "boxwright_replacements",
            "Files that were replaced, by what became of them.",
            ["model", "outcome"],
            registry=registry,
        )
        self.closed = Counter(
            "boxwright_closed_connections",
            "Connections that the server closed, by reason.",
            ["reason"],
            registry=registry,
        )

    def text(self) -> bytes:
        """All metrics, of the media type `MEDIA_TYPE`."""
        return generate_latest(self._registry)
