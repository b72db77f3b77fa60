"""Time and bytes of each explorer's strip, and when its first picture is on screen in a fresh kernel.

python tests/benchmarks/strips.py
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab
from playwright.sync_api import Page

NEEDS_TORCH = {"TrainingExplorer", "SweepExplorer"}
NAMES = ["ScheduleExplorer", "DescentExplorer", "WorkedExample", *sorted(NEEDS_TORCH)]
BEST_OF = 3
# the strip is drawn a second time in the same process: imports and fonts are loaded, as for any but the first
STRIP = """
import time, lrlearn
lrlearn.{name}().refresh()
began = time.perf_counter()
explorer = lrlearn.{name}()
explorer.refresh()
taken = time.perf_counter() - began
pictures = explorer._film.strip["pictures"]
print(taken, len(pictures), sum(map(len, pictures)))
"""
PAINTED = """() => new Promise((found) => {
    const look = () => document.querySelector("canvas[data-index]") ? found() : requestAnimationFrame(look);
    look();
})"""


def strip(name: str) -> tuple[float, int, int]:
    """Seconds to make the explorer, number of its pictures, bytes."""
    runs = [subprocess.check_output([sys.executable, "-c", STRIP.format(name=name)], text=True) for _ in range(BEST_OF)]
    taken, pictures, size = min((line.split() for line in runs), key=lambda parts: float(parts[0]))
    return float(taken), int(pictures), int(size)


def first_picture(page: Page, address: str, name: str) -> float:
    """Seconds from running the only cell in a fresh kernel to the first painted picture."""
    lab.open_notebook(page, address, f"{name}.ipynb")
    page.wait_for_timeout(1000)
    began = time.perf_counter()
    page.evaluate("void jupyterapp.commands.execute('notebook:run-all-cells')")
    page.evaluate(PAINTED)
    taken = time.perf_counter() - began
    lab.command(page, "kernelmenu:shutdown")
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, lab.browser() as browser:
        for name in NAMES:
            lab.write_notebook(Path(folder, f"{name}.ipynb"), f"from lrlearn import {name}\n{name}()")
        with lab.server(Path(folder)) as address:
            page = browser.new_page(viewport={"width": 1300, "height": 1000})
            print(f"{'explorer':18}{'pictures':>9}{'strip s':>9}{'MB':>7}{'first picture s':>17}{'limit':>7}")
            for name in NAMES:
                taken, pictures, size = strip(name)
                first = min(first_picture(page, address, name) for _ in range(BEST_OF))
                limit = 3.0 if name in NEEDS_TORCH else 1.5
                print(f"{name:18}{pictures:9}{taken:9.2f}{size / 1e6:7.2f}{first:17.2f}{limit:7.1f}", flush=True)


if __name__ == "__main__":
    main()
