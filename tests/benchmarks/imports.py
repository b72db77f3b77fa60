"""How long ``import lrlearn`` takes over starting Python, and what it loads.

python tests/benchmarks/imports.py
"""

import subprocess
import sys
import time

LIMIT = 0.15
BEST_OF = 7


def seconds(code: str) -> float:
    def run() -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], check=True)
        return time.perf_counter() - began

    return min(run() for _ in range(BEST_OF))


def main() -> None:
    bare = seconds("pass")
    for module in ("lrlearn", "lrlearn.filmstrips", "lrlearn.explorers", "lrlearn.regression", "torch"):
        limit = f"   limit {LIMIT} s" if module == "lrlearn" else ""
        print(f"import {module:20}{seconds(f'import {module}') - bare:8.3f} s{limit}")
    loaded = (
        "import sys, lrlearn; print([m for m in ('torch', 'matplotlib', 'ipywidgets', 'numpy') if m in sys.modules])"
    )
    print("loaded by import lrlearn:", subprocess.check_output([sys.executable, "-c", loaded], text=True).strip())


if __name__ == "__main__":
    main()
