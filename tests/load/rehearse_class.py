"""Rehearse a class: a real JupyterHub on this machine, and N learners who work through a lesson at the same time.

    python tests/load/rehearse_class.py --learners 30 --faults

Each learner logs in, gets a JupyterLab server of their own, opens a lesson, runs all its cells, drags
every explorer, answers an exercise, saves and logs out. With --faults a kernel is killed, a server
restarted or a page reloaded in mid-run, for every learner one of the three. Prints memory, times and
failures of every learner; at the end every saved notebook must be whole and hold that learner's answer,
and `lrlearn report` must find in them exactly the misconceptions that the learners were given.

The learners never pause to read, and nobody's browser runs here: only what the server does is measured.
Needs Linux and `pip install 'lrlearn[class]'`; everything listens on 127.0.0.1 only. Nothing it started
is left running, also when it is interrupted. The exit code says whether anything failed.
"""

import argparse
import asyncio
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median

sys.path.insert(0, str(Path(__file__).resolve().parent))

import hub
import nbformat
import processes
from learner import ANSWERS, FAULTS, Learner, attend, question_in

from lrlearn import report
from lrlearn.gathering import gather

ROOT = Path(__file__).resolve().parent.parent.parent
LESSONS = ["02-formula", "04-training-effects"]  # one without torch and one with it
MOST = 200  # learners
ROOM_MB = 500  # that a learner may need: half of them use torch


def deal_faults(count: int) -> list[list[str]]:
    """One fault for each learner in turn; each kind at least once, so that two learners share three.

    >>> deal_faults(2)
    [['kernel killed', 'page reloaded'], ['server restarted']]
    """
    dealt = [[] for _ in range(count)]
    for number in range(max(count, len(FAULTS))):
        dealt[number % count].append(FAULTS[number % len(FAULTS)])
    return dealt


