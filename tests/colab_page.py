"""Explorers as Colab draws them: widgets as old as its own, in a page without a kernel."""

import json
from pathlib import Path

import ipywidgets
import lab
from ipywidgets.embed import dependency_state, embed_data
from playwright.sync_api import Browser, Page

from lrlearn import pages

# of ipywidgets 7.7.1: what each model that its browser side can draw knows
OLD = json.loads((lab.ROOT / "tests/colab/widgets.json").read_text(encoding="utf-8"))
# Colab's own manager is built on this version of @jupyter-widgets/controls; so is one for pages without a kernel
BUILT_ON = "4.0.0-alpha.3"
MANAGER, ANYWIDGET = "@jupyter-widgets/html-manager@0.21.0-alpha.3", "anywidget@0.9.21"
# package -> the file that the page takes, and its SHA-512 as npm writes it
PACKAGES = {
    MANAGER: (
        "dist/embed-amd.js",
        "Q13ipP2TA/bnATPINpmUGoqO01m6vYxdwO/8t0TUXDiPUIxsSqgV1ye3Cgf+KcWHBCUeSO7Dw5onTFSYslRJ6g==",
    ),
    ANYWIDGET: (
        "dist/index.js",
        "0uQ9/zZmig/2DuI2OXTDI97msdfRH7cMKK+pxxFqArfNdXXCWalvsKGvl896EyNROXPVuqZB1r7T+RZN9ruQNg==",
    ),
}
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>What Colab draws of a widget</title>
<script>window.process = {{ env: {{}}, argv: [] }}; // of Node: the manager, packed without, asks for it</script>
<script src="loader.js"></script>
<script src="anywidget.js"></script>
<script src="manager.js"></script>
<script type="application/vnd.jupyter.widget-state+json">{manager_state}</script>
<body>
<script type="application/vnd.jupyter.widget-view+json">{view}</script>
"""


def scripts() -> dict[str, str]:
    """What draws widgets in the page, by the name of its file.

    Raises:
        CommandError: as `lrlearn.pages.npm_files`.
    """
    found = {
        package: pages.npm_files(package, integrity, [name])[name].decode()
        for package, (name, integrity) in PACKAGES.items()
    }
    return {
        "loader.js": (Path(pages.__file__).parent / "page.js").read_text(encoding="utf-8"),
        "anywidget.js": pages.named_module("anywidget", found[ANYWIDGET]),
        "manager.js": found[MANAGER],
    }


def state(widget: ipywidgets.Widget) -> dict:
    """What ipywidgets 7.7.1 would tell a browser of a widget and of all that it refers to."""
    data = embed_data(views=[widget], state=dependency_state([widget], drop_defaults=False))
    for model in data["manager_state"]["state"].values():
        if known := OLD.get(model["model_name"]):
            model["state"] = {name: value for name, value in model["state"].items() if name in known.split()}
    return data


def opened(browser: Browser, folder: Path, widget: ipywidgets.Widget) -> tuple[Page, list[str]]:
    """A page with the widget, made of files in a folder, and what goes wrong in it."""
    data = state(widget)
    told = {"manager_state": data["manager_state"], "view": data["view_specs"][0]}
    # as in any script of a page: what looks like the end of it would be
    told = {name: json.dumps(value).replace("<", "\\u003c") for name, value in told.items()}
    for name, text in (scripts() | {"page.html": PAGE.format(**told)}).items():
        (folder / name).write_text(text, encoding="utf-8")
    page = browser.new_page(viewport={"width": 1300, "height": 1000})
    page.set_default_timeout(60_000)
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(error.message))
    page.goto((folder / "page.html").as_uri())
    return page, wrong
