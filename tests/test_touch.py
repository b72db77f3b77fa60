"""A phone, 390 by 844: a finger drags a slider, scrolls past explorers, and nothing has to be scrolled sideways."""

import lab
import pytest
from fetching import from_npm
from playwright.sync_api import Page, expect
from test_export import fetched

from lrlearn import export

pytestmark = pytest.mark.browser

CELLS = ["from lrlearn import WorkedExample", "WorkedExample()", "WorkedExample(0.2)"]
SMALLEST = "handles => Math.min(...handles.flatMap((one) => [one.offsetWidth, one.offsetHeight]))"
FAR = 150  # CSS pixels that a finger moves up


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("touch")
    lab.write_notebook(folder / "two.ipynb", *CELLS)
    return folder


@pytest.fixture(scope="module")
def address(folder):
    with lab.server(folder) as address:
        yield address


@pytest.fixture
def phone(browser):
    # wide at first: in a narrow window JupyterLab and Notebook 7 hide the mark that says when the kernel is ready
    context = browser.new_context(viewport={"width": 1300, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    yield page
    context.close()


def scrolls(phone: Page, thing) -> bool:
    """Whether a finger that moves up on a thing takes it along."""
    thing.scroll_into_view_if_needed()
    before = thing.bounding_box()["y"]
    lab.swipe(phone, thing, 3, -FAR)
    for _ in range(20):
        if thing.bounding_box()["y"] < before - FAR / 2:
            return True
        phone.wait_for_timeout(250)
    return False


def assert_made_for_a_finger(phone: Page, name: str) -> None:
    phone.set_viewport_size({"width": 390, "height": 844})
    explorer = lab.explorers(phone).first
    canvas, track = lab.canvas(explorer), explorer.locator(".noUi-target").first
    expect(canvas).to_have_attribute("data-index", "0", timeout=60_000)
    expect(canvas).to_have_class("lrlearn-filmstrip lrlearn-stacked")
    assert explorer.locator(".lrlearn-frame").evaluate("frame => frame.scrollWidth - frame.clientWidth") == 0
    assert explorer.locator(".noUi-handle").evaluate_all(SMALLEST) >= 24
    lab.shot(f"touch-{name}", phone)
    lab.swipe(phone, track, 60, 3)
    assert (value := lab.readout(explorer)) != "0", "a finger that moves sideways drags"
    for thing in (track, canvas):
        assert scrolls(phone, thing), "a finger that moves up scrolls"
        assert lab.readout(explorer) == value


def test_in_jupyterlab(phone, address):
    lab.open_notebook(phone, address, "two.ipynb")
    if phone.locator("#jp-left-stack").is_visible():
        lab.command(phone, "application:toggle-left-area")
    lab.run_all(phone)
    assert_made_for_a_finger(phone, "jupyterlab")


def test_in_notebook_7(phone, address):
    pytest.importorskip("notebook", reason="Notebook 7 is not installed: nothing is touched in it")
    lab.goto_ready(phone, f"{address}/notebooks/two.ipynb")
    phone.get_by_text("Run", exact=True).click()
    phone.get_by_text("Run All Cells", exact=True).click()
    assert_made_for_a_finger(phone, "notebook-7")


def test_on_an_exported_page(phone, folder):
    with from_npm("no exported page is touched"):
        fetched()
        export.main(["--to", str(folder), str(folder / "two.ipynb")])
    phone.goto((folder / "two.html").as_uri())
    assert_made_for_a_finger(phone, "exported")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
