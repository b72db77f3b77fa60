"""Answers judged in a page of the site, where Python runs in the browser: what is shown of them.

The exercises themselves are those of every notebook; nothing here judges.
"""

import json
from typing import Any

from lrlearn import comparison, recaps, standin


def shown(value: Any) -> str:
    """What a page shows of a cell's last value, as JSON: ``html`` or ``text``, and whether it is ``right``.

    Where torch itself is needed nothing is judged, and ``jupyter`` says that only a notebook can.

    >>> shown(1 + 1)
    '{"text": "2"}'
    """
    if not isinstance(value, comparison.Feedback | recaps.Recap):
        return json.dumps({"text": "" if value is None else repr(value)})
    feedback = value.feedback if isinstance(value, recaps.Recap) else [value]
    if any(standin.LACKS in one.hint for one in feedback):
        return json.dumps({"text": f"Not judged: {standin.LACKS}.", "jupyter": True})
    return json.dumps({"html": value._repr_html_(), "right": value.correct})


def said(traceback: str) -> str:
    r"""Of a traceback what concerns the cell: the lines from its own code on.

    >>> print(said("Traceback\n  File '/lib/pyodide.py'\n  File 'your code', line 2\nNameError: x"))
    File 'your code', line 2
    NameError: x
    """
    lines = traceback.strip().splitlines()
    first = next((at for at, line in enumerate(lines) if "your code" in line), max(0, len(lines) - 1))
    return "\n".join(lines[first:]).strip()


def prepare(trained: str) -> None:
    """Make the exercises ready, so that the first answer is judged at once.

    Args:
        trained: JSON of `lrlearn.tuning.all_trained`.
    """
    standin.install()
    import lrlearn.exercises  # noqa: F401
    from lrlearn import tuning

    tuning.TRAINED.update(json.loads(trained))
