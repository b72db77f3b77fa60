"""How long a report takes: 100 notebooks as a class saves them, read for the first time, and when one has changed.

python tests/benchmarks/report.py
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "load"))

import make_class

from lrlearn import report
from lrlearn.gathering import gather

LEARNERS, LIMIT = 50, 2.0
LESSONS = ["02-formula", "04-training-effects"]
BEST_OF = 5


def main() -> None:
    with tempfile.TemporaryDirectory() as named:
        folder = Path(named)
        make_class.make(folder, LEARNERS, LESSONS)
        notebooks = sorted(folder.rglob("*.ipynb"))
        size = sum(path.stat().st_size for path in notebooks) / 1e6
        course = report.Course(make_class.LESSONS)
        first, again = [], []
        for _ in range(BEST_OF):
            reader = report.Reader(course)
            first.append(seconds(folder, reader))
            notebooks[0].touch()
            again.append(seconds(folder, reader))
        print(f"{len(notebooks)} notebooks, {size:.0f} MB: best and worst of {BEST_OF}, in seconds")
        print(f"all of them      {min(first):.3f} to {max(first):.3f}   limit {LIMIT}")
        print(f"one has changed  {min(again):.3f} to {max(again):.3f}")


def seconds(folder: Path, reader: report.Reader) -> float:
    """To find the notebooks, read what has changed, count, and make the page."""
    began = time.perf_counter()
    found = gather([folder])
    report.page(report.count(found, reader(found), reader.course))
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
