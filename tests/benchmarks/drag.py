"""The same picture dragged in several ways, in JupyterLab and Chromium, the kernel here and 200 ms away.

    python tests/benchmarks/drag.py [way ...]        ways: filmstrip, interact, image, and where installed ipympl,
                                                     plotly, bqplot

painted / values: how many of the values that the slider passed were seen as a picture of their own.
settled: how long after the slider's last value the last picture came, both as the page was changed; the browser
shows either in its next frame.
"""

import asyncio
import contextlib
import importlib.util
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab
from playwright.sync_api import Page

DELAYS = (0, 200)  # ms, there and back together
MOVES, EVERY_MS = 41, 33  # a hand that crosses the slider in 1.4 s
SETUP = """
import io
import ipywidgets as widgets
import numpy as np
from lrlearn import plots
gammas = [round(0.5 + 0.01 * step, 2) for step in range(51)]
slider = widgets.FloatSlider(min=0.5, max=1, step=0.01, value=0.75, description="gamma")
def rates(gamma):
    return 0.1 * gamma ** np.arange(40)
"""
# what an author would write: two axes, two curves whose data are replaced; ours shows more (half-life, limit, bands)
KERNEL_DRAWN = """
from matplotlib.figure import Figure
figure = Figure(figsize=(9, 3.5))
left, right = figure.subplots(1, 2)
(curve,), (total,) = left.plot(rates(0.75)), right.plot(rates(0.75).cumsum())
right.set_ylim(0, 4.3)
def draw(gamma):
    curve.set_ydata(rates(gamma))
    total.set_ydata(rates(gamma).cumsum())
    return figure
"""
# the last line of each shows the slider and the picture; "seen" below finds the picture in the page
WAYS = {
    "filmstrip": "from lrlearn import ScheduleExplorer\nScheduleExplorer(gamma=0.75)",
    "interact": KERNEL_DRAWN
    + """
from IPython.display import display
import matplotlib_inline.backend_inline as inline
inline.set_matplotlib_formats("png")
widgets.VBox([slider, widgets.interactive_output(lambda gamma: display(draw(gamma)), {"gamma": slider})])""",
    "image": KERNEL_DRAWN
    + """
image = widgets.Image(format="png", width=900)
def changed(_=None):
    data = io.BytesIO()
    draw(slider.value).savefig(data, dpi=100)
    image.value = data.getvalue()
slider.observe(changed, names="value")
changed()
widgets.VBox([slider, image])""",
    "ipympl": """
import matplotlib
matplotlib.use("module://ipympl.backend_nbagg")
import matplotlib.pyplot as plt
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5))
(curve,), (total,) = left.plot(rates(0.75)), right.plot(rates(0.75).cumsum())
right.set_ylim(0, 4.3)
def changed(_):
    curve.set_ydata(rates(slider.value))
    total.set_ydata(rates(slider.value).cumsum())
    figure.canvas.draw_idle()
slider.observe(changed, names="value")
widgets.VBox([slider, figure.canvas])""",
    "plotly": """
import plotly.graph_objects as go
from plotly.subplots import make_subplots
figure = go.FigureWidget(make_subplots(1, 2))
figure.add_scatter(y=rates(0.75), row=1, col=1)
figure.add_scatter(y=rates(0.75).cumsum(), row=1, col=2)
figure.update_layout(width=900, height=350)
def changed(_):
    with figure.batch_update():
        figure.data[0].y = rates(slider.value)
        figure.data[1].y = rates(slider.value).cumsum()
slider.observe(changed, names="value")
widgets.VBox([slider, figure])""",
    "bqplot": """
from bqplot import pyplot as bq
figures, lines = [], []
for values in (rates(0.75), rates(0.75).cumsum()):
    figures.append(bq.figure(layout={"width": "450px", "height": "350px"}, animation_duration=0))
    lines.append(bq.plot(np.arange(40), values))
def changed(_):
    lines[0].y, lines[1].y = rates(slider.value), rates(slider.value).cumsum()
slider.observe(changed, names="value")
widgets.VBox([slider, widgets.HBox(figures)])""",
}
# Each animation frame, what the slider says and a mark of what the picture shows. An <img> counts once it is decoded.
WATCH = """(way) => {
    const area = [...document.querySelectorAll(".jp-OutputArea-output")].find((e) => e.querySelector(".noUi-handle"));
    const seen = {
        filmstrip: () => area.querySelector("canvas")?.dataset.index,
        interact: () => { const i = area.querySelector("img"); return i?.complete && i.naturalWidth ? i.src : null; },
        image: () => { const i = area.querySelector("img"); return i?.complete && i.naturalWidth ? i.src : null; },
        ipympl: () => { const c = area.querySelector("canvas"); return c && area.drawn; },
        plotly: () => [...area.querySelectorAll("path.js-line")].map((p) => p.getAttribute("d")).join(),
        bqplot: () => [...area.querySelectorAll("path.line")].map((p) => p.getAttribute("d")).join(),
    }[way];
    if (way === "ipympl") {
        area.drawn = 0;
        const draw = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (...given) {
            area.drawn++;
            return draw.apply(this, given);
        };
    }
    const log = (window.log = { values: [], pictures: [] });
    const handle = area.querySelector(".noUi-handle");
    const readout = handle.closest(".widget-slider").querySelector(".widget-readout");
    new MutationObserver(() => {
        const value = readout.textContent; // noUiSlider rounds its own aria-valuenow to a tenth
        if (log.values.at(-1)?.[1] !== value) log.values.push([performance.now(), value]);
    }).observe(readout, { subtree: true, childList: true, characterData: true });
    const look = () => {
        const picture = seen();
        // the time is that of the change's frame: the one in which the browser shows it
        if (picture && log.pictures.at(-1)?.[1] !== picture) log.pictures.push([performance.now(), picture]);
    };
    look();
    new MutationObserver(look).observe(area, { subtree: true, childList: true, attributes: true });
    area.addEventListener("load", look, true);
    const frame = () => { look(); requestAnimationFrame(frame); };
    frame();
    log.pictures.length = 1;
}"""
RESULT = """() => {
    const { values, pictures } = window.log;
    const [last] = values.at(-1);
    return { values: values.length, painted: pictures.length - 1, settled: pictures.at(-1)[0] - last };
}"""


