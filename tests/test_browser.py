"""The explorers and lessons in JupyterLab and a real Chromium: a slider that does not move fails here."""

import hashlib
import io
import os
import re
from pathlib import Path

import ipywidgets
import lab
import pytest
from lab import opened, readout, shot
from PIL import Image
from playwright.sync_api import Locator, Page, expect

import lrlearn
from lrlearn.commands import notebooks_under

pytestmark = pytest.mark.browser

NAMES = ["ScheduleExplorer", "DescentExplorer", "WorkedExample", "TrainingExplorer", "SweepExplorer"]
LESSONS = [path.relative_to(lab.ROOT).as_posix() for path in notebooks_under(lab.ROOT / "lessons")]
# what JupyterLab shows in the place of a widget that it cannot draw
BROKEN = ("model not found", "Error displaying widget", "Error creating widget", "Failed to load model")
SLOW = """import time
from matplotlib.figure import Figure
from lrlearn import filmstrip
def draw(value):
    time.sleep(0 if value == 0 else 1)
    figure = Figure(figsize=(7, 1))
    figure.text(0.1 * value, 0.5, str(value))
    return figure
filmstrip(draw, range(6), "number {}".format)"""
CALLBACK = """import ipywidgets
from lrlearn import WorkedExample
box, button = ipywidgets.VBox(), ipywidgets.Button(description="make one")
button.on_click(lambda _: setattr(box, "children", [WorkedExample()]))
ipywidgets.VBox([button, box])"""
PICKED = """import ipywidgets
from matplotlib.figure import Figure
from lrlearn import filmstrip
picker = ipywidgets.Dropdown(options=["short", "a choice with a name that takes many words"], description="choice")
filmstrip(lambda value, choice: Figure(figsize=(7, 1)), [1, 2], lambda value, choice: choice, picker=picker)"""
# How wide a dropdown is, and how wide it would like to be to show any of its choices.
WIDTHS = """(select) => {
    const copy = select.cloneNode(true);
    copy.style.cssText = "flex: none; width: max-content; max-width: none";
    select.parentNode.append(copy);
    const widths = [select, copy].map((each) => each.getBoundingClientRect().width);
    copy.remove();
    return widths;
}"""
# Whenever the picture's mark goes: whether the new picture was there by then.
MARKED = """(explorer) => {
    const canvas = explorer.querySelector("canvas");
    window.unmarked = [];
    new MutationObserver((changes) => {
        const marked = (classes) => classes.includes("lrlearn-stale");
        if (!changes.some((change) => marked(change.oldValue)) || marked(canvas.className)) return;
        window.unmarked.push(canvas.getAttribute("aria-label").includes("logarithmic"));
    }).observe(canvas, { attributeFilter: ["class"], attributeOldValue: true });
}"""
COLOURED = """from matplotlib.figure import Figure
figure = Figure()
ax = figure.subplots()
ax.plot([0, 1], "tab:blue", label="a")
ax.plot([1, 0], "tab:red", label="b")
ax.set_title("yield")
figure"""
PATIENCE = int(os.environ.get("LRLEARN_PATIENCE", "60"))  # seconds; the tests of the tests have less of it
PIXELS = """async (canvas) => {
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    return [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}"""


@pytest.fixture(scope="module")
def folder(lab_folder):
    folder = lab_folder
    lab.write_notebook(folder / "explorers.ipynb", "from lrlearn import *", *[f"{name}()" for name in NAMES])
    lab.write_notebook(
        folder / "one.ipynb",
        "import asyncio\nfrom lrlearn import ScheduleExplorer\nexplorer = ScheduleExplorer()\nexplorer",
        "explorer",
        "later = asyncio.get_running_loop().call_later(3, setattr, explorer.slider, 'value', 0.6)",
    )
    lab.write_notebook(folder / "slow.ipynb", SLOW)
    lab.write_notebook(folder / "callback.ipynb", CALLBACK)
    lab.write_notebook(folder / "picked.ipynb", PICKED)
    lab.write_notebook(folder / "imported.ipynb", "from lrlearn import WorkedExample", "WorkedExample()")
    return folder


