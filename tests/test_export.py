"""Pages without a kernel: opened from a file in a real Chromium, offline, every request refused and written down.

What of a notebook gets into a page, and how the command ends when something is wrong, is in test_pages.py.
"""

import base64
import hashlib
import io
import re

import lab
import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from bs4 import BeautifulSoup
from fetching import from_npm
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from playwright.sync_api import Page, expect
from refresh_lessons import lessons
from test_browser import PIXELS

import lrlearn
from lrlearn import export, markup, pages

in_browser = pytest.mark.browser
LESSONS = lessons()
PICTURE = (
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAIAQAAAADsdIMmAAAAEUlEQVR4nGNg+M/AAMH/GSAYAA/4A/3Yp2BDAAAAAElFTkSuQmCC"  # 8 x 8
)
PROSE = r"""# Every kind of thing & <more>

Inline $\gamma < 1$ and $\mathrm{lr}_e$, a price of \$5 and \$6, code `$x$`, [a page](folder/other.ipynb#two),
[a file](data.csv), [a section](#two), [elsewhere](https://example.org/a?b=1&c=2).

$$\mathrm{lr}_e = \mathrm{lr}_{\mathrm{initial}} \cdot \gamma^{\,e}$$

<details><summary>What is $a &lt; b$?</summary>

Folded away, with *words* and $x^2$.

</details>

![A square, half of it black](square.png)

## Two

\begin{equation}\sum_{e=0}^{\infty} \gamma^e\end{equation}
"""
EXPLORER = "from lrlearn import ScheduleExplorer\n\nScheduleExplorer()"


def notebook(path, *cells):
    """Write a notebook: text that starts like Markdown, anything else as code; a slide begins at each heading."""
    made = []
    for text in cells:
        prose = text.startswith(("#", "\n"))
        cell = (nbformat.v4.new_markdown_cell if prose else nbformat.v4.new_code_cell)(text)
        cell.metadata["slideshow"] = {"slide_type": "slide" if prose else "-"}
        made.append(cell)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel}), path)
    return path


def folded(path):
    """Mark every cell's outputs as folded, as the lessons do where a prediction comes first."""
    made = nbformat.read(path, as_version=4)
    for cell in made.cells:
        cell.metadata["jupyter"] = {"outputs_hidden": True}
    nbformat.write(made, path)


# Formulas and commands: neither a browser nor a network


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_formula_of_the_lessons_is_mathematics(path):
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "markdown":
            continue
        shown = markup.Markup(path, {})
        page = BeautifulSoup(shown.from_markdown(cell.source, cell.get("attachments")), "html.parser")
        assert shown.lost == []
        for code in page.select("code, pre"):
            code.extract()
        assert "$" not in page.text and "\\" not in page.text, page.text
        assert all(formula.text.strip() for formula in page.select("math"))


@given(st.integers(0, 999), st.sampled_from(["0.9", "12.5", "7"]), st.sampled_from("abcehnrxy"))
def test_a_formula_keeps_its_numbers_and_letters(number, base, letter):
    formula = BeautifulSoup(markup.mathml(rf"{letter}_{{{number}}} = {base}^{{{letter}}}"), "html.parser")
    assert [tag.text for tag in formula.select("mi, mn")] == [letter, str(number), base, letter]


def test_a_function_stands_apart_from_its_argument():
    assert "mspace" in markup.mathml(r"\ln 0.5") and "mspace" not in markup.mathml(r"\ln (2) + \ln")


# Pages


def fetched():
    with from_npm("pages without a kernel are not tested"):
        for package in pages.INTEGRITY:
            pages.npm_file(package, "package.json")


@pytest.fixture(scope="module")
def npm():
    fetched()


@pytest.fixture(scope="module")
def folder(npm, lab_folder, tmp_path_factory):
    """Three exported notebooks, one of them a lesson (as the browser's tests have left it), and one as slides."""
    folder = tmp_path_factory.mktemp("export")
    (folder / "square.png").write_bytes(base64.b64decode(PICTURE))
    (folder / "data.csv").write_text("1")
    lesson = nbformat.read(lab_folder / "lessons/02-formula.ipynb", as_version=4)
    for cell in lesson.cells:  # with nothing folded, whether the browser's run came first or not
        cell.metadata.pop("jupyter", None)
        cell.source = cell.source.replace("**Predict", "**Guess")
    nbformat.write(lesson, folder / "02-formula.ipynb")
    noise = "import sys\nprint('a bar', file=sys.stderr)"
    notebook(folder / "all.ipynb", PROSE, EXPLORER, noise, "## Three", "'<script>document.title = 1</script>'")
    notebook(folder / "folder/other.ipynb", "# Other\n\n## Two\n\n[back](../all.ipynb)", "1 + 1")
    folded(notebook(folder / "folded.ipynb", "# Folded", "print('the answer is 42')", EXPLORER))
    notebook(folder / "deck.ipynb", "# A question?", EXPLORER, "# Another?", EXPLORER)
    names = ["02-formula", "all", "folded", "folder/other"]
    export.main(["--to", str(folder / "pages"), *(str(folder / f"{name}.ipynb") for name in names)])
    export.main(["--to", str(folder / "pages"), "--slides", str(folder / "deck.ipynb")])
    return folder / "pages"


