"""The course as a site: a small one is built here, and used in a real Chromium from a server on this machine."""

import gzip
import io
import json
import re
import threading
import urllib.error
import urllib.request
import zipfile
from pathlib import Path

import elsewhere
import lab
import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from fetching import from_npm
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from playwright.sync_api import expect
from refresh_lessons import lessons
from test_export import PICTURE, fetched, notebook
from test_standin import with_and_without

from lrlearn import assets, commands, exercises, links, pages, recaps, serving, site, strips, unpacking
from lrlearn.practice import PRACTICE

in_browser = pytest.mark.browser
LESSONS = [path for path in lessons() if path.name not in site.LEFT_OUT]
OPENING = "# {title}\n\n**You will be able to** drag it.\n\n**Minutes:** 3. **You need:** nothing.\n\n{more}"
DRAG = """import ipywidgets
from matplotlib.figure import Figure

from lrlearn import filmstrip


def draw(value, num_epochs, initial_lr):
    figure = Figure((6, 3))
    left, right = figure.subplots(1, 2)
    left.plot([0, value], [initial_lr, num_epochs])
    right.plot([0, value])
    return figure


filmstrip(
    draw,
    [0.1, 0.2, 0.3],
    lambda value, num_epochs, initial_lr: f"A line to {value}, {num_epochs}, {initial_lr}.",
    name="gamma",
    controls={
        "num_epochs": ipywidgets.IntSlider(20, 15, 40, description="num_epochs"),
        "initial_lr": ipywidgets.FloatSlider(0.5, min=0.5, max=1, description="initial_lr"),
    },
)"""
ANSWER = 'from lrlearn.exercises import check\n\ncheck("lr-at-epoch", {answer})'
LOOP = """from lrlearn.exercises import check


def my_loop(optimizer, scheduler, num_epochs, batches_per_epoch):
    for _ in range(num_epochs):
        for _ in range(batches_per_epoch):
            optimizer.step()


check("first-loop", my_loop)"""
NEEDS_TORCH = """import torch

from lrlearn.exercises import check


def my_loop(optimizer, scheduler, num_epochs, batches_per_epoch):
    torch.optim.Adam


check("first-loop", my_loop)"""


def tries(path):
    """The cells of a lesson that can be tried in its page."""
    cells = site._lesson(path).notebook.cells
    return [cell.source for cell in cells if site.TRY in cell.metadata.get("tags", [])]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_an_exercise_of_a_lesson_needs_no_other_cell_and_is_open(path):
    for source in tries(path):
        *before, last = source.strip().rpartition("\n")
        names = {}
        exec("".join(before), names)
        answer = eval(last, names)
        assert not any(one.answered for one in getattr(answer, "feedback", None) or [answer])


def test_every_exercise_and_recap_of_the_lessons_is_found():
    found = "\n".join(source for path in LESSONS for source in tries(path))
    in_lessons = {
        name for path in LESSONS for name in re.findall(r'check\(\s*"([\w-]+)"', path.read_text().replace("\\", ""))
    }
    assert in_lessons == set(re.findall(r'check\("([\w-]+)"', found)) and len(in_lessons) > 12
    assert set(re.findall(r'recap\("([\w-]+)"', found)) == set(recaps.LESSONS)


@pytest.mark.parametrize("lesson", recaps.LESSONS)
@pytest.mark.parametrize("round", [1, 2, 3])
def test_a_recap_is_judged_without_torch(lesson, round):
    answers = [question.truth for _, _, question in recaps.questions(lesson, round)]
    real, stand_in = with_and_without(lambda: repr(exercises.recap(lesson, round, answers)))
    assert real == stand_in and real.count("Right.") == recaps.QUESTIONS