@pytest.fixture(scope="module")
def server(folder, lab_server):
    return lab_server


def assert_quiet(log: str) -> None:
    """No callback raised in a kernel, and no kernel drew a picture that needs colours."""
    raised = lab.exceptions(log)
    assert not raised, raised[0][:2000]
    assert not lab.by_colour(log)


@pytest.fixture(scope="module")
def page(browser, server):
    """The notebook with one explorer of each kind, executed."""
    page = opened(browser, server, "explorers.ipynb")
    yield page
    page.close()


@pytest.fixture(params=NAMES)
def explorer(request, page):
    explorer = lab.explorers(page).nth(NAMES.index(request.param))
    explorer.scroll_into_view_if_needed()
    return explorer


@pytest.fixture
def reference(request, explorer):
    """The same explorer, without a browser."""
    return getattr(lrlearn, request.node.callspec.params["explorer"])()


@pytest.fixture(scope="module")
def one(browser, server):
    """A notebook with two views of one explorer, executed."""
    page = opened(browser, server, "one.ipynb")
    yield page
    page.close()


def assert_shown(explorer: Locator, reference: lrlearn.filmstrip) -> None:
    """In the end the canvas shows, pixel by pixel, the picture of what the sliders say, and says so."""
    for _ in range(2 * PATIENCE):  # a strip may be on its way, and reading a canvas back may lag behind the drawing
        if not (wrong := what_is_wrong(explorer, reference)):
            return
        explorer.page.wait_for_timeout(500)
    raise AssertionError(wrong)


def what_is_wrong(explorer: Locator, reference: lrlearn.filmstrip) -> str:
    """What keeps the picture from being the one of what the sliders say; empty if nothing does."""
    canvas = lab.canvas(explorer)
    if lab.stale(explorer):
        return "the picture is marked as not current"
    for row, slider in enumerate([reference.slider, *reference.controls.values()]):
        if isinstance(slider, ipywidgets.ToggleButtons):
            continue
        if hasattr(slider, "options"):
            slider.index = [label for label, _ in slider.options].index(readout(explorer, row))
        elif hasattr(slider, "readout_format"):
            slider.value = float(readout(explorer, row))
    index = min(range(len(reference.values)), key=lambda at: abs(reference.values[at] - reference.slider.value))
    if canvas.get_attribute("data-index") != str(index):
        return f"picture {canvas.get_attribute('data-index')} is shown, not {index}"
    if canvas.get_attribute("aria-label") != reference.description:
        return f"it says {canvas.get_attribute('aria-label')!r}, not {reference.description!r}"
    picture = Image.open(io.BytesIO(reference.png)).convert("RGBA")
    same = canvas.evaluate(PIXELS) == hashlib.sha256(picture.tobytes()).hexdigest()
    return "" if same else "its pixels are not those of the picture"


def assert_healthy(page: Page) -> None:
    """Every cell ran without an exception, and every widget is there."""
    errors = page.locator("[data-mime-type='application/vnd.jupyter.error']").all_inner_texts()
    assert not errors, errors[0]
    for words in BROKEN:
        expect(page.get_by_text(words)).to_have_count(0)


def test_dragging_with_the_mouse_shows_the_last_picture(page, explorer, reference, request):
    assert_healthy(page)
    before = lab.canvas(explorer).evaluate(PIXELS)
    for to in (0.95, 0.3):
        lab.drag(page, explorer, to)
        assert_shown(explorer, reference)
        assert lab.canvas(explorer).evaluate(PIXELS) != before
    shot(request.node.callspec.params["explorer"], explorer)


def test_each_arrow_key_moves_one_step(page, explorer, reference):
    lab.drag(page, explorer, 0.5)
    start = int(lab.canvas(explorer).get_attribute("data-index"))
    lab.handle(explorer).focus()
    for moved, key in ((1, "ArrowRight"), (2, "ArrowRight"), (1, "ArrowLeft")):
        page.keyboard.press(key)
        expect(lab.canvas(explorer)).to_have_attribute("data-index", str(start + moved))
    for key, last in (("Home", 0), ("End", len(reference.values) - 1)):
        page.keyboard.press(key)
        expect(lab.canvas(explorer)).to_have_attribute("data-index", str(last))
    assert_shown(explorer, reference)


