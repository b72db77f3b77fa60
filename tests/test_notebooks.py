"""What a stored lesson must look like; that its outputs are what a new run gives is nbval's part."""

import html
import itertools
import re
from pathlib import Path

import nbformat
import pytest
from nbconvert import HTMLExporter

from lrlearn.commands import notebooks_under

LESSONS = Path(__file__).resolve().parent.parent / "lessons"
PATHS = notebooks_under(LESSONS)
CORE = ["00-start-here", "01-definition", "02-formula", "03-worked-example", "04-training-effects"]
DEMO = "classroom-demo"  # shown on a projector and not read: how long and what for is said in TEACHING.md

# each tag that a cell may carry, with the reason
TAGS = {
    "raises-exception": "the cell shows what goes wrong, and its error is the point",
    "nbval-ignore-output": "the output depends on the machine; what matters is asserted in the cell",
    "training": "what the comparison of the applications runs, so that it measures just what the lesson shows",
    "hide-input": "plumbing that a reader of the page need not see",
}
UNSTABLE = {
    "path": r"(?<![\w.])/(?:home|root|tmp|usr|work|Users|var|opt)/|[A-Z]:\\\\",
    "address": r"\bat 0x[0-9a-f]+|<function |<bound method",
    "version": r"\b(?:torch|matplotlib|numpy|python|ipywidgets)[ =v]*\d+\.\d+\.\d+",
    "time": r"\b\d+(?:\.\d+)? ?(?:ms|µs|s/it|it/s)\b|\b\d\d:\d\d:\d\d\b",
}


def notebook(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code(path: Path) -> list:
    return [cell for cell in notebook(path).cells if cell.cell_type == "code"]


def prose(path: Path) -> str:
    return "\n\n".join(cell.source for cell in notebook(path).cells if cell.cell_type == "markdown")


def without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


PAGES = [LESSONS.parent / name for name in ("README.md", ".github/CONTRIBUTING.md", "tests/benchmarks/README.md")]
PAGES = sorted([*PAGES, *LESSONS.rglob("*.md")])

every_lesson = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.relative_to(LESSONS).as_posix())


def test_the_core_lessons_are_there():
    assert set(CORE) <= {path.stem for path in PATHS}


@every_lesson
def test_the_file_is_valid(path):
    nbformat.validate(notebook(path))


@every_lesson
def test_every_code_cell_was_run_in_order(path):
    # a notebook without counts is compared with nothing
    assert [cell.execution_count for cell in code(path)] == list(range(1, len(code(path)) + 1))
    assert any(cell.outputs for cell in code(path))


@every_lesson
def test_no_widget_state_is_stored(path):
    assert "widgets" not in notebook(path).metadata
    assert "widget-view" not in path.read_text(encoding="utf-8")
    assert path.stat().st_size < 3e6


@every_lesson
def test_errors_are_shown_only_where_they_are_meant(path):
    for cell in code(path):
        if "raises-exception" not in cell.metadata.get("tags", []):
            assert not [output for output in cell.outputs if output.output_type == "error"], cell.source
        assert not [output for output in cell.outputs if output.get("name") == "stderr"], cell.source


@every_lesson
@pytest.mark.parametrize("kind", UNSTABLE)
def test_outputs_hold_nothing_that_differs_between_machines(path, kind):
    for cell in code(path):
        for output in cell.outputs:
            texts = [output.get("text", "")] + [str(v) for k, v in output.get("data", {}).items() if "image" not in k]
            if output.output_type == "error":
                texts = [output.evalue]
            found = [match.group() for text in texts for match in re.finditer(UNSTABLE[kind], text)]
            assert not found, (found, cell.source)