@contextlib.contextmanager
def delayed(port: int, delay_ms: float) -> Iterator[int]:
    """A port on this machine behind which another one seems to be far away; half the delay in each direction."""
    loop, own = asyncio.new_event_loop(), lab.free_port()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        waiting: asyncio.Queue = asyncio.Queue()

        async def deliver() -> None:
            while True:
                due, data = await waiting.get()
                await asyncio.sleep(max(0, due - loop.time()))
                if not data:
                    return writer.close()
                writer.write(data)

        delivery = loop.create_task(deliver())
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                waiting.put_nowait((loop.time() + delay_ms / 2000, data))
        waiting.put_nowait((loop.time() + delay_ms / 2000, b""))
        await delivery

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))

    thread = threading.Thread(target=loop.run_forever, daemon=True)  # this thread's loop is Playwright's
    thread.start()
    asyncio.run_coroutine_threadsafe(asyncio.start_server(connect, "127.0.0.1", own), loop).result()
    yield own

    async def end() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def measure(page: Page, address: str, way: str) -> dict[str, float]:
    """Drag once across the slider and watch."""
    lab.open_notebook(page, address, f"{way}.ipynb")
    lab.run_all(page)
    handle = page.locator(".jp-OutputArea-output .noUi-handle").first
    handle.wait_for()
    page.wait_for_timeout(3000)
    box, track = handle.bounding_box(), page.locator(".noUi-base").first.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(track["x"], y)
    page.wait_for_timeout(2000)
    page.evaluate(WATCH, way)
    for move in range(1, MOVES + 1):
        page.mouse.move(track["x"] + track["width"] * move / 50, y)
        page.wait_for_timeout(EVERY_MS)
    page.mouse.up()
    page.wait_for_timeout(3000)
    result = page.evaluate(RESULT)
    lab.command(page, "kernelmenu:shutdown")
    return result


def installed(way: str) -> bool:
    return way not in ("ipympl", "plotly", "bqplot") or importlib.util.find_spec(way) is not None


def main(ways: list[str]) -> None:
    ways = ways or [way for way in WAYS if installed(way)]
    print(f"{'way':12}{'kernel ms away':>15}{'values':>8}{'painted':>9}{'ratio':>7}{'settled ms':>12}")
    with tempfile.TemporaryDirectory() as folder, lab.browser() as browser:
        for way in ways:
            lab.write_notebook(Path(folder, f"{way}.ipynb"), SETUP, WAYS[way])
        with lab.server(Path(folder)) as address:
            for delay in DELAYS:
                with delayed(int(address.rsplit(":", 1)[1]), delay) as port:
                    for way in ways:
                        page = browser.new_page(viewport={"width": 1300, "height": 1000})
                        seen = measure(page, f"http://127.0.0.1:{port}", way)
                        page.close()
                        ratio = seen["painted"] / seen["values"]
                        line = f"{seen['values']:8}{seen['painted']:9}{ratio:7.2f}{seen['settled']:12.1f}"
                        print(f"{way:12}{delay:15}{line}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
