"""A notebook that was run, saved, shut down and opened again shows pictures, and no error in their place."""

import json
from pathlib import Path

import lab
import nbformat
import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

ERROR = "Error displaying widget: model not found"
SHOWN = [
    "from lrlearn import WorkedExample\nimport ipywidgets",
    "WorkedExample()",
    "ipywidgets.HBox([ipywidgets.VBox([WorkedExample(0.2)]), ipywidgets.VBox([WorkedExample(0.3, num_epochs=3)])])",
    "display(ipywidgets.Tab([WorkedExample(0.4, num_epochs=4)]))",
    "ipywidgets.HBox([ipywidgets.IntSlider()])",
]
PICTURES = [0, 1, 2, 1, 0]  # of each cell


@pytest.fixture(scope="module")
def saved(browser, tmp_path_factory):
    """A notebook that was run and saved, and whose kernel is gone: where it is served, and its file."""
    folder: Path = tmp_path_factory.mktemp("reopened")
    lab.write_notebook(folder / "yesterday.ipynb", *SHOWN)
    with lab.server(folder) as address:
        page = lab.opened(browser, address, "yesterday.ipynb")
        expect(lab.explorers(page)).to_have_count(4)
        expect(page.locator("style.lrlearn-kept")).to_have_count(4)
        expect(page.locator(".jp-RenderedImage:visible")).to_have_count(0)
        lab.command(page, "docmanager:save")
        page.evaluate("jupyterapp.serviceManager.sessions.shutdownAll()")
        page.close()
        yield address, folder / "yesterday.ipynb"


@pytest.fixture(scope="module")
def reopened(browser, saved):
    """The notebook as the next day shows it, on the same machine: JupyterLab trusts its outputs."""
    address, path = saved
    page = lab.opened(browser, address, path.name, run=False)
    yield page, path
    page.close()


def outputs(page: Page, cell: int):
    return page.locator(".jp-CodeCell").nth(cell).locator(".jp-Cell-outputArea")


def test_each_explorer_has_its_picture_in_a_box_or_not(reopened):
    page, _ = reopened
    for cell, count in enumerate(PICTURES):
        expect(outputs(page, cell).locator(".jp-RenderedImage:visible")).to_have_count(count)


def test_an_error_is_hidden_only_where_a_picture_stands_for_it(reopened):
    page, _ = reopened
    expect(page.get_by_text(ERROR)).to_have_count(4)
    for cell in range(1, len(SHOWN)):
        expect(outputs(page, cell).get_by_text(ERROR).locator("visible=true")).to_have_count(
            int(cell == len(SHOWN) - 1)
        )


def test_notebook_7_shows_the_same(browser, saved):
    """Another application, on the same server."""
    pytest.importorskip("notebook", reason="Notebook 7 is not installed: reopening a lesson in it is not tested")
    address, path = saved
    page = browser.new_page()
    page.goto(f"{address}/notebooks/{path.name}")
    expect(page.get_by_text(ERROR)).to_have_count(4, timeout=60_000)
    for cell, count in enumerate(PICTURES):
        expect(outputs(page, cell).locator(".jp-RenderedImage:visible")).to_have_count(count)
        # the last cell has no explorer, and no picture to stand for its error
        expect(outputs(page, cell).get_by_text(ERROR).locator("visible=true")).to_have_count(int(cell == 4))
    lab.shot("reopened-in-notebook-7", page)
    page.close()


def test_in_notebook_7_cells_run_and_sliders_drag(browser, tmp_path):
    pytest.importorskip("notebook", reason="Notebook 7 is not installed: nothing is run in it")
    lab.write_notebook(tmp_path / "one.ipynb", "from lrlearn import WorkedExample", "WorkedExample()")
    with lab.server(tmp_path) as address:
        page = browser.new_page()
        lab.goto_ready(page, f"{address}/notebooks/one.ipynb")
        page.get_by_text("Run", exact=True).click()
        page.get_by_text("Run All Cells", exact=True).click()
        explorer = lab.explorers(page)
        expect(lab.canvas(explorer)).to_have_attribute("data-index", "0", timeout=60_000)
        lab.drag(page, explorer, to=1.0)
        expect(lab.canvas(explorer)).to_have_attribute("data-index", "10")
        lab.handle(explorer).press("ArrowLeft")
        expect(lab.canvas(explorer)).to_have_attribute("data-index", "9")
        assert explorer.evaluate("(node) => node.scrollHeight === node.clientHeight")
        lab.shot("notebook-7", page)
        page.close()


def test_what_a_box_shows_is_what_ipywidgets_shows_of_it(reopened):
    """Only pictures are added, below it."""
    _, path = reopened
    for cell in nbformat.read(path, as_version=4).cells[2:4]:
        assert set(cell.outputs[0].data) == {"application/vnd.jupyter.widget-view+json", "text/plain"}
        assert "Box(" in json.dumps(cell.outputs[0].data) or "Tab(" in json.dumps(cell.outputs[0].data)
