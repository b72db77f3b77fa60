"""Explorers as VS Code draws them: its own bundle of ipywidgets in Chromium, with a kernel of a Jupyter server."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import lab
from jupyter_core.paths import jupyter_path
from playwright.sync_api import Browser, Page

from lrlearn import assets, pages

HERE = Path(__file__).parent / "vscode"
BUNDLE = "dist/ipywidgets.js"
# package -> the files that the page takes, and its SHA-512 as npm writes it
PACKAGES = {
    "@vscode/jupyter-ipywidgets8@1.0.9": (
        [BUNDLE],
        "bocCThfa4JDIDd7qCFAfW3HpzHfTLYxOTpTbiDfw4DXOUjKHnr6ObkMBiIkuzYPRybh5bY4FhYLemuDuTvIbpQ==",
    ),
    "requirejs@2.3.8": (
        ["require.js"],
        "7/cTSLOdYkNBNJcDMWf+luFvMriVm7eYxp4BcFCsAX0wF421Vyce5SXP17c+Jd5otXKGNehIonFlyQXSowL6Mw==",
    ),
    assets.CONTROLS: (["css/labvariables.css", "css/materialcolors.css"], assets.CONTROLS_SHA),
}
# the bundle holds what talks to a kernel, for itself alone; these are its numbers in the pinned version
PARTS = "\nexport const parts = {...__webpack_require__(5089), ...__webpack_require__(1089)};"
PLACE = "/static/page.html"
# what it runs in every new kernel (microsoft/vscode-jupyter 3d24702, src/kernels/kernel.ts)
STARTED = '__vsc_ipynb_file__ = "/notebook.ipynb"'


def files() -> dict[str, bytes]:
    """What the page is made of, by name.

    Raises:
        CommandError: as `lrlearn.pages.npm_files`.
    """
    found = {path.name: path.read_bytes() for path in HERE.iterdir()}
    for package, (names, integrity) in PACKAGES.items():
        taken = pages.npm_files(package, integrity, names)
        found |= {Path(name).name: content for name, content in taken.items()}
    found["bundle.js"] = found.pop(Path(BUNDLE).name) + PARTS.encode()
    # the extension loads it from there
    scripts = [Path(folder, "anywidget", "index.js") for folder in jupyter_path("nbextensions")]
    found["anywidget.js"] = next(script for script in scripts if script.exists()).read_bytes()
    return found


@contextlib.contextmanager
def server(folder: Path, log: Path | None = None) -> Iterator[str]:
    """A Jupyter server that has the page beside its own; yields the page's address."""
    with tempfile.TemporaryDirectory() as made:
        for name, content in files().items():
            Path(made, name).write_bytes(content)
        with lab.server(folder, log, f"--ServerApp.extra_static_paths={[made]}") as address:
            yield f"{address}{PLACE}"


def opened(browser: Browser, address: str) -> Page:
    """The page, its kernel started as VS Code starts one."""
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(60_000)
    page.goto(address)
    page.wait_for_function("() => window.ready")
    run(page, STARTED)
    return page


def run(page: Page, cell: str) -> None:
    """Run a cell and show its widgets; AssertionError with whatever else it shows, such as an error."""
    assert (said := page.evaluate("cell => run(cell)", cell)) == "", said
