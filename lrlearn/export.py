"""Lessons as HTML pages that need neither a kernel nor a network: one file each, and the main sliders still drag.

    python -m lrlearn.export                                    every notebook under ./lessons, into ./pages
    python -m lrlearn.export --to handout lessons/02-formula.ipynb
    python -m lrlearn.export --slides lessons/classroom-demo.ipynb

Where there is no ./lessons, the course's own are taken. A notebook that holds its widgets' state is
taken as it is; any other is executed first. The scripts that draw widgets in a page come from npm
when they are first needed, in the versions that pages.py names, and are kept in a cache folder
($LRLEARN_CACHE, or the system's place for such things).
"""

import argparse
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from lrlearn.commands import CommandError, command, extra, lessons, notebooks_under, read_notebook

LIMIT = 8_000_000  # bytes of a page: what learning platforms and slow networks still take


def export(notebooks: Iterable[Path | str], folder: Path | str, *, slides: bool = False) -> list[Path]:
    """Write each notebook as one HTML page that needs neither a kernel nor a network.

    Args:
        notebooks: files to export. Those without widgets' state are executed, in their own folder.
            Outputs are folded that answer a "**Predict", or whose cell says ``jupyter.outputs_hidden``.
        folder: where the pages go, in the folders that the notebooks have among themselves.
        slides: as slides of reveal.js, without code, by the notebooks' slideshow metadata.

    Returns:
        The pages, in the order of the notebooks. Links between the notebooks lead from page to
        page; links to other local files are left out, their text stays. Scripts and event handlers
        in a notebook's texts and outputs are left out.

    Raises:
        CommandError: a notebook is missing or broken; a cell fails, or holds an error that no
            ``raises-exception`` tag expects; a picture is missing or not on this machine; npm is
            missing or fails; a page would be larger than 8 MB; the folder cannot be written to.
            The pages before it are written.
    """
    return list(each_page(notebooks, folder, slides=slides))


def each_page(notebooks: Iterable[Path | str], folder: Path | str, *, slides: bool = False) -> Iterator[Path]:
    """The same as `export`, page by page: each is written when it is told."""
    with extra("export"):
        from lrlearn import pages
    # first whatever may be wrong with what was asked for: one hears so before the notebooks have run
    read = {Path(notebook).resolve(): read_notebook(Path(notebook)) for notebook in notebooks}
    root = Path(os.path.commonpath([source.parent for source in read]))
    suffix = ".slides.html" if slides else ".html"
    folder = Path(folder).resolve()
    written = {source: folder / source.relative_to(root).with_suffix(suffix) for source in read}
    _check_can_be_written(folder)
    scripts = pages.scripts(slides)
    for source, page in written.items():
        text = pages.page(source, read[source], written, scripts)
        if len(text) > LIMIT:
            raise CommandError(f"{source.name} makes a page of {len(text) / 1e6:.1f} MB; 8 is the limit: split it")
        page.parent.mkdir(parents=True, exist_ok=True)
        part = page.with_name(f"{page.name}.part")  # an interruption leaves no half of a page
        part.write_bytes(text)
        part.replace(page)
        yield page


def _check_can_be_written(folder: Path) -> None:
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir():
        raise CommandError(f"{nearest} is no folder")
    if not os.access(nearest, os.W_OK):
        raise CommandError(f"{nearest} cannot be written to: name another folder with --to")


@command("lrlearn export")
def main(arguments: list[str]) -> None:
    """The command; see the top of this file."""
    parser = argparse.ArgumentParser("lrlearn export", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("notebooks", nargs="*", type=Path, metavar="NOTEBOOK", help="default: all under ./lessons")
    parser.add_argument("--to", type=Path, default=Path("pages"), metavar="FOLDER", help="default: ./pages")
    parser.add_argument("--slides", action="store_true", help="as slides, by the notebooks' slideshow metadata")
    given = parser.parse_args(arguments)
    notebooks = given.notebooks or notebooks_under(Path("lessons")) or notebooks_under(lessons())
    for page in each_page(notebooks, given.to, slides=given.slides):
        print(f"{page.stat().st_size / 1e6:4.1f} MB  {page}", flush=True)


if __name__ == "__main__":
    main()
