"""How soon a page of the site can be used: `python tests/benchmarks/site.py FOLDER`, a site that was built before.

Chromium emulates a line of 9 Mbit/s and 60 ms. For the front page and lesson 02, with a cold and with a warm cache:
the largest contentful paint, when the first explorer can be dragged, what was transferred until then, the layout shift.
Then how long a further control takes to show its picture, and a first and a second Check to answer. There the server
itself sends at that pace: Chromium does not slow down what a worker fetches. Beside them the same lesson as the single
file of `lrlearn.export`, if ``--page FILE`` names it. Pages of other makers stand in peers.py.
"""

import argparse
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import lab
from line import LINE, slow

from lrlearn import serving

TIMES = 3
# without the policy: with it, no function is waited for
SCREEN: dict[str, Any] = {"viewport": {"width": 1300, "height": 1000}, "bypass_csp": True}
WATCH = """
window.shift = 0;
const watch = (type, take) => {
  new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true });
};
watch("layout-shift", (entry) => (window.shift += entry.value));
watch("largest-contentful-paint", (entry) => (window.paint = entry.startTime));
new MutationObserver(() => {
  if (document.querySelector("canvas[data-index][data-whole='true']")) window.draggable ??= performance.now();
}).observe(document, { subtree: true, childList: true, attributeFilter: ["data-index", "data-whole"] });
"""
TO_IT = "(explorer) => { explorer.closest('details')?.setAttribute('open', ''); explorer.scrollIntoView(); }"
ANSWER = 'from lrlearn.exercises import check\n\ncheck("lr-at-epoch", {})'


class Slow(serving.Handler):
    """The server at the pace of that line."""

    def send_head(self):
        time.sleep(LINE["latency"] / 1000)
        return super().send_head()

    def setup(self):
        super().setup()
        send = self.wfile.write

        def slowly(data):
            for at in range(0, len(data), 16_384):
                part = bytes(data[at : at + 16_384])
                time.sleep(len(part) / LINE["downloadThroughput"])
                send(part)
            return len(data)

        self.wfile.write = slowly


@contextmanager
def served(folder: Path, handler: type | None = None) -> Iterator[str]:
    server = serving.server(folder, 0)
    if handler:
        plain = server.RequestHandlerClass
        server.RequestHandlerClass = lambda *args: handler(*args, **plain.keywords)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()
    server.server_close()


def opened(context, address):
    """What a page costs until its first explorer can be dragged."""
    page = context.new_page()
    page.add_init_script(WATCH)
    received = slow(page)
    page.goto(address, wait_until="domcontentloaded")
    page.locator(".jupyter-widgets").first.evaluate(TO_IT)  # as somebody does who has come for it
    page.wait_for_function("window.draggable", timeout=120_000)
    kilobytes = sum(received) / 1e3
    page.wait_for_timeout(500)
    paint, draggable, shift = page.evaluate("[window.paint, window.draggable, window.shift]")
    page.close()
    return paint / 1e3, draggable / 1e3, kilobytes, shift


def told(name: str, rows: list[tuple]) -> None:
    middle = [statistics.median(column) for column in zip(*rows, strict=True)]
    least, most = ([pick(column) for column in zip(*rows, strict=True)] for pick in (min, max))
    cells = [f"{mid:.3g} ({low:.3g}-{high:.3g})" for mid, low, high in zip(middle, least, most, strict=True)]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def pages_of(browser, address: str, names: list[str]) -> None:
    print("| page | largest paint, s | draggable, s | kB until then | layout shift |\n|---|---:|---:|---:|---:|")
    for name in names:
        cold, warm = [], []
        for _ in range(TIMES):
            context = browser.new_context(**SCREEN)
            cold.append(opened(context, address + name))
            warm.append(opened(context, address + name))
            context.close()
        told(f"{name}, cold", cold)
        told(f"{name}, warm", warm)


def further_control(browser, address: str) -> None:
    """Milliseconds from a key on the number of epochs to its picture."""
    page = browser.new_context(**SCREEN).new_page()
    page.goto(address)
    canvas, taken = page.locator("canvas[data-index]").first, []
    canvas.wait_for(timeout=120_000)
    slow(page)
    page.locator(".noUi-handle").nth(2).focus()
    for key in ("ArrowLeft", "ArrowLeft"):
        before, start = canvas.get_attribute("aria-label"), time.perf_counter()
        page.keyboard.press(key)
        page.wait_for_function("(was) => document.querySelector('canvas').ariaLabel !== was", arg=before)
        taken.append((1e3 * (time.perf_counter() - start),))
    told("further control, ms", taken)


def checks(browser, address: str) -> None:
    page = browser.new_context(**SCREEN).new_page()
    page.goto(address)
    exercise = page.locator(".lrlearn-try-it", has_text="lr-at-epoch")
    page.locator(".celltag_lrlearn-try", has_text="lr-at-epoch").scroll_into_view_if_needed()
    exercise.wait_for(timeout=120_000)
    for at, answer in enumerate(("0.2 * 0.8**5", "0.2 * 0.8**4", "0.2", "0.2 * 0.8**3")):
        exercise.locator(".cm-content").click()
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(ANSWER.format(answer))
        words, start = exercise.locator(".lrlearn-told").inner_text(), time.perf_counter()
        exercise.get_by_role("button", name="Check").click()
        page.wait_for_function(
            "([at, was]) => document.querySelectorAll('.lrlearn-told')[at].innerText !== was",
            arg=[
                page.locator(".lrlearn-try-it").evaluate_all(
                    "(all) => all.findIndex((one) => one.innerText.includes('lr-at-epoch'))"
                ),
                words,
            ],
            timeout=120_000,
        )
        print(f"| {'later' if at else 'first'} Check, s | {time.perf_counter() - start:.2f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path)
    parser.add_argument("--page", type=Path)
    parser.add_argument("--draft", action="store_true", help="of the site, which has no strips for further controls")
    given = parser.parse_args()
    with lab.browser() as browser:
        with served(given.site) as address:
            pages_of(browser, address, ["index.html", "02-formula.html"])
            if not given.draft:
                further_control(browser, address)
        if given.page:
            with served(given.page.parent) as address:
                pages_of(browser, address, [given.page.name])
        for path in given.site.rglob("*"):
            if path.suffix in serving.COMPRESSED:  # as hosts of static files have it ready
                serving.compressed(path, path.stat().st_mtime_ns)
        with served(given.site, Slow) as address:
            checks(browser, f"{address}02-formula.html")
    files = [path.stat().st_size for path in given.site.rglob("*") if path.is_file()]
    html = max(path.stat().st_size for path in given.site.rglob("*.html"))
    print(f"the site: {sum(files) / 1e6:.0f} MB in {len(files)} files; the longest page: {html / 1e3:.0f} kB of HTML")


if __name__ == "__main__":
    main()
