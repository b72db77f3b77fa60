"""The explorers in Firefox and in WebKit, as test_browser.py tries them in Chromium: a page to hand out, JupyterLab."""

import elsewhere
import lab
import pytest

from lrlearn import export

pytestmark = pytest.mark.browser

SHOWN = """() => [...document.querySelectorAll(".lrlearn-explorer canvas")].every((canvas) => canvas.dataset.index)
    && document.querySelectorAll(".lrlearn-explorer .noUi-handle").length > 0"""
AT = """(index) => document.querySelector(".lrlearn-explorer canvas").dataset.index === `${index}`"""
# what a canvas holds: a browser may drop it while the canvas is not seen
DRAWN = """() => {
    const canvas = document.querySelector(".lrlearn-explorer canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(new Uint32Array(data.buffer)).size > 5;
}"""
CURRENT = """() => [...document.querySelectorAll(".lrlearn-explorer canvas")].every((canvas) =>
    canvas.dataset.index && !canvas.classList.contains("lrlearn-stale"))"""
LOGARITHMIC = """() => {
    const button = document.querySelector(".widget-toggle-button[data-value=logarithmic]");
    button.click();
    return document.querySelectorAll(".lrlearn-stale").length;
}"""
DARK = """() => jupyterapp.commands.execute("apputils:change-theme", { theme: "JupyterLab Dark" }).then(() => true)"""
HIDE = """(display) => {
    document.querySelector(".lrlearn-explorer").style.display = display;
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));
}"""
NAMES = """() => [...document.querySelectorAll(".lrlearn-explorer .noUi-handle")].map((handle) => handle.ariaLabel
    ?? handle.getAttribute("aria-label"))"""


@pytest.fixture(scope="module", params=elsewhere.BROWSERS)
def page(request):
    with elsewhere.opened(request.param) as page:
        yield page


@pytest.fixture(scope="module")
def handout(tmp_path_factory):
    folder = tmp_path_factory.mktemp("handout")
    lab.write_notebook(folder / "one.ipynb", "from lrlearn import WorkedExample", "WorkedExample()")
    export.main(["--to", str(folder), str(folder / "one.ipynb")])
    return (folder / "one.html").as_uri()


def test_a_page_to_hand_out_drags_and_hears_keys(page, handout):
    page.goto(handout)
    page.wait_for(SHOWN)
    page.drag(1.0)
    page.wait_for(AT, 10)
    page.evaluate("() => document.querySelector('.noUi-handle').focus()")
    for key, index in (("ArrowLeft", 9), ("Home", 0), ("ArrowRight", 1), ("End", 10)):
        page.press(key)
        page.wait_for(AT, index)
    assert page.evaluate(NAMES) == ["epoch"]


def test_a_picture_that_was_hidden_is_there_again(page, handout):
    page.goto(handout)
    page.wait_for(SHOWN)
    for display in ("none", ""):
        page.evaluate(HIDE, display)
    page.wait_for(DRAWN)


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """The address of a notebook of two explorers in JupyterLab."""
    folder = tmp_path_factory.mktemp("elsewhere")
    lab.write_notebook(folder / "two.ipynb", "from lrlearn import *", "WorkedExample()", "ScheduleExplorer()")
    with lab.server(folder) as address:
        yield lab.place(address, "two.ipynb")


def test_in_jupyterlab_cells_run_sliders_drag_and_a_further_control_brings_its_picture(page, notebook):
    page.goto(notebook)
    page.wait_for(lab.CONNECTED)
    page.evaluate(lab.RUN_ALL)
    page.wait_for(lab.ALL_RUN)
    page.wait_for(SHOWN)
    page.drag(1.0)
    page.wait_for(AT, 10)
    page.evaluate("() => document.querySelector('.noUi-handle').focus()")
    for key, index in (("ArrowLeft", 9), ("Home", 0), ("End", 10)):
        page.press(key)
        page.wait_for(AT, index)
    assert page.evaluate(LOGARITHMIC) == 1
    page.wait_for(CURRENT)
    page.evaluate(DARK)
    for display in ("none", ""):
        page.evaluate(HIDE, display)
    page.wait_for(DRAWN)
