"""How the suite is shared between two workers: what belongs to one lesson stays on one of them.

The browser's run of a lesson is what nbval compares and what the export starts from (`once`), so these go together,
and they go from lesson to lesson. Any other file of tests is a piece of its own, for its fixtures are made once.
"""

import re

from xdist.scheduler import LoadScopeScheduling

EXPORTED = "02-formula"  # the lesson that the tests of the export look at closely, as the browser left it
LESSON = re.compile(r"([\w-]+)\.ipynb(?:::|\])|test_every_lesson_is_a_page\w*\[([\w-]+)\]")


def piece(nodeid: str) -> str:
    """The piece of the suite that a test belongs to.

    >>> piece("lessons/02-formula.ipynb::Cell 3"), piece("tests/test_browser.py::test_runs[lessons/02-formula.ipynb]")
    ('02-formula', '02-formula')
    >>> piece("tests/test_notebooks.py::test_valid[02-formula.ipynb]")
    'tests/test_notebooks.py'
    """
    file = nodeid.split("::")[0]
    found = LESSON.search(nodeid)
    if found and file.endswith((".ipynb", "test_browser.py", "test_export.py")):
        return found[1] or found[2]
    return EXPORTED if file.endswith("test_export.py") else file


class Sharing(LoadScopeScheduling):
    """Whole pieces, in the order of the collection: the long ones stand early in it."""

    def _split_scope(self, nodeid: str) -> str:
        return piece(nodeid)
