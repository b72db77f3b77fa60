"""One learner who runs every lesson in turn, one kernel each, beside an idle JupyterLab server.

    python tests/load/all_lessons.py [--keep] [notebook ...]      (all lessons and applications, if none is named)

Prints the seconds from starting the kernel to the first explorer and to the end of the lesson, and the kernel's
largest memory (VmHWM). A kernel is shut down before the next lesson begins; with --keep all stay, and the
memory of all together (PSS) is told as well. Fails if the server and its kernels need more than 1 GB. Linux only.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from jupyter_client.manager import KernelManager, start_new_kernel
from processes import memory_mb

LESSONS = Path(__file__).resolve().parent.parent.parent / "lessons"
LIMIT_MB = 1024  # what Binder guarantees
VIEW = "application/vnd.jupyter.widget-view+json"
CELL_SECONDS = 600


def run(lesson: Path) -> tuple[KernelManager, float | None, float]:
    """Run all cells; the kernel, still alive, and the seconds to the first explorer and to the end."""
    began, shown = time.monotonic(), []
    manager, client = start_new_kernel(cwd=lesson.parent)

    def look(message: dict) -> None:
        if VIEW in message["content"].get("data", {}):
            shown.append(time.monotonic() - began)

    for cell in nbformat.read(lesson, as_version=4).cells:
        if cell.cell_type == "code":
            reply = client.execute_interactive(cell.source, output_hook=look, timeout=CELL_SECONDS)["content"]
            if reply["status"] != "ok" and "raises-exception" not in cell.metadata.get("tags", []):
                raise RuntimeError(f"{lesson.name}: {reply['ename']}: {reply['evalue']}")
    client.stop_channels()
    return manager, next(iter(shown), None), time.monotonic() - began


def largest_mb(pid: int) -> float:
    """The most memory that the process ever had, pages shared with others included."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def walk(lessons: list[Path], keep: bool) -> tuple[float, float]:
    """Run the lessons; the largest memory of one kernel, and that of all kernels that are left."""
    largest, kept = 0.0, []
    try:
        for lesson in lessons:
            manager, explorer, end = run(lesson)
            kept.append(manager)
            memory = largest_mb(manager.provisioner.pid)
            largest = max(largest, memory)
            first = f"{explorer:.1f}" if explorer else "-"
            print(f"{lesson.stem:28}first explorer {first:>5} s, done {end:5.1f} s, {memory:5.0f} MB", flush=True)
            if not keep:
                kept.pop().shutdown_kernel(now=True)
        return largest, sum(memory_mb(manager.provisioner.pid) for manager in kept)
    finally:
        for manager in kept:
            manager.shutdown_kernel(now=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", type=Path)
    parser.add_argument("--keep", action="store_true", help="no kernel is shut down")
    given = parser.parse_args()
    lessons = given.lessons or sorted(LESSONS.glob("0*.ipynb")) + sorted(LESSONS.glob("applications/*.ipynb"))
    jupyter = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--port=0"]
    server = subprocess.Popen(jupyter, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        largest, together = walk([path.resolve() for path in lessons], given.keep)
        if server.poll() is not None:
            raise RuntimeError("the JupyterLab server did not stay")
        idle = memory_mb(server.pid)
    finally:
        server.terminate()
        server.wait()
    needed = idle + (together if given.keep else largest)
    print(f"server {idle:.0f} MB, with {'all its kernels' if given.keep else 'the largest kernel'} {needed:.0f} MB")
    if needed > LIMIT_MB:
        sys.exit(f"more than {LIMIT_MB} MB")


if __name__ == "__main__":
    main()