class Opened:
    """A page opened from its file with the network off; what it asked for and complained about."""

    def __init__(self, browser, path, **options):
        self.context = browser.new_context(viewport={"width": 1300, "height": 1000}, **options)
        self.context.set_offline(True)
        self.asked, self.complaints = [], []
        self.context.route("**/*", lambda route: self.answer(route, path.as_uri()))
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(15_000)
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(path.as_uri())

    def answer(self, route, itself):
        if route.request.url.split("#")[0] == itself:
            return route.continue_()
        self.asked.append(route.request.url)
        return route.abort()


def opened(browser, path):
    made = Opened(browser, path)
    drawn = lab.canvas(made.page).and_(made.page.locator("[data-index]"))
    expect(drawn).to_have_count(made.page.locator(".lrlearn-still").count(), timeout=60_000)
    yield made
    made.context.close()


@pytest.fixture(scope="module", params=["02-formula", "all"])
def exported(request, browser, folder):
    yield from opened(browser, folder / f"{request.param}.html")


@pytest.fixture(scope="module")
def everything(browser, folder):
    yield from opened(browser, folder / "all.html")


@pytest.fixture(scope="module")
def folds(browser, folder):
    yield from opened(browser, folder / "folded.html")


@pytest.fixture(scope="module")
def deck(browser, folder):
    yield from opened(browser, folder / "deck.slides.html")


def pixels_of(explorer: lrlearn.filmstrip) -> str:
    return hashlib.sha256(Image.open(io.BytesIO(explorer.png)).convert("RGBA").tobytes()).hexdigest()


def shot(name, page):
    lab.ARTEFACTS.mkdir(exist_ok=True)
    page.screenshot(path=lab.ARTEFACTS / f"{name}.png", full_page=True)  # from top to bottom


@in_browser
def test_every_main_slider_drags_by_mouse_and_by_key(exported):
    page = exported.page
    assert lab.explorers(page).count() in (1, 4)
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
    for explorer in lab.explorers(page).all():
        canvas, seen = lab.canvas(explorer), set()
        for to in (0.95, 0.3):
            lab.drag(page, explorer, to)
            seen.add(canvas.evaluate(PIXELS))
        assert len(seen) == 2, "dragging must change the picture"
        before = int(canvas.get_attribute("data-index"))
        lab.handle(explorer).focus()
        page.keyboard.press("ArrowRight")
        expect(canvas).to_have_attribute("data-index", str(before + 1))


@in_browser
@pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)
def test_every_lesson_is_a_page_whose_sliders_move(npm, browser, lab_folder, tmp_path, lesson):
    """From the notebook as the browser's tests have run and saved it; run here if they have not."""
    (path,) = export.export([lab_folder / lesson.relative_to(lab.ROOT)], tmp_path)
    made = Opened(browser, path)
    page = made.page
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
    expect(lab.canvas(page).and_(page.locator("[data-index]"))).to_have_count(page.locator(".lrlearn-still").count())
    for explorer in lab.explorers(page).all():
        canvas, seen = lab.canvas(explorer), set()
        for to in (0.9, -0.1):
            lab.drag(page, explorer, to, steps=5)
            seen.add(canvas.evaluate(PIXELS))
        expect(canvas).to_have_attribute("data-index", "0")
        assert len(seen) == 2, "dragging must change the picture"
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert made.asked == [] and made.complaints == []
    made.context.close()


@in_browser
def test_the_picture_is_the_one_that_the_slider_tells(everything):
    explorer, reference = lab.explorers(everything.page).first, lrlearn.ScheduleExplorer()
    lab.drag(everything.page, explorer, 0.6)
    reference.slider.value = float(explorer.locator(".widget-readout").first.inner_text())
    canvas = lab.canvas(explorer)
    expect(canvas).to_have_attribute("aria-label", reference.description)
    expect(explorer.locator(".lrlearn-caption")).to_have_text(reference.description)
    expect(lab.handle(explorer)).to_have_attribute("aria-label", "gamma")
    assert canvas.evaluate(PIXELS) == pixels_of(reference)


