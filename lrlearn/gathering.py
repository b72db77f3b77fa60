"""The notebooks of a class, as they lie in home folders, in nbgrader's folders or in a learning platform's zip.

What is in them was written by learners: it is read within limits and never run, and what cannot be read is named.
"""

import json
import os
import re
import stat
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import takewhile
from pathlib import Path, PurePosixPath
from typing import Any

from lrlearn.commands import CommandError

LARGEST = 20_000_000  # bytes of one notebook; a lesson with all of its pictures takes a tenth
MOST = 500_000_000  # bytes of all notebooks of one zip
ENTRIES = 10_000  # of one zip
TIGHTEST = 100  # times that a notebook may have been compressed; one with pictures hardly is
# never handed in: copies that Jupyter and macOS make, and packages
LEFT_OUT = re.compile(r"\..*|__MACOSX|__pycache__|node_modules|site-packages")
# nbgrader's exchange: learner+assignment+timestamp, and a random part in some versions
EXCHANGE = re.compile(r"(?P<learner>.+)\+[^+]+\+(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)[^+]*(\+[^+]*)?")
MOODLE = re.compile(r"(?P<learner>.+)_assignsubmission_")


class UnreadableError(Exception):
    """Why a notebook cannot be read, in words that hold nothing of it."""


@dataclass(frozen=True)
class Found:
    """A notebook that somebody has handed in; it is not opened yet.

    Args:
        place: where it lies; this may hold a name.
        parts: the folders and the file name, below what was named.
        changed: when, in seconds since 1970.
        version: differs if the content may.
        read: gives its bytes, or raises `UnreadableError`.
        learner: whose it is; a loose file is somebody's of whom nothing else is known.
    """

    place: str
    parts: tuple[str, ...]
    changed: float
    version: tuple[Any, ...]
    read: Callable[[], bytes]
    learner: str = ""


def gather(sources: Iterable[Path]) -> list[Found]:
    """Every notebook in folders, zips and files, with whose it is, in a fixed order.

    The folder right below what was named is a learner's: on a hub a home, in nbgrader's ``submitted``
    a student's, in a zip of Moodle a submission. The same name in two sources is the same learner.
    """
    found = [one for source in sources for one in _with_learners(list(_in(source)), source.is_file())]
    return sorted(found, key=lambda one: one.place)


def check_sources(sources: Iterable[Path]) -> None:
    """Raise CommandError for a source that is missing, or neither folder, zip nor notebook."""
    for source in sources:
        if not source.exists():
            raise CommandError(f"{source}: there is no such file or folder")
        if not (source.is_dir() or (source.is_file() and source.suffix.lower() in (".zip", ".ipynb"))):
            raise CommandError(f"{source} is neither a folder, nor a zip, nor a notebook")


def cells_of(data: bytes) -> list[dict[str, Any]]:
    """The code cells of a notebook.

    Raises:
        UnreadableError: it is no notebook.
    """
    try:
        given = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise UnreadableError("is not UTF-8 text") from None
    except RecursionError:
        raise UnreadableError("is nested too deeply") from None
    except (ValueError, MemoryError):
        raise UnreadableError("is not JSON: perhaps it was cut off") from None
    cells = given.get("cells") if isinstance(given, dict) else None
    if not isinstance(cells, list):
        raise UnreadableError("is JSON, but no notebook with cells")
    return [cell for cell in cells if isinstance(cell, dict) and cell.get("cell_type") == "code"]


def _in(source: Path) -> Iterator[Found]:
    if source.is_dir():
        yield from _in_folder(source)
    elif source.suffix.lower() == ".zip":
        yield from _in_zip(source)
    else:
        yield _file(source, (source.name,), os.path.abspath(source))


def _in_folder(root: Path) -> Iterator[Found]:
    """Every notebook below a folder. Links are not followed: they may lead anywhere."""
    closed: list[OSError] = []
    for folder, folders, files in os.walk(root, onerror=closed.append):
        here = Path(folder)
        folders[:] = sorted(name for name in folders if not LEFT_OUT.fullmatch(name))
        above = here.relative_to(root).parts
        for name in folders if not above else []:
            if (here / name).is_symlink():
                yield _refused(str(here / name), (name, ""), "is a link to a folder, and links are not followed")
        for name in files:
            # a learner's own zip is named, for what is in it is missing in the counts
            if name.endswith(".ipynb") and not LEFT_OUT.fullmatch(name):
                yield _file(here / name, (*above, name), str(here / name))
            elif name.lower().endswith(".zip") and len(above) <= 1:
                yield _refused(str(here / name), (*above, name), "is a zip inside a folder: name it, or unpack it")
    for error in closed:
        yield _refused(str(error.filename), (Path(str(error.filename)).name, ""), "cannot be opened: no permission")


def _file(path: Path, parts: tuple[str, ...], place: str) -> Found:
    try:
        about = path.lstat()
    except OSError:
        return _refused(place, parts, "has gone")
    if not stat.S_ISREG(about.st_mode):
        return _refused(place, parts, "is a link or no file, and is not followed")
    if about.st_size > LARGEST:
        return _refused(place, parts, _too_large(about.st_size), about.st_mtime)
    return Found(place, parts, about.st_mtime, (about.st_mtime_ns, about.st_size), partial(_bytes_of, path))


