"""Whether every link of a site leads somewhere, and nothing is loaded from elsewhere."""

from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path
from posixpath import join, normpath
from urllib.parse import unquote, urlsplit

from lrlearn.commands import CommandError

LOADS = {"img", "script", "link", "audio", "video", "source", "iframe"}  # what a browser follows by itself


class _Page(HTMLParser):
    """The names of a page's places, and where it leads: (element, address)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.leads: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "id" and value:
                self.places.add(value)
            elif name in ("href", "src", "poster") and value is not None:
                self.leads.append((tag, value))


def check(folder: Path, ways: Iterable[Path]) -> None:
    """Follow every link of these pages of a folder.

    Raises:
        CommandError: a link leads to a file or a place that is not there, or out of the folder, or a page loads
            something from elsewhere. The message names the pages and the links.
    """
    pages = {way.as_posix(): _Page((folder / way).read_text(encoding="utf-8")) for way in ways}
    broken = [
        f"{way}: {lead}" for way in pages for tag, lead in pages[way].leads if not _holds(tag, lead, way, pages, folder)
    ]
    if broken:
        raise CommandError(f"{len(broken)} broken links: {'; '.join(broken)}")


def _holds(tag: str, lead: str, way: str, pages: dict[str, _Page], folder: Path) -> bool:
    given = urlsplit(lead)
    if given.scheme or given.netloc:
        return given.scheme in ("https", "http", "mailto", "data") and (tag not in LOADS or given.scheme == "data")
    to = normpath(join(way, "..", unquote(given.path))) if given.path else way
    if to.startswith("..") or not (folder / to).is_file():
        return False
    return not given.fragment or to not in pages or unquote(given.fragment) in pages[to].places
