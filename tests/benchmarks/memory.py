"""What five explorers on one page cost the browser over an empty notebook, fresh, dragged, and run again.

python tests/benchmarks/memory.py
"""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import lab
from playwright.sync_api import Page

NAMES = ["ScheduleExplorer", "DescentExplorer", "WorkedExample", "TrainingExplorer", "SweepExplorer"]
LIMIT_MB = 300


def descendants(pid: int) -> list[int]:
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
            except OSError:
                continue  # it has just ended
    found = [pid]
    for known in found:
        found += [child for child, parent in parents.items() if parent == known]
    return found[1:]


def browser_mb() -> float:
    """Memory of all processes of the browser, shared pages counted once (PSS)."""
    total = 0
    for pid in descendants(os.getpid()):
        try:
            if b"chrom" in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[0]:
                lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        except OSError:
            continue
    return total / 1024


def settled(page: Page) -> float:
    page.request_gc()
    page.wait_for_timeout(4000)
    page.request_gc()
    page.wait_for_timeout(2000)
    return browser_mb()


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, lab.browser() as browser:
        lab.write_notebook(Path(folder, "empty.ipynb"), "1 + 1")
        lab.write_notebook(Path(folder, "five.ipynb"), "from lrlearn import *", *[f"{name}()" for name in NAMES])
        with lab.server(Path(folder)) as address:
            page = browser.new_page(viewport={"width": 1300, "height": 1000})
            lab.open_notebook(page, address, "empty.ipynb")
            lab.run_all(page)
            empty = settled(page)
            print(f"{'empty notebook':32}{empty:8.0f} MB")
            lab.open_notebook(page, address, "five.ipynb")
            for times in (1, 2, 3):
                lab.run_all(page)
                lab.canvas(lab.explorers(page).last).wait_for()
                said = "five explorers" + (f", run {times} times" if times > 1 else "")
                print(f"{said:32}{settled(page) - empty:+8.0f} MB", flush=True)
                for explorer in lab.explorers(page).all():
                    for to in (1, 0, 0.5):
                        lab.drag(page, explorer, to, steps=30)
                print(f"{'  every slider dragged':32}{settled(page) - empty:+8.0f} MB   limit {LIMIT_MB}", flush=True)


if __name__ == "__main__":
    main()