@given(st.binary(max_size=9), st.lists(st.binary(max_size=50), max_size=5), st.text())
def test_a_strip_comes_back_from_its_file(base, pictures, words):
    strip = {"base": base, "pictures": pictures, "descriptions": [words], "panels": [0.5], "start": len(words)}
    assert strips.from_bytes(strips.to_bytes(strip)) == strip


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P", "L"])
def test_a_packed_picture_shows_the_same(mode):
    picture, png = Image.new("RGBA", (40, 30), (0, 90, 140, 255)), io.BytesIO()
    picture.putpixel((5, 5), (0, 90, 140, 0))
    picture.convert(mode).save(png, "PNG")
    before, after = (
        Image.open(io.BytesIO(data)).convert("RGBA") for data in (png.getvalue(), pages.packed(png.getvalue()))
    )
    white = Image.new("RGBA", before.size, "white")
    assert Image.alpha_composite(white, before).tobytes() == Image.alpha_composite(white, after).tobytes()


def drawn(size, marks):
    """A picture with a red frame that stays, and points where they are wanted."""
    picture = Image.new("RGB", size, "white")
    ImageDraw.Draw(picture).rectangle((2, 2, 20, 20), outline="red")
    for mark in marks:
        picture.putpixel(mark, (0, 0, 255))
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


@pytest.mark.parametrize("count", [1, 2, 6, 11])
@pytest.mark.parametrize("uneven", [False, True])
def test_a_picture_over_its_base_is_the_one_that_was_drawn(count, uneven):
    pictures = [drawn((30 + uneven * at, 24), [(at, 5), (25, 1)]) for at in range(count)]
    layers = unpacking._layers(pictures)
    for picture, layer in zip(pictures, layers["pictures"], strict=True):
        seen = Image.open(io.BytesIO(layer)).convert("RGBA")
        if layers["base"]:
            seen = Image.alpha_composite(Image.open(io.BytesIO(layers["base"])).convert("RGBA"), seen)
        assert seen.convert("RGB").tobytes() == Image.open(io.BytesIO(picture)).convert("RGB").tobytes()
    assert bool(layers["base"]) == (count > 2 and not uneven)


def page(folder, name, body):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(body, encoding="utf-8")
    return Path(name)


GOOD = ["b/c.html", "b/c.html#there", "#here", "", "https://example.org", "mailto:a@example.org", "b/../a.html#here"]
BROKEN = ["c.html", "b/c.html#nowhere", "#nowhere", "../a.html", "b", "file:///a.html", "javascript:x", "//example.org"]


@pytest.mark.parametrize("lead", GOOD)
def test_a_link_that_leads_somewhere_is_fine(tmp_path, lead):
    ways = [
        page(tmp_path, "a.html", f'<p id="here"><a href="{lead}">x</a>'),
        page(tmp_path, "b/c.html", '<p id="there">'),
    ]
    links.check(tmp_path, ways)


@pytest.mark.parametrize("tag", ['<a href="{}">', '<img src="{}">', '<link href="{}">'])
@pytest.mark.parametrize("lead", BROKEN)
def test_a_broken_link_stops_the_build_and_is_named(tmp_path, lead, tag):
    ways = [page(tmp_path, "a.html", tag.format(lead)), page(tmp_path, "b/c.html", "")]
    with pytest.raises(commands.CommandError, match=f"1 broken links: a.html: {re.escape(lead)}"):
        links.check(tmp_path, ways)


def test_what_is_loaded_from_elsewhere_is_a_broken_link(tmp_path):
    for tag in ('<img src="https://example.org/a.png">', '<script src="https://example.org/a.js"></script>'):
        with pytest.raises(commands.CommandError, match="broken links"):
            links.check(tmp_path, [page(tmp_path, "a.html", tag)])


@pytest.fixture(scope="module")
def npm():
    fetched()
    with from_npm("the site is not tested"):
        for package, (file, integrity) in assets.EDITOR.items():
            pages.npm_files(package, integrity, [file])
        pages.npm_files(assets.PYODIDE, assets.PYODIDE_SHA, assets.PYTHON)


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    more = "## A section\n\n[the other](sub/two.ipynb#Part), [a section](#A-section)"
    picture = f"\n\n![a square](data:image/png;base64,{PICTURE})"
    notebook(
        folder / "00-one.ipynb",
        OPENING.format(title="One", more=more),
        DRAG,
        ANSWER.format(answer="..."),
        LOOP,
        NEEDS_TORCH,
    )
    notebook(folder / "sub/two.ipynb", OPENING.format(title="Two & three", more="## Part" + picture), "print(1)")
    return folder


