"""The course as a site of static files: every slider drags and every exercise is judged in the page.

    python -m lrlearn.site --to FOLDER                    every lesson, into FOLDER
    python -m lrlearn.site --to FOLDER --serve            the same, and shown on this machine until it is stopped
    python -m lrlearn.site --to FOLDER lessons/02-formula.ipynb

Every file that a page loads lies in FOLDER, so any host of static files can show it. The lessons are
executed, and the strips that their further controls ask for are drawn: that takes long. With ``--draft`` these are
left out, and a further control says that it needs the kernel. A site that is in FOLDER already is shown by ``--serve``
as it is.
"""

import argparse
import importlib.metadata
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import quote

import lrlearn
from lrlearn import serving
from lrlearn.commands import CommandError, command, extra, lessons, notebooks_under, read_notebook

HERE = Path(__file__).parent
FRONT, PAGE = "index.ipynb", "index.html"
LEFT_OUT = {"classroom-demo.ipynb"}  # the explorers alone, for a projector: no lesson
# the browser itself refuses whatever does not come from the site; Python in the page is WebAssembly
POLICY = (
    "default-src 'none'; connect-src 'self'; worker-src 'self'; img-src 'self' data: blob:; media-src 'self'; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'wasm-unsafe-eval'; font-src data:; "
    "base-uri 'none'; form-action 'none'"
)
STYLES = (HERE / "site.css").read_text(encoding="utf-8")
TRY = "lrlearn-try"  # the tag of a cell that can be tried in its page
ASKS = re.compile(r"^(check\(|recap\(.*answers=)", re.MULTILINE)
RIGHT = "0 of {} right"  # as site.js says it
MAP = re.compile(r"^\| \[[^\]]*\]\(([\w./-]+\.ipynb)\) \| (.*) \|$", re.MULTILINE)
OPENING = """# lrlearn: drag the learning rate, watch it train

A course on one idea: after every epoch, PyTorch's `ExponentialLR` multiplies the learning rate by the same number,
*gamma*. Drag gamma until the half-life (the orange diamond) is as close to **3 epochs** as it gets."""
DRAG = "from lrlearn import ScheduleExplorer\n\nScheduleExplorer()"
WAYS = """## The lessons

{table}

Your right answers are remembered in this browser and nowhere else. <span class="lrlearn-clear"></span>

## To run and change all of the code

- **In the browser, on Binder:** [open the course]({binder}). It takes minutes to start, and nothing you do is kept.
- **On Google's machines, in Colab:** the link at the head of each lesson. Not tried in Colab itself, only with the
  versions of its packages; the [README]({repository}#start) says how far.
- **On your machine:** the commands are in the [README]({repository}#start)."""


@dataclass(frozen=True)
class Lesson:
    """A lesson and its place in the site."""

    source: Path
    notebook: Any
    name: str  # of its file, without the ending
    title: str
    minutes: str
    answers: str  # the question that it answers, or what one can do afterwards
    tries: int  # how many of its cells can be tried in the page


def build(notebooks: Iterable[Path], folder: Path, *, draft: bool = False) -> Iterator[Path]:
    """Write the site of these notebooks.

    Args:
        notebooks: in the order in which they are read. Those without widgets' state are executed.
        folder: where the site goes.
        draft: leave out the strips of the further controls, which take most of the time.

    Yields:
        Each page once it is written, the front page first.

    Raises:
        CommandError: as `lrlearn.export.export`, or a link leads nowhere.
    """
    with extra("export"):
        from jinja2 import Environment, FileSystemLoader

        from lrlearn import assets, links, pages, unpacking
    row = [*map(_lesson, notebooks)]
    root = Path(os.path.commonpath([one.source.parent for one in row]))
    ways = {one.source: one.source.relative_to(root).with_suffix(".html") for one in row} | {root / FRONT: Path(PAGE)}
    written = {source: folder / way for source, way in ways.items()}
    around: Any = Environment(loader=FileSystemLoader(HERE), autoescape=True).get_template("site.html.j2").module
    place = unpacking.Folder(folder)
    assets.write(place)
    styles = assets.styles() + STYLES
    with tempfile.TemporaryDirectory() as drawn:
        last = "" if draft else f"from lrlearn.strips import store\n\nstore({drawn!r})"
        for at, one in enumerate([None, *row]):
            source, notebook = (one.source, one.notebook) if one else (root / FRONT, _front(row, root))
            way = "../" * (len(ways[source].parts) - 1)
            neighbours = {"previous": row[at - 2] if at > 1 else None, "next": row[at] if at < len(row) else None}
            told = {"lesson": one, "root": way, "ways": {each: ways[each].as_posix() for each in ways}, **neighbours}
            told["binder"] = binder(f"lessons/{one.source.relative_to(root).as_posix()}") if one else ""
            site = {"policy": POLICY, "before": around.before(**told), "after": around.after(**told)}
            parts = {"slides": False, "styles": styles, "site": site, "last": last}
            text = pages.page(source, notebook, written, parts).decode()
            text = unpacking.taken_apart(_with_contents(text), place, way, Path(drawn))
            place.write(ways[source].as_posix(), text.encode())
            yield written[source]
    links.check(folder, ways.values())


