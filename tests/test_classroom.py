"""The classroom demo as a class sees it: served by Voila, on a projector."""

import subprocess
import sys

import lab
import pytest
from playwright.sync_api import expect
from voila.app import Voila

from lrlearn import classroom, commands
from lrlearn.rendering import DPI

in_browser = pytest.mark.browser
LAST = [30, 10, 50, 50, 35]  # where the slider of each question ends, counted from 0
QUESTIONS = len(LAST)
# Voila's page is laid out by a script, some time after the window has its new size
FILLED = """() => {
    const page = document.querySelector(".lm-BoxPanel-child");
    return page.offsetWidth === innerWidth && page.offsetHeight === innerHeight;
}"""


def serves(monkeypatch, *arguments):
    """What Voila is asked to show, and the options it gets."""
    monkeypatch.setattr(Voila, "launch_instance", lambda given: asked.extend(given))
    monkeypatch.setenv("JUPYTER_PATH", "/mine")
    asked = []
    classroom.main([str(argument) for argument in arguments])
    return asked


def fails(monkeypatch, *arguments):
    """The one line that the command ends with, before anything is served."""
    with pytest.raises(SystemExit) as ended:
        serves(monkeypatch, *arguments)
    assert len(ended.value.code.splitlines()) == 1
    return ended.value.code


def test_a_demo_in_this_folder_comes_before_the_courses_own(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert serves(monkeypatch, "--port=1")[0] == str(commands.lessons() / "classroom-demo.ipynb")
    mine = lab.write_notebook(tmp_path / "lessons/classroom-demo.ipynb", "1")
    assert serves(monkeypatch, "--port=1") == [str(mine.relative_to(tmp_path)), "--port=1", "--template=lrlearn"]
    other = lab.write_notebook(tmp_path / "other.ipynb", "1")
    assert serves(monkeypatch, "--no-browser", other)[:2] == [str(other), "--no-browser"]


def test_a_notebook_that_cannot_be_shown_is_one_line(monkeypatch, tmp_path):
    (broken := tmp_path / "broken.ipynb").write_text("{}")
    good = lab.write_notebook(tmp_path / "good.ipynb", "1")
    assert "nothing.ipynb: No such file" in fails(monkeypatch, tmp_path / "nothing.ipynb")
    assert "broken.ipynb is no notebook" in fails(monkeypatch, broken)
    assert "is a folder" in fails(monkeypatch, tmp_path)
    assert "one notebook at a time" in fails(monkeypatch, good, broken)


def test_without_voila_one_line_says_what_to_do(tmp_path):
    code = "import sys; sys.modules['voila'] = None; from lrlearn import classroom; classroom.main([])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert "voila is not installed" in done.stderr and 'pip install "voila' in done.stderr


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with lab.projector(tmp_path_factory.mktemp("elsewhere")) as address:  # the demo is found from any folder
        yield address


@pytest.fixture(scope="module")
def asked():
    """Addresses that the page asked for, other than the server's."""
    return []


@pytest.fixture(scope="module")
def page(browser, address, asked):
    page = browser.new_page(viewport={"width": 1280, "height": 720})
    page.set_default_timeout(30_000)
    page.on("request", lambda request: asked.append(request.url))
    page.goto(address, timeout=240_000)  # it answers when the whole notebook has run
    for explorer in range(QUESTIONS):
        expect(lab.canvas(lab.explorers(page).nth(explorer))).to_have_attribute("data-whole", "true", timeout=60_000)
    yield page
    page.close()


@in_browser
def test_every_slider_of_the_demo_moves(page):
    assert lab.explorers(page).count() == page.locator("h2").count() == QUESTIONS
    for explorer, last in zip(lab.explorers(page).all(), LAST, strict=True):
        canvas = lab.canvas(explorer)
        seen = set()
        for to, index in ((-0.1, 0), (1.1, last)):
            lab.drag(page, explorer, to)
            expect(canvas).to_have_attribute("data-index", str(index))
            seen.add(canvas.get_attribute("aria-label"))
        lab.handle(explorer).focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        expect(canvas).to_have_attribute("data-index", "1")
        seen.add(canvas.get_attribute("aria-label"))
        assert len(seen) == 3
    page.evaluate("scrollTo(0, 0)")
    lab.shot("classroom", page)


@in_browser
def test_no_code_and_no_error_is_shown(page):
    expect(page.locator(".jp-InputArea-editor")).to_have_count(0)
    expect(page.get_by_text("Error")).to_have_count(0)


@in_browser
def test_nothing_is_asked_from_elsewhere(page, address, asked):
    elsewhere = [url for url in asked if not url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))]
    assert asked and not elsewhere


@in_browser
@pytest.mark.parametrize("width, height", [(1280, 720), (1920, 1080)])
@pytest.mark.parametrize("question", range(QUESTIONS))
def test_question_slider_and_picture_fit_the_projector_and_fill_it(page, question, width, height):
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_function(FILLED)
    heading, explorer = page.locator("h2").nth(question), lab.explorers(page).nth(question)
    heading.evaluate("heading => heading.scrollIntoView()")
    handle, canvas = lab.handle(explorer).bounding_box(), lab.canvas(explorer)
    picture = canvas.bounding_box()
    assert handle["y"] > 0 and picture["y"] + picture["height"] <= height
    assert handle["width"] >= 24, "large enough to be seen and hit"
    letters = page.locator("h2 ~ p").nth(question).evaluate("p => parseFloat(getComputedStyle(p).fontSize)")
    assert letters >= 720 / 32, "a question must be legible from the back of a room"
    assert picture["width"] >= 0.85 * width
    points = picture["width"] / canvas.evaluate("canvas => canvas.width") * DPI / 72
    assert 10 * points >= height / 48, "and so must the letters in the picture, ten points high"
    if question + 1 < QUESTIONS:
        assert page.locator("h2").nth(question + 1).bounding_box()["y"] >= height, "one question at a time"


@in_browser
def test_answers_are_folded_until_they_are_opened(page):
    fold = page.locator("details").first
    answer = fold.locator("strong").first
    expect(answer).to_be_hidden()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(answer).to_be_visible()