@pytest.fixture(scope="module")
def built(npm, course, tmp_path_factory):
    """The site of a small course, whose front page has the same small explorer as its first lesson."""
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(site, "DRAG", DRAG)
        site.main(["--to", str(folder), str(course / "00-one.ipynb"), str(course / "sub/two.ipynb")])
    return folder


@pytest.fixture(scope="module")
def address(built):
    made = serving.server(built, 0)
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{made.server_address[1]}/"
    made.shutdown()
    made.server_close()


def test_pages_are_light_and_share_their_files(built):
    front, one, two = ((built / name).read_text() for name in ("index.html", "00-one.html", "sub/two.html"))
    assert max(map(len, (front, one, two))) < 60_000 and "<style" not in front + one + two
    assert len(list((built / "assets").glob("*.css"))) == 1
    assert len(list((built / "pictures").glob("*"))) == 2  # the first lesson's is the front page's
    assert len(list((built / "strips").glob("*"))) == 4  # two controls with two stops each; all four are drawn once
    assert 'href="../00-one.html"' in two and 'src="../pictures/' in two and 'src="../assets/site.js"' in two
    assert "urlpath=lab/tree/lessons/00-one.ipynb" in one and "urlpath=lab/tree/lessons/sub/two.ipynb" in two
    assert '<li><a href="#A-section">A section</a></li>' in one


def test_the_place_of_a_picture_is_kept_while_it_is_on_its_way(built):
    images = re.findall("<img [^>]*>", (built / "00-one.html").read_text())
    assert images and all(re.search(r'loading="lazy".* width="\d+" height="\d+"', image) for image in images)


def test_the_files_in_the_page_are_those_of_the_notebooks(built):
    with zipfile.ZipFile(built / "python/lrlearn.zip") as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    here = Path(exercises.__file__).parent
    assert held["lrlearn/exercises.py"] == (here / "exercises.py").read_bytes()
    assert all(data == (here.parent / name).read_bytes() for name, data in held.items())


def test_licences_of_everything_that_is_shipped_are_kept(built):
    words = (built / "licences.txt").read_text()
    assert all(package in words for package in [*assets.EDITOR, assets.PYODIDE])
    assert words.count("Permission is hereby granted") >= len(assets.EDITOR)


