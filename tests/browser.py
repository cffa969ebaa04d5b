"""A headless Chromium, driven in the DevTools protocol through a pipe; nothing is downloaded.

The fixture `browser` of a test gives it:

    with browser.page(address, width=360, dark=True) as page:
        assert page.run("document.title") == "Boxwright"

A page knows the errors on its console, and every address that it asked for.
"""

from __future__ import annotations

import base64
import json
import os
import select
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import system_libraries

# Chromium reads commands from file 3 and answers in file 4.
STARTER = """
import fcntl, os, sys
ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]
os.dup2(ends[0], 3), os.dup2(ends[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
FLAGS = (
    *("--headless", "--remote-debugging-pipe", "--disable-gpu", "--hide-scrollbars"),
    *("--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"),
    "--no-sandbox",  # root cannot have one; the pages are ours
)
# Names of keys -> code of the key, number of the key.
KEYS = {
    **{
        name: (name, number)
        for name, number in {
            "Backspace": 8,
            "Tab": 9,
            "Enter": 13,
            "Escape": 27,
            "PageUp": 33,
            "PageDown": 34,
            "ArrowLeft": 37,
            "ArrowUp": 38,
            "ArrowRight": 39,
            "ArrowDown": 40,
            "Delete": 46,
        }.items()
    },
    **{sign: (f"Digit{sign}", ord(sign)) for sign in "0123456789"},
    **{sign: (f"Key{sign.upper()}", ord(sign.upper())) for sign in "abcdefghijklmnopqrstuvwxyz"},
    **{" ": ("Space", 32), "/": ("Slash", 191), "?": ("Slash", 191), "-": ("Minus", 189)},
}
HELD = {"Alt": 1, "Ctrl": 2, "Shift": 8}
LEFT = 1  # the button, among those that are down
BLOCK = 1 << 16
AXE = Path(__file__).parent / "studio" / "page" / "node_modules" / "axe-core" / "axe.min.js"
PATIENCE = 60  # seconds


class Page:
    """An open page.

    Attributes:
        loaded: its load event was fired.
        errors: warnings and errors on its console, and exceptions.
        requests: the addresses that it asked for, without data in the page itself.
    """

    def __init__(self, browser: Browser, session: str) -> None:
        self.loaded = False
        self.errors: list[str] = []
        self.requests: list[str] = []
        self._browser, self._session = browser, session

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """The answer to a command of the DevTools protocol."""
        return self._browser.call(method, self._session, **parameters)

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression, or of its promise."""
        answer = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def until(self, script: str) -> Any:
        """The value of a JavaScript expression once it is true."""
        for _ in range(20 * 50):
            if value := self.run(script):
                return value
            time.sleep(0.02)
        raise AssertionError(f"never true: {script}; errors: {self.errors}")

    def press(self, chord: str, times: int = 1) -> None:
        """Press one of `KEYS`, with others held: `Ctrl+Shift+z`."""
        *held, key = chord.split("+")
        code, number = KEYS[key]
        if "Shift" in held:
            key = key.upper() if len(key) == 1 else key
        event = {
            "key": key,
            "code": code,
            "windowsVirtualKeyCode": number,
            "modifiers": sum(HELD[each] for each in held),
        }
        writes = len(key) == 1 and not {"Ctrl", "Alt"} & set(held)
        text = {"text": "\r" if key == "Enter" else key} if writes or key == "Enter" else {}
        for _ in range(times):
            self.call("Input.dispatchKeyEvent", type="keyDown", **event, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def write(self, text: str) -> None:
        """Write a text where the cursor is."""
        self.call("Input.insertText", text=text)

    def drag(self, *points: tuple[float, float]) -> None:
        """Press the mouse at the first point of the window and release it at the last one."""
        (x, y), *rest = points
        mouse = partial(self.call, "Input.dispatchMouseEvent", button="left")
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        mouse(type="mousePressed", x=x, y=y, clickCount=1)
        for x, y in rest:
            mouse(type="mouseMoved", x=x, y=y, buttons=LEFT)
        mouse(type="mouseReleased", x=x, y=y, clickCount=1)

    def click(self, selector: str) -> None:
        """Click the middle of an element."""
        find = f"document.querySelector({json.dumps(selector)})"
        self.until(f"{find} !== null")  # a person waits for what is to come
        self.run(f"{find}.scrollIntoView({{block: 'nearest'}})")
        box = self.run(
            f"(box => [box.x + box.width / 2, box.y + box.height / 2])"
            f"({find}.getBoundingClientRect())"
        )
        self.drag(tuple(box))

    def screenshot(self) -> bytes:
        """A PNG of what the window shows."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def hear(self, method: str, told: dict[str, Any]) -> None:
        """Take note of an event."""
        match method:
            case "Page.loadEventFired":
                self.loaded = True
            case "Network.requestWillBeSent":
                address = told["request"]["url"]
                if not address.startswith("data:"):
                    self.requests.append(address)
            case "Log.entryAdded" if told["entry"]["level"] in {"warning", "error"}:
                self.errors.append(told["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(told["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if told["type"] in {"warning", "error", "assert"}:
                self.errors.append(str(told["args"]))


def violations(page: Page) -> list[str]:
    """What axe-core finds that is serious; nothing where npm has not installed it."""
    if not AXE.is_file():
        return []
    page.run(AXE.read_text(encoding="utf-8") + ";0")
    found: list[str] = page.run(
        "axe.run({resultTypes: ['violations']}).then(result => result.violations"
        ".filter(each => ['serious', 'critical'].includes(each.impact))"
        ".map(each => `${each.id}: ${each.nodes.map(node => node.html).join(' ')}`))"
    )
    return found


class Browser:
    """A Chromium that takes commands from one pipe and answers in another."""

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number = 0
        self._pages: dict[str, Page] = {}
        self._rest = b""
        self._heard: deque[dict[str, Any]] = deque()

    def call(self, method: str, session: str = "", **parameters: Any) -> dict[str, Any]:
        """The answer to a command; events that come before it are told to their pages."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        content = json.dumps(message).encode("utf-8") + b"\0"
        while content:
            content = content[os.write(self._commands, content) :]
        while (answer := self._hear()).get("id") != self._number:
            pass
        assert "error" not in answer, (method, answer["error"])
        result: dict[str, Any] = answer["result"]
        return result

    @contextmanager
    def page(
        self, address: str, *, width: int = 1440, dark: bool = False, javascript: bool = True
    ) -> Iterator[Page]:
        """Open an address in a window of `width` x 900 pixels, and wait until it has loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = self._pages[session] = Page(self, session)
        screen = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        page.call("Emulation.setDeviceMetricsOverride", **screen)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        page.call("Emulation.setEmulatedMedia", features=[scheme])
        page.call("Emulation.setScriptExecutionDisabled", value=not javascript)
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        page.call("Page.navigate", url=address)
        while not page.loaded:
            self._hear()
        yield page
        self.call("Target.closeTarget", targetId=target)

    def _hear(self) -> dict[str, Any]:
        """The next message."""
        while not self._heard:
            ready, _, _ = select.select([self._answers], [], [], PATIENCE)
            assert ready, "Chromium does not answer"
            block = os.read(self._answers, BLOCK)
            assert block, "Chromium has ended"
            *messages, self._rest = (self._rest + block).split(b"\0")
            self._heard.extend(map(json.loads, messages))
        message = self._heard.popleft()
        if "method" in message and (page := self._pages.get(message.get("sessionId", ""))):
            page.hear(message["method"], message["params"])
        return message


@contextmanager
def launched(folder: Path) -> Iterator[Browser]:
    """A Chromium with its files in `folder`; skips the test if there is none."""
    if sys.platform == "win32":
        pytest.skip("Chromium inherits two pipes, which it cannot on Windows")
    chromium = system_libraries.program("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium; make libraries installs it, or says how")
    to_read, commands = os.pipe()
    answers, to_write = os.pipe()
    own = (f"--user-data-dir={folder}", "about:blank")
    starter = (sys.executable, "-I", "-c", STARTER, str(to_read), str(to_write))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*starter, chromium, *FLAGS, *own],
            pass_fds=(to_read, to_write),
            stdout=log,
            stderr=log,
        )
    for end in (to_read, to_write):
        os.close(end)
    try:
        browser = Browser(commands, answers)
        yield browser
        browser.call("Browser.close")
    finally:
        for end in (commands, answers):
            os.close(end)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