@in_browser
def test_what_only_a_kernel_can_draw_is_marked(everything):
    explorer = lab.explorers(everything.page).first
    lab.handle(explorer, 1).focus()
    everything.page.keyboard.press("ArrowRight")
    expect(explorer.locator(".lrlearn-notice")).to_contain_text("not current")
    expect(lab.canvas(explorer)).to_have_class("lrlearn-filmstrip lrlearn-stale")
    everything.page.keyboard.press("ArrowLeft")
    expect(explorer.locator(".lrlearn-notice")).to_be_empty()


@in_browser
def test_the_mathematics_is_drawn(exported):
    page = exported.page
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
    sizes = page.evaluate("[...document.querySelectorAll('math')].map((m) => m.getBoundingClientRect().toJSON())")
    assert len(sizes) >= 5 and all(size["width"] > 3 and size["height"] > 3 for size in sizes)
    prose = page.locator(".jp-RenderedMarkdown").all_inner_texts()
    assert "\\" not in "".join(prose)
    dollars = [text for text in re.findall(r"\S*\$\S*", "".join(prose)) if text not in ("$5", "$6,", "$x$,")]
    assert not dollars


@in_browser
def test_axe_finds_nothing(exported):
    page = exported.page
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = true))")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.locator("html").get_attribute("lang") == "en"
    assert page.locator("main").count() == page.locator("h1").count() == 1


@in_browser
def test_links_lead_from_page_to_page_and_nowhere_else(everything, browser, folder):
    links = {link.inner_text(): link.get_attribute("href") for link in everything.page.locator("main a[href]").all()}
    assert links["a page"] == "folder/other.html#two" and links["a section"] == "#two"
    assert links["elsewhere"] == "https://example.org/a?b=1&c=2"
    assert "a file" not in links and "a file" in everything.page.locator("main").inner_text()
    other = Opened(browser, folder / "folder/other.html")
    assert other.page.get_by_text("back").get_attribute("href") == "../all.html"
    other.context.close()


@in_browser
def test_what_is_quoted_stays_text(everything):
    assert everything.page.title() == "Every kind of thing & <more>"
    expect(everything.page.get_by_text("document.title = 1").last).to_be_visible()
    assert "a bar" not in everything.page.locator("main .jp-OutputArea").all_inner_texts()
    picture = everything.page.get_by_alt_text("A square, half of it black")
    assert picture.evaluate("(image) => image.naturalWidth") == 8
    folded = everything.page.locator("details", has_text="Folded away")
    assert folded.locator("em").text_content() == "words"


