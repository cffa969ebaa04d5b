"""Who is not let in: the table of attacks on a studio that listens."""

from __future__ import annotations

import builtins
import io
import os
import socket
from collections.abc import Iterator
from functools import partial

import pytest
from served import HOST, Served, eventually, serving

from boxwright.studio import app
from boxwright.studio.security import BODY, names_of
from boxwright.studio.store import LabelStore
from folders import VocFolder

OUTER = "a file beside the folder"
OUTSIDE = [  # paths that lead out of a folder somewhere
    "/page/../../secret.txt",
    "/page/..%2f..%2fsecret.txt",
    "/page/..%252f..%252fsecret.txt",
    "/page/%2e%2e/%2e%2e/secret.txt",
    "/page/..\\..\\secret.txt",
    "/page/..%5c..%5csecret.txt",
    "/page/%c0%ae%c0%ae/secret.txt",
    "/page//etc/passwd",
    "/page/%2fetc%2fpasswd",
    "/page/C:/Windows/win.ini",
    "/page/C:%5CWindows%5Cwin.ini",
    "/page/%5c%5chost%5cshare%5cfile",
    "/page/%5c%5c%3f%5cC:%5cWindows%5cwin.ini",
    "/page/link.txt",
    "/page/main.js%00.txt",
    "/page/" + "a" * 5000,
    "/page/app.py",
    "/page/..;/app.py",
    "/pixels/../secret.txt",
    "/pixels/..%2fsecret.txt",
    "/pixels/-1",
    "/pixels/99",
    "/pixels/" + "9" * 5000,
    "/pixels/1e3",
    "/pixels/%31%00",
    "/api/images/..%2f..%2fsecret.txt",
    "/api/images/" + "9" * 5000,
    "//etc/passwd",
    "/etc/passwd",
]
FOREIGN = {  # what other sites and programs send
    "a name that leads here": {"Host": "attacker.example:{port}"},
    "another port": {"Host": "127.0.0.1:1"},
    "no port": {"Host": "127.0.0.1"},
    "no cookie": {"Cookie": None},
    "another cookie": {"Cookie": "{cookie}x"},
    "the cookie of another port": {"Cookie": "boxwright-1=x"},
    "a broken cookie": {"Cookie": '{cookie}"; ="'},
    "another origin": {"Origin": "http://attacker.example"},
    "another port's origin": {"Origin": "http://127.0.0.1:1"},
    "a sandbox's origin": {"Origin": "null"},
    "another site": {"Sec-Fetch-Site": "cross-site"},
    "another port of this site": {"Sec-Fetch-Site": "same-site"},
}
READS = ["/", "/api/folder", "/api/rows", "/api/images/0", "/pixels/0", "/api/events", "/page/a"]
CHANGES = [
    ("PUT", "/api/images/0"),
    ("POST", "/api/images/0/undo"),
    ("POST", "/api/images/0/aside"),
    ("POST", "/api/images/0/proposals"),
    ("POST", "/api/classes"),
    ("POST", "/api/current"),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    root = tmp_path_factory.mktemp("attacked")
    (root / "secret.txt").write_text(OUTER, encoding="utf-8")
    folder = VocFolder(root / "images")
    folder.image("a.jpg")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app, "WATCH_SECONDS", 3600)  # for changes: it reads what no request asks for
        with serving(partial(LabelStore.open, folder.root, ["cat"])) as served:
            eventually(lambda: served.studio.assistant.state["reason"])  # it looks at labels once
            yield served


