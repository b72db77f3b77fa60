"""Many learners on few cores: N processes that sweep at once, beside N times what one takes alone.

    python tests/benchmarks/many_kernels.py

Each process has torch's own default of threads. If those fought for the cores, N at once would take longer than
one after the other; with two cores and work on one thread at a time it may take half. Fails above 1.3.
"""

import subprocess
import sys
import time
from statistics import median

COUNTS, ROUNDS, LIMIT = (2, 4, 8), 3, 1.3
JOBS = {
    "40 sweeps of 27,648 trainings": """
from lrlearn import explorers, regression
def job():
    for _ in range(40):
        regression.sweep(explorers.SWEPT_LRS, explorers.SWEPT_GAMMAS, explorers.SEEDS)
""",
    "a SweepExplorer and a TrainingExplorer": """
import lrlearn
def job():
    for kind in (lrlearn.SweepExplorer, lrlearn.TrainingExplorer):
        explorer = kind()
        explorer.refresh()
        explorer.close()
""",
}
# ready once everything is imported and has run once; then it waits for a line, works, and says so
WAIT = """
job()
print("ready", flush=True)
input()
job()
print("done", flush=True)
"""


def seconds(source: str, count: int) -> float:
    """From the starting signal until the last of ``count`` processes is done."""
    command = [sys.executable, "-c", source + WAIT]
    learners = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    for learner in learners:
        learner.stdout.readline()
    began = time.perf_counter()
    for learner in learners:
        learner.stdin.write("\n")
        learner.stdin.flush()
    for learner in learners:
        learner.stdout.readline()
    taken = time.perf_counter() - began
    for learner in learners:
        if learner.communicate()[0] or learner.returncode:
            raise RuntimeError("a process failed")
    return taken


def main() -> None:
    missed = []
    print(f"{'job':42}{'at once':>8}{'seconds':>9}{'of N alone':>12}")
    for name, source in JOBS.items():
        alone = median(seconds(source, 1) for _ in range(ROUNDS))
        print(f"{name:42}{1:8}{alone:9.2f}{1:12.2f}", flush=True)
        for count in COUNTS:
            taken = median(seconds(source, count) for _ in range(ROUNDS))
            ratio = taken / (count * alone)
            missed += [ratio] if ratio > LIMIT else []
            print(f"{name:42}{count:8}{taken:9.2f}{ratio:12.2f}", flush=True)
    if missed:
        sys.exit(f"more than {LIMIT} times what they take one after the other")


if __name__ == "__main__":
    main()