def test_every_slider_has_a_name_and_speaks_its_value(page, explorer, reference):
    for row, name in enumerate([reference._name, *reference.controls]):
        if not explorer.locator(".noUi-handle").nth(row).count():
            continue  # two buttons
        lab.handle(explorer, row).focus()
        page.keyboard.press("ArrowLeft")
        expect(lab.handle(explorer, row)).to_have_attribute("aria-label", name)
        expect(lab.handle(explorer, row)).to_have_attribute("aria-valuetext", f"{name} {readout(explorer, row)}")
    assert_shown(explorer, reference)


def test_the_last_of_quick_changes_wins(page, explorer, reference):
    for row in range(1, explorer.locator(".noUi-handle").count()):
        lab.drag(page, explorer, 0.8, row, steps=5)
        lab.drag(page, explorer, 0.3, row, steps=5)
        lab.drag(page, explorer, 0.7)  # the main slider meanwhile
    assert_shown(explorer, reference)


def test_a_further_control_is_marked_until_its_picture_is_there(page):
    explorer = lab.explorers(page).first
    expect(lab.canvas(explorer)).to_have_attribute("data-whole", "true", timeout=PATIENCE * 1000)
    explorer.evaluate(MARKED)
    explorer.get_by_role("button", name="logarithmic").click()
    expect(explorer.locator(".lrlearn-notice")).to_have_text("Drawing for the new settings ...")
    expect(lab.canvas(explorer)).to_have_attribute(
        "aria-label", re.compile("On the logarithmic axis"), timeout=PATIENCE * 1000
    )
    expect(explorer.locator(".lrlearn-notice")).to_be_empty()
    assert page.evaluate("window.unmarked") == [True], "an old picture counts as current until the new one is painted"
    explorer.get_by_role("button", name="linear").click()


def test_the_first_picture_is_there_before_the_others_are_drawn(browser, server):
    page = opened(browser, server, "slow.ipynb", run=False)
    page.evaluate("() => void jupyterapp.commands.execute('notebook:run-cell')")
    explorer = lab.explorers(page).first
    expect(lab.canvas(explorer)).to_have_attribute("data-index", "0")
    expect(lab.canvas(explorer)).to_have_attribute("data-whole", "false")
    assert not lab.stale(explorer)
    lab.drag(page, explorer, 0.8)
    expect(explorer.locator(".lrlearn-notice")).to_have_text("The other pictures are being drawn.")
    assert lab.stale(explorer)
    expect(lab.canvas(explorer)).to_have_attribute("data-index", "4")
    expect(explorer.locator(".lrlearn-notice")).to_be_empty()
    expect(lab.canvas(explorer)).to_have_attribute("aria-label", "number 4")
    page.close()


def test_what_draws_a_slider_was_fetched_when_lrlearn_was_imported(browser, server):
    page = opened(browser, server, "imported.ipynb", run=False)
    with page.expect_event("requestfinished", lambda request: "/jupyterlab-manager/" in request.url):
        lab.command(page, "notebook:run-cell-and-select-next")
    page.wait_for_timeout(1000)
    page.route("**/lab/extensions/**", lambda route: route.abort())
    lab.command(page, "notebook:run-cell")
    lab.drag(page, lab.explorers(page).first, 1)
    assert_shown(lab.explorers(page).first, lrlearn.WorkedExample())
    assert_healthy(page)
    page.close()


def test_a_dropdown_is_wide_enough_for_its_longest_choice(browser, server):
    page = opened(browser, server, "picked.ipynb")
    is_wide, wants = lab.explorers(page).locator("select").evaluate(WIDTHS)
    assert 150 < wants <= is_wide
    page.close()


