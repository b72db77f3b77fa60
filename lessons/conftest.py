"""Lessons are tested with the network off: their kernels can reach this machine and nothing else."""

import os
from pathlib import Path

OFFLINE = Path(__file__).resolve().parent.parent / "tests" / "offline"
# a kernel inherits the environment, and Python imports sitecustomize from its path when it starts
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(OFFLINE), os.environ.get("PYTHONPATH")]))
