"""What a rehearsal has started, its memory and processor time: read from /proc, so on Linux only."""

import contextlib
import os
import signal
import time
from pathlib import Path

MARK = "LRLEARN_REHEARSAL"  # an environment variable: whatever a marked process starts is marked too
TICKS = os.sysconf("SC_CLK_TCK")


def marked(mark: str) -> dict[int, dict[str, str]]:
    """Every process started under this mark, also those that left their group: pid -> its environment."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):  # it has just ended, or is none of ours
                pairs = (entry / "environ").read_bytes().decode(errors="replace").split("\0")
                settings = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
                if settings.get(MARK) == mark:
                    found[int(entry.name)] = settings
    return found


def memory_mb(pid: int) -> float:
    """Proportional set size: pages shared by n processes count a n-th in each; 0 if the process has ended."""
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def cpu_seconds(pid: int) -> float:
    """Processor time used so far, user and system; 0 if the process has ended."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    return 0.0


def available_mb() -> float:
    """Memory that can be had without swapping."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("MemAvailable")) / 1024


def kernel_process(mark: str, kernel_id: str) -> int:
    """The process of a kernel."""
    for pid in marked(mark):
        with contextlib.suppress(OSError):
            if f"kernel-{kernel_id}.json" in Path(f"/proc/{pid}/cmdline").read_text():
                return pid
    raise LookupError(f"kernel {kernel_id} has no process")


def stop_all(mark: str, patience: float = 10) -> int:
    """Ask everything under this mark to end, kill what has not after ``patience`` seconds; how many were left."""
    left = marked(mark)
    for sign in (signal.SIGTERM, signal.SIGKILL):
        for pid in marked(mark):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, sign)
        until = time.monotonic() + patience
        while marked(mark) and time.monotonic() < until:
            time.sleep(0.2)
    return len(left)
