"""JupyterLab in a real Chromium, for the browser tests and the benchmarks."""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
from playwright.sync_api import Browser, BrowserType, Locator, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
ARTEFACTS = ROOT / ".test-artefacts"
# the first draws the same pages with a tenth less work: it is Chromium without a window
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-dev-shm-usage",
]
# what JupyterLab would ask or show on a first start, and a page that shows its outputs without scrolling frames
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/notebook-extension/tracker": {"windowingMode": "none", "autoRenderMarkdownCells": True},
}
# A kernel tells only the browser's log console what the callback of a slider raises: the log must have it as well.
TELL = """
import sys

def tell(kind, error, lines, show=get_ipython()._showtraceback):
    show(kind, error, lines)
    if get_ipython().get_parent()["header"]["msg_type"] != "execute_request":
        print("A CALLBACK RAISED", kind.__name__, *lines, sep="\\n", file=sys.__stderr__, flush=True)

get_ipython()._showtraceback = tell
"""
# Every picture that a lesson shows, its own and an explorer's, is looked at in the kernel that drew it.
LOOK = """
import sys

def look(result, told="{told}"):
    if "matplotlib" not in sys.modules:
        return  # nothing is drawn yet
    sys.path.append({tests!r})
    import eyes
    sys.path.remove({tests!r})
    figure = eyes.figure_of(result.result)
    for pair in eyes.confused(figure) if figure is not None else []:
        print(told, pair, file=sys.__stderr__, flush=True)

get_ipython().events.register("post_run_cell", look)
"""
# Whether the kernel of the notebook in front answers; Run > Run All Cells, and whether that has ended.
CONNECTED = """() =>
    globalThis.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.connectionStatus === "connected" """
RUN_ALL = """() => {
    window.allRun = false;
    jupyterapp.commands.execute("notebook:run-all-cells").finally(() => (window.allRun = true));
}"""
ALL_RUN = "() => window.allRun"
BY_COLOUR = "TOLD APART BY COLOUR ALONE:"


def chromium() -> str | None:
    """Where a Chromium is, or None."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@contextlib.contextmanager
def browser(**options: Any) -> Iterator[Browser]:
    with sync_playwright() as playwright, launched(playwright.chromium, **options) as browser:
        yield browser


@contextlib.contextmanager
def launched(kind: BrowserType, **options: Any) -> Iterator[Browser]:
    """One more browser beside another: a thread runs Playwright once."""
    opened = kind.launch(executable_path=chromium(), args=FLAGS, **options)
    yield opened
    opened.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def server(folder: Path, log: Path | None = None, *more: str) -> Iterator[str]:
    """JupyterLab on the notebooks of a folder, without the settings of whoever runs this; yields its address.

    What the kernels write outside of cells, such as the exception of a slider's callback, goes to ``log``. ``more``
    are options of the server.
    """
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        for name, values in SETTINGS.items():
            settings = Path(home, "settings", f"{name}.jupyterlab-settings")
            settings.parent.mkdir(parents=True, exist_ok=True)
            settings.write_text(json.dumps(values))
        own = ["CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR"]
        places = {f"JUPYTER_{name}": str(Path(home, name.lower())) for name in own}
        places |= {f"JUPYTERLAB_{n.upper()}_DIR": str(Path(home, n)) for n in ("settings", "workspaces")}
        profile = Path(home, "ipython", "profile_default")
        (profile / "startup").mkdir(parents=True)
        (profile / "ipython_kernel_config.py").write_text("get_config().IPKernelApp.quiet = False\n")
        (profile / "startup" / "tell.py").write_text(TELL)
        (profile / "startup" / "look.py").write_text(LOOK.format(told=BY_COLOUR, tests=str(ROOT / "tests")))
        places["IPYTHONDIR"] = str(profile.parent)
        options = [f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={folder}"]
        options += ["--IdentityProvider.token=", "--no-browser", "--allow-root"]
        options += [f"--{app}.expose_app_in_browser=True" for app in ("LabApp", "JupyterNotebookApp")]
        options += ["--LabApp.news_url=None"]
        log = log or Path(home, "log")
        command = [sys.executable, "-m", "jupyterlab", *options, *more]
        with log.open("w") as written:
            process = subprocess.Popen(command, env=os.environ | places, stdout=written, stderr=written)
        try:
            _wait_for(f"http://127.0.0.1:{port}/api/status", process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


def exceptions(log: str) -> list[str]:
    """What a server's log holds of exceptions, its own and its kernels', entry by entry.

    Two of the server's own are left out: it raises when it lists the kernels while one of them is still starting, and
    when a page is closed to which it is writing.
    """
    entries = re.split(rf"^(?=\[|A CALLBACK RAISED|{BY_COLOUR})", log, flags=re.MULTILINE)
    raised = [entry for entry in entries if "Traceback" in entry or "A CALLBACK RAISED" in entry]
    servers = "The 'last_activity' trait of a ServerKernelManager", "tornado.websocket.WebSocketClosedError"
    return [entry for entry in raised if not any(name in entry for name in servers)]


def by_colour(log: str) -> list[str]:
    """Curves that a server's kernels have drawn and that somebody cannot tell apart."""
    return re.findall(rf"{BY_COLOUR} (.*)", log)


