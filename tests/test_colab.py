"""What Google Colab needs, tried without it: its package list, its old widgets, its display hook, its first cell.

The lessons run on a kernel with Colab's own versions with ``pytest -m nightly tests/test_colab.py``, which installs
them into a folder of its own; ``LRLEARN_COLAB`` names a folder that has them already.
"""

import os
import re
import subprocess
import sys
import tomllib
import types
from pathlib import Path

import colab_page
import lab
import nbformat
import pytest
from colab_page import OLD
from fetching import from_npm
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from packaging.requirements import Requirement
from playwright.sync_api import expect
from test_browser import assert_shown
from test_notebooks import DEMO, LESSONS, PATHS

import lrlearn
from lrlearn import faults, filmstrips

ROOT = LESSONS.parent
PINS = ROOT / "tests/colab/pins.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VIEW = "application/vnd.jupyter.widget-view+json"
EXPLORERS = {
    "ScheduleExplorer": lambda: lrlearn.ScheduleExplorer(gammas=[0.5, 0.9], log=True),
    "DescentExplorer": lrlearn.DescentExplorer,
    "WorkedExample": lrlearn.WorkedExample,
    "TrainingExplorer": lambda: lrlearn.TrainingExplorer(num_epochs=5),
    "SweepExplorer": lambda: lrlearn.SweepExplorer(num_epochs=5),
    "fault_bench": lambda: faults.fault_bench(faults.run_cases({"a fault": (right_loop, right_loop)})),
}
QUICK, *SLOW = EXPLORERS  # in widgets as old as Colab's the others wait for the night
every_lesson = pytest.mark.parametrize(
    "path", [path for path in PATHS if path.stem != DEMO], ids=lambda path: path.relative_to(LESSONS).as_posix()
)


def right_loop(run):
    faults.train(run, *faults.new_training())


def pins():
    lines = PINS.read_text(encoding="utf-8").splitlines()
    return {line.split("==")[0].lower(): line.split("==")[1] for line in lines if "==" in line}


# The way in


@every_lesson
def test_the_badge_leads_to_this_lesson(path):
    title = nbformat.read(path, as_version=4).cells[0]
    owner = re.search(r"github\.com/([\w.-]+)/lrlearn", PROJECT["urls"]["Repository"])[1]
    place = f"https://colab.research.google.com/github/{owner}/lrlearn/blob/main/{path.relative_to(ROOT).as_posix()}"
    assert re.match(rf"# .+\n\n\[!\[Open in Colab\]\(attachment:([\w.-]+)\)\]\({re.escape(place)}\)\n", title.source)
    (picture,) = title.attachments.values()  # no request leaves a notebook that is opened elsewhere
    assert set(picture) == {"image/png"}


def test_the_readme_has_the_badge_of_each_lesson_in_its_table():
    rows = re.findall(r"^\| .*\]\((lessons/[\w-]+\.ipynb)\) .*$", readme := (ROOT / "README.md").read_text(), re.M)
    for path in rows:
        assert re.search(rf"^\| .*\]\({path}\) .*colab\.research\.google\.com/github/[\w./-]+/{path}\)", readme, re.M)
    assert len(rows) == len([path for path in LESSONS.glob("*.ipynb") if path.stem != DEMO])


