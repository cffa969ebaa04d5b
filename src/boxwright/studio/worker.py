"""The child's side: `python -m boxwright.studio.worker` does what a line of its input says.

It writes a line of JSON for each thing that it tells. It ends with its input, which means that the
studio has ended.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

from boxwright.console import unexpected
from boxwright.errors import BoxwrightError
from boxwright.studio import work
from boxwright.studio.assist import round as assist_round
from boxwright.studio.child import DONE, FAILED, RUNNING
from boxwright.studio.told import error_json

NICE = 15  # of 19: the lowest priority gets nothing beside a busy browser

Tell = Callable[..., None]
WORK: Mapping[str, Callable[[Mapping[str, Any], Tell], Mapping[str, Any]]] = {
    "train": work.train,
    "export": work.export,
    "report": work.report,
    "detect": work.detect,
    "round": assist_round.run,
}


def main() -> None:
    """Do the work of one request."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="ascii", buffering=1)
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # libraries may print

    def tell(state: str = RUNNING, **about: Any) -> None:
        answers.write(json.dumps({"state": state, **about}) + "\n")

    request = json.loads(sys.stdin.buffer.readline())
    if hasattr(os, "nice") and request["work"] != "detect":  # for which somebody waits
        os.nice(NICE)
    threading.Thread(target=_end_with_the_studio, daemon=True).start()
    try:
        tell(DONE, **WORK[request["work"]](request, tell))
    except BoxwrightError as error:
        tell(FAILED, **error_json(error))
    except Exception as error:
        tell(FAILED, **error_json(unexpected(error)))


def _end_with_the_studio() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


if __name__ == "__main__":
    main()
