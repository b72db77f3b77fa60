"""The explorers on a projector: Voila, with a template of large letters that loads nothing from elsewhere.

    python -m lrlearn.classroom [NOTEBOOK] [any option of voila, such as --no-browser or --port=8866]

Without a notebook it shows lessons/classroom-demo.ipynb.
"""

import os
import sys
from pathlib import Path

DEMO = "lessons/classroom-demo.ipynb"
TEMPLATES = Path(__file__).with_name("share")  # Jupyter looks for voila/templates/NAME in it


def main(arguments: list[str]) -> None:
    """Serve a notebook until interrupted; see the top of this file.

    Raises:
        SystemExit: Voila is not installed; the message says what to do.
    """
    try:
        from voila.app import Voila
    except ImportError:
        sys.exit("Voila is missing: pip install -e '.[classroom]'")
    if not any(argument.endswith(".ipynb") for argument in arguments):
        arguments = [DEMO, *arguments]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, [str(TEMPLATES), os.environ.get("JUPYTER_PATH")]))
    Voila.launch_instance([*arguments, "--template=lrlearn"])


if __name__ == "__main__":
    main(sys.argv[1:])
