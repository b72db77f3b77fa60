"""The explorers in Firefox and in WebKit, as test_browser.py tries them in Chromium: a page to hand out, JupyterLab.

Whole lessons take minutes in each: they run with ``pytest -m nightly tests/test_elsewhere.py``.
"""

import io
import shutil
import time

import elsewhere
import lab
import numpy as np
import pytest
from PIL import Image
from test_browser import BROKEN

from lrlearn import export

pytestmark = pytest.mark.browser

SHOWN = """() => {
    const has = (part) => document.querySelector(`.lrlearn-explorer ${part}`);
    return has("canvas[data-index]") && has(".noUi-handle") && !has("canvas:not([data-index])");
}"""
# where a canvas is seen: what does not fit into its frame is out of sight
SEEN = """(at) => {
    const canvas = document.querySelectorAll(".lrlearn-explorer canvas")[at];
    const [inner, outer] = [canvas, canvas.closest(".lrlearn-frame")].map((node) => node.getBoundingClientRect());
    return ["left", "top"].map((side) => Math.max(inner[side], outer[side], 0))
        .concat(["right", "bottom"].map((side) => Math.min(inner[side], outer[side])));
}"""
AT = """(index) => document.querySelector(".lrlearn-explorer canvas").dataset.index === `${index}`"""
CURRENT = """() => [...document.querySelectorAll(".lrlearn-explorer canvas")].every((canvas) =>
    canvas.dataset.index && !canvas.classList.contains("lrlearn-stale"))"""
LOGARITHMIC = """() => {
    const button = document.querySelector(".widget-toggle-button[data-value=logarithmic]");
    button.click();
    return document.querySelectorAll(".lrlearn-stale").length;
}"""
DARK = """() => jupyterapp.commands.execute("apputils:change-theme", { theme: "JupyterLab Dark" }).then(() => true)"""
IS_DARK = """() => document.body.dataset.jpThemeLight === "false" && !document.querySelector("#jupyterlab-splash")"""
HIDE = """(display) => {
    document.querySelector(".lrlearn-explorer").style.display = display;
    return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))));
}"""
NAMES = """() => [...document.querySelectorAll(".lrlearn-explorer .noUi-handle")].map((handle) => handle.ariaLabel
    ?? handle.getAttribute("aria-label"))"""


def assert_seen(page, at=0):
    """A picture is on the screen: WebKit may show white where a canvas still holds every pixel."""
    for _ in range(60):
        page.place(".lrlearn-explorer canvas", at)
        left, top, right, bottom = page.evaluate(SEEN, at)
        screen = Image.open(io.BytesIO(page.screenshot())).convert("L")
        inside = (left + 5, top + 5, right - 5, bottom - 20)  # below is what it scrolls by
        if (np.asarray(screen.crop([round(edge) for edge in inside])) < 200).mean() > 0.01:
            return
        time.sleep(0.5)
    raise AssertionError("the canvas is white on the screen")


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
    assert_seen(page)  # only what was on the screen can be lost
    for display in ("none", ""):
        page.evaluate(HIDE, display)
    assert_seen(page)


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
    assert_seen(page)  # as above
    page.evaluate(DARK)
    page.wait_for(IS_DARK)
    assert_seen(page)
    for display in ("none", ""):
        page.evaluate(HIDE, display)
    assert_seen(page)


# Whole lessons

LESSONS = ("00-start-here", "02-formula", "04-training-effects", "05-in-pytorch")
FAILED = """() => jupyterapp.shell.currentWidget.content.model.toJSON().cells.filter((cell) =>
    cell.outputs?.some((output) => output.output_type === "error") && !cell.metadata.tags?.includes("raises-exception"))
    .map((cell) => cell.source)"""
WHOLE = """() => [...document.querySelectorAll(".lrlearn-explorer canvas")]
    .every((canvas) => canvas.dataset.whole === "true")"""