@pytest.mark.parametrize(
    ("typed", "shown", "says"),
    [
        ("0,85", "0.85", ""),
        ("75 %", "0.75", ""),
        (".65", "0.65", ""),
        (" 0.8 ", "0.80", ""),
        ("much", "0.80", "gamma stays 0.8: “much” is not a number."),
        ("2", "0.80", "gamma stays 0.8: 2 is not between 0.5 and 1."),
        ("85", "0.80", "gamma stays 0.8: 85 is not between 0.5 and 1."),
        ("0.713", "0.71", "gamma is 0.71: it moves in steps of 0.01, and there is no 0.713."),
    ],
)
@pytest.mark.parametrize("by", ["Enter", "Tab"])
def test_what_is_typed_is_understood_or_refused_in_words(page, typed, shown, says, by):
    explorer = lab.explorers(page).first
    canvas = lab.canvas(explorer)  # another test may have changed a further control
    expect(canvas).not_to_have_class(re.compile("lrlearn-stale"), timeout=PATIENCE * 1000)
    number = explorer.locator(".widget-readout").first

    def enter(text, key):
        number.click()
        page.keyboard.press("Control+a")
        page.keyboard.type(text)
        page.keyboard.press(key)
        page.wait_for_timeout(500)

    for _ in range(10):  # an answer of the kernel to the test before may still be on its way, and sets the slider back
        enter("0.8", "Enter")
        if number.inner_text() == "0.80":
            break
    enter(typed, by)
    expect(number).to_have_text(shown)
    expect(explorer.locator(".lrlearn-notice")).to_have_text(says)


def test_an_explorer_scrolls_by_no_pixel_of_its_own(browser, server, page):
    lab.command(page, "docmanager:save")
    with lab.launched(browser.browser_type, ignore_default_args=["--hide-scrollbars"]) as other:
        seen = opened(other, server, "explorers.ipynb", run=False)
        for explorer in lab.explorers(seen).all():
            lab.canvas(explorer).and_(seen.locator("[data-index]")).wait_for()
            over = explorer.evaluate("e => [e.scrollHeight - e.clientHeight, e.scrollWidth - e.clientWidth]")
            assert over == [0, 0]


def test_a_notebook_opened_again_shows_its_last_pictures(browser, folder):
    """Another server, another day: JupyterLab has nothing but an error for the sliders."""
    lab.write_notebook(folder / "tomorrow.ipynb", "from lrlearn import *", "WorkedExample()", "WorkedExample(0.2)")
    with lab.server(folder) as address:
        page = opened(browser, address, "tomorrow.ipynb")
        explorer = lab.explorers(page).first
        expect(page.locator(".jp-RenderedImage img")).to_have_count(2)
        assert not any(image.is_visible() for image in page.locator(".jp-RenderedImage img").all())
        lab.drag(page, explorer, 0.5)
        last, moved = float(readout(explorer)), lrlearn.WorkedExample()
        moved.slider.value = last
        kept = moved._kept_picture()[0]["image/png"]
        expect(page.locator(".jp-RenderedImage img").first).to_have_attribute("src", f"data:image/png;base64,{kept}")
        lab.command(page, "docmanager:save")
        page.close()
    with lab.server(folder) as address:
        page = opened(browser, address, "tomorrow.ipynb", run=False)
        images = page.locator(".jp-RenderedImage img")
        expect(images).to_have_count(2)
        for image in images.all():
            expect(image).to_be_visible()
        expect(images.first).to_have_attribute("src", f"data:image/png;base64,{kept}")
        shot("tomorrow", page)
        lab.run_all(page)
        lab.drag(page, lab.explorers(page).first, 1)
        assert_shown(lab.explorers(page).first, lrlearn.WorkedExample())
        expect(images.first).to_be_hidden()
        page.close()


def test_what_a_callback_makes_is_finished_without_another_cell(browser, server):
    page = opened(browser, server, "callback.ipynb")
    page.get_by_role("button", name="make one").click()
    canvas = lab.canvas(lab.explorers(page).first)
    expect(canvas).to_have_attribute("data-whole", "true", timeout=PATIENCE * 1000)
    lab.drag(page, lab.explorers(page).first, 1)
    assert_shown(lab.explorers(page).first, lrlearn.WorkedExample())
    page.close()


