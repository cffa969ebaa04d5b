"""The protocol of Label Studio's machine learning backends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from image_host import CONFIG, UPLOAD, Studio, asked
from red_server import HEIGHT, RED, WIDTH, Client, loading, model, serving
from typer.testing import CliRunner

from boxwright.cli.main import app

REQUESTS = json.loads((Path(__file__).parent / "label_studio_requests.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def backend(studio: Studio) -> Iterator[Client]:
    with serving(label_studio_url=studio.url, max_bytes=1_000_000) as client:
        yield client


def test_the_recorded_requests_are_answered(studio: Studio) -> None:
    """What Label Studio sends when a backend is added, and when a task is opened."""
    with serving(label_studio_url=studio.url) as client:
        for each in REQUESTS:
            answer = client.ask(each["method"], each["path"], each["body"])
            assert answer.status == 200, answer.body
        (result,) = answer.json["results"]
        assert [region["value"]["rectanglelabels"] for region in result["result"]] == [["red"]]


def test_boxes_are_in_percent(backend: Client) -> None:
    answer = backend.post("/predict", asked(UPLOAD)).json
    (prediction,) = answer["results"]
    (region,) = prediction["result"]  # blue is no label of the project, and below the threshold
    xmin, ymin, xmax, ymax = RED
    value = region["value"]
    assert (value["x"], value["y"]) == pytest.approx(
        (100 * xmin / WIDTH, 100 * ymin / HEIGHT), abs=100 / 64
    )
    assert (value["width"], value["height"]) == pytest.approx(
        (100 * (xmax - xmin) / WIDTH, 100 * (ymax - ymin) / HEIGHT), abs=200 / 64
    )
    assert value["rectanglelabels"] == ["red"]
    assert (region["original_width"], region["original_height"]) == (WIDTH, HEIGHT)
    assert (region["from_name"], region["to_name"]) == ("label", "image")
    assert region["type"] == "rectanglelabels"
    assert prediction["score"] == region["score"] == pytest.approx(0.9)
    assert prediction["model_version"] == answer["model_version"]


def test_several_tasks_are_answered_in_order(backend: Client, studio: Studio) -> None:
    address = f"{studio.url}{UPLOAD}"
    results = backend.post("/predict", asked(UPLOAD, address, "/moved")).json["results"]
    assert [len(each["result"]) for each in results] == [1, 1, 1]


@pytest.mark.parametrize("kind", ["key", "personal"])
def test_a_token_is_sent_to_label_studio_alone(
    kind: str, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, header = {"key": ("abc", "Token abc"), "personal": ("a.b.c", "Bearer d.e.f")}[kind]
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", token)
    with serving(label_studio_url=studio.url) as client:
        studio.asked.clear()
        assert client.post("/predict", asked("/moved")).status == 200
        sent = dict(studio.asked)
        assert sent["/moved"] == sent["/data/upload/1/a%20b.png"] == header
        studio.asked.clear()
        assert client.post("/predict", asked("/gone-elsewhere")).status == 400
        assert "/data/upload/1/a%20b.png" not in dict(studio.asked)


ELSEWHERE = [
    "http://localhost/image.png",
    "http://127.0.0.1/image.png",
    "https://127.0.0.1/image.png",
    "//example.org/image.png",
    "http://127.0.0.1@example.org/image.png",
    "http://127.0.0.1\\@example.org/image.png",
    "http://[::1/image.png",
    "http://127.0.0.1:99999/image.png",
    "file:///etc/passwd",
    "ftp://127.0.0.1/image.png",
    "s3://bucket/image.png",
    "data:image/png;base64,AAAA",
    "/gone-elsewhere",
]


@pytest.mark.parametrize("address", ELSEWHERE)
def test_nothing_is_fetched_from_elsewhere(address: str, backend: Client) -> None:
    answer = backend.post("/predict", asked(address))
    assert answer.status == 400
    assert "the only server that images are fetched from" in answer.json["error"]


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/missing", 400, "answers 404"),
        ("/large", 413, "more than 1000000 bytes"),
        ("/private", 400, "answers 401; set LABEL_STUDIO_API_KEY"),
        ("/login", 400, "set LABEL_STUDIO_API_KEY"),
        ("/text", 400, "not an image"),
        ("/endless", 400, "cannot be fetched"),
        ("/\0 \n", 400, "answers 404"),
        (7, 400, '"picture" is not a text'),
    ],
)
def test_images_that_cannot_be_had(
    address: object, status: int, said: str, backend: Client
) -> None:
    answer = backend.post("/predict", asked(address))
    assert (answer.status, list(answer.json)) == (status, ["error"])
    assert said in answer.json["error"]


def test_without_an_address_nothing_is_fetched(client: Client) -> None:
    answer = client.post("/predict", asked(UPLOAD))
    assert answer.status == 400
    assert "--label-studio-url" in answer.json["error"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ("<View/>", "no RectangleLabels for an Image"),
        (CONFIG.replace("$picture", "picture.png"), "no RectangleLabels for an Image"),
        (CONFIG.replace('toName="image"', 'toName="text"'), "no RectangleLabels for an Image"),
        (CONFIG.replace('"red"', '"Red"'), "no label of the detector, which knows red, blue"),
        ("<View>", "cannot be read"),
        ('<!DOCTYPE a [<!ENTITY b "c">]><View>&b;</View>', "cannot be read"),
        (None, "is not a text but missing"),
    ],
)
def test_projects_that_do_not_fit(config: Any, said: str, client: Client) -> None:
    for path, body in {
        "/setup": {"project": "1.1", "schema": config},
        "/predict": asked(UPLOAD, config=config),
    }.items():
        answer = client.post(path, body)
        assert answer.status == 400
        assert said in answer.json["error"]


def test_several_models_have_an_address_each(studio: Studio) -> None:
    with serving(model("one"), model("two"), label_studio_url=studio.url) as client:
        assert client.post("/predict", asked(UPLOAD)).status == 400
        versions = set()
        for name in ("one", "two"):
            place = f"/label-studio/{name}"
            assert client.get(f"{place}/health").json["status"] == "UP"
            answer = client.post(f"{place}/predict", asked(UPLOAD)).json
            assert len(answer["results"][0]["result"]) == 1
            setup = client.post(f"{place}/setup", {"schema": CONFIG}).json
            assert setup["model_version"] == answer["model_version"]
            versions.add(answer["model_version"])
        assert len(versions) == 2


@pytest.mark.parametrize("url", ["ftp://studio", "localhost:8080", "http://", "http://a:b"])
def test_the_command_refuses_what_is_no_address(url: str) -> None:
    answer = CliRunner().invoke(app, ["serve", "detector.tflite", "--label-studio-url", url])
    assert answer.exit_code == 2
    assert "Invalid value for '--label-studio-url'" in answer.output


def test_it_is_up_when_it_is_ready() -> None:
    with loading() as client:
        assert client.get("/health").status == 503
