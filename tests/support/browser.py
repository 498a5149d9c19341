"""Headless Chromium for tests, spoken to through its DevTools pipe: needs no driver and no further package."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_KEYS: Final = {
    "Enter": (13, "\r"),
    "Tab": (9, ""),
    "Escape": (27, ""),
    "ArrowLeft": (37, ""),
    "Space": (32, " "),
}


def executable() -> str | None:
    """The browser of this machine; the environment's CHROMIUM wins."""
    return os.environ.get("CHROMIUM") or next((found for n in _NAMES if (found := shutil.which(n))), None)


class Browser:
    """A browser with one page.

    Attributes:
        problems: what the page's console complained about, and breaches of its policy.
    """

    def __init__(self, profile: Path) -> None:
        found = executable()
        if found is None:
            pytest.skip(
                "There is no Chromium here (Debian: apt-get install chromium); CHROMIUM may name one."
            )
        self.problems: list[str] = []
        self._number = 0
        self._kept = b""
        self._answers: dict[int, dict[str, Any]] = {}
        theirs_in, self._out = os.pipe()
        self._in, theirs_out = os.pipe()
        options = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
        ]
        command = [found, *options, "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        # The browser reads from descriptor 3 and writes to 4.
        moved = 'in=$1; out=$2; shift 2; eval "exec 3<&$in 4>&$out"; exec "$@"'
        self._process = subprocess.Popen(
            ["/bin/bash", "-c", moved, "browser", str(theirs_in), str(theirs_out), *command],
            pass_fds=(theirs_in, theirs_out), stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        self._session: str | None = None
        page = next(t for t in self._call("Target.getTargets")["targetInfos"] if t["type"] == "page")
        self._session = self._call("Target.attachToTarget", targetId=page["targetId"], flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")

    def open(self, url: str) -> None:
        """Go there."""
        self._call("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        """The value of an expression, awaited."""
        made = self._call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in made:
            raise AssertionError(
                f"{script}: {made['exceptionDetails'].get('exception', {}).get('description')}"
            )
        return made["result"].get("value")

    def until(self, script: str, timeout: float = 10.0) -> None:
        """Wait until an expression is true."""
        deadline = time.monotonic() + timeout
        while not self.run(f"Boolean({script})"):
            if time.monotonic() > deadline:
                shown = self.run("document.body.innerText")
                raise AssertionError(f"{script}: not within {timeout:g} s\n{shown[:3000]}\n{self.problems}")
            time.sleep(0.05)

    def text(self, wanted: str, timeout: float = 10.0) -> None:
        """Wait until the page shows a text."""
        self.until(f"(document.body ? document.body.innerText : '').includes({json.dumps(wanted)})", timeout)

    def click(self, name: str, within: str = "body") -> None:
        """Click the button, link or summary with this name, as soon as it is there and may be clicked."""
        self.until(f"""(() => {{
          const all = [...document.querySelectorAll({json.dumps(within)} + ' :is(button, a, summary, label)')];
          const name = {json.dumps(name)};
          const found = all.find(e => (e.getAttribute('aria-label') === name || e.textContent.trim() === name)
            && !e.disabled && e.getClientRects().length);
          if (found) found.click();
          return Boolean(found);
        }})()""")

    def fill(self, label: str, value: str) -> None:
        """Type into the input whose label starts with this text."""
        self.until(f"""(() => {{
          const wanted = {json.dumps(label)};
          const all = [...document.querySelectorAll('label')].filter(l => l.control && l.getClientRects().length);
          const found = all.find(l => l.textContent.trim().startsWith(wanted));
          const input = found ? found.control : document.querySelector(`[aria-label=${{JSON.stringify(wanted)}}]`);
          if (!input) return false;
          input.focus();
          if (input.select) input.select();
          if (input.nodeName === 'SELECT') {{
            input.value = {json.dumps(value)};
            input.dispatchEvent(new Event('input', {{bubbles: true}}));
            input.dispatchEvent(new Event('change', {{bubbles: true}}));
          }}
          return input.nodeName !== 'SELECT' || input.value === {json.dumps(value)};
        }})()""")
        if self.run("document.activeElement.nodeName") != "SELECT":
            self._call("Input.insertText", text=value)

    def press(self, key: str) -> None:
        """Press a key, where the focus is."""
        code, text = _KEYS[key]
        shown = " " if key == "Space" else key
        more = {"text": text} if text else {}
        event = {"key": shown, "code": key, "windowsVirtualKeyCode": code}
        self._call("Input.dispatchKeyEvent", type="keyDown", **event, **more)
        self._call("Input.dispatchKeyEvent", type="keyUp", **event)

    def look(self, *, width: int = 1200, height: int = 900, dark: bool = False) -> None:
        """The size of the window, and which colours its owner likes."""
        self._call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def screenshot(self, file: Path) -> None:
        """A picture of the whole page."""
        size = self._call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        made = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip)
        file.write_bytes(base64.b64decode(made["data"]))

    def close(self) -> None:
        """End it and its children."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
        os.close(self._in)
        os.close(self._out)

    def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        message: dict[str, Any] = {"id": self._number, "method": method, "params": parameters}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._out, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + 30
        while self._number not in self._answers:
            self._receive(deadline, method)
        answer = self._answers.pop(self._number)
        if "error" in answer:
            raise AssertionError(f"{method}: {answer['error']}")
        found: dict[str, Any] = answer["result"]
        return found

    def _receive(self, deadline: float, waiting_for: str) -> None:
        if not select.select([self._in], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise AssertionError(f"The browser did not answer {waiting_for}.")
        data = os.read(self._in, 1 << 20)
        if not data:
            raise AssertionError("The browser ended.")
        *messages, self._kept = (self._kept + data).split(b"\0")
        for raw in messages:
            message = json.loads(raw)
            if "id" in message:
                self._answers[message["id"]] = message
            else:
                self._note(message)

    def _note(self, event: Mapping[str, Any]) -> None:
        found = event.get("params", {})
        if event["method"] == "Runtime.exceptionThrown":
            details = found["exceptionDetails"]
            self.problems.append(details.get("exception", {}).get("description") or details["text"])
        elif event["method"] == "Log.entryAdded" and found["entry"]["level"] == "error":
            # Answers of 400 and more are listed here, too: the page shows them itself.
            if found["entry"]["source"] != "network":
                self.problems.append(found["entry"]["text"])
        elif event["method"] == "Runtime.consoleAPICalled" and found["type"] == "error":
            self.problems.append(str([a.get("value") for a in found["args"]]))
