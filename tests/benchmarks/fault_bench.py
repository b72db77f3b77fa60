"""How long the fault benches of lessons 05 and 07 take to open, and how large they are.

python tests/benchmarks/fault_bench.py

Timed is the lesson's own cell, in JupyterLab: it runs every case, draws the bench, and its first picture is on screen.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab
from playwright.sync_api import Page
from strips import PAINTED

LESSONS = ["05-in-pytorch", "07-real-training"]
BEST_OF = 3
SIZE = 'print("bytes:", sum(map(len, bench._film.strip["pictures"])))'


def cells_to_the_bench(lesson: str) -> tuple[str, str]:
    """The lesson's code up to the bench, and the cell of the bench."""
    cells = json.loads((lab.ROOT / "lessons" / f"{lesson}.ipynb").read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    at = next(at for at, source in enumerate(code) if "bench = fault_bench(" in source)
    return "\n\n".join(code[:at]), code[at]


def opened(page: Page, address: str, name: str) -> tuple[float, int]:
    """Seconds from running the bench's cell in a fresh kernel to its first picture, and bytes of all its pictures."""
    lab.open_notebook(page, address, name)
    page.wait_for_timeout(1000)
    lab.command(page, "notebook:run-cell-and-select-next")
    page.evaluate("document.querySelectorAll('canvas[data-index]').forEach((canvas) => canvas.remove())")
    began = time.perf_counter()
    page.evaluate("void jupyterapp.commands.execute('notebook:run-cell-and-select-next')")
    page.evaluate(PAINTED)
    taken = time.perf_counter() - began
    lab.command(page, "notebook:run-cell")
    said = page.locator(".jp-OutputArea-output", has_text="bytes:").last.inner_text(timeout=60_000)
    lab.command(page, "kernelmenu:shutdown")
    return taken, int(said.split("bytes:")[1])


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, lab.browser() as browser:
        for lesson in LESSONS:
            lab.write_notebook(Path(folder, f"{lesson}.ipynb"), *cells_to_the_bench(lesson), SIZE)
        with lab.server(Path(folder)) as address:
            print(f"{'lesson':20}{'first picture s':>17}{'limit':>7}{'MB':>7}{'limit':>7}")
            for lesson in LESSONS:
                page = browser.new_page(viewport={"width": 1300, "height": 1000})
                runs = [opened(page, address, f"{lesson}.ipynb") for _ in range(BEST_OF)]
                first, size = min(runs)
                print(f"{lesson:20}{first:17.2f}{7:7}{size / 1e6:7.2f}{4:7}", flush=True)
                page.close()


if __name__ == "__main__":
    main()
