"""Firefox and WebKit, each driven with what Debian has: one interface for both, as small as the tests need.

Playwright drives only builds of its own of these two. Firefox speaks WebDriver BiDi by itself; WebKit is GTK's
MiniBrowser behind WebKitWebDriver, in a screen of its own, and stands in for Safari.
"""

import base64
import contextlib
import itertools
import json
import math
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE = 240  # seconds; WebKit draws without a graphics card, and beside other work
KEYS = {"ArrowRight": "\ue014", "ArrowLeft": "\ue012", "Home": "\ue011", "End": "\ue010"}  # as both drivers name them
CENTRE = """([selector, at]) => {
    const node = document.querySelectorAll(selector)[at];
    node.scrollIntoView({ block: "center" });
    const { left, top, width, height } = node.getBoundingClientRect();
    return { left, top, width, height };
}"""


class Page:
    """What a test does with a page, in either browser."""

    def goto(self, address: str) -> None:
        raise NotImplementedError

    def evaluate(self, function: str, argument: Any = None) -> Any:
        """Call a JavaScript function with an argument, both as text and JSON; its result, awaited."""
        raise NotImplementedError

    def act(self, pointer: list[dict], keys: list[dict]) -> None:
        """Do what WebDriver calls actions, of a mouse and a keyboard."""
        raise NotImplementedError

    def screenshot(self) -> bytes:
        """What is seen of the page, as PNG."""
        raise NotImplementedError

    def wait_for(self, function: str, argument: Any = None, patience: int = PATIENCE) -> Any:
        """The function's result, once there is one."""
        for _ in range(5 * patience):
            if found := self.evaluate(function, argument):
                return found
            time.sleep(0.2)
        raise AssertionError(f"{patience} s have passed without {function} of {argument!r}")

    def press(self, key: str) -> None:
        self.act([], [{"type": kind, "value": KEYS[key]} for kind in ("keyDown", "keyUp")])

    def place(self, selector: str, at: int) -> dict[str, float]:
        """Where something is, once it has come to rest."""
        before, now = {}, self.evaluate(CENTRE, [selector, at])
        # Firefox centres what has an odd height now half a pixel too high, now half a pixel too low, for ever
        while any(abs(now[each] - before.get(each, math.inf)) > 1 for each in now):
            time.sleep(0.3)
            before, now = now, self.evaluate(CENTRE, [selector, at])
        return now

    def drag(self, to: float, row: int = 0) -> None:
        """Drag a slider's handle with the mouse to a fraction of its track."""
        track, grip = self.place(".noUi-base", row), self.place(".noUi-handle", row)
        track["top"] = grip["top"] + grip["height"] / 2
        start = grip["left"] + grip["width"] / 2
        ways = [start + (track["left"] + track["width"] * to - start) * step / 10 for step in range(11)]
        moves = [{"type": "pointerMove", "x": round(x), "y": round(track["top"]), "duration": 10} for x in ways]
        button = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self.act([moves[0], button[0], *moves[1:], button[1]], [])


class Firefox(Page):
    """A tab of a Firefox that listens for WebDriver BiDi."""

    def __init__(self, socket: Any) -> None:
        self.socket, self.numbers = socket, itertools.count(1)
        self.ask("session.new", capabilities={})
        self.tab = self.ask("browsingContext.create", type="tab")["context"]

    def ask(self, method: str, **given: Any) -> dict:
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": given}))
        while (said := json.loads(self.socket.recv(PATIENCE))).get("id") != number:
            pass  # an event that nobody has asked for
        assert said["type"] == "success", said
        return said["result"]

    def goto(self, address: str) -> None:
        self.ask("browsingContext.navigate", context=self.tab, url=address, wait="complete")

    def evaluate(self, function: str, argument: Any = None) -> Any:
        code = f"(async () => JSON.stringify([await ({function})({json.dumps(argument)})]))()"
        said = self.ask("script.evaluate", expression=code, target={"context": self.tab}, awaitPromise=True)
        assert said["type"] == "success", said["exceptionDetails"]["text"]
        return json.loads(said["result"]["value"])[0]

    def screenshot(self) -> bytes:
        return base64.b64decode(self.ask("browsingContext.captureScreenshot", context=self.tab)["data"])

    def act(self, pointer: list[dict], keys: list[dict]) -> None:
        both = [{"type": "pointer", "id": "mouse", "actions": pointer}, {"type": "key", "id": "keys", "actions": keys}]
        self.ask("input.performActions", context=self.tab, actions=[each for each in both if each["actions"]])


