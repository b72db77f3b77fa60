"""The same picture dragged in several ways, in JupyterLab and Chromium, the kernel here and 200 ms away.

    python tests/benchmarks/drag.py [--fetched] [way ...]       ways: filmstrip, interact, image, and where installed
                                                                ipympl, plotly, bqplot

--fetched: on a page that has already fetched what draws ipywidgets' sliders; otherwise it has not, but importing
lrlearn makes it do so.

A hand crosses 41 of the slider's 50 steps as fast as the browser takes its moves, in about a second, on a screen with
two pixels for each of the page's, as most laptops and phones have, and for which all ways draw.
Five rounds of all ways in turn; each figure is the median, with the least and the most where they differ.
painted / values: how many of the values that the slider passed were seen as a picture of their own.
settled: how long after the slider's last value the last picture came, both as the page was changed; the browser
shows either in its next frame.
first: from running the cell, which makes its slider too, until its picture is in the page; what it imports was
imported before.
kB: what the server sent and was sent, from running the cell until the drag has settled, a library's scripts included.
"""

import asyncio
import contextlib
import importlib.util
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab
from playwright.sync_api import Page
from tqdm import tqdm

DELAYS = (0, 200)  # ms, there and back together
ROUNDS = 5
MOVES = 41
SETUP = """
import io
import ipywidgets as widgets
import numpy as np
import matplotlib.backends.backend_agg
LIBRARY
gammas = [round(0.5 + 0.01 * step, 2) for step in range(51)]
def rates(gamma):
    return 0.1 * gamma ** np.arange(40)
"""
# imported in the set-up; the others need what is imported there already
LIBRARIES = {
    "filmstrip": "from lrlearn import filmstrip",
    "ipympl": "import matplotlib\nmatplotlib.use('module://ipympl.backend_nbagg')\nimport matplotlib.pyplot as plt",
    "plotly": "import plotly.graph_objects as go\nfrom plotly.subplots import make_subplots",
    "bqplot": "from bqplot import pyplot as bq",
    "interact": "import matplotlib_inline.backend_inline as inline",
}
# in front of every way but ours, which makes its own
SLIDER = """
slider = widgets.FloatSlider(min=0.5, max=1, step=0.01, value=0.75, description="gamma")"""
# what an author would write: two axes, two curves whose data are replaced; at double resolution, as ours
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
    "filmstrip": KERNEL_DRAWN
    + """
filmstrip(draw, gammas, "gamma {}".format, name="gamma", value=0.75)""",
    "interact": KERNEL_DRAWN
    + """
from IPython.display import display
inline.set_matplotlib_formats("retina")
widgets.VBox([slider, widgets.interactive_output(lambda gamma: display(draw(gamma)), {"gamma": slider})])""",
    "image": KERNEL_DRAWN
    + """
image = widgets.Image(format="png", width=900)
def changed(_=None):
    data = io.BytesIO()
    draw(slider.value).savefig(data, dpi=200)
    image.value = data.getvalue()
slider.observe(changed, names="value")
changed()
widgets.VBox([slider, image])""",
    "ipympl": """
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
figures, lines = [], []
for values in (rates(0.75), rates(0.75).cumsum()):
    figures.append(bq.figure(layout={"width": "450px", "height": "350px"}, animation_duration=0))
    lines.append(bq.plot(np.arange(40), values))
def changed(_):
    lines[0].y, lines[1].y = rates(slider.value), rates(slider.value).cumsum()
slider.observe(changed, names="value")
widgets.VBox([slider, widgets.HBox(figures)])""",
}
# A mark of what the picture shows, and when there first was one. An <img> counts once it is decoded.
SEE = """(way) => {
    const image = (area) => {
        const img = area.querySelector("img"), src = img?.src;
        if (src && img.dataset.asked !== src) {
            img.dataset.asked = src;
            img.decode().then(() => (img.dataset.decoded = src), () => {}); // refused once there is a newer one
        }
        return img?.dataset.decoded;
    };
    const paths = (area, which) => [...area.querySelectorAll(which)].map((path) => path.getAttribute("d"));
    const marks = {
        filmstrip: (area) => area.querySelector("canvas")?.dataset.index,
        interact: image,
        image: image,
        ipympl: (area) => area.querySelector("canvas") && window.drawn,
        plotly: (area) => paths(area, "path.js-line").join(),
        bqplot: (area) => paths(area, "path.line")[1], // its two curves move one after the other: both have, then
    };
    if (way === "ipympl") {
        window.drawn = 0;
        const draw = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (...given) {
            window.drawn++;
            return draw.apply(this, given);
        };
    }
    window.area = () =>
        [...document.querySelectorAll(".jp-OutputArea-output")].find((each) => each.querySelector(".noUi-handle"));
    window.seen = () => window.area() && marks[way](window.area());
    const begun = performance.now();
    const wait = () => (window.seen() ? (window.first = performance.now() - begun) : requestAnimationFrame(wait));
    jupyterapp.commands.execute("notebook:run-cell");
    wait();
}"""
# Each animation frame, what the slider says and what the picture shows.
WATCH = """() => {
    const area = window.area(), log = (window.log = { values: [], pictures: [] });
    const readout = area.querySelector(".noUi-handle").closest(".widget-slider").querySelector(".widget-readout");
    new MutationObserver(() => {
        const value = readout.textContent; // noUiSlider rounds its own aria-valuenow to a tenth
        if (log.values.at(-1)?.[1] !== value) log.values.push([performance.now(), value]);
    }).observe(readout, { subtree: true, childList: true, characterData: true });
    const look = () => {
        const picture = window.seen();
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
    const settled = pictures.at(-1)[0] - values.at(-1)[0];
    return { first: window.first, values: values.length, painted: pictures.length - 1, settled };
}"""