def _lesson(path: Path) -> Lesson:
    """What the site tells of a lesson, from its opening; its exercises are marked as what can be tried."""
    notebook = read_notebook(path)
    for cell in notebook.cells:
        if cell.cell_type == "code" and ASKS.search(cell.source):
            cell.metadata["tags"] = [*cell.metadata.get("tags", []), TRY]
    opening = "\n".join(cell.source for cell in notebook.cells[:1])
    title = re.search(r"^# (.*)$", opening, re.MULTILINE)
    minutes = re.search(r"(?:Minutes|Time):?\*\*:?\D{0,10}(\d+)", opening)
    able = re.search(r"\*\*You will be able to\*\*(.*?)(?:\n\n\*\*|\Z)", opening, re.DOTALL)
    tries = sum(TRY in cell.metadata.get("tags", []) for cell in notebook.cells)
    words = " ".join(re.sub(r"^- ", "", able[1].strip(), flags=re.MULTILINE).split()) if able else ""
    number = f"{path.stem[:2]} " if re.match(r"\d\d-", path.stem) else ""
    name = number + (title[1].replace("`", "") if title else path.stem)
    return Lesson(path.resolve(), notebook, path.stem, name, minutes[1] if minutes else "", words, tries)


def _front(row: list[Lesson], root: Path) -> Any:
    """The front page as a notebook: the first explorer, and the table of the lessons."""
    from nbformat import v4

    mapped = dict(MAP.findall("\n".join(cell.source for cell in row[0].notebook.cells)))
    lines = ["| lesson | minutes | what it answers, or what you can do afterwards | exercises |", "|---|---:|---|---|"]
    for one in row:
        way = one.source.relative_to(root).as_posix()
        count = (
            f'<span class="lrlearn-count" id="count-{one.name}-{one.tries}">{RIGHT.format(one.tries)}</span>'
            if one.tries
            else ""
        )
        lines.append(
            f"| [{escape(one.title)}]({quote(way)}) | {one.minutes} | {mapped.get(way, one.answers)} | {count} |"
        )
    ways = WAYS.format(table="\n".join(lines), binder=binder(f"lessons/{row[0].source.name}"), repository=repository())
    drag = v4.new_code_cell(DRAG)
    drag.metadata["tags"] = ["hide-input"]
    return v4.new_notebook(cells=[v4.new_markdown_cell(OPENING), drag, v4.new_markdown_cell(ways)])


def repository() -> str:
    """The address of the project, as its metadata tell it.

    Raises:
        CommandError: lrlearn is not installed.
    """
    try:
        addresses = importlib.metadata.metadata("lrlearn").get_all("Project-URL") or []
        return next(line.partition(", ")[2] for line in addresses if line.startswith("Repository, "))
    except (importlib.metadata.PackageNotFoundError, StopIteration):
        raise CommandError("the site links to the project, whose address is known once lrlearn is installed") from None


def binder(path: str) -> str:
    """Where Binder opens a file of the project."""
    name = repository().removeprefix("https://github.com/")
    return f"https://mybinder.org/v2/gh/{name}/v{lrlearn.__version__}?urlpath=lab/tree/{quote(path)}"


def _with_contents(page: str) -> str:
    """The page with a list of its sections, where its template leaves a place for one."""
    found = re.findall(r'<h2 id="([^"]*)">(.*?)(?:<a class="anchor-link".*?)?</h2>', page)
    items = "".join(f'<li><a href="#{name}">{re.sub("<a [^>]*>|</a>", "", words)}</a></li>' for name, words in found)
    return page.replace("<!--contents-->", f"<details><summary>Contents</summary><ol>{items}</ol></details>")


@command("lrlearn site")
def main(arguments: list[str]) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser("lrlearn site", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="default: every lesson")
    parser.add_argument("--to", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--serve", type=int, nargs="?", const=8000, metavar="PORT", help="show it; default port: 8000")
    parser.add_argument("--draft", action="store_true", help="without what the further controls need")
    given = parser.parse_args(arguments)
    if given.serve is None or not (given.to / PAGE).exists():
        course = lessons()
        every = [path for path in notebooks_under(course) if path.name not in LEFT_OUT]
        every.sort(key=lambda path: len(path.parts))  # the applications last
        for page in build(given.notebooks or every, given.to.resolve(), draft=given.draft):
            print(f"{page.stat().st_size / 1e3:4.0f} kB  {page}", flush=True)
    if given.serve is not None:
        serving.show(given.to, given.serve)


if __name__ == "__main__":
    main()
