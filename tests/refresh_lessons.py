"""Execute lessons and store them as the repository keeps them.

    python tests/refresh_lessons.py                         all lessons
    python tests/refresh_lessons.py lessons/02-formula.ipynb    only these
    python tests/refresh_lessons.py --clean lessons/02-formula.ipynb    as it was saved, not run, without widgets

Outputs and execution counts are kept; widget state, live widget views (which show an error until
the cell is run), times and versions are not. A cell that raises stops the command. At the end each
lesson is run once more and compared with what was stored.
"""

import copy
import subprocess
import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from tqdm import tqdm

from lrlearn.commands import notebooks_under
from lrlearn.pages import joined

ROOT = Path(__file__).resolve().parent.parent
VIEW = "application/vnd.jupyter.widget-view+json"


def lessons() -> list[Path]:
    return notebooks_under(ROOT / "lessons")


def execute(path: Path) -> nbformat.NotebookNode:
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(path.parent)}}
    )
    client.store_widget_state = False
    client.coalesce_streams = True
    client.execute()
    return notebook


def clean(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Keep what a reader sees and what nbval compares; drop what differs from run to run."""
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        cell.metadata = {
            key: cell.metadata[key] for key in ("tags", "slideshow", "jupyter", "editable") if key in cell.metadata
        }
        if cell.cell_type == "code":
            # stderr is where progress bars go: it is neither compared nor worth reading later
            cell.outputs = joined([output for output in cell.outputs if output.get("name") != "stderr"])
            for output in cell.outputs:
                output.get("data", {}).pop(VIEW, None)
                output.get("metadata", {}).pop(VIEW, None)
    return notebook


def main(arguments: list[str]) -> None:
    paths = [Path(argument).resolve() for argument in arguments if argument != "--clean"] or lessons()
    if "--clean" in arguments:
        for path in paths:
            notebook = nbformat.read(path, as_version=4)
            if notebook != clean(copy.deepcopy(notebook)):
                nbformat.write(clean(notebook), path)
                print(f"cleaned {path.name}")
        return
    for path in tqdm(paths, unit="lesson"):
        tqdm.write(str(path.relative_to(ROOT)))
        subprocess.run([sys.executable, "-m", "ruff", "check", "--fix", "--quiet", path], check=True)
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)
        nbformat.write(clean(execute(path)), path)
    names = " or ".join(path.stem for path in paths)
    checks = [["tests/test_notebooks.py", "-k", names], [str(path) for path in paths]]
    failed = [subprocess.call([sys.executable, "-m", "pytest", "-q", *check], cwd=ROOT) for check in checks]
    sys.exit(any(failed))


if __name__ == "__main__":
    main(sys.argv[1:])
