"""From a strip that is drawn to its picture seen: JupyterLab beside VS Code's bundle, pictures as bytes and as text.

python tests/benchmarks/transport.py [RUNS]

A click on a further control has the kernel draw all 51 pictures of an explorer; the time runs from there, before they
are packed into a message, until the new picture is painted. All four take turns. VS Code's bundle stands in a page of
ours (tests/vscode_page.py) with an imitation of its transport that names where VS Code does the same.
"""

import contextlib
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab
import vscode_page
from playwright.sync_api import Page

AXES = ["logarithmic", "linear"]
CELLS = """
import pathlib, time
from lrlearn import ScheduleExplorer, transport
explorer = ScheduleExplorer()
draw = explorer._strip

def timed(*given, **named):
    strip = draw(*given, **named)
    pathlib.Path({told!r}).write_text(str(time.time()))
    return strip

explorer._strip = timed
transport.wants_text = lambda: {text}
explorer"""
PAINTED = """(axis) => new Promise((found) => {
    const canvas = document.querySelector("canvas.lrlearn-filmstrip");
    new MutationObserver((_, observer) => {
        if (canvas.getAttribute("aria-label").includes("logarithmic") !== (axis === "logarithmic")) return;
        observer.disconnect();
        requestAnimationFrame(() => found(Date.now() / 1000));
    }).observe(canvas, { attributeFilter: ["aria-label"] });
    document.querySelector(`.widget-toggle-button[data-value=${axis}]`).click();
})"""
ALL_THERE = "() => document.querySelector('canvas.lrlearn-filmstrip')?.dataset.whole === 'true'"


def opened(stack: contextlib.ExitStack, folder: Path) -> dict[tuple[str, str], Page]:
    """A page for each place and way, its explorer whole; its times come in a file of the folder."""
    browser, pages = stack.enter_context(lab.browser()), {}
    address = stack.enter_context(vscode_page.server(folder))
    for text in (False, True):
        for place in ("JupyterLab", "VS Code's bundle"):
            way = place, "text" if text else "bytes"
            code = CELLS.format(told=str(folder / "-".join(way)), text=text)
            if place == "JupyterLab":
                lab.write_notebook(folder / f"{way[1]}.ipynb", code)
                pages[way] = lab.opened(browser, address.removesuffix(vscode_page.PLACE), f"{way[1]}.ipynb")
            else:
                pages[way] = vscode_page.opened(browser, address)
                vscode_page.run(pages[way], code)
            pages[way].wait_for_function(ALL_THERE)
    return pages


def main(runs: int) -> None:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        pages = opened(stack, folder)
        taken: dict[tuple[str, str], list[float]] = {way: [] for way in pages}
        for run in range(runs):
            for way, page in pages.items():
                seen = page.evaluate(PAINTED, AXES[run % 2])
                taken[way].append(seen - float((folder / "-".join(way)).read_text()))
                page.wait_for_timeout(500)
    print(f"medians of {runs} runs, s (range)")
    for (place, how), times in taken.items():
        print(f"{place:<18}{how:<7}{statistics.median(times):.2f} ({min(times):.2f} to {max(times):.2f})")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
