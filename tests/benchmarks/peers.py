"""The front page of the site beside the same picture of other makers: `python tests/benchmarks/peers.py FOLDER`.

FOLDER is a site that was built before. Its peers are ipywidgets' ``interactive`` in Voilà and a marimo app, each on a
server of this machine, with one kernel for its reader; both draw with the function that has drawn the site's strip.
All three are read on a line of 9 Mbit/s and 60 ms: when the slider and the picture are there, what had come by then,
and how long a key on the slider takes to show another picture. marimo is no part of the tests' packages:

    .venv/bin/pip install marimo

Pages in which Python itself runs (marimo's WebAssembly export, JupyterLite, quarto-live) take Pyodide, numpy and
matplotlib from a content delivery network, and were not measured: nothing here is fetched from elsewhere.
"""

import argparse
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import lab
from line import slow

from lrlearn import serving

TIMES, KEYS = 3, 10
DRAW = """from lrlearn import ScheduleExplorer

explorer = ScheduleExplorer()


def draw(gamma):
    return explorer._draw(gamma, **explorer._control_values())
"""
VOILA = f"""{DRAW}
import ipywidgets
from IPython.display import display

ipywidgets.interactive(lambda gamma: display(draw(gamma)), gamma=ipywidgets.FloatSlider(0.9, min=0.5, max=1, step=0.01))
"""
MARIMO = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo

    gamma = mo.ui.slider(0.5, 1, 0.01, value=0.9, label="gamma")
    gamma
    return gamma, mo


@app.cell
def _():
{draw}
    return (draw,)


@app.cell
def _(draw, gamma):
    draw(gamma.value)
    return


if __name__ == "__main__":
    app.run()
"""


def visit(browser: Any, address: str, picture: str) -> tuple[float, float, float]:
    """Seconds until slider and picture are there, kB until then, and milliseconds from a key to its picture."""
    page = browser.new_context(viewport={"width": 1300, "height": 1000}).new_page()
    received, start = slow(page), time.perf_counter()
    page.goto(address, wait_until="commit", timeout=120_000)
    shown, slider = page.locator(picture).first, page.get_by_role("slider").first
    for thing in (slider, shown):
        thing.wait_for(timeout=120_000)
    ready, kilobytes = time.perf_counter() - start, sum(received) / 1e3
    page.wait_for_timeout(3000)
    slider.focus()
    taken = [key(page, shown) for _ in range(KEYS)]
    page.context.close()
    return ready, kilobytes, statistics.median(taken)


def key(page: Any, shown: Any) -> float:
    """Milliseconds from an arrow key to another picture."""
    look = "(one) => one.dataset.index ?? one.src"
    before, start = shown.evaluate(look), time.perf_counter()
    page.keyboard.press("ArrowLeft")
    while shown.evaluate(look) == before:
        if time.perf_counter() - start > 30:
            raise TimeoutError("no other picture")
    taken = 1e3 * (time.perf_counter() - start)
    page.wait_for_timeout(300)
    return taken


def told(browser: Any, name: str, address: str, picture: str) -> None:
    rows = [visit(browser, address, picture) for _ in range(TIMES)]
    cells = [f"{statistics.median(one):.1f} ({min(one):.1f}-{max(one):.1f})" for one in zip(*rows, strict=True)]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path)
    given = parser.parse_args()
    print("| page | slider and picture, s | kB until then | key to picture, ms |\n|---|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder, lab.browser() as browser:
        with serving.server(given.site, 0) as made:
            threading.Thread(target=made.serve_forever, daemon=True).start()
            told(browser, "the site", f"http://127.0.0.1:{made.server_address[1]}/", "canvas[data-whole='true']")
            made.shutdown()
        notebook = lab.write_notebook(Path(folder, "peer.ipynb"), VOILA)
        voila = [sys.executable, "-m", "voila", str(notebook), "--no-browser", "--port={port}"]
        with lab.started(*voila) as address:
            told(browser, "ipywidgets in Voilà", address, ".jp-OutputArea-output img")
        app = Path(folder, "peer.py")
        app.write_text(MARIMO.format(draw="".join(f"    {line}\n" for line in DRAW.splitlines())))
        run = [sys.executable, "-m", "marimo", "run", str(app), "--headless", "--port={port}", "--no-token"]
        with lab.started(*run) as address:
            told(browser, "marimo", address, "img")


if __name__ == "__main__":
    main()