def first_cell(path):
    return next(cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")


class Shell:
    """IPython, as far as the first cell asks it for something."""

    def __init__(self):
        self.asked = []

    def run_line_magic(self, *asked):
        self.asked.append(asked)


@every_lesson
def test_the_first_cell_installs_the_course_on_colab_and_does_nothing_elsewhere(path, monkeypatch):
    cell, shell = first_cell(path), Shell()
    assert cell.outputs == [] and cell.metadata["jupyter"]["source_hidden"] is True
    monkeypatch.delitem(sys.modules, "google.colab", raising=False)
    exec(cell.source, {"get_ipython": lambda: shell})
    assert shell.asked == []
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    exec(cell.source, {"get_ipython": lambda: shell})
    magic, line = shell.asked[0]
    assert magic == "pip" and line.startswith("install -q --no-deps ")  # what Colab has stays as it is
    assert line.endswith(f" git+{PROJECT['urls']['Repository']}")
    if path.parent != LESSONS:  # files that stand beside the notebook: the package has them
        magic, line = shell.asked[1]
        assert magic == "cd" and Path(line.removeprefix("-q ")) == path.parent


def test_colab_s_versions_are_allowed_and_it_lacks_nothing():
    for wanted in map(Requirement, PROJECT["dependencies"]):
        found = pins() | {"torch": "2.11.0"}
        assert wanted.name in found and wanted.specifier.contains(found[wanted.name]), wanted


# What its widgets can draw


def open_widgets(thing):
    """A widget and every other that its state refers to."""
    found, waiting = {}, [thing]
    while waiting:
        widget = waiting.pop()
        if isinstance(widget, filmstrips.ipywidgets.Widget) and widget.model_id not in found:
            found[widget.model_id] = widget
            for key in widget.keys:
                value = getattr(widget, key)
                waiting += value if isinstance(value, list | tuple) else [value]
    return list(found.values())


def unknown(widget):
    """What of a widget its browser side of ipywidgets 7.7.1 would not understand."""
    if widget._model_module == "anywidget":
        return set()
    if widget._model_name not in OLD:
        return {widget._model_name}
    plain = {name: trait for name, trait in widget.traits(sync=True).items() if name[0] != "_"}
    changed = {name for name, trait in plain.items() if trait.default_value != getattr(widget, name)}
    return changed - set(OLD[widget._model_name].split()) - {"border"}


@pytest.mark.parametrize("name", EXPLORERS)
def test_an_explorer_is_made_of_widgets_that_colab_can_draw(name):
    explorer = EXPLORERS[name]()
    widgets = open_widgets(explorer)
    assert len(widgets) > 4
    assert {widget._model_name: unknown(widget) for widget in widgets if unknown(widget)} == {}
    explorer.close()


def test_that_a_widget_that_it_cannot_draw_is_found():
    box = filmstrips.ipywidgets.VBox([filmstrips.ipywidgets.Checkbox()])
    assert {"CheckboxStyleModel"} in map(unknown, open_widgets(box))
    assert unknown(filmstrips.ipywidgets.IntSlider(tooltip="new in ipywidgets 8")) == {"tooltip"}


# Its display hook


@pytest.fixture
def colab(monkeypatch):
    """Colab's module, as far as anywidget and lrlearn look at it: where to fetch what draws widgets."""
    package, output = types.ModuleType("google.colab"), types.ModuleType("google.colab.output")
    output.enable_custom_widget_manager = lambda: None
    output._widgets = types.SimpleNamespace(_installed_url="https://example.org/manager.js")
    monkeypatch.setitem(sys.modules, "google.colab", package)
    monkeypatch.setitem(sys.modules, "google.colab.output", output)
    return {"colab": {"custom_widget_manager": {"url": output._widgets._installed_url}}}


def test_the_last_line_of_a_cell_tells_colab_where_its_widgets_are_drawn(colab, monkeypatch):
    shown = []
    monkeypatch.setattr(filmstrips, "display", lambda data, metadata, raw: shown.append((data, metadata)))
    explorer = lrlearn.WorkedExample()
    explorer._ipython_display_()
    ((data, metadata),) = shown  # one output: each is a page of its own there
    assert data[VIEW]["model_id"] == explorer.model_id and data["image/png"]
    assert metadata[VIEW] == colab and "alt" in metadata["image/png"]


def test_elsewhere_nothing_is_said_of_it():
    _, metadata = lrlearn.WorkedExample()._repr_mimebundle_()
    assert set(metadata) == {"image/png"}


# Its versions


@pytest.fixture(scope="module")
def colab_packages(tmp_path_factory):
    """A folder with the packages of Colab's list, found before those of this environment; torch is this one's."""
    if there := os.environ.get("LRLEARN_COLAB"):
        return there
    folder = tmp_path_factory.mktemp("colab")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*command, "-r", str(PINS), "jedi"], check=True)
    return str(folder)