@pytest.fixture
def opened_files(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are opened during the test."""
    seen: list[str] = []

    def noting(function):  # type: ignore[no-untyped-def]
        def call(path, *args, **kwargs):  # type: ignore[no-untyped-def]
            seen.append(str(path))
            return function(path, *args, **kwargs)

        return call

    for module, name in ((builtins, "open"), (io, "open"), (os, "open"), (os, "stat")):
        monkeypatch.setattr(module, name, noting(getattr(module, name)))
    return seen


@pytest.mark.parametrize("path", OUTSIDE, ids=[path[:40] for path in OUTSIDE])
def test_no_path_leads_out_of_the_folder(
    served: Served, path: str, opened_files: list[str]
) -> None:
    answer = served.ask("GET", path)
    assert answer.status == 404
    assert OUTER.encode() not in answer.body
    assert opened_files == []


@pytest.mark.parametrize("path", READS)
@pytest.mark.parametrize("case", FOREIGN)
def test_a_foreign_request_reads_nothing(
    served: Served, path: str, case: str, opened_files: list[str]
) -> None:
    answer = served.ask("GET", path, headers=filled(served, FOREIGN[case]))
    assert answer.status == 403
    assert opened_files == []


@pytest.mark.parametrize(("method", "path"), CHANGES)
@pytest.mark.parametrize("case", [*FOREIGN, "no header of the page"])
def test_a_foreign_request_changes_nothing(
    served: Served, method: str, path: str, case: str
) -> None:
    headers = filled(served, FOREIGN.get(case, {"X-Boxwright": None}))
    before = served.get("/api/images/0")
    answer = served.ask(method, path, {}, {"If-Match": before["etag"], **headers})
    assert answer.status == 403
    assert served.get("/api/images/0") == before


def test_the_token_opens_once(served: Served) -> None:
    token = served.door.token
    first = served.ask("GET", f"/?token={token}", headers={"Cookie": None})
    assert (first.status, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"].lower()
    assert {"httponly", "samesite=strict"} <= set(cookie.split("; "))
    assert token.lower() not in cookie
    second = served.ask("GET", f"/?token={token}", headers={"Cookie": None})
    assert second.status == 403
    assert served.door.token != token


@pytest.mark.parametrize("query", ["", "?token=", "?token=x", "?token=%00", "?token={0}&token={0}"])
def test_another_token_does_not_open(served: Served, query: str) -> None:
    path = "/" + query.format(served.door.token)
    assert served.ask("GET", path, headers={"Cookie": None}).status == 403


@pytest.mark.parametrize("path", ["/api/folder", "/pixels/0", "/page/none", "/"])
@pytest.mark.parametrize("cookie", [True, False])
def test_every_response_forbids_what_the_page_does_not_need(
    served: Served, path: str, cookie: bool
) -> None:
    answer = served.ask("GET", path, headers={} if cookie else {"Cookie": None})
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; img-src 'self' blob:;")
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("length", [BODY + 1, 10**18])
def test_a_stated_body_that_is_too_long_is_not_read(served: Served, length: int) -> None:
    headers = {"Content-Length": str(length), "If-Match": "x"}
    with socket.create_connection((HOST, served.port), 10) as connection:
        lines = {"Host": f"{HOST}:{served.port}", "X-Boxwright": "1", **served.headers, **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection.sendall(f"PUT /api/images/0 HTTP/1.1\r\n{head}\r\n".encode())
        assert b" 413 " in connection.recv(100)


def test_a_body_of_unstated_length_is_cut_off(served: Served) -> None:
    with socket.create_connection((HOST, served.port), 10) as connection:
        lines = {"Host": f"{HOST}:{served.port}", "X-Boxwright": "1", "If-Match": "x"}
        lines |= {**served.headers, "Transfer-Encoding": "chunked"}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        connection.sendall(f"PUT /api/images/0 HTTP/1.1\r\n{head}\r\n".encode())
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(BODY // 0x10000 + 1):
            connection.sendall(chunk)
        assert b" 413 " in connection.recv(100)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_no_other_method_does_anything(served: Served, method: str) -> None:
    assert served.ask(method, "/api/folder").status == 405


@pytest.mark.parametrize(
    ("host", "names"),
    [
        ("127.0.0.1", {"localhost:80", "127.0.0.1:80", "[::1]:80"}),
        ("192.0.2.1", {"localhost:80", "127.0.0.1:80", "[::1]:80", "192.0.2.1:80"}),
        ("2001:db8::1", {"localhost:80", "127.0.0.1:80", "[::1]:80", "[2001:db8::1]:80"}),
    ],
)
def test_the_studio_answers_to_its_own_names(host: str, names: set[str]) -> None:
    assert names_of(host, 80) == names


def test_all_interfaces_have_this_computers_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "Office")
    found = [(socket.AF_INET, None, 6, "", ("192.0.2.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    more = {"office:80", "192.0.2.7:80"}
    assert names_of("::", 80) == names_of("127.0.0.1", 80) | more


def filled(served: Served, headers: dict[str, str | None]) -> dict[str, str | None]:
    """Headers of the table, with the port and the cookie of this studio."""
    known = {"port": served.port, "cookie": served.headers["Cookie"]}
    return {name: value and value.format(**known) for name, value in headers.items()}
