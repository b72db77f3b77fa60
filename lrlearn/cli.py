"""The command ``lrlearn``: the course on this machine, from any folder.

    lrlearn                            copy the lessons to ./lrlearn-lessons and open them in JupyterLab
    lrlearn open FOLDER [OPTION ...]   the same with a folder of your choice, and any option of jupyter lab
    lrlearn classroom [...]            the explorers alone, for a projector
    lrlearn export [...]               lessons as HTML pages that need neither a kernel nor a network
    lrlearn site --to FOLDER [...]     the course as a site of static files, which needs no kernel either
    lrlearn report FOLDER [...]        what a class believes, counted in its notebooks

Nothing that is in the folder already is ever written over: what you did in a lesson stays. For a fresh copy of a
lesson, rename yours and run the command again. ``lrlearn export --help`` says more about a command.
"""

import importlib
import importlib.util
import os
import sys
from pathlib import Path

import lrlearn
from lrlearn.commands import CommandError, command, extra, lessons, missing

FIRST = "00-start-here.ipynb"
COMMANDS = ("classroom", "export", "report", "site")  # each the main function of a module of lrlearn
LEFT_OUT = {".ipynb_checkpoints", "__pycache__"}


@command("lrlearn")
def main(arguments: list[str]) -> None:
    """Do what the command line says; see the top of this file.

    Raises:
        SystemExit: the command does not exist or fails; the message says why.
    """
    name, *rest = arguments or ["open"]
    if name in ("-h", "--help"):
        print(__doc__)
    elif name == "--version":
        print(f"lrlearn {lrlearn.__version__}")
    elif name in COMMANDS:
        importlib.import_module(f"lrlearn.{name}").main(rest)
    elif name == "open":
        open_course(rest)
    elif name.startswith("-"):
        open_course(arguments)
    else:
        raise CommandError(f"there is no command {name!r}; there are open, {', '.join(COMMANDS)}, and --help")


def open_course(arguments: list[str]) -> None:
    """Copy the lessons into the folder that the arguments name, and run JupyterLab there until it is stopped."""
    named = bool(arguments) and not arguments[0].startswith("-")
    folder = Path(arguments[0]) if named else _usual_folder()
    copied, kept = copy_lessons(folder)
    yours = f"; {kept} that were there already are as you left them" if kept else ""
    print(f"{copied} files copied to {folder.resolve()}{yours}", file=sys.stderr)
    if not importlib.util.find_spec("sklearn"):
        print(f"The applications need more; this installs it: {missing('applications')}", file=sys.stderr)
    with extra("applications"):
        from jupyterlab.labapp import LabApp

    os.chdir(folder)  # the folder that JupyterLab shows
    LabApp.launch_instance([FIRST, *arguments[named:]])


def copy_lessons(folder: Path) -> tuple[int, int]:
    """Copy the course's lessons into a folder, and leave every file alone that is there already.

    Returns:
        How many files were copied, and how many were there.

    Raises:
        OSError: the folder cannot be made or written to. A file of which only a part could be written is removed.
    """
    origin = lessons()
    copied = kept = 0
    for source in sorted(path for path in origin.rglob("*") if path.is_file() and not LEFT_OUT & set(path.parts)):
        target = folder / source.relative_to(origin)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = target.open("xb")  # x: an error if it exists
        except FileExistsError:
            kept += 1
            continue
        try:
            with file:
                file.write(source.read_bytes())
        except BaseException:
            target.unlink()
            raise
        copied += 1
    return copied, kept


def _usual_folder() -> Path:
    """Where the lessons go when nobody says where: here, if the course is here already."""
    return Path() if Path(FIRST).exists() else Path("lrlearn-lessons")
