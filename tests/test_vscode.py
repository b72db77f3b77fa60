"""The explorers in the bundle that VS Code draws widgets with, as test_browser.py tries them in JupyterLab."""

import re

import lab
import pytest
import vscode_page
from axe_playwright_python.base import AXE_SCRIPT
from fetching import from_npm
from lab import shot
from playwright.sync_api import expect
from test_browser import assert_quiet, assert_shown

import lrlearn
from lrlearn import transport

FEW = [0.5 + 0.05 * step for step in range(11)]
EXPLORERS = {
    "ScheduleExplorer": lambda **more: lrlearn.ScheduleExplorer(gammas=FEW, **more),
    "WorkedExample": lrlearn.WorkedExample,
}
CELLS = ["from lrlearn import *", f"ScheduleExplorer(gammas={FEW})", "WorkedExample()"]
LISTEN = "() => document.addEventListener('keydown', ({ key }) => window.heard.push(key))"
CONTRAST = """() => axe.run(".lrlearn-explorer", { runOnly: ["color-contrast"] }).then(({ passes, violations }) =>
    [passes.length, violations.flatMap((one) => one.nodes.map((node) => node.html))])"""


@pytest.fixture(scope="module")
def page(browser, tmp_path_factory):
    with from_npm("nothing is tested in VS Code's bundle"):
        vscode_page.files()
    folder = tmp_path_factory.mktemp("vscode")
    with vscode_page.server(folder, folder / "log") as address:
        page = vscode_page.opened(browser, address)
        page.evaluate(LISTEN)
        for cell in CELLS:
            vscode_page.run(page, cell)
        for explorer in lab.explorers(page).all():
            expect(lab.canvas(explorer)).to_have_attribute("data-whole", "true", timeout=60_000)
        yield page
        page.close()
    assert_quiet((folder / "log").read_text())


@pytest.fixture(params=EXPLORERS)
def name(request):
    return request.param


@pytest.fixture
def explorer(page, name):
    explorer = lab.explorers(page).nth([*EXPLORERS].index(name))
    explorer.scroll_into_view_if_needed()
    return explorer


def test_dragging_with_the_mouse_shows_the_last_picture(page, explorer, name):
    reference = EXPLORERS[name]()
    for to in (0.95, 0.3):
        lab.drag(page, explorer, to)
        assert_shown(explorer, reference)
    shot(f"vscode-{name}", explorer)


def test_keys_move_the_slider_and_the_notebook_around_it_hears_none_of_them(page, explorer, name):
    last = len(EXPLORERS[name]().values) - 1
    page.evaluate("() => (window.heard = [])")
    lab.handle(explorer).focus()
    ways = {"End": last, "ArrowDown": last - 1, "ArrowLeft": last - 2, "ArrowUp": last - 1, "ArrowRight": last}
    for key, index in (ways | {"Home": 0}).items():
        page.keyboard.press(key)
        expect(lab.canvas(explorer)).to_have_attribute("data-index", str(index))
    page.keyboard.press("PageUp")
    expect(lab.canvas(explorer)).not_to_have_attribute("data-index", "0")
    page.keyboard.press("PageDown")
    expect(lab.canvas(explorer)).to_have_attribute("data-index", "0")
    assert page.evaluate("window.heard") == []
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Home")
    assert page.evaluate("window.heard") == ["Home"]


def test_a_further_control_brings_its_pictures_as_text(page):
    explorer = lab.explorers(page).first
    before = page.evaluate("window.numbers")
    explorer.get_by_role("button", name="logarithmic").click()
    expect(explorer.locator(".lrlearn-notice")).to_have_text("Drawing for the new settings ...")
    expect(lab.canvas(explorer)).to_have_attribute("aria-label", re.compile("On the logarithmic axis"), timeout=60_000)
    expect(explorer.locator(".lrlearn-notice")).to_be_empty()
    reference = EXPLORERS["ScheduleExplorer"](log=True)
    lab.drag(page, explorer, 0.5)
    assert_shown(explorer, reference)
    assert page.evaluate("window.numbers") == before == 0, "bytes that came as an array of numbers"


def test_in_the_dark_theme_everything_can_be_read(page):
    page.evaluate("() => (document.body.className = 'vscode-dark')")
    page.evaluate(AXE_SCRIPT)
    passed, failed = page.evaluate(CONTRAST)
    assert passed and not failed
    shot("vscode-dark", page)


@pytest.mark.parametrize(
    ("names", "environment", "text"),
    [
        ({"__vsc_ipynb_file__": "a.ipynb"}, {}, True),
        ({"__vsc_ipynb_file__": "a.ipynb"}, {"JPY_SESSION_NAME": "a.ipynb"}, False),
        ({}, {}, False),
    ],
    ids=["VS Code", "VS Code with a Jupyter server", "elsewhere"],
)
def test_pictures_are_text_where_bytes_would_be_numbers(monkeypatch, names, environment, text):
    shell = type("Shell", (), {"user_ns": names})
    monkeypatch.setattr(transport, "get_ipython", lambda: shell)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    sent = transport.to_json({"pictures": [b"one", None], "width": 9}, None)
    assert sent == {"pictures": ["b25l" if text else b"one", None], "width": 9}
    assert transport.to_json({}, None) == {}