def test_two_views_of_one_explorer_agree(one):
    first, second = (lab.explorers(one).nth(at) for at in (0, 1))
    for moved, to in ((first, 0.2), (second, 0.7)):
        lab.drag(one, moved, to)
        for view in (first, second):
            assert_shown(view, lrlearn.ScheduleExplorer())
            expect(lab.handle(view)).to_have_attribute("aria-valuetext", f"gamma {readout(moved)}")


def test_a_hidden_notebook_is_up_to_date_when_it_is_seen_again(one):
    lab.run_all(one)
    lab.command(one, "launcher:create")
    expect(lab.canvas(lab.explorers(one).first)).to_be_hidden()
    one.wait_for_timeout(3500)
    one.get_by_role("tab", name="one.ipynb").click()
    for at in (0, 1):
        expect(lab.canvas(lab.explorers(one).nth(at))).to_have_attribute("data-index", "10")
        assert_shown(lab.explorers(one).nth(at), lrlearn.ScheduleExplorer())


def test_a_cell_run_again_and_a_reloaded_page_still_drag(one):
    lab.run_all(one)
    assert lab.explorers(one).count() == 2
    # the explorer of the run before is gone: all else lives
    lab.explorers(one).first.get_by_role("button", name="logarithmic").click()
    expect(lab.canvas(lab.explorers(one).nth(1))).to_have_attribute(
        "aria-label", re.compile("logarithmic axis"), timeout=PATIENCE * 1000
    )
    lab.explorers(one).first.get_by_role("button", name="linear").click()
    lab.drag(one, lab.explorers(one).first, 0.4)
    assert_shown(lab.explorers(one).nth(1), lrlearn.ScheduleExplorer())
    lab.command(one, "docmanager:save")
    one.reload()
    lab.canvas(lab.explorers(one).nth(1)).wait_for()
    assert_healthy(one)
    lab.drag(one, lab.explorers(one).first, 0.8)
    assert_shown(lab.explorers(one).first, lrlearn.ScheduleExplorer())


def test_without_its_kernel_the_main_slider_drags_and_other_changes_are_marked(one):
    lab.command(one, "kernelmenu:shutdown")
    one.get_by_text("No Kernel").first.wait_for()
    explorer, reference = lab.explorers(one).first, lrlearn.ScheduleExplorer()
    lab.drag(one, explorer, 0.3)
    assert_shown(explorer, reference)
    lab.handle(explorer, 1).focus()
    one.keyboard.press("ArrowRight")
    expect(lab.canvas(explorer)).to_have_class("lrlearn-filmstrip lrlearn-stale")
    expect(explorer.locator(".lrlearn-notice")).to_contain_text("not current")
    shot("not-current", explorer)
    one.keyboard.press("ArrowLeft")
    assert_shown(explorer, reference)


def test_dark_theme_and_narrow_window(page):
    explorer = lab.explorers(page).nth(3)
    lab.command(page, "apputils:change-theme", theme="JupyterLab Dark")
    page.locator("body[data-jp-theme-light=false]").wait_for(state="attached")
    explorer.scroll_into_view_if_needed()
    page.locator("#jupyterlab-splash").wait_for(state="detached")
    shot("dark", page)
    red, green, blue, alpha = lab.canvas(explorer).evaluate(
        "c => [...c.getContext('2d').getImageData(3, 3, 1, 1).data]"
    )
    assert alpha == 255 and min(red, green, blue) >= 250, "opaque, and white but for the palette's rounding"
    page.set_viewport_size({"width": 600, "height": 800})
    page.wait_for_timeout(500)
    shot("beside-the-files", page)
    tracks = [track.bounding_box()["width"] for track in explorer.locator(".noUi-target").all()]
    assert min(tracks) >= 150, f"a hand must find every position of every slider: {tracks}"
    lab.command(page, "apputils:change-theme", theme="JupyterLab Light")


@pytest.fixture(scope="module")
def phone(browser, server, page):
    """The notebook with one explorer of each kind once more, under a finger; each test gives it a width."""
    lab.command(page, "docmanager:save")
    context = browser.new_context(viewport={"width": 1300, "height": 1000}, has_touch=True, is_mobile=True)
    phone = context.new_page()
    phone.set_default_timeout(15_000)
    lab.open_notebook(phone, server, "explorers.ipynb")
    if phone.locator("#jp-left-stack").is_visible():
        lab.command(phone, "application:toggle-left-area")
    yield phone
    context.close()


