"""Attack a server of detectors with requests that are damaged or made to do harm.

    python benchmarks/fuzz_serve.py MODEL [--inputs 10000] [--seed 0] [--threads 16]

It starts `boxwright serve MODEL` and sends truncated and changed images, bombs, headers of 30,000 x
30,000 pixels, wrong types, numbers and nesting in JSON, slow clients and floods of headers, with
good images between them. Failures are answers 500 and 502, 503 after the server was ready, 504
before its time is over, no answer to a complete request, more memory at the end than after the
first tenth, and a server that does not answer a good image at the end.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path

from hostile_requests import HOST, Attack, attack, good

PARTS = 10
GROWTH = 1.05  # of resident memory, from the first tenth to the end
WAIT = 1.0  # seconds for an answer to half a request
SLACK = 64 << 20  # bytes that allocators keep
ANSWERED = frozenset({200, 400, 403, 404, 405, 408, 411, 413, 415, 422, 429, 431, 501, 505})


@dataclass
class Outcome:
    """What became of the attacks.

    Attributes:
        statuses: how often each kind got each status; 0 is a connection that was closed.
        failures: sentences.
        slowest: seconds of the slowest answer.
    """

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest: float = 0.0


# ---- What comes back ---------------------------------------------------------------------------


def status_of(attack: Attack, port: int, seconds: float) -> int:
    """The status of the answer; 0 if either side closed the connection, -1 without one in time."""
    with socket.create_connection((HOST, port), timeout=seconds) as connection:
        try:
            for part in attack.sent:
                connection.sendall(part)
                time.sleep(attack.pause)
        except ConnectionError:
            pass  # it may have been answered before
        except TimeoutError:
            return -1
        if not attack.complete:
            connection.settimeout(WAIT)
        response = HTTPResponse(connection)
        try:
            response.begin()
            response.read()
        except TimeoutError:
            return -1 if attack.complete else 0
        except (HTTPException, ConnectionError, ValueError):
            return 0
        return response.status


def fuzz(port: int, inputs: int, seed: int, *, timeout: float, threads: int = 16) -> Outcome:
    """Send attacks to a server that is ready.

    Args:
        port: of the server.
        inputs: number of attacks.
        seed: of the random numbers.
        timeout: seconds after which the server answers with 504.
        threads: attacks at a time.
    """
    outcome = Outcome()

    def send(number: int) -> None:
        chance = random.Random(f"{seed} {number}")
        sent = attack(chance)
        begun = time.monotonic()
        try:
            status = status_of(sent, port, 3 * timeout + 30)
        except OSError as error:
            outcome.failures.append(f"{number} ({sent.kind}): no connection ({error})")
            return
        seconds = time.monotonic() - begun
        outcome.statuses[sent.kind, status] += 1
        outcome.slowest = max(outcome.slowest, seconds)
        if problem := _problem(sent, status, seconds, timeout):
            outcome.failures.append(f"{number} ({sent.kind}): {problem}")

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(send, range(inputs)))
    return outcome


def _problem(attack: Attack, status: int, seconds: float, timeout: float) -> str | None:
    if status == -1:
        return "no answer in time"
    if status == 0:
        return "the connection was closed without an answer" if attack.complete else None
    if status == 504:
        return None if seconds >= timeout else f"504 after {seconds:.1f} s"
    if attack.kind == "good":
        return None if status in (200, 429) else f"a good image got {status}"
    return None if status in ANSWERED else f"status {status}"


# ---- The benchmark -----------------------------------------------------------------------------


def memory(port: int) -> float:
    """Resident bytes of the server."""
    connection = HTTPConnection(HOST, port, timeout=60)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(r"^process_resident_memory_bytes (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=16)
    parser.add_argument("--timeout", type=float, default=10.0)
    parser.add_argument("--labels", type=Path)
    given = parser.parse_args()
    words = [sys.executable, "-m", "boxwright", "serve", f"{given.model}=detector", "--json"]
    words += ["--port", "0", "--timeout", str(given.timeout)]
    words += ["--labels", str(given.labels)] if given.labels else []
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout
        ready = json.loads("".join([*iter(process.stdout.readline, "}\n"), "}"]))
        port = int(ready["address"].rpartition(":")[2])
        options = {"timeout": given.timeout, "threads": given.threads}
        begun, failures, memories = time.monotonic(), list[str](), list[float]()
        statuses, slowest = Counter[tuple[str, int]](), 0.0
        for part in range(PARTS):
            outcome = fuzz(port, given.inputs // PARTS, given.seed * PARTS + part, **options)
            statuses += outcome.statuses
            failures += outcome.failures
            slowest = max(slowest, outcome.slowest)
            memories.append(memory(port))
        seconds = time.monotonic() - begun
        if memories[-1] > GROWTH * memories[0] + SLACK:
            failures.append("memory grew")
        if status_of(good(random.Random(0)), port, 60) != 200:
            failures.append("a good image gets no answer at the end")
    finally:
        process.send_signal(signal.SIGTERM)
        begun_to_stop = time.monotonic()
        with suppress(subprocess.TimeoutExpired):
            process.wait(15)
    print(f"stopped with {process.returncode} in {time.monotonic() - begun_to_stop:.1f} s")
    for kind in sorted({kind for kind, _ in statuses}):
        listed = {status: n for (name, status), n in sorted(statuses.items()) if name == kind}
        print(
            f"{kind:12}", ", ".join(f"{n} x {status or 'closed'}" for status, n in listed.items())
        )
    print(f"{given.inputs:,} inputs in {seconds:,.0f} s, slowest {slowest:.1f} s")
    print("memory in MB after each tenth:", *(round(each / 1e6) for each in memories))
    print(f"{len(failures)} failures", *failures[:50], sep="\n")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