class OldKernel(AsyncKernelManager):
    """A kernel with these packages. It tells its versions in its first output."""

    packages = ""

    async def _async_launch_kernel(self, *args, **options):
        path = os.pathsep.join([self.packages, str(ROOT), os.environ.get("PYTHONPATH", "")])
        return await super()._async_launch_kernel(*args, **options | {"env": os.environ | {"PYTHONPATH": path}})


def run(notebook, packages, folder):
    kernel = type("Kernel", (OldKernel,), {"packages": packages})
    NotebookClient(
        notebook, timeout=600, kernel_manager_class=kernel, resources={"metadata": {"path": folder}}
    ).execute()
    return notebook


@pytest.mark.nightly
@every_lesson
def test_a_lesson_runs_with_the_versions_of_colab(path, colab_packages):
    lesson = nbformat.read(path, as_version=4)
    expected = {
        cell.id for cell in lesson.cells if any("image/png" in o.get("data", {}) for o in cell.get("outputs", []))
    }
    asked = ["ipywidgets", "IPython", "ipykernel", "numpy"]
    told = f"import {', '.join(asked)}\nprint({', '.join(f'{name}.__version__' for name in asked)})"
    lesson.cells.insert(0, nbformat.v4.new_code_cell(told))
    lesson = run(lesson, colab_packages, str(path.parent))
    meant = [cell for cell in lesson.cells if "raises-exception" in cell.metadata.get("tags", [])]
    failed = [cell for cell in lesson.cells if any(o.output_type == "error" for o in cell.get("outputs", []))]
    assert [cell.source for cell in failed if cell not in meant] == []
    assert lesson.cells[0].outputs[0].text.split() == [pins()[name.lower()] for name in asked]
    drawn = {cell.id for cell in lesson.cells if any("image/png" in o.get("data", {}) for o in cell.get("outputs", []))}
    assert expected == drawn


# Its widget manager, or one that is built on the same controls. These come last: while a browser is open, an event loop
# runs in this thread, and no test could wait for a kernel.


@pytest.fixture
def old(browser, tmp_path):
    """Shows a widget in a page; the page, and what goes wrong in it."""
    pages = []

    def shown(widget):
        with from_npm("nothing is tested in widgets as old as Colab's"):
            pages.append(colab_page.opened(browser, tmp_path, widget))
        return pages[-1]

    yield shown
    for page, _ in pages:
        page.close()


@pytest.mark.browser
@pytest.mark.parametrize("name", [QUICK, *(pytest.param(name, marks=pytest.mark.nightly) for name in SLOW)])
def test_an_explorer_drags_in_widgets_as_old_as_colab_s(name, old):
    explorer = EXPLORERS[name]()
    explorer.finish()
    page, wrong = old(explorer)
    seen = lab.explorers(page).first
    for to in (0.95, 0.3):
        lab.drag(page, seen, to)
        assert_shown(seen, explorer)
    for row in range(1, seen.locator(".noUi-handle").count()):  # there is no kernel that would draw for them
        lab.handle(seen, row).focus()
        page.keyboard.press("ArrowRight")
        expect(lab.canvas(seen)).to_have_class("lrlearn-filmstrip lrlearn-stale")
        page.keyboard.press("ArrowLeft")
        assert_shown(seen, explorer)
    lab.shot(f"colab-{name}", page)
    assert wrong == []
    explorer.close()


@pytest.mark.browser
def test_that_these_widgets_are_as_old(old):
    page, wrong = old(filmstrips.ipywidgets.VBox([filmstrips.ipywidgets.Checkbox()]))
    assert f'"{colab_page.BUILT_ON}"' in colab_page.scripts()["manager.js"]
    while not wrong:
        page.wait_for_event("pageerror")
    assert wrong[0].startswith("Class CheckboxStyleModel not found")
