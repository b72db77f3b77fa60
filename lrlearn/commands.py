"""What every command of lrlearn shares: it ends in one clear line, and a missing extra comes with what installs it."""

import functools
import importlib.metadata
import importlib.util
import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LONGEST = 600  # characters of an error: somebody has to read it


class CommandError(Exception):
    """What was asked for cannot be done; the message, one line, says why and what helps."""


def command(name: str) -> Callable[[Callable[[list[str]], None]], Callable[..., None]]:
    """A decorator for ``main(arguments)`` of a command: whatever goes wrong, its user reads one line.

    Args:
        name: how the command is called in that line, such as "lrlearn export".

    The decorated function raises SystemExit, with the line, for every exception. Warnings of the
    libraries are not shown, and a character that the console lacks is written as its number.
    """

    def decorate(main: Callable[[list[str]], None]) -> Callable[..., None]:
        @functools.wraps(main)
        def run(arguments: list[str] | None = None) -> None:
            for stream in (sys.stdout, sys.stderr):
                if hasattr(stream, "reconfigure"):  # a notebook's streams take every character
                    stream.reconfigure(errors="backslashreplace")
            try:
                with warnings.catch_warnings():
                    if not sys.warnoptions:
                        warnings.simplefilter("ignore")
                    main(sys.argv[1:] if arguments is None else arguments)
                sys.stdout.flush()
            except KeyboardInterrupt:
                print(f"\n{name}: stopped", file=sys.stderr)
                sys.exit(130)  # as the shell counts it: 128 and the number of the signal
            except BrokenPipeError:  # whoever read what is printed has gone, as `head` does
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
                sys.exit(1)
            except Exception as error:
                sys.exit(f"{name}: {told(error)}")

        return run

    return decorate


def told(error: BaseException) -> str:
    """An error in one line; of one that nobody expected also the place, for whoever reports it.

    >>> told(FileNotFoundError(2, "No such file or directory", "a.ipynb"))
    'a.ipynb: No such file or directory'
    """
    if isinstance(error, CommandError):
        return one_line(error)
    if isinstance(error, OSError) and error.strerror:
        return one_line(f"{error.filename}: {error.strerror}" if error.filename else error.strerror)
    place = traceback.extract_tb(error.__traceback__)[-1:]
    where = "".join(f" (in {Path(frame.filename).name}, line {frame.lineno})" for frame in place)
    return one_line(f"{type(error).__name__}: {error}") + where


def one_line(text: Any) -> str:
    r"""A text without line breaks and whatever else steers a terminal, cut where it gets too long to be read.

    >>> one_line("first\n   second")
    'first second'
    """
    words = "".join(letter if letter.isprintable() else "?" for letter in " ".join(str(text).split()))
    return words if len(words) <= LONGEST else words[:LONGEST] + " ..."


@contextmanager
def extra(name: str) -> Iterator[None]:
    """Around the imports of what an extra brings: a missing package is told with the command that installs it.

    Raises:
        CommandError: one of the packages is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        package = (error.name or "lrlearn").partition(".")[0]
        if package == "lrlearn":
            raise
        raise CommandError(f"{package} is not installed; this installs it: {missing(name)}") from error


def missing(name: str) -> str:
    """The command that installs what an extra brings into the Python that runs, wherever lrlearn came from."""
    from packaging.requirements import Requirement

    try:
        listed = [Requirement(line) for line in importlib.metadata.requires("lrlearn") or []]
    except importlib.metadata.PackageNotFoundError:  # a folder on the path, never installed
        listed = []
    # those of the extra alone: lrlearn itself need not be on any index for this
    brought = [line for line in listed if line.marker and line.marker.evaluate({"extra": name})]
    packages = [f'"{line.name}{line.specifier}"' for line in brought] or [f'"lrlearn[{name}]"']
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    pip = f"{python} -m pip install" if importlib.util.find_spec("pip") else f"uv pip install --python {python}"
    return " ".join([pip, *packages])


def lessons() -> Path:
    """The course's own lessons, inside the installed package or beside it in a checkout.

    Raises:
        CommandError: there are none.
    """
    places = (HERE / "lessons", HERE.parent / "lessons")
    found = next((place for place in places if place.is_dir()), None)
    if found is None:
        raise CommandError(f"the lessons are not where they should be, in {places[0]}: install lrlearn again")
    return found


def notebooks_under(folder: Path) -> list[Path]:
    """Every notebook in a folder and in the folders in it, in order; no copy that Jupyter has made."""
    return sorted(path for path in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in path.parts)


def read_notebook(path: Path) -> Any:
    """A notebook (nbformat's NotebookNode, version 4), read and valid.

    Raises:
        CommandError: it is missing, no notebook, or broken.
    """
    import nbformat

    try:
        text = path.read_bytes().decode("utf-8-sig")
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except IsADirectoryError:
        raise CommandError(f"{path} is a folder: name the notebooks in it") from None
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CommandError(f"{path} is no notebook: it is not UTF-8 text") from error
    except Exception as error:  # nbformat raises a dozen kinds, KeyError and AttributeError among them
        raise CommandError(f"{path} is no notebook: {_what_is_wrong(text, error)}") from error
    return notebook


def _what_is_wrong(text: str, error: Exception) -> str:
    """Why nbformat does not take a text, in words: of its own errors many only make sense with its source."""
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as broken:
        return f"it is not JSON ({broken})"
    if not isinstance(given, dict) or not isinstance(given.get("nbformat"), int) or "cells" not in given:
        return "it is JSON without a notebook's cells and nbformat"
    if given["nbformat"] > 4:
        return f"its format, {given['nbformat']}, is newer than this nbformat knows; update Jupyter"
    return str(getattr(error, "message", "") or f"{type(error).__name__} {error}")