class WebKit(Page):
    """The one page of a MiniBrowser."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver
        driver.set_script_timeout(PATIENCE)

    def goto(self, address: str) -> None:
        self.driver.get(address)

    def evaluate(self, function: str, argument: Any = None) -> Any:
        code = f"""const done = arguments[1];
            (async () => [await ({function})(arguments[0])])().then(done, (error) => done(`${{error}}`));"""
        said = self.driver.execute_async_script(code, argument)
        assert isinstance(said, list), said  # what it has thrown would count as found
        return said[0]

    def screenshot(self) -> bytes:
        return self.driver.get_screenshot_as_png()

    def act(self, pointer: list[dict], keys: list[dict]) -> None:
        both = [{"type": "pointer", "id": "mouse", "actions": pointer}, {"type": "key", "id": "keys", "actions": keys}]
        self.driver.execute("actions", {"actions": [each for each in both if each["actions"]]})


def firefox_path() -> str | None:
    return shutil.which("firefox-esr") or shutil.which("firefox")


def minibrowser() -> str | None:
    """Where Debian and Ubuntu have it, if all is there that it takes."""
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.1/MiniBrowser"))
    return str(found[0]) if found and all(map(shutil.which, ("WebKitWebDriver", "Xvfb"))) else None


@contextlib.contextmanager
def firefox() -> Iterator[Page]:
    from websockets.sync.client import connect

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [str(firefox_path()), "--headless", "--remote-debugging-port=0", "--profile", profile, "--no-remote"]
        log = Path(profile, "log")
        with log.open("w") as written:
            process = subprocess.Popen(command, stdout=written, stderr=written, env=os.environ | {"HOME": profile})
        try:
            for _ in range(5 * PATIENCE):
                if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", log.read_text()):
                    break
                assert process.poll() is None, log.read_text()
                time.sleep(0.2)
            assert found, "Firefox does not listen"
            with connect(f"{found[1]}/session", max_size=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()
            process.wait(30)


@contextlib.contextmanager
def webkit() -> Iterator[Page]:
    from selenium import webdriver
    from selenium.webdriver.webkitgtk.options import Options
    from selenium.webdriver.webkitgtk.service import Service

    reading, writing = os.pipe()
    command = ["Xvfb", "-displayfd", str(writing), "-screen", "0", "1400x1000x24", "-nolisten", "tcp"]
    screen = subprocess.Popen(command, pass_fds=[writing], stderr=subprocess.DEVNULL)
    os.close(writing)
    try:
        with os.fdopen(reading) as told:
            number = told.readline().strip()
        options = Options()
        options.binary_location = str(minibrowser())
        options.add_argument("--automation")
        service = Service(shutil.which("WebKitWebDriver"), env=os.environ | {"DISPLAY": f":{number}"})
        driver = webdriver.WebKitGTK(options=options, service=service)
        try:
            yield WebKit(driver)
        finally:
            driver.quit()
    finally:
        screen.terminate()
        screen.wait(20)


BROWSERS = {
    "firefox": (firefox_path, firefox, "firefox-esr"),
    "webkit": (minibrowser, webkit, "webkit2gtk-driver xvfb"),
}


@contextlib.contextmanager
def opened(name: str) -> Iterator[Page]:
    """A page of that browser, or a visible skip; where everything must be tested (CI is set), an error."""
    find, start, packages = BROWSERS[name]
    if not find():
        if os.environ.get("CI"):
            raise RuntimeError(f"no {name} found: install it (on Debian: apt-get install {packages})")
        pytest.skip(f"no {name} found: nothing is tested in it")
    with start() as page:
        yield page