def enrol(count: int, lessons: list[str], faults: bool, homes: Path) -> list[Learner]:
    """Learners with a home each, and a copy of the lessons in it. Neighbours get different lessons and faults."""
    dealt = deal_faults(count) if faults else [[] for _ in range(count)]
    learners = []
    for number in range(count):
        # two lessons and three faults: in six learners each lesson meets each fault
        lesson = lessons[number % len(lessons)]
        held = beliefs_in(lesson)
        belief = held[number // len(lessons) % len(held)]
        learner = Learner(f"learner-{number + 1:02}", f"lessons/{lesson}.ipynb", dealt[number], belief)
        shutil.copytree(ROOT / "lessons", homes / learner.name / "lessons", ignore=shutil.ignore_patterns(".ipynb_*"))
        learners.append(learner)
    return learners


def beliefs_in(lesson: str) -> list[str | None]:
    """What the learners of a lesson believe, in turn: what its first exercise with a known answer can show."""
    cells = nbformat.read(ROOT / "lessons" / f"{lesson}.ipynb", as_version=4).cells
    asked = next(filter(None, (question_in(cell.source) for cell in cells if cell.cell_type == "code")), None)
    return [*ANSWERS[asked]] if asked else [None]


async def hold_class(learners: list[Learner], at: hub.Hub, arrival: float, minutes: float) -> dict[str, float]:
    """All learners at once, the first clicks spread over ``arrival`` seconds; the memory of all, at its peak."""
    totals: dict[str, float] = {"all": 0.0, "hub and proxy": 0.0}

    async def arrive(number: int, learner: Learner) -> None:
        await asyncio.sleep(arrival * number / len(learners))
        await attend(learner, at)

    watch = asyncio.create_task(keep_watch(learners, at.mark, totals))
    tasks = [asyncio.create_task(arrive(number, learner)) for number, learner in enumerate(learners)]
    try:
        async with asyncio.timeout(60 * minutes):
            await asyncio.gather(*tasks)
    except TimeoutError:
        for learner in learners:
            if learner.finished is None:
                learner.failed.append(f"not finished after {minutes:g} minutes")
    finally:
        watch.cancel()
        await asyncio.gather(watch, *tasks, return_exceptions=True)
    return totals


async def keep_watch(learners: list[Learner], mark: str, totals: dict[str, float]) -> None:
    """Measure now and then, seldom enough to cost a tenth of a processor at most; say how far the class is."""
    began = said = time.monotonic()
    while True:
        start = time.monotonic()
        await asyncio.to_thread(measure, learners, mark, totals)
        if time.monotonic() - said > 10:
            said = time.monotonic()
            lab, explorer, finished = (len(reached(learners, stage)) for stage in ("lab", "explorer", "finished"))
            print(
                f"{said - began:5.0f} s: of {len(learners)} learners {lab} are in JupyterLab, {explorer} have seen an "
                f"explorer, {finished} have finished; {totals['all']:,.0f} MB at most",
                file=sys.stderr,
                flush=True,
            )
        await asyncio.sleep(max(1, 10 * (time.monotonic() - start)))


def measure(learners: list[Learner], mark: str, totals: dict[str, float]) -> None:
    """Memory and processor time of every learner's server and kernels, and of the hub with its proxy."""
    now: dict[str, float] = {}
    by_name = {learner.name: learner for learner in learners}
    for pid, settings in processes.marked(mark).items():
        owner = settings.get("JUPYTERHUB_USER", "hub and proxy")
        now[owner] = now.get(owner, 0.0) + processes.memory_mb(pid)
        if owner in by_name:
            cpu = by_name[owner].cpu
            cpu[pid] = max(cpu.get(pid, 0.0), processes.cpu_seconds(pid))
    for name, learner in by_name.items():
        learner.peak_mb = max(learner.peak_mb, now.get(name, 0.0))
    totals["all"] = max(totals["all"], sum(now.values()))
    totals["hub and proxy"] = max(totals["hub and proxy"], now.get("hub and proxy", 0.0))


def check_saved(learner: Learner, homes: Path) -> list[str]:
    """What is wrong with the notebook that a learner has saved; nothing, if all is well."""
    name = Path(learner.lesson).name
    try:
        saved = nbformat.read(homes / learner.name / learner.lesson, as_version=4)
        nbformat.validate(saved)
    except Exception as error:
        return [f"the saved notebook is broken: {type(error).__name__}: {error}"]
    given = nbformat.read(ROOT / "lessons" / name, as_version=4)
    wrong = []
    if [cell.id for cell in saved.cells] != [cell.id for cell in given.cells]:
        wrong.append("cells are missing or out of order")
    changed = [one.source for one, other in zip(saved.cells, given.cells, strict=False) if one.source != other.source]
    if len(changed) != 1 or not changed[0].endswith(learner.signature):
        wrong.append(f"the learner's answer should be the only change, not {changed}")
    if any(cell.cell_type == "code" and not cell.execution_count for cell in saved.cells):
        wrong.append("a cell was not run")
    if sum(len(cell.get("outputs", [])) > 0 for cell in saved.cells) < sum(
        any(output.get("name") != "stderr" for output in cell.get("outputs", [])) for cell in given.cells
    ):
        wrong.append("outputs are missing")
    missed = set(learner.faults) - set(learner.struck)
    return wrong + [f"the fault did not happen: {fault}" for fault in sorted(missed)]


def check_report(learners: list[Learner], homes: Path) -> None:
    """Note in ``learner.failed`` whose belief the report of the class does not find, or finds another."""
    found, course = gather([homes]), report.Course(ROOT / "lessons")
    beliefs = report.count(found, report.Reader(course)(found), course).beliefs
    for learner in learners:
        told = [belief.slug for belief in beliefs if learner.name in belief.now]
        if told != [learner.belief] * (learner.belief is not None):
            learner.failed.append(f"the answer showed {learner.belief}, and the report tells {told}")


def reached(learners: list[Learner], stage: str) -> list[float]:
    """When each learner got there, in seconds since the first click, the quickest first."""
    return sorted(at for at in (getattr(learner, stage) for learner in learners) if at is not None)


def table(learners: list[Learner]) -> str:
    """One line for each learner: peak memory, processor time, seconds since the first click, what failed."""
    columns = f"{'MB':>5}{'CPU s':>7}{'lab':>7}{'explorer':>10}{'done':>7}"
    lines = [f"{'learner':12}{'lesson':22}{columns}  faults; what failed"]
    for one in learners:
        times = [f"{at:.0f}" if at is not None else "-" for at in (one.lab, one.explorer, one.finished)]
        again = [f"connected again: {why}" for why in one.reconnected]
        what = "; ".join([", ".join(one.faults) or "none", *again, *one.failed])
        lines.append(
            f"{one.name:12}{Path(one.lesson).stem:22}{one.peak_mb:5.0f}{one.cpu_seconds:7.0f}"
            f"{times[0]:>7}{times[1]:>10}{times[2]:>7}  {what}"
        )
    return "\n".join(lines)


def summary(learners: list[Learner], totals: dict[str, float], seconds: float) -> str:
    """For each lesson and for all: memory, processor time, and the waits as median and slowest."""
    lines = []
    for lesson in sorted({one.lesson for one in learners}):
        these = [one for one in learners if one.lesson == lesson]
        memory, cpu = [one.peak_mb for one in these], [one.cpu_seconds for one in these]
        lines.append(f"{Path(lesson).stem}, {len(these)} learners:")
        lines.append(f"  memory of each {mean(memory):.0f} MB (largest {max(memory):.0f}), {mean(cpu):.0f} CPU seconds")
        for stage, said in (("explorer", "first explorer"), ("finished", "lesson done")):
            if waits := reached(these, stage):
                lines.append(f"  {said} after {median(waits):.0f} s (median), {waits[-1]:.0f} s (slowest)")
    everything, shared = totals["all"], totals["hub and proxy"]
    lines.append(f"all: at most {everything:,.0f} MB at a time, of which the hub and its proxy {shared:.0f} MB")
    lines.append(f"all: {sum(one.cpu_seconds for one in learners):,.0f} CPU seconds in {seconds:,.0f} seconds")
    return "\n".join(lines)


def rehearse(
    count: int, lessons: list[str], faults: bool, arrival: float, minutes: float, log: Path | None = None
) -> list[Learner]:
    """A whole class, reported on stdout; the learners, with what failed for each."""
    if not 1 <= count <= MOST:
        raise ValueError(f"learners must be between 1 and {MOST}, not {count}")
    if count * ROOM_MB > processes.available_mb():
        raise MemoryError(f"{count} learners may need {count * ROOM_MB} MB, {processes.available_mb():.0f} are free")
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, hub.running(Path(folder)) as at:
        learners = enrol(count, lessons, faults, at.homes)
        totals = asyncio.run(hold_class(learners, at, arrival, minutes))
        for learner in learners:
            learner.failed += check_saved(learner, at.homes)
        check_report(learners, at.homes)
        if log:
            shutil.copy(at.log, log)
    print(table(learners), summary(learners, totals, time.monotonic() - began), sep="\n\n")
    return learners


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--learners", type=int, default=2, help=f"at most {MOST}, and as many as memory holds")
    parser.add_argument("--lessons", nargs="+", default=LESSONS, help="dealt to the learners in turn")
    parser.add_argument("--faults", action="store_true", help="something goes wrong for every learner")
    parser.add_argument("--arrival", type=float, default=60, help="seconds over which the learners log in")
    parser.add_argument("--minutes", type=float, default=60, help="when to stop, whatever is not finished then")
    parser.add_argument("--log", type=Path, help="keep here what the hub and all servers have written")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # stopped by whomever: stop all that was started
    try:
        learners = rehearse(given.learners, given.lessons, given.faults, given.arrival, given.minutes, given.log)
    except KeyboardInterrupt:
        sys.exit("interrupted; everything that was started has been stopped")
    failed = [learner.name for learner in learners if learner.failed]
    print(f"failed: {', '.join(failed)}" if failed else "every notebook is whole and holds its learner's answer")
    sys.exit(bool(failed))


if __name__ == "__main__":
    main()