@every_lesson
def test_every_picture_says_what_it_shows(path):
    for cell in code(path):
        for output in cell.outputs:
            if "image/png" in output.get("data", {}):
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt) > 20 and re.search(r"\d", alt), (alt, cell.source)
                assert alt in output.data["text/plain"], "where no picture is shown, its text is"
    texts = re.findall(r"!\[([^\]]*)\]\(", prose(path)) + re.findall(r'<img[^>]*?alt="([^"]*)"', prose(path))
    assert len(texts) == len(re.findall(r"!\[|<img", without_code(prose(path))))
    assert all(len(text) > 10 for text in texts)


def assert_headings_nest(text: str) -> None:
    levels = [len(marks) for marks in re.findall(r"^(#+) ", without_code(text), flags=re.MULTILINE)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(below <= above + 1 for above, below in itertools.pairwise(levels)), levels


@every_lesson
def test_headings_are_in_order(path):
    assert_headings_nest(prose(path))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.relative_to(LESSONS.parent).as_posix())
def test_pages_beside_the_lessons_nest_too_and_say_what_pictures_show(path):
    text = without_code(path.read_text(encoding="utf-8"))
    assert_headings_nest(text)
    assert all(len(alt) > 10 for alt in re.findall(r"!\[([^\]]*)\]\(", text))
    assert "<img" not in text


@pytest.mark.parametrize("saved_with_widgets", [False, True], ids=["stored", "saved by a learner"])
def test_without_widgets_the_picture_is_there_with_its_text(saved_with_widgets):
    """What nbconvert makes of it. Its default template puts no alternative text on any picture; another does."""
    lesson = notebook(LESSONS / "00-start-here.ipynb")
    lesson.cells = [cell for cell in lesson.cells if cell.cell_type == "code"]  # prose has pictures of its own
    pictures = [
        output for cell in lesson.cells for output in cell.get("outputs", []) if "image/png" in output.get("data", {})
    ]
    for output in pictures if saved_with_widgets else []:
        output.data["application/vnd.jupyter.widget-view+json"] = {
            "model_id": "gone",
            "version_major": 2,
            "version_minor": 0,
        }
    page = HTMLExporter(template_name="classic").from_notebook_node(lesson)[0]
    shown = dict(
        zip(re.findall(r'<img[^>]* alt="([^"]*)"', page), re.findall(r"<img[^>]* src=\"([^\"]*)\"", page), strict=True)
    )
    assert pictures and shown == {
        html.escape(output.metadata["image/png"]["alt"]): f"data:image/png;base64,{output.data['image/png'].strip()}"
        for output in pictures
    }
    assert "widget-view" not in page


@every_lesson
def test_links_inside_the_course_lead_somewhere(path):
    text = without_code(prose(path))
    for target in re.findall(r"\]\(([^)\s]+)\)|(?:src|href)=\"([^\"]+)\"", text):
        link = "".join(target)
        if not link.startswith(("http:", "https:", "#", "attachment:")):
            assert (path.parent / link.split("#")[0]).exists(), link


@every_lesson
def test_tags_are_known_and_give_their_reason(path):
    for cell in notebook(path).cells:
        assert set(cell.metadata.get("tags", [])) <= set(TAGS), cell.source
        assert "# NBVAL" not in cell.source, "a learner reads this: use a tag"
        assert cell.cell_type != "code" or "%%" not in cell.source[:2]


@every_lesson
def test_cells_are_short(path):
    for cell in code(path):
        assert len(cell.source.splitlines()) <= 30, cell.source


@every_lesson
def test_nothing_that_the_comparison_cannot_follow(path):
    # nbval has no Output widget and no clear_output: such a cell fails, or worse, is not compared
    for cell in code(path):
        for name in ("clear_output", "interact(", "interactive_output", "widgets.Output", "pyplot"):
            assert name not in cell.source, name


@pytest.mark.parametrize("path", [path for path in PATHS if path.stem != DEMO], ids=lambda path: path.stem)
def test_the_opening_says_what_for_how_long_and_what_with(path):
    opening = "\n".join(cell.source for cell in notebook(path).cells[:2] if cell.cell_type == "markdown").lower()
    for words in ("minutes", "able to|you can", "need"):
        assert re.search(words, opening), words