def _bytes_of(path: Path) -> bytes:
    """At most as many bytes as a notebook may have; a link or a pipe that has taken its place is not opened."""
    careful = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        with open(os.open(path, os.O_RDONLY | careful), "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise UnreadableError(f"cannot be opened: {error.strerror}") from None
    return _checked(data)


def _checked(data: bytes) -> bytes:
    if len(data) > LARGEST:
        raise UnreadableError(_too_large(len(data)))
    return data


def _too_large(size: int) -> str:
    return f"is too large: {size / 1e6:.0f} MB, and {LARGEST / 1e6:.0f} is the limit"


def _refused(place: str, parts: tuple[str, ...], why: str, changed: float = 0.0) -> Found:
    def read() -> bytes:
        raise UnreadableError(why)

    return Found(place, parts, changed, (changed, why), read)


def _in_zip(path: Path) -> Iterator[Found]:
    """Every notebook of a zip, none of them unpacked to a file."""
    try:
        about = path.stat()
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile):
        yield _refused(str(path), (path.name,), "is no zip, or a broken one")
        return
    notebooks = [entry for entry in entries if entry.filename.endswith(".ipynb")]
    if len(entries) > ENTRIES or sum(entry.file_size for entry in notebooks) > MOST:
        limits = f"{ENTRIES:,} files, or {MOST / 1e6:.0f} MB of notebooks"
        yield _refused(str(path), (path.name,), f"holds more than {limits}: it is not opened")
        return
    for entry in entries:
        parts = PurePosixPath(entry.filename).parts
        if not parts or any(LEFT_OUT.fullmatch(part) for part in parts if part != ".."):
            continue
        place = f"{path}/{entry.filename}"
        if why := _wrong_with(entry):
            yield _refused(place, parts, why)
        elif entry.filename.endswith(".ipynb"):
            changed = datetime(*_possible(entry.date_time)).timestamp()
            version = (about.st_mtime_ns, about.st_size)
            yield Found(place, parts, changed, version, partial(_unpacked, path, entry))


def _wrong_with(entry: zipfile.ZipInfo) -> str:
    """Why an entry of a zip is not read, if it would be."""
    name = entry.filename
    if name.lower().endswith(".zip"):
        return "is a zip inside a zip: unpack it"
    if not name.endswith(".ipynb"):
        return ""
    if name.startswith("/") or "\\" in name or ":" in name.split("/")[0] or ".." in name.split("/"):
        return "has a name that leads out of its zip"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link, and links are not followed"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.file_size > LARGEST:
        return _too_large(entry.file_size)
    if entry.file_size > 1_000_000 and entry.file_size > TIGHTEST * entry.compress_size:
        return "is compressed as tightly as no notebook is: it may be a zip bomb"
    return ""


def _possible(when: tuple[int, ...]) -> tuple[int, int, int, int, int, int]:
    """The date of an entry, which may be nonsense."""
    try:
        return datetime(*when[:6]).timetuple()[:6]  # type: ignore[arg-type]
    except (ValueError, OverflowError):
        return (1980, 1, 1, 0, 0, 0)


def _unpacked(path: Path, entry: zipfile.ZipInfo) -> bytes:
    try:
        with zipfile.ZipFile(path) as archive, archive.open(entry) as file:
            return _checked(file.read(LARGEST + 1))
    except UnreadableError:
        raise
    except Exception:  # zlib, bz2 and lzma each have errors of their own
        raise UnreadableError("is broken in its zip") from None


def _with_learners(found: list[Found], is_zip: bool) -> list[Found]:
    """The same with whose each is; the teacher's own folders of nbgrader are left out."""
    for level, folder in ((0, "submitted"), (0, "inbound"), (1, "inbound")):
        if any(folder in one.parts[level : level + 1] for one in found):
            found = [one for one in found if folder in one.parts[level : level + 1]]
            found = [replace(one, parts=one.parts[level + 1 :]) for one in found]
    levels = zip(*(one.parts[:-1] for one in found), strict=False)
    shared = len(list(takewhile(lambda level: len(set(level)) == 1, levels)))  # folders that hold everything
    bare = {len(one.parts) == shared + 1 for one in found}
    # a folder around all the others is nobody's; in a zip also one around loose files
    around = shared if len(found) > 1 and (bare == {False} or (is_zip and bare == {True})) else 0
    return [_with_learner(one, one.parts[around:]) for one in found]


def _with_learner(one: Found, below: tuple[str, ...]) -> Found:
    for part in one.parts:
        if named := EXCHANGE.fullmatch(part):
            when = datetime.fromisoformat(named["time"]).replace(tzinfo=UTC)
            return replace(one, learner=named["learner"], changed=when.timestamp())
        if named := MOODLE.match(part):
            return replace(one, learner=named["learner"])
    return replace(one, learner=below[0] if len(below) > 1 else one.place)
