"""Opens a page in headless Chromium, and tells what came of it.

Chromium is spoken to over a pipe (the DevTools protocol), so no driver, port or
package is needed.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
NEEDED = pytest.mark.skipif(
    CHROMIUM is None, reason="needs Chromium: apt-get install chromium (on Debian)"
)
_FLAGS = (
    "--headless",
    "--no-sandbox",  # refuses to run as root with one
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * 127.0.0.1:1",  # no request gets anywhere
    "--remote-debugging-pipe",
)
_SECONDS = 60


class Page:
    """A page that Chromium has open.

    Attributes:
      requests: addresses that the page asked for, its own first.
      messages: what the console and the browser's log said, with what is disallowed.
    """

    def __init__(self, commands: int, answers: int) -> None:
        self._commands, self._answers = commands, answers
        self._number, self._unread, self._session = 0, b"", ""
        self.requests: list[str] = []
        self.messages: list[str] = []

    def open(self, path: Path) -> None:
        """Opens a file, and returns when it is loaded."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        attached = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.call(f"{domain}.enable")
        self.call("Page.navigate", url=path.as_uri())
        while self._event()["method"] != "Page.loadEventFired":
            pass

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression; the page's policy does not hold for it."""
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def texts(self, selector: str) -> list[str]:
        """The text of each element that a selector of CSS selects."""
        found = f"document.querySelectorAll({json.dumps(selector)})"
        return self.run(f"Array.from({found}, element => element.textContent.trim())")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Calls a method of the DevTools protocol, and waits for its result."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while (answer := self._event()).get("id") != self._number:
            pass
        assert "error" not in answer, answer
        return answer["result"]

    def _event(self) -> Mapping[str, Any]:
        message = self._read()
        method, told = message.get("method", ""), message.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(told["request"]["url"])
        elif method == "Runtime.consoleAPICalled":
            self.messages.append(str(told["args"]))
        elif method == "Runtime.exceptionThrown":
            self.messages.append(str(told["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.messages.append(told["entry"]["text"])
        return {"method": "", **message}

    def _read(self) -> dict[str, Any]:
        deadline = time.monotonic() + _SECONDS
        while b"\0" not in self._unread:
            left = max(0.0, deadline - time.monotonic())
            if not select.select([self._answers], [], [], left)[0]:
                raise TimeoutError(f"Chromium said nothing for {_SECONDS} s")
            part = os.read(self._answers, 1 << 16)
            if not part:
                raise ConnectionError("Chromium ended; is its sandbox or memory the cause?")
            self._unread += part
        text, _, self._unread = self._unread.partition(b"\0")
        return json.loads(text)


@contextlib.contextmanager
def opened(path: Path, width: int = 1400, height: int = 1000) -> Iterator[Page]:
    """A page of a new Chromium, which knows nothing and ends with the block."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        given, commands = os.pipe()
        answers, taken = os.pipe()
        options = [*_FLAGS, f"--user-data-dir={profile}", f"--window-size={width},{height}"]
        process = subprocess.Popen(
            # Chromium reads commands from 3 and writes answers to 4.
            ["bash", "-c", f'exec "$@" 3<&{given} 4>&{taken}', "-", CHROMIUM, *options],
            pass_fds=(given, taken),
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(given)
        os.close(taken)
        try:
            page = Page(commands, answers)
            page.open(path)
            yield page
        finally:
            os.close(commands)
            os.close(answers)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
