"""The moving picture of the README: lesson 04's explorer, dragged in a real JupyterLab and filmed.

    python tests/film_a_drag.py

Writes .github/drag.webp. Needs Chromium; run it again when the explorer looks different.
"""

import io
import sys
import tempfile
from pathlib import Path

import lab
from PIL import Image
from playwright.sync_api import Locator, Page, expect

TARGET = lab.ROOT / ".github/drag.webp"
LIMIT = 1_500_000  # bytes: whoever opens the README waits for them
CELL = "from lrlearn import TrainingExplorer\n\nTrainingExplorer(initial_lr=0.1, gamma=0.5)"
THERE_AND_BACK = [*range(51), *range(49, -1, -1)]  # of the 51 positions of the slider
PACE, REST = 70, 900  # milliseconds that a picture is shown, and that the hand rests at either end
TIMES = 3  # then it stands still: what moves for ever beside a text keeps many from reading it
# a screenshot has no mouse pointer
POINTER = """
const hand = document.createElement("div");
hand.style = "position: fixed; z-index: 9999; pointer-events: none; width: 22px; height: 22px; border-radius: 50%;" +
    "transform: translate(-50%, -50%); background: #0004; border: 2px solid #000";
document.body.append(hand);
addEventListener("mousemove", (e) => { hand.style.left = e.clientX + "px"; hand.style.top = e.clientY + "px"; }, true);
"""


def film(page: Page, explorer: Locator) -> list[Image.Image]:
    """One picture for each position of the slider on the way there and back, the mouse held down all the time."""
    page.evaluate(POINTER)
    track, grip = explorer.locator(".noUi-base").first.bounding_box(), lab.handle(explorer).bounding_box()
    y = grip["y"] + grip["height"] / 2
    # sliders and picture; the words under it take one line or two
    top, bottom = explorer.bounding_box(), lab.canvas(explorer).bounding_box()
    seen = top | {"height": bottom["y"] + bottom["height"] - top["y"]}
    page.mouse.move(grip["x"] + grip["width"] / 2, y)
    page.mouse.down()
    pictures = []
    for position in THERE_AND_BACK:
        page.mouse.move(track["x"] + track["width"] * position / max(THERE_AND_BACK), y)
        expect(lab.canvas(explorer)).to_have_attribute("data-index", str(position))
        pictures.append(Image.open(io.BytesIO(page.screenshot(clip=seen))).convert("RGB"))
    page.mouse.up()
    return pictures


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, lab.browser() as browser, lab.server(Path(folder)) as address:
        lab.write_notebook(Path(folder, "drag.ipynb"), CELL)
        page = lab.opened(browser, address, "drag.ipynb")
        explorer = lab.explorers(page).first
        expect(lab.canvas(explorer)).to_have_attribute("data-whole", "true", timeout=60_000)
        pictures = film(page, explorer)
    ends = 0, max(THERE_AND_BACK)
    pace = [REST if position in ends else PACE for position in THERE_AND_BACK]
    first, *rest = pictures
    first.save(
        TARGET, save_all=True, append_images=rest, duration=pace, loop=TIMES, lossless=True, quality=90, method=6
    )
    print(f"{TARGET.relative_to(lab.ROOT)}: {len(pictures)} pictures, {TARGET.stat().st_size / 1e6:.2f} MB")
    if TARGET.stat().st_size > LIMIT:
        sys.exit(f"more than {LIMIT / 1e6} MB")


if __name__ == "__main__":
    main()
