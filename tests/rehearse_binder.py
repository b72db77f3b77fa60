"""Rehearse what Binder does, without Docker: python3 tests/rehearse_binder.py

Installs binder/requirements.txt into an empty environment in a temporary copy of the repository,
runs binder/postBuild there, then every lesson in turn, one kernel each. Prints the size on disk, the time to
each lesson's first explorer and the memory. Needs Linux, the Python of binder/runtime.txt, and the network.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIMIT_GB = 2.5  # the CUDA build of torch alone is more than twice that


def rehearse(folder: Path) -> None:
    copy, environment = folder / "lrlearn", folder / "environment"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".venv", ".git", "*.egg-info", "__pycache__"))
    wanted = (copy / "binder/runtime.txt").read_text().strip().removeprefix("python-")
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if running != wanted:
        sys.exit(f"run this with Python {wanted}, as binder/runtime.txt says, not {running}")

    venv.create(environment, with_pip=True)
    # an index that cannot be reached must fail at once, not after five tries for every package
    settings = os.environ | {"PATH": f"{environment / 'bin'}:{os.environ['PATH']}", "PIP_RETRIES": "0"}

    def run(*command: str) -> None:
        print("+", *command, flush=True)
        subprocess.run(command, cwd=copy, env=settings, check=True)

    run("pip", "install", "--quiet", "-r", "binder/requirements.txt")
    run("binder/postBuild")
    run("pip", "check")
    size = sum(path.lstat().st_size for path in environment.rglob("*")) / 1e9
    print(f"environment: {size:.2f} GB on disk", flush=True)
    if size > LIMIT_GB:
        sys.exit(f"more than {LIMIT_GB} GB: is that the CPU build of torch?")
    run("python", "tests/load/all_lessons.py")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        rehearse(Path(folder))
