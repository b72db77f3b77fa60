"""What a slider's style made at import does for the first picture: with and without.

python tests/benchmarks/first_picture.py [RUNS]

Each run opens a notebook of two cells, the import and two explorers, in a fresh page and a fresh kernel. The variants
take turns, so that a busy minute hurts all of them.
"""

import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab
from playwright.sync_api import Browser
from strips import PAINTED

NO_STYLE = "import ipywidgets; kept, ipywidgets.SliderStyle = ipywidgets.SliderStyle, lambda: None"
VARIANTS = {
    "as it is": "from lrlearn import *",
    "no style at import": f"{NO_STYLE}\nfrom lrlearn import *\nipywidgets.SliderStyle = kept",
}


def seconds(browser: Browser, address: str, name: str) -> tuple[float, float]:
    """From Run All to the first painted picture, and until all cells have run."""
    page = browser.new_page()
    lab.open_notebook(page, address, name)
    page.wait_for_timeout(1000)
    began = time.perf_counter()
    page.evaluate("() => { window.all = jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.evaluate(PAINTED)
    first = time.perf_counter() - began
    page.evaluate("() => window.all")
    ended = time.perf_counter() - began
    lab.command(page, "kernelmenu:shutdown")
    page.close()
    return first, ended


def main(runs: int) -> None:
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in VARIANTS}
    with tempfile.TemporaryDirectory() as folder, lab.browser() as browser:
        for at, setup in enumerate(VARIANTS.values()):
            cells = setup, "ScheduleExplorer()", "DescentExplorer()"
            lab.write_notebook(Path(folder, f"{at}.ipynb"), *cells)
        with lab.server(Path(folder)) as address:
            for _ in range(runs):
                for at, name in enumerate(VARIANTS):
                    taken[name].append(seconds(browser, address, f"{at}.ipynb"))
    print(f"medians of {runs} runs, s (and as ratios)   first picture      all cells run")
    base = [statistics.median(column) for column in zip(*taken["as it is"], strict=True)]
    for name, pairs in taken.items():
        medians = [statistics.median(column) for column in zip(*pairs, strict=True)]
        cells = [f"{median:.2f} ({median / one:.2f})" for median, one in zip(medians, base, strict=True)]
        print(f"{name:<42} {cells[0]:<18} {cells[1]}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
