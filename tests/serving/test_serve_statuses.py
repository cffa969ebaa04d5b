"""What a request gets: the table of statuses, with a detector of a few lines."""

from __future__ import annotations

import asyncio
import io
import struct
import threading
import zlib
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from detecting import CLASSES, HOST, Fake, Running, in_threads, picture, running, until
from PIL import Image

from boxwright.errors import DetectorError
from boxwright.serving.log import Log
from boxwright.serving.metrics import Metrics
from boxwright.serving.model import Loaded, Model
from boxwright.serving.refusals import Refusal
from boxwright.serving.service import Service
from boxwright.serving.settings import Access, Settings

SETTINGS = Settings(workers=1, queue=2, timeout=20, max_bytes=100_000)
JPEG = picture()
HEIC = b"\0\0\0\x18ftypheic\0\0\0\0heicmif1" + bytes(100)


def png_of(width: int, height: int) -> bytes:
    """The beginning of a PNG of that size."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    check = struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n\0\0\0\x0d" + header + check + b"\0\0\x10\0IDAT"


def many_scans() -> bytes:
    """A progressive JPEG of 120 scans."""
    stream = io.BytesIO()
    Image.new("RGB", (16, 16)).save(stream, "JPEG", progressive=True)
    scan = b"\xff\xda\0\x08\x01\x01\0\x01\x3f\0\x7f\xa0"
    content = stream.getvalue()
    return content[:-2] + scan * (120 - content.count(b"\xff\xda")) + content[-2:]


@pytest.fixture(scope="module")
def pets() -> Iterator[Running]:
    with running([Fake().model()], SETTINGS) as server:
        yield server


def test_an_image_gets_its_detections(pets: Running) -> None:
    answer = pets.detect(JPEG)
    assert answer.status == 200
    assert answer.json == {
        "model": "pets",
        "version": 1,
        "width": 64,
        "height": 48,
        "detections": [{"class": "cat", "score": 0.9, "box": [0.0, 0.0, 32.0, 48.0]}],
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["cat"]),
        ("?score=0", ["cat", "dog"]),
        ("?score=0.95", []),
        ("?score=0.4&classes=dog", ["dog"]),
        ("?classes=dog", []),
        ("?classes=dog,cat&score=0.1&model=pets", ["cat", "dog"]),
    ],
)
def test_score_and_classes_choose(pets: Running, query: str, found: list[str]) -> None:
    answer = pets.detect(JPEG, query)
    assert [each["class"] for each in answer.json["detections"]] == found


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "said"),
    [
        ("/detect", b"", {}, 400, "The image is not an image"),
        ("/detect", b"no image at all", {}, 400, "The image is not an image"),
        ("/detect", JPEG[: len(JPEG) // 2], {}, 400, "The image is damaged"),
        ("/detect?score=high", JPEG, {}, 400, "'high'"),
        ("/detect?score=nan", JPEG, {}, 400, "from 0 to 1"),
        ("/detect?score=1.5", JPEG, {}, 400, "not 1.5"),
        ("/detect?classes=cow", JPEG, {}, 400, "There is no class 'cow', but cat, dog."),
        ("/detect?threshold=0.5", JPEG, {}, 400, "no parameter 'threshold'"),
        ("/detect?model=cars", JPEG, {}, 404, "There is no model 'cars', but pets."),
        ("/detects", JPEG, {}, 404, "Not Found"),
        ("/detect", png_of(30_000, 30_000), {}, 413, "30000 x 30000"),
        ("/detect", many_scans(), {}, 413, "has 120 scans"),
        ("/detect", bytes(100_001), {}, 413, "more than 100000 bytes"),
        ("/detect", iter([bytes(60_000)] * 2), {}, 413, "more than 100000 bytes"),
        ("/detect", HEIC, {}, 415, "The image is HEIC"),
        ("/detect", JPEG, {"Content-Type": "multipart/form-data; boundary=a"}, 415, "itself"),
        ("/detect", b"{}", {"Content-Type": "application/json"}, 415, "application/json"),
        ("/detect", JPEG, {"Host": "elsewhere.example"}, 403, "--allow-host"),
        ("/detect", JPEG, {"Origin": "http://elsewhere.example"}, 403, "--allow-origin"),
        ("/detect", JPEG, {"Origin": "null"}, 403, "--allow-origin"),
    ],
)
def test_a_refusal_has_a_status_and_a_sentence(
    pets: Running, path: str, body: Any, headers: dict[str, str], status: int, said: str
) -> None:
    answer = pets.ask("POST", path, body, headers)
    assert (answer.status, said in answer.error) == (status, True), answer.body
    assert pets.detect(JPEG).status == 200


def test_another_method_is_refused(pets: Running) -> None:
    answer = pets.ask("GET", "/detect")
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_every_format_that_predict_opens_is_taken(pets: Running, form: str) -> None:
    assert pets.detect(picture(form=form)).json["width"] == 64


def test_the_drawn_image_is_asked_for(pets: Running) -> None:
    answer = pets.detect(picture(3000, 2000), "?score=0", Accept="image/jpeg")
    assert answer.status == 413  # of bytes
    answer = pets.detect(JPEG, "?score=0", Accept="image/jpeg")
    assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
    with Image.open(io.BytesIO(answer.body)) as drawn:
        assert drawn.size == (64, 48)
        assert drawn.convert("RGB").tobytes() != Image.open(io.BytesIO(JPEG)).tobytes()
    assert pets.detect(JPEG, "?classes=cow", Accept="image/jpeg").status == 400


def test_a_requests_id_is_its_own_or_a_new_one(pets: Running) -> None:
    assert pets.detect(JPEG, X_Request_Id="job-7").headers["x-request-id"] == "job-7"
    unusable = pets.detect(JPEG, X_Request_Id="job 7 " + "x" * 200).headers["x-request-id"]
    other = pets.detect(b"").headers["x-request-id"]
    assert len({unusable, other, pets.detect(JPEG).headers["x-request-id"]}) == 3
    assert len(unusable) == len(other) == 32


def test_each_request_is_a_line_of_the_log(pets: Running) -> None:
    pets.detect(JPEG, X_Request_Id="logged")
    pets.detect(b"", X_Request_Id="not logged as found")
    (line,) = until(lambda: [each for each in pets.lines if each.get("request_id") == "logged"])
    expected = {"event": "request", "client": HOST, "method": "POST", "path": "/detect"}
    assert line.items() >= {**expected, "status": 200, "model": "pets"}.items()
    assert (line["images"], line["detections"]) == (1, 1)
    assert 0 < line["seconds"] < 20


def test_a_page_gets_nothing_that_it_does_not_need(pets: Running) -> None:
    headers = pets.ask("GET", "/models").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "access-control-allow-origin" not in headers


def test_health_and_models(pets: Running) -> None:
    assert pets.ask("GET", "/healthz").json == {"status": "ready", "models": {"pets": 1}}
    (model,) = pets.ask("GET", "/models").json["models"]
    assert model == {
        "name": "pets",
        "ready": True,
        "version": 1,
        "kind": ".tflite",
        "classes": list(CLASSES),
        "thresholds": {"cat": 0.5, "dog": 0.5},
    }


def test_metrics_count_what_was_asked_and_found() -> None:
    with running([Fake().model()]) as server:
        for image in (JPEG, JPEG, b""):
            server.detect(image)
        server.ask("GET", "/nowhere/of/many")
        assert server.metric('boxwright_requests_total{route="/detect",status="200"}') == 2
        assert server.metric('boxwright_requests_total{route="/detect",status="400"}') == 1
        assert server.metric('boxwright_requests_total{route="other",status="404"}') == 1
        assert server.metric('boxwright_detections_total{class="cat",model="pets"}') == 2
        assert server.metric('boxwright_request_images_count{model="pets"}') == 2
        assert server.metric("boxwright_work_seconds_count") == 2
        assert server.metric("boxwright_queue_seconds_count") == 3
        assert server.metric('boxwright_model_version{model="pets"}') == 1


def test_of_several_models_one_is_named() -> None:
    with running([Fake().model("one"), Fake().model("two")]) as server:
        assert server.detect(JPEG).error == "There are several models: one, two. Name one of them."
        assert server.detect(JPEG, "?model=two").json["model"] == "two"


def test_nobody_is_served_before_all_is_warmed_up() -> None:
    engine = Fake()
    engine.go_on.clear()

    def load(path: Path) -> Loaded:
        engine.go_on.wait(20)
        return engine.loaded()

    with running([Model("pets", Path("pets.tflite"), load)], until_ready=False) as server:
        for answer in (server.detect(JPEG), server.ask("GET", "/healthz")):
            assert (answer.status, answer.headers["retry-after"]) == (503, "1")
        assert server.ask("GET", "/models").json["models"] == [{"name": "pets", "ready": False}]
        engine.go_on.set()
        until(lambda: server.ask("GET", "/healthz").status == 200)
        assert server.detect(JPEG).status == 200


def test_a_full_queue_is_429_and_says_when_to_come_back() -> None:
    engine = Fake()
    with running([engine.model()], SETTINGS) as server:
        engine.go_on.clear()
        threads, answers = in_threads(3, lambda: server.detect(JPEG))  # one in work, two wait
        until(lambda: server.metric("boxwright_queue_length") == 2)
        refused = server.detect(JPEG)
        assert (refused.status, refused.error) == (429, "The queue is full.")
        assert int(refused.headers["retry-after"]) >= 1
        assert server.ask("GET", "/healthz").status == 200
        engine.go_on.set()
        for thread in threads:
            thread.join(20)
        assert [each.status for each in answers] == [200, 200, 200]
        assert server.detect(JPEG).status == 200


def test_what_takes_too_long_is_504_and_frees_its_place() -> None:
    engine = Fake()
    with running([engine.model()], Settings(workers=1, queue=2, timeout=0.2)) as server:
        engine.go_on.clear()
        threads, answers = in_threads(3, lambda: server.detect(JPEG))
        for thread in threads:
            thread.join(20)
        assert [each.status for each in answers] == [504, 504, 504]
        assert answers[0].error == "The request took more than 0.2 seconds."
        assert engine.seen == 1, "what nobody waits for is not begun"
        engine.go_on.set()
        assert server.detect(JPEG).status == 200


def test_images_that_nobody_waits_for_are_left_out() -> None:
    before = {*threading.enumerate()}
    engine = Fake()
    model = engine.model()
    model.load()
    service = Service([model], Settings(workers=1, timeout=0.1), Metrics(), Log(lambda line: None))
    engine.go_on.clear()
    with pytest.raises(Refusal) as caught:
        asyncio.run(service.detect("pets", [JPEG] * 3, request_id=""))
    assert caught.value.status == 504
    engine.go_on.set()
    service.close()
    until(lambda: {*threading.enumerate()} <= before)
    assert engine.seen == 1


def test_all_bodies_together_are_bounded() -> None:
    with running([Fake().model()], Settings(workers=1, max_bytes=1000)) as server:
        head = f"POST /detect HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 1000\r\n\r\n"
        held = [server.connected() for _ in range(16)]
        for connection in held:
            connection.sendall(head.encode() + bytes(990))
        until(lambda: server.detect(bytes(900)).status == 429)
        for connection in held:
            connection.close()
        until(lambda: server.detect(bytes(900)).status == 400)


def test_a_network_that_fails_is_500_without_its_insides() -> None:
    engine = Fake(failure=DetectorError("BW514", "the network fails.", where="/home/me/d.tflite"))
    with running([engine.model()]) as server:
        answer = server.detect(JPEG)
        assert (answer.status, answer.error) == (500, "BW514: the network fails.")
        engine.failure = RuntimeError("an unforeseen /home/me")
        answer = server.detect(JPEG)
        assert (answer.status, answer.error) == (500, "Internal error: RuntimeError.")
        traces = [line["traceback"] for line in until(lambda: server.logged("traceback"))]
        assert "an unforeseen" in traces[0]


WORD = "se cret"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer other"}, 401),
        ({"Authorization": "Bearer"}, 401),
        ({"Authorization": "Basic nothing!"}, 401),
        ({"Authorization": "Basic " + b64encode(b"me:other").decode()}, 401),
        ({"Authorization": f"Digest {WORD}"}, 401),
        ({"Authorization": f"Bearer {WORD}"}, 200),
        ({"Authorization": "Basic " + b64encode(f"me:{WORD}".encode()).decode()}, 200),
    ],
)
def test_a_token_is_asked_for(guarded: Running, headers: dict[str, str], status: int) -> None:
    for method, path in (("POST", "/detect"), ("GET", "/models"), ("GET", "/metrics")):
        answer = guarded.ask(method, path, JPEG if method == "POST" else None, headers)
        assert answer.status == status
        assert ("www-authenticate" in answer.headers) == (status == 401)
    assert guarded.ask("GET", "/healthz", headers=headers).status == 200


@pytest.fixture(scope="module")
def guarded() -> Iterator[Running]:
    access = Access(frozenset({HOST, "images.example"}), WORD, ("https://page.example",))
    with running([Fake().model()], access=access) as server:
        yield server


def test_a_site_that_is_named_may_send_requests(guarded: Running) -> None:
    page = {"Origin": "https://page.example", "Access-Control-Request-Method": "POST"}
    asked = guarded.ask("OPTIONS", "/detect", headers=page)
    assert (asked.status, asked.headers["access-control-allow-origin"]) == (200, page["Origin"])
    sent = {"Origin": page["Origin"], "Authorization": f"Bearer {WORD}"}
    answer = guarded.ask("POST", "/detect", JPEG, sent)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (200, page["Origin"])
    assert guarded.ask("OPTIONS", "/detect", headers={**page, "Origin": "https://a"}).status == 403


@pytest.mark.parametrize("host", ["images.example", "IMAGES.example:80"])
def test_another_name_that_is_allowed(guarded: Running, host: str) -> None:
    assert guarded.ask("GET", "/healthz", headers={"Host": host}).status == 200