@contextlib.contextmanager
def started(*command: str, answers: str = "/", **options: Any) -> Iterator[str]:
    """A server that a command starts, ``{port}`` in it being a free one; yields its address once it answers there."""
    port = free_port()
    with tempfile.NamedTemporaryFile("w") as log:
        process = subprocess.Popen([part.format(port=port) for part in command], stdout=log, stderr=log, **options)
        try:
            _wait_for(f"http://127.0.0.1:{port}{answers}", process, Path(log.name))
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait(20)


@contextlib.contextmanager
def projector(folder: Path) -> Iterator[str]:
    """The classroom demo as `python -m lrlearn.classroom`, called in a folder, serves it; yields its address."""
    command = [sys.executable, "-m", "lrlearn.classroom", "--no-browser", "--port={port}"]
    # it answers once it serves: its page is made, and the notebook run, for whoever opens it
    with started(*command, answers="/voila/static/voila.js", cwd=folder) as address:
        yield address


def _wait_for(address: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), urllib.request.urlopen(address):
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise RuntimeError(f"no answer from {address}:\n{log.read_text()}")


def write_notebook(path: Path, *cells: str) -> Path:
    """A notebook of code cells."""
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(cell) for cell in cells],
        metadata={"kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}},
    )
    nbformat.write(notebook, path)
    return path


def place(address: str, name: str) -> str:
    """The address of a notebook alone in a fresh workspace."""
    return f"{address}/lab/workspaces/{name.replace('/', '-').removesuffix('.ipynb')}/tree/{name}?reset"


def open_notebook(page: Page, address: str, name: str) -> None:
    """Show a notebook alone in a fresh workspace, its kernel ready."""
    goto_ready(page, place(address, name))


def goto_ready(page: Page, address: str) -> None:
    """Go where JupyterLab or Notebook 7 shows a notebook, until its kernel answers.

    Both call a notebook idle before it has a kernel, and then drop what they are told to run.
    """
    page.goto(address)
    page.locator(".jp-Notebook .jp-Cell").first.wait_for(timeout=60_000)
    page.wait_for_function(CONNECTED, timeout=60_000)
    page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]").first.wait_for(timeout=60_000)


def command(page: Page, name: str, **arguments: Any) -> None:
    """Do what a menu entry of JupyterLab does, and wait until it is done."""
    page.evaluate("([name, given]) => jupyterapp.commands.execute(name, given).then(() => null)", [name, arguments])


def opened(browser: Browser, address: str, name: str, run: bool = True) -> Page:
    """A page of its own with a notebook, executed."""
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(15_000)
    open_notebook(page, address, name)
    if run:
        run_all(page, timeout=900)  # a training of seconds takes minutes beside other work
    return page


def run_all(page: Page, timeout: float = 120) -> None:
    """Run > Run All Cells, until the last has run or one has failed; seconds."""
    page.evaluate(RUN_ALL)
    page.wait_for_function(ALL_RUN, timeout=timeout * 1000)


def save_with_widgets(page: Page) -> None:
    """Save the notebook with the state of its widgets, which JupyterLab leaves out unless it is told so."""
    toggle = "@jupyter-widgets/jupyterlab-manager:saveWidgetState"
    for name in (toggle, "docmanager:save", toggle):
        command(page, name)


def explorers(page: Page) -> Locator:
    return page.locator(".lrlearn-explorer")


def canvas(explorer: Locator) -> Locator:
    return explorer.locator("canvas.lrlearn-filmstrip")


def stale(explorer: Locator) -> bool:
    """Whether the picture is marked as not being the one of what the sliders say."""
    return "lrlearn-stale" in canvas(explorer).get_attribute("class")


def handle(explorer: Locator, row: int = 0) -> Locator:
    return explorer.locator(".noUi-handle").nth(row)


def drag(page: Page, explorer: Locator, to: float, row: int = 0, start: float | None = None, steps: int = 20) -> None:
    """Drag a slider's handle with the mouse to a fraction of its track; ``steps`` mouse moves on the way."""
    grip = handle(explorer, row)
    grip.scroll_into_view_if_needed()
    box, track = grip.bounding_box(), explorer.locator(".noUi-base").nth(row).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    if start is not None:
        page.mouse.move(track["x"] + track["width"] * start, y)
    page.mouse.move(track["x"] + track["width"] * to, y, steps=steps)
    page.mouse.up()


def swipe(page: Page, thing: Locator, across: float, along: float, steps: int = 10) -> None:
    """Move a finger from the middle of a thing by so many CSS pixels."""
    thing.scroll_into_view_if_needed()
    box = thing.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: dict[str, float]) -> None:
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", {"x": x, "y": y})
    for step in range(1, steps + 1):
        touch("touchMove", {"x": x + across * step / steps, "y": y + along * step / steps})
    touch("touchEnd")
    session.detach()
    page.wait_for_timeout(500)


def readout(explorer: Locator, row: int = 0) -> str:
    """The number beside a slider."""
    return explorer.locator(".widget-readout").nth(row).inner_text().strip()


def shot(name: str, thing: Page | Locator) -> None:
    """Keep a screenshot for whoever wants to look."""
    ARTEFACTS.mkdir(exist_ok=True)
    thing.screenshot(path=ARTEFACTS / f"{name}.png")
