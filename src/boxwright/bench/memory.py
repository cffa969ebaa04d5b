"""Peak memory of a process that only loads a detector and runs it."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path

PROGRAM = "from boxwright.bench.memory import answer; answer()"
PREDICTIONS = 3
TRUST = "trust"


def peak_bytes(path: Path, image: Path, *, trust: bool = False) -> int | None:
    """Peak memory of a new process that detects in one image, bytes; None if it fails."""
    done = subprocess.run(  # noqa: S603  # nosec B603  # this interpreter
        [sys.executable, "-P", "-c", PROGRAM, str(path), str(image), *([TRUST] if trust else [])],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    said = done.stdout.split()
    return int(said[-1]) if done.returncode == 0 and said else None


def answer() -> None:
    """The child's side: takes a detector and an image, prints its peak memory in bytes last."""
    from boxwright.inference.detector import Detector

    path, image, *trust = sys.argv[1:]
    detector = Detector.load(path, unnamed=True, trust=bool(trust))
    for _ in range(PREDICTIONS):
        detector.predict(image)
    sys.stdout.write(f"{own_peak()}\n")


def own_peak() -> int:
    """Peak memory of this process, bytes."""
    if sys.platform == "win32":
        return _windows_peak()
    status = Path("/proc/self/status")
    if status.exists():  # a child's rusage starts at its parent's peak
        for line in status.read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _windows_peak() -> int:
    class Counters(ctypes.Structure):
        _fields_ = (
            ("cb", ctypes.c_uint32),
            ("PageFaultCount", ctypes.c_uint32),
            *((name, ctypes.c_size_t) for name in ("PeakWorkingSetSize", *"abcdefg")),
        )

    counters = Counters()
    counters.cb = ctypes.sizeof(counters)
    windll = ctypes.windll  # type: ignore[attr-defined]
    windll.kernel32.GetCurrentProcess.restype = ctypes.c_void_p
    process = ctypes.c_void_p(windll.kernel32.GetCurrentProcess())
    windll.psapi.GetProcessMemoryInfo(process, ctypes.byref(counters), counters.cb)
    return int(counters.PeakWorkingSetSize)