@pytest.mark.parametrize("width", [420, 390])
def test_on_a_phone_panels_stand_below_one_another(phone, reference, request, width):
    name = request.node.callspec.params["explorer"]
    phone.set_viewport_size({"width": width, "height": 844})
    explorer = lab.explorers(phone).nth(NAMES.index(name))
    explorer.scroll_into_view_if_needed()
    lab.canvas(explorer).and_(phone.locator("[data-index]")).wait_for()
    expect(lab.canvas(explorer)).to_have_class(re.compile("lrlearn-stacked"))
    frame, canvas = explorer.locator(".lrlearn-frame"), lab.canvas(explorer)
    assert frame.evaluate("frame => frame.scrollWidth - frame.clientWidth") == 0
    panels = len(reference._film.strip["panels"]) + 1
    assert (
        panels >= 2
        and canvas.evaluate("canvas => canvas.height") == panels * Image.open(io.BytesIO(reference.png)).height
    )
    smallest = "handles => Math.min(...handles.flatMap((one) => [one.offsetWidth, one.offsetHeight]))"
    assert explorer.locator(".noUi-handle").evaluate_all(smallest) >= 24
    shot(f"phone-{width}-{name}", explorer)
    before = lab.readout(explorer)
    lab.swipe(phone, explorer.locator(".noUi-target").first, 0, -150)
    assert lab.readout(explorer) == before, "a swipe past an explorer changes nothing"
    reached = set()  # the first may end where the slider was
    for across in (60, -60):
        lab.swipe(phone, explorer.locator(".noUi-target").first, across, 3)
        reached.add(lab.readout(explorer))
    assert len(reached) == 2


@pytest.mark.parametrize("lesson", LESSONS)
def test_lesson_runs_and_its_sliders_move(browser, server, folder, lab_log, runs, lesson):
    said_before = len(lab_log.read_text())
    page = opened(browser, server, lesson)
    assert_healthy(page)
    for explorer in lab.explorers(page).all():
        canvas, pixels = lab.canvas(explorer), set()
        canvas.wait_for()
        lab.drag(page, explorer, 0.9, steps=5)
        pixels.add(canvas.evaluate(PIXELS))
        lab.drag(page, explorer, -0.1, steps=5)
        expect(canvas).to_have_attribute("data-index", "0")
        pixels.add(canvas.evaluate(PIXELS))
        lab.handle(explorer).focus()
        page.keyboard.press("ArrowRight")
        expect(canvas).to_have_attribute("data-index", "1")
        assert len(pixels) == 2, "dragging must change the picture"
        assert_healthy(page)
    shot(Path(lesson).stem, page)
    lab.save_with_widgets(page)
    page.close()
    assert_quiet(lab_log.read_text()[said_before:])
    runs[lab.ROOT / lesson] = folder / lesson


def test_no_callback_raised_in_any_kernel(lab_log):
    assert_quiet(lab_log.read_text())


def test_a_picture_that_needs_colours_is_found(browser, tmp_path):
    lab.write_notebook(tmp_path / "pale.ipynb", COLOURED)
    with lab.server(tmp_path, tmp_path / "log") as address:
        opened(browser, address, "pale.ipynb").close()
    assert lab.by_colour((tmp_path / "log").read_text()) == ["yield: a and b, ['greyscale']"]


def test_exceptions_are_found_in_a_log_but_for_the_servers_own():
    listing = "[E 12 ServerApp] Uncaught\n    Traceback\n    The 'last_activity' trait of a ServerKernelManager\n"
    ours = "A CALLBACK RAISED\nZeroDivisionError\n"
    kernels = "[IPKernelApp] ERROR | Exception\nTraceback\n"
    assert lab.exceptions(f"[I 11 ServerApp] fine\n{listing}[W 13 ServerApp] fine\n") == []
    assert lab.exceptions(f"{listing}{ours}[I 14 ServerApp] fine\n") == [ours]
    assert lab.exceptions(f"{listing}{kernels}") == [kernels]