def test_it_is_served_compressed_on_this_machine_alone(address, built):
    asked = urllib.request.Request(f"{address}index.html", headers={"Accept-Encoding": "gzip"})
    with urllib.request.urlopen(asked) as answer:
        assert gzip.decompress(answer.read()) == (built / "index.html").read_bytes()
    with urllib.request.urlopen(f"{address}python/pyodide.asm.wasm") as answer:
        assert answer.headers["Content-Type"] == "application/wasm"
    for name in ("nothing.html", "nothing.strip", "../secret.txt"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(f"{address}{name}")
    with serving.server(built, 0) as other:
        assert other.server_address[0] == "127.0.0.1"


def test_a_port_that_is_taken_and_a_folder_that_is_none_are_told(built):
    with serving.server(built, 0) as taken, pytest.raises(commands.CommandError, match="another after --serve"):
        serving.server(built, taken.server_address[1])
    with pytest.raises(commands.CommandError, match="is no folder"):
        serving.server(built / "nothing", 0)


@pytest.mark.parametrize(
    ("drag", "link", "told"),
    [
        ("1 / 0", "x.ipynb", r"index\.ipynb, cell 2 \(1 / 0\): ZeroDivisionError"),
        ("1", "#y", "broken links: bad.html: #y"),
    ],
)
def test_a_build_that_goes_wrong_says_why(npm, tmp_path, monkeypatch, drag, link, told):
    monkeypatch.setattr(site, "DRAG", drag)
    bad = notebook(tmp_path / "bad.ipynb", f"# [x]({link})")
    held = nbformat.read(bad, as_version=4)
    held.metadata["widgets"] = {pages.STATE: {"state": {}}}  # as it is: no kernel runs it
    nbformat.write(held, bad)
    with pytest.raises(SystemExit, match=told):
        site.main(["--draft", "--to", str(tmp_path / "site"), str(bad)])


class Visit:
    """A page of the site in the browser: what it asked for and complained about."""

    def __init__(self, browser, address, **options):
        self.context = browser.new_context(**{"viewport": {"width": 1300, "height": 1000}} | options)
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        self.asked, self.complaints = [], []
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.goto(address)

    def elsewhere(self, address):
        return [url for url in self.asked if not url.startswith((address, "blob:", "data:"))]


@pytest.fixture(scope="module")
def one(browser, address):
    made = Visit(browser, f"{address}00-one.html")
    yield made
    made.context.close()


def answer(visit, at, source):
    """Type an answer into an exercise's editor, check it, and what is said."""
    exercise = visit.page.locator(".lrlearn-try-it").nth(at)
    exercise.locator(".cm-content").click()
    visit.page.keyboard.press("Control+A")
    visit.page.keyboard.insert_text(source)
    exercise.get_by_role("button", name="Check").click()
    expect(exercise.get_by_role("button", name="Check")).to_be_enabled(timeout=120_000)
    return exercise.locator(".lrlearn-told")


@in_browser
def test_the_front_page_drags_and_leads_to_the_lessons(browser, address):
    visit = Visit(browser, address)
    explorer = lab.explorers(visit.page).first
    expect(lab.canvas(explorer)).to_have_attribute("data-index", "0", timeout=60_000)
    lab.drag(visit.page, explorer, 1.1)
    expect(lab.canvas(explorer)).to_have_attribute("aria-label", "A line to 0.3, 20, 0.5.")
    expect(visit.page.get_by_text("0 of 3 right")).to_be_visible()
    assert not any("python/" in url for url in visit.asked), "Python waits until somebody comes near an exercise"
    assert visit.elsewhere(address) == visit.complaints == []
    visit.page.get_by_role("link", name="Two & three").click()
    expect(visit.page.get_by_role("heading", name="Two & three")).to_be_visible()
    visit.page.get_by_role("navigation", name="The course").get_by_role("link", name="Previous: 00 One").click()
    expect(visit.page).to_have_url(f"{address}00-one.html")
    visit.context.close()


@in_browser
def test_a_further_control_is_alive_and_stops_where_there_is_a_strip(one):
    explorer = lab.explorers(one.page).first
    expect(lab.canvas(explorer)).to_have_attribute("aria-label", "A line to 0.1, 20, 0.5.", timeout=60_000)
    for at, told in ((1, "A line to 0.1, 40, 0.5."), (2, "A line to 0.1, 40, 1.0.")):
        lab.handle(explorer, at).focus()
        one.page.keyboard.press("ArrowRight")
        expect(lab.canvas(explorer)).to_have_attribute("aria-label", told)
        expect(lab.canvas(explorer)).to_have_class("lrlearn-filmstrip")
    expect(explorer.locator(".lrlearn-notice")).to_be_empty()


# the beginning of a strip's file, after which nothing more comes; the picture that is seen is the third
BEGINNING = """async ([root, bytes]) => {
    const { strip } = await import(`${root}assets/strips.js`);
    const start = (body) => body.enqueue(new Uint8Array(bytes));
    window.fetch = async () => new Response(new ReadableStream({ start }));
    const first = await new Promise((first) => strip("", { first, seen: () => 2 }));
    return first.pictures.map((picture) => picture && new TextDecoder().decode(picture));
}"""


@in_browser
def test_the_picture_that_is_seen_is_there_before_the_others_have_come(browser, address):
    visit = Visit(browser, f"{address}00-one.html")
    strip = strips.to_bytes(
        {"pictures": [b"a" * 9, b"b" * 9, b"c" * 9, b"d" * 9], "base": b"", "values": [], "start": 2}
    )
    head = 4 + int.from_bytes(strip[:4], "little")
    found = visit.page.evaluate(BEGINNING, [address, list(strip[: head + 10])])
    assert found == [None, None, "c" * 9, None]
    visit.context.close()


@in_browser
@pytest.mark.parametrize("width", [390, 580, 610, 1300])
def test_the_still_picture_takes_the_room_that_the_explorer_will_have(browser, address, width):
    phone = {"viewport": {"width": width, "height": 844}, "is_mobile": True}
    alive, still = (
        Visit(browser, f"{address}00-one.html", **phone, **more) for more in ({}, {"java_script_enabled": False})
    )
    lab.canvas(lab.explorers(alive.page).first).and_(alive.page.locator("[data-index]")).wait_for()
    places = [
        visit.page.locator(".jupyter-widgets canvas:visible, .lrlearn-still img:visible").first.bounding_box()
        for visit in (alive, still)
    ]
    for side in ("width", "height"):
        assert places[0][side] == pytest.approx(places[1][side], abs=2)
    for visit in (alive, still):
        visit.context.close()


@in_browser
def test_an_answer_is_judged_in_the_page_and_a_right_one_is_remembered(one, address):
    expect(answer(one, 0, ANSWER.format(answer="0.2 * 0.8**5"))).to_contain_text("off-by-one-epoch")
    expect(answer(one, 0, "nothing_like_it")).to_contain_text("NameError")
    expect(answer(one, 1, LOOP)).to_contain_text("never-stepped")
    needs = answer(one, 2, NEEDS_TORCH)
    expect(needs).to_contain_text("Not judged")
    assert "mybinder.org" in needs.get_by_role("link").get_attribute("href")
    expect(one.page.locator("#lrlearn-right")).to_have_text("Right so far: 0 of 3.")
    expect(answer(one, 0, ANSWER.format(answer="0.2 * 0.8**4"))).to_contain_text("Right.")
    expect(one.page.locator("#lrlearn-right")).to_have_text("Right so far: 1 of 3.")
    other = one.context.new_page()
    other.goto(address)
    expect(other.get_by_text("1 of 3 right")).to_be_visible()
    other.get_by_role("button", name="Forget my right answers").click()
    expect(other.get_by_text("0 of 3 right")).to_be_visible()
    other.close()
    assert one.elsewhere(address) == []


# every answer that an exercise knows, and for those that are tried on the regression some of either kind
EVERY_ANSWER = """import json

from lrlearn.exercises import EXERCISES, check
from lrlearn.tuning import GAMMAS

told = {}


def judge(name, answer, *which):
    feedback = check(name, answer)
    hint = feedback.hint.partition(" But PyTorch warns")[0].partition(" raises ")[0]
    told[json.dumps([name, *which])] = [feedback.correct, feedback.misconception, hint]


for name, exercise in EXERCISES.items():
    if name.startswith("best-gamma"):
        for gamma in (*GAMMAS, 0.06, 7, "x"):
            judge(name, gamma, gamma)
    elif name == "capstone":
        for pair in [(lr, gamma) for lr in (0.001, 0.05, 0.2, 0.5, 5.0) for gamma in (0.0, 0.6, 0.84, 0.93, 1.0, 1.5)]:
            judge(name, pair, *pair)
        judge(name, (-1, 0.9), "negative")
    elif hasattr(exercise, "mistakes"):
        judge(name, exercise.truth, "right")
        for slug, forms in exercise.mistakes.items():
            for at, form in enumerate(forms):
                judge(name, form, slug, at)
print(json.dumps(told))"""


@in_browser
def test_every_answer_is_judged_in_the_page_as_it_is_in_jupyter(one, capsys):
    exec(EVERY_ANSWER, {"__name__": "an answer"})
    here = json.loads(capsys.readouterr().out)
    page = json.loads(answer(one, 0, EVERY_ANSWER).inner_text())
    assert {name: (words, page.get(name)) for name, words in here.items() if page.get(name) != words} == {}
    assert len(page) > 300 and {json.loads(name)[0] for name in page} >= {*PRACTICE, "capstone", "best-gamma-alone"}


@in_browser
def test_every_exercise_says_whether_python_is_there(browser, address):
    visit = Visit(browser, f"{address}00-one.html")
    visit.page.locator(".lrlearn-try-it").last.wait_for()
    for exercise in visit.page.locator(".lrlearn-try-it").all():
        expect(exercise).to_contain_text("Python is ready.", timeout=120_000)
    visit.context.close()


@in_browser
def test_an_endless_loop_is_stopped_and_the_next_answer_is_judged(one):
    exercise = one.page.locator(".lrlearn-try-it").first
    exercise.locator(".cm-content").click()
    one.page.keyboard.press("Control+A")
    one.page.keyboard.insert_text("while True:\n    pass")
    exercise.get_by_role("button", name="Check").click()
    exercise.get_by_role("button", name="Stop").click()
    expect(exercise.locator(".lrlearn-told")).to_contain_text("Stopped")
    expect(answer(one, 0, ANSWER.format(answer="0.2"))).to_contain_text("never-stepped")


@in_browser
def test_the_editor_is_no_trap_for_the_keyboard(one):
    exercise = one.page.locator(".lrlearn-try-it").first
    exercise.locator(".cm-content").click()
    one.page.keyboard.press("Tab")
    expect(exercise.get_by_role("button", name="Check")).to_be_focused()
    exercise.get_by_role("button", name="Start anew").click()
    expect(exercise.locator(".cm-content")).to_contain_text('check("lr-at-epoch", ...)')


@in_browser
def test_axe_finds_nothing_in_the_site(one, browser, address):
    found = [Axe().run(one.page)]
    front = Visit(browser, address)
    expect(lab.canvas(front.page).first).to_have_attribute("data-index", "0", timeout=60_000)
    found.append(Axe().run(front.page))
    assert [each.violations_count for each in found] == [0, 0], "\n".join(each.generate_report() for each in found)
    front.context.close()


@in_browser
def test_on_a_phone_fingers_drag_choose_and_check(browser, address):
    phone = Visit(
        browser, f"{address}00-one.html", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    explorer = lab.explorers(phone.page).first
    expect(lab.canvas(explorer)).to_have_attribute("data-index", "0", timeout=60_000)
    lab.swipe(phone.page, lab.handle(explorer), 300, 0)
    expect(lab.canvas(explorer)).to_have_attribute("aria-label", "A line to 0.3, 20, 0.5.")
    explorer.locator(".noUi-target").nth(1).tap(position={"x": 1, "y": 5})
    expect(lab.canvas(explorer)).to_have_attribute("aria-label", "A line to 0.3, 20, 0.5.")
    explorer.locator(".noUi-base").nth(1).tap()
    lab.swipe(phone.page, lab.handle(explorer, 1), 300, 0)
    expect(lab.canvas(explorer)).to_have_attribute("aria-label", "A line to 0.3, 40, 0.5.")
    exercise = phone.page.locator(".lrlearn-try-it").first
    exercise.get_by_role("button", name="Check").tap()
    expect(exercise.locator(".lrlearn-told")).to_contain_text("Not answered yet", timeout=120_000)
    phone.page.locator(".lrlearn-try-it").last.wait_for()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= 390
    phone.context.close()


ANSWERED = """(text) => import("./assets/editor.js").then(({ EditorView }) => {
    const editor = EditorView.findFromDOM(document.querySelector(".lrlearn-try-it .cm-editor"));
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
    document.querySelector(".lrlearn-try-it button").click();
    return true;
})"""


@in_browser
@pytest.mark.parametrize("name", elsewhere.BROWSERS)
def test_elsewhere_it_drags_another_control_lives_and_an_answer_is_judged(name, address):
    with elsewhere.opened(name) as page:
        page.goto(f"{address}00-one.html")
        says = "(words) => document.querySelector('.lrlearn-explorer canvas')?.ariaLabel === words"
        page.wait_for(says, "A line to 0.1, 20, 0.5.")
        page.drag(1.0)
        page.wait_for(says, "A line to 0.3, 20, 0.5.")
        page.evaluate("() => document.querySelectorAll('.noUi-handle')[1].focus()")
        page.press("ArrowRight")
        page.wait_for(says, "A line to 0.3, 40, 0.5.")
        page.evaluate("() => document.querySelector('.celltag_lrlearn-try').scrollIntoView()")
        page.wait_for("() => document.querySelector('.lrlearn-try-it button') !== null")
        page.evaluate(ANSWERED, ANSWER.format(answer="0.2 * 0.8**5"))
        page.wait_for("() => document.querySelector('.lrlearn-told').textContent.includes('off-by-one-epoch')")


def focused(page):
    """What has the focus, as it is read aloud: its role, name and value."""
    line = page.context.new_cdp_session(page)
    nodes = line.send("Accessibility.getFullAXTree")["nodes"]
    line.detach()
    for node in nodes:
        has = {each["name"] for each in node.get("properties", []) if each["value"].get("value") is True}
        if "focused" in has and node["role"]["value"] != "RootWebArea":
            value = page.evaluate("document.activeElement.ariaValueText")  # Chromium's tree lacks it
            return f"{node['role']['value']} {node['name']['value']}" + (f": {value}" if value else "")
    return ""


def tab_to(page, wanted):
    for _ in range(40):
        page.keyboard.press("Tab")
        if (said := focused(page)).startswith(wanted):
            return said
    raise AssertionError(f"the Tab key does not reach {wanted}")


@in_browser
def test_the_keyboard_alone_does_it_all_and_everything_is_read_aloud(browser, address):
    visit = Visit(browser, f"{address}00-one.html")
    explorer, keys = lab.explorers(visit.page).first, visit.page.keyboard
    expect(lab.canvas(explorer)).to_have_attribute("data-index", "0", timeout=60_000)
    keys.press("Tab")
    assert focused(visit.page) == "link To the content"
    assert tab_to(visit.page, "slider gamma") == "slider gamma: gamma 0.10"
    keys.press("End")
    assert tab_to(visit.page, "slider num_epochs") == "slider num_epochs: num_epochs 20"
    keys.press("ArrowRight")
    expect(visit.page.get_by_role("img", name="A line to 0.3, 40, 0.5.")).to_be_visible()
    expect(explorer.locator(".lrlearn-spoken")).to_have_text("A line to 0.3, 40, 0.5.")
    visit.page.locator(".lrlearn-try-it").last.wait_for()
    tab_to(visit.page, "textbox your code")
    keys.press("Control+A")
    keys.insert_text(ANSWER.format(answer="0.2 * 0.8**5"))
    assert tab_to(visit.page, "button") == "button Check"
    keys.press("Enter")
    expect(visit.page.get_by_role("status").first).to_contain_text("off-by-one-epoch", timeout=120_000)
    visit.context.close()


MOVED = """window.moved = 0;
new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.moved += entry.value)))
    .observe({ type: "layout-shift", buffered: true });"""


@in_browser
def test_what_is_below_an_explorer_stays_where_it_is_when_that_comes(browser, address):
    context = browser.new_context(viewport={"width": 1300, "height": 1000})
    page = context.new_page()
    page.add_init_script(MOVED)
    page.goto(f"{address}00-one.html")
    page.locator(".lrlearn-try-it").last.wait_for(timeout=60_000)
    expect(lab.canvas(page).first).to_have_attribute("data-index", "0")
    page.wait_for_timeout(300)
    assert page.evaluate("window.moved") < 0.02
    context.close()


@in_browser
def test_without_scripts_the_pictures_and_the_code_are_there(browser, address):
    still = Visit(browser, f"{address}00-one.html", java_script_enabled=False)
    picture = still.page.get_by_alt_text("A line to 0.1, 20, 0.5.")
    expect(picture).to_be_visible()
    expect(still.page.get_by_text('check("first-loop", my_loop)').first).to_be_visible()
    still.context.close()