@in_browser
def test_the_page_prints_its_picture_and_its_text(exported):
    page = exported.page
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 720, "height": 1000})  # A4 between its margins
    for explorer in lab.explorers(page).all():
        assert lab.canvas(explorer).bounding_box()["width"] <= 720
        assert len(explorer.locator(".lrlearn-caption").inner_text()) > 20
        shown = Image.open(io.BytesIO(lab.canvas(explorer).screenshot())).convert("RGB")
        assert len(shown.getcolors(1 << 24)) > 20
    expect(page.locator("header")).to_be_hidden()
    expect(page.locator("h1")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    lab.ARTEFACTS.mkdir(exist_ok=True)
    page.pdf(path=lab.ARTEFACTS / f"{page.url.split('/')[-1]}.pdf", format="A4")
    page.emulate_media(media="screen")
    page.set_viewport_size({"width": 1300, "height": 1000})
    shot(f"page-{page.url.split('/')[-1]}", page)


@in_browser
def test_what_happens_is_folded_until_it_is_opened(folds):
    page = folds.page
    answer, explorer = page.get_by_text("the answer is 42", exact=True), lab.explorers(page).first
    summaries = page.get_by_text("Show what happens")
    expect(summaries).to_have_count(2)
    expect(answer).to_be_hidden()
    expect(lab.canvas(explorer)).to_be_hidden()
    assert Axe().run(page).violations_count == 0
    for summary in summaries.all():
        summary.focus()
        page.keyboard.press("Enter")
    expect(answer).to_be_visible()
    canvas, seen = lab.canvas(explorer), set()
    for to in (0.9, 0.3):
        lab.drag(page, explorer, to)
        seen.add(canvas.evaluate(PIXELS))
    assert len(seen) == 2, "dragging must change the picture"
    expect(lab.handle(explorer)).to_have_attribute("aria-label", "gamma")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert folds.asked == [] and folds.complaints == []


@in_browser
def test_what_is_folded_prints_unfolded(folds):
    page = folds.page
    page.evaluate("document.querySelectorAll('details').forEach((folded) => (folded.open = false))")
    seen = "node => node.checkVisibility({ contentVisibilityAuto: true, visibilityProperty: true })"
    answer, explorer = page.get_by_text("the answer is 42", exact=True), lab.explorers(page).first
    assert not answer.evaluate(seen) and not lab.canvas(explorer).evaluate(seen)
    page.emulate_media(media="print")
    assert answer.evaluate(seen) and lab.canvas(explorer).evaluate(seen)
    shown = Image.open(io.BytesIO(lab.canvas(explorer).screenshot())).convert("RGB")
    assert len(shown.getcolors(1 << 24)) > 20
    page.emulate_media(media="screen")
    assert not answer.evaluate(seen)


@in_browser
def test_without_scripts_the_pictures_and_their_texts_are_there(browser, folder):
    bare = Opened(browser, folder / "02-formula.html", java_script_enabled=False)
    stills = bare.page.locator(".lrlearn-still")
    assert stills.count() == 4
    for still in stills.all():
        words = still.locator("img").get_attribute("alt")
        expect(still.locator("figcaption")).to_have_text(words)
        shown = Image.open(io.BytesIO(still.locator("img").screenshot())).convert("RGB")
        assert len(words) > 20 and len(shown.getcolors(1 << 24)) > 20
    assert not bare.asked
    bare.context.close()


@in_browser
def test_with_scripts_each_picture_is_there_once(exported):
    for still in exported.page.locator(".lrlearn-still").all():
        expect(still).to_be_hidden()


@in_browser
def test_slides_turn_but_not_under_a_slider(deck):
    page, explorers = deck.page, lab.explorers(deck.page)
    slide = "Reveal.getIndices().h"
    assert page.evaluate(slide) == 0
    canvas = lab.canvas(explorers.first)
    lab.drag(page, explorers.first, 0.3)
    before = int(canvas.get_attribute("data-index"))
    for moved, key in ((1, "ArrowRight"), (2, "ArrowRight"), (1, "ArrowLeft")):
        page.keyboard.press(key)
        expect(canvas).to_have_attribute("data-index", str(before + moved))
    assert page.evaluate(slide) == 0
    shot("slide", page)
    page.locator(".reveal h1").first.click()  # leaves the slider
    page.keyboard.press("ArrowRight")
    page.wait_for_function(f"{slide} === 1")
    lab.drag(page, explorers.nth(1), 0.9)
    expect(lab.canvas(explorers.nth(1))).not_to_have_attribute("data-index", "40")
    assert page.evaluate(slide) == 1
    assert page.locator(".jp-InputArea-editor").count() == 0, "slides show no code"
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@in_browser
def test_the_classroom_demo_makes_slides_that_fit_a_projector(npm, browser, lab_folder, tmp_path):
    (path,) = export.export([lab_folder / "lessons/classroom-demo.ipynb"], tmp_path, slides=True)
    made = Opened(browser, path)
    page = made.page
    lab.canvas(page).and_(page.locator("[data-index]")).first.wait_for(state="attached")
    for width, height in ((1280, 720), (1920, 1080)):
        page.set_viewport_size({"width": width, "height": height})
        for question in range(1, 6):
            page.evaluate("question => Reveal.slide(question)", question)
            slide = page.locator("section.present")
            for part in (lab.handle(slide), lab.canvas(slide), slide.locator("summary")):
                box = part.bounding_box()
                assert box["y"] > 0 and box["y"] + box["height"] <= height, (question, width)
            slide.locator("summary").click()
            answer = slide.locator("details").bounding_box()
            assert answer["y"] + answer["height"] <= height, (question, width)
            slide.locator("summary").click()
    assert made.asked == [] and made.complaints == []
    made.context.close()


@in_browser
def test_nothing_was_asked_of_the_network_and_nothing_complained(exported, everything, deck):
    for page in (exported, everything, deck):
        assert page.asked == [] and page.complaints == []
    exported.page.evaluate("() => { const image = new Image(); image.src = 'https://example.org/a.png'; }")
    exported.page.wait_for_timeout(500)
    assert exported.asked or exported.complaints, "this test must be able to fail"


def test_pages_are_small_and_hold_the_licences(folder):
    found = list(folder.rglob("*.html"))
    assert len(found) == 5
    for page in found:
        assert page.stat().st_size <= 8e6, page
        text = page.read_text(encoding="utf-8")
        for holder in ("Project Jupyter Contributors", "Trevor Manz", "OpenJS Foundation"):
            assert holder in text
        assert ("Hakim El Hattab, http" in text) == ("slides" in page.name)