@contextlib.contextmanager
def delayed(port: int, delay_ms: float) -> Iterator[tuple[int, list[int]]]:
    """A port on this machine behind which another one seems to be far away; half the delay in each direction.

    Also yields the sizes of what went through it, a list that grows.
    """
    loop, own = asyncio.new_event_loop(), lab.free_port()
    sizes: list[int] = []

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
                sizes.append(len(data))
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
    yield own, sizes

    async def end() -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run_coroutine_threadsafe(end(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def measure(page: Page, address: str, way: str, sizes: list[int]) -> dict[str, float]:
    """Run the way's cell, drag once across the slider and watch."""
    lab.open_notebook(page, address, f"{way}.ipynb")
    lab.command(page, "notebook:run-cell-and-select-next")  # the set-up, which is not measured
    page.wait_for_timeout(1000)
    sizes.clear()
    page.evaluate(SEE, way)
    page.wait_for_function("window.first", timeout=60_000)
    handle = page.locator(".jp-OutputArea-output .noUi-handle").first
    page.wait_for_timeout(3000)
    box, track = handle.bounding_box(), page.locator(".noUi-base").first.bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, y)
    page.mouse.down()
    page.mouse.move(track["x"], y)
    page.wait_for_timeout(2000)
    page.evaluate(WATCH)
    page.mouse.move(track["x"] + track["width"] * MOVES / 50, y, steps=MOVES)
    page.mouse.up()
    page.wait_for_timeout(3000)
    result = page.evaluate(RESULT) | {"kB": sum(sizes) / 1000}
    lab.command(page, "kernelmenu:shutdown")
    return result


def installed(way: str) -> bool:
    return way not in ("ipympl", "plotly", "bqplot") or importlib.util.find_spec(way) is not None


def spread(values: list[float], digits: int = 0) -> str:
    """The median of the rounds, and their range."""
    middle, least, most = (f"{value:.{digits}f}" for value in (median(values), min(values), max(values)))
    return middle if least == most else f"{middle} ({least}–{most})"


def row(way: str, delay: float, rounds: list[dict[str, float]]) -> str:
    shown = spread([seen["painted"] / seen["values"] for seen in rounds], digits=2)
    numbers = [spread([seen[name] for seen in rounds]) for name in ("settled", "first", "kB")]
    return f"| {way} | {delay} | {shown} | {' | '.join(numbers)} |"


def main(arguments: list[str]) -> None:
    setup = SETUP + ("widgets.SliderStyle();" if "--fetched" in arguments else "")
    ways = [way for way in arguments if way != "--fetched"] or [way for way in WAYS if installed(way)]
    print("| way | kernel ms away | painted / values | settled ms | first ms | kB |")
    print("|---|---:|---:|---:|---:|---:|", flush=True)
    with tempfile.TemporaryDirectory() as folder, lab.browser() as browser:
        for way in ways:
            shows = WAYS[way] if way == "filmstrip" else SLIDER + WAYS[way]
            lab.write_notebook(Path(folder, f"{way}.ipynb"), setup.replace("LIBRARY", LIBRARIES.get(way, "")), shows)
        with lab.server(Path(folder)) as address:
            for delay in DELAYS:
                found: dict[str, list] = {way: [] for way in ways}
                with delayed(int(address.rsplit(":", 1)[1]), delay) as (port, sizes):
                    for way in tqdm(ROUNDS * ways, unit="drag", desc=f"{delay} ms away"):
                        page = browser.new_page(viewport={"width": 1300, "height": 1000}, device_scale_factor=2)
                        found[way].append(measure(page, f"http://127.0.0.1:{port}", way, sizes))
                        page.close()
                for way in ways:
                    print(row(way, delay, found[way]), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
