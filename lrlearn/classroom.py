"""The explorers on a projector: Voila, with a template of large letters that loads nothing from elsewhere.

    python -m lrlearn.classroom [NOTEBOOK] [any option of voila, such as --no-browser or --port=8866]

Without a notebook it shows lessons/classroom-demo.ipynb, the one in this folder or else the course's own.
"""

import os
from pathlib import Path

from lrlearn.commands import CommandError, command, extra, lessons, read_notebook

DEMO = "classroom-demo.ipynb"
TEMPLATES = Path(__file__).with_name("share")  # Jupyter looks for voila/templates/NAME in it


@command("lrlearn classroom")
def main(arguments: list[str]) -> None:
    """Serve a notebook until interrupted; see the top of this file.

    Raises:
        SystemExit: Voila or the notebook is missing, or the notebook is broken; the message says what to do.
    """
    with extra("classroom"):
        from voila.app import Voila
    named = [argument for argument in arguments if argument.endswith(".ipynb") or Path(argument).is_dir()]
    if len(named) > 1:
        raise CommandError(f"one notebook at a time, not {', '.join(named)}")
    options = [argument for argument in arguments if argument not in named]
    own = Path("lessons", DEMO)
    shown = Path(named[0]) if named else own if own.exists() else lessons() / DEMO
    read_notebook(shown)  # Voila would serve a broken one, and tell it to whoever opens the page
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH")]))
    Voila.launch_instance([str(shown), *options, "--template=lrlearn"])


if __name__ == "__main__":
    main()