# of each explorer, which of the page's handles are its own, the main slider's first
HANDLES = """() => {
    const all = [...document.querySelectorAll(".noUi-handle")];
    return [...document.querySelectorAll(".lrlearn-explorer")].map((explorer) =>
        [...explorer.querySelectorAll(".noUi-handle")].map((handle) => all.indexOf(handle)));
}"""
FOCUS = """(handle) => document.querySelectorAll(".noUi-handle")[handle].focus()"""
CANVAS = """const canvas = document.querySelectorAll(".lrlearn-explorer canvas")[at]"""
INDEX = f"""(at) => {{ {CANVAS}; return Number(canvas.dataset.index); }}"""
SHOWS = f"""([at, index]) => {{ {CANVAS}; return canvas.dataset.index === `${{index}}`; }}"""
WORDS = f"""(at) => {{ {CANVAS}; return canvas.getAttribute("aria-label"); }}"""
# a new picture may be there before a driver could ask for the mark of the old one
WATCH = f"""(at) => {{
    {CANVAS};
    window.wasMarked = false;
    new MutationObserver(() => (window.wasMarked ||= canvas.classList.contains("lrlearn-stale")))
        .observe(canvas, {{ attributeFilter: ["class"] }});
}}"""
NEW_PICTURE = f"""([at, words]) => {{
    {CANVAS};
    return canvas.getAttribute("aria-label") !== words && !canvas.classList.contains("lrlearn-stale");
}}"""
CHECKSUM = f"""(at) => {{
    {CANVAS};
    const {{ data }} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Uint32Array(data.buffer).reduce((sum, pixel) => (31 * sum + pixel) | 0, 0);
}}"""
# another tab comes in front of the notebook, and goes; whether the notebook was gone meanwhile
AWAY_AND_BACK = """async () => {
    const notebook = jupyterapp.shell.currentWidget;
    const frames = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    await jupyterapp.commands.execute("launcher:create");
    await frames();
    const gone = !notebook.isVisible;
    jupyterapp.shell.activateById(notebook.id);
    await frames();
    return gone && notebook.isVisible;
}"""
SHUT_DOWN = """() => jupyterapp.serviceManager.sessions.shutdownAll().then(() => true)"""


@pytest.fixture(scope="module")
def lessons(tmp_path_factory):
    """JupyterLab on a copy of the lessons of its own: what it saves of them is nobody else's business."""
    folder = tmp_path_factory.mktemp("lessons")
    shutil.copytree(lab.ROOT / "lessons", folder, dirs_exist_ok=True)
    with lab.server(folder) as address:
        yield address


@pytest.fixture
def lesson(page, lessons, request):
    """A lesson in JupyterLab, run; the other browser finds no kernel of it."""
    page.goto(lab.place(lessons, f"{request.param}.ipynb"))
    page.wait_for(lab.CONNECTED)
    page.evaluate(lab.RUN_ALL)
    page.wait_for(lab.ALL_RUN, patience=900)  # a training of seconds takes minutes beside other work
    yield request.param
    page.evaluate(SHUT_DOWN)


def at_rest(page, at):
    """The index of an explorer's picture, once no other follows."""
    before = None
    while (now := page.evaluate(INDEX, at)) != before:
        before = now
        time.sleep(1)
    return now


@pytest.mark.nightly
@pytest.mark.parametrize("lesson", LESSONS, indirect=True)
def test_a_lesson_runs_and_its_explorers_do_what_they_do_in_chromium(page, lesson):
    assert page.evaluate(FAILED) == []
    page.wait_for(SHOWN)
    page.wait_for(WHOLE)
    text = page.evaluate("() => document.body.innerText")
    assert [words for words in BROKEN if words in text] == []
    handles = page.evaluate(HANDLES)
    for at, (main, *_) in enumerate(handles):
        # beyond the ends: WebKit counts a track's tenth in whole pixels, so its handle stands 4 px right of the least
        page.drag(-0.1, main)
        page.wait_for(SHOWS, [at, 0])
        first = page.evaluate(CHECKSUM, at)
        page.drag(1.1, main)
        last = at_rest(page, at)
        assert last > 2 and page.evaluate(CHECKSUM, at) != first
        page.evaluate(FOCUS, main)
        for key, index in (("ArrowLeft", last - 1), ("Home", 0), ("ArrowRight", 1), ("End", last)):
            page.press(key)
            page.wait_for(SHOWS, [at, index])
    further = next(((at, rows[1]) for at, rows in enumerate(handles) if rows[1:]), None)
    assert further or lesson == "05-in-pytorch"  # its only explorer has a choice of faults beside the main slider
    if further:
        at, row = further
        words = page.evaluate(WORDS, at)
        page.evaluate(WATCH, at)
        page.evaluate(FOCUS, row)
        page.press("ArrowRight")
        page.wait_for(NEW_PICTURE, [at, words])
        assert page.evaluate("() => window.wasMarked")
    page.evaluate(DARK)
    page.wait_for(IS_DARK)
    assert page.evaluate(AWAY_AND_BACK)
    for at in range(len(handles)):
        assert_seen(page, at)
