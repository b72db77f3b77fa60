"""The fair comparison of the applications: one command for all of them.

    python lessons/applications/compare.py                 everything that has not been run yet
    python lessons/applications/compare.py objects speech  only these tasks

It runs the cells of the notebooks that carry the tag "training", so what is measured is what the
lesson shows. Runs are kept in build/applications.jsonl and are not repeated: stop it and go on whenever
you like. The results go to results.json, and the picture and the table of them to README.md.

Each arm (constant rate, ExponentialLR down to 0.5, 0.1 and 0.01 of the first rate, cosine down to 0) gets
its own initial rate: the one with the best mean score on validation data over the tuning seeds. All arms start
with the same grid of rates, and an arm's grid grows for as long as its best rate is at an edge. Then all arms meet
the same fresh seeds on test data: with the same seed they start from the same numbers and see the data in the same
order, so that they can be compared seed by seed.
"""

import contextlib
import functools
import hashlib
import json
import re
import sys
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from tqdm import tqdm

from lrlearn import gamma_for

HERE = Path(__file__).resolve().parent
RUNS = HERE.parent.parent / "build" / "applications.jsonl"
RESULTS = HERE / "results.json"
ARMS = {"constant": 1.0, "exponential to 0.5": 0.5, "exponential to 0.1": 0.1, "exponential to 0.01": 0.01}
ARMS |= {"cosine": "cosine"}  # what a training function gets as its gamma then
FIRST_TUNING_SEED = 100  # the test seeds lie below, or far above
MOST_GROWTH = 6  # rates that a grid may grow by: a score that never falls would let it grow for ever


@dataclass(frozen=True)
class Task:
    """One training to compare: ``function`` of ``notebook`` is called as
    ``function(initial_lr, gamma, num_epochs, seed, **options) -> (validation score, test score)``;
    with ``together`` it gets a list of seeds, trains them side by side and returns a list of such pairs.
    A difference of less than ``margin`` would not matter; ``initial_lrs`` is the grid to start with.
    ``among`` names the arms, if not all are wanted, and ``against`` whom ExponentialLR is judged against.
    There are ``num_tuning`` seeds to choose by, and ``num_seeds`` for the test. A task that was changed after a look
    at its scores, or of which the first seeds could not tell, has new ones from ``first_seed`` on: those that showed
    the need are not counted.
    """

    name: str
    area: str
    model: str
    notebook: str
    function: str
    score: str
    margin: float
    budgets: dict[str, int]
    initial_lrs: list[float]
    unit: str = "epochs"
    higher_is_better: bool = True
    together: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    among: list[str] = field(default_factory=lambda: list(ARMS))
    against: list[str] = field(default_factory=lambda: ["constant", "cosine"])
    first_seed: int = 0
    num_seeds: int = 30
    num_tuning: int = 5

    @property
    def seeds(self) -> list[int]:
        return list(range(self.first_seed, self.first_seed + self.num_seeds))

    @property
    def tuning_seeds(self) -> list[int]:
        return list(range(FIRST_TUNING_SEED, FIRST_TUNING_SEED + self.num_tuning))


OBJECTS = Task(
    name="objects",
    area="image classification",
    model="convolutional network, Adam",
    notebook="image-classification",
    function="recognise",
    score="accuracy",
    margin=0.005,
    budgets={"short": 10, "long": 30},
    initial_lrs=[0.001, 0.003, 0.01, 0.03],
)
PHOTOGRAPH = Task(
    name="photograph",
    area="optimization",
    model="100 Gaussians, Adam",
    notebook="optimization",
    function="photograph",
    score="dB",
    margin=0.1,
    budgets={"short": 1200, "long": 3600},
    initial_lrs=[0.003, 0.01, 0.03, 0.1],
    unit="steps",
    against=["cosine"],  # sixty seeds cannot tell it from a constant rate: the next task has more
    first_seed=1000,
    num_seeds=60,
)
POLE = Task(
    name="pole",
    area="reinforcement learning",
    model="actor-critic (A2C with GAE), Adam",
    notebook="reinforcement-learning",
    function="balance",
    score="points of 500, mean of ten exams",
    margin=50,
    budgets={"short": 390, "long": 1170},
    initial_lrs=[0.001, 0.003, 0.006, 0.01],
    unit="rounds",
    together=True,
    first_seed=2000,
    num_seeds=240,
    num_tuning=20,
)
SPEECH = Task(
    name="speech",
    area="speech recognition",
    model="convolutional network, Adam",
    notebook="speech-recognition",
    function="understand",
    score="accuracy in noise",
    margin=0.01,
    budgets={"short": 10, "long": 30},
    initial_lrs=[0.003, 0.01, 0.03],
    first_seed=2000,
    num_seeds=200,
    num_tuning=20,  # five chose between two end ratios by luck
)

TASKS = [
    OBJECTS,
    replace(
        OBJECTS,
        name="objects, plain SGD",
        model="convolutional network, SGD, batches of 8",
        budgets={"short": 10},
        initial_lrs=[0.05, 0.1, 0.2, 0.4],
        options={"optimizer_class": "SGD", "batch_size": 8},
        first_seed=1000,
        num_seeds=90,
    ),
    Task(
        name="valley",
        area="optimization",
        model="Rosenbrock's function, gradient descent",
        notebook="optimization",
        function="valley",
        score="log10 of the loss, lower is better",
        margin=0.1,
        budgets={"long": 3000},
        initial_lrs=[0.001, 0.002, 0.003, 0.004, 0.006],
        unit="steps",
        higher_is_better=False,
        together=True,
        first_seed=1000,
        num_seeds=90,
        num_tuning=100,
    ),
    Task(
        name="noisy bowl",
        area="optimization",
        model="noisy quadratic, SGD",
        notebook="optimization",
        function="bowl",
        score="log10 of the loss, lower is better",
        margin=0.1,
        budgets={"short": 200, "long": 600},
        initial_lrs=[0.03, 0.04, 0.05, 0.065, 0.085, 0.11, 0.145, 0.19, 0.25, 0.33, 0.43, 0.56],
        unit="steps",
        higher_is_better=False,
        together=True,
        first_seed=5000,
        num_seeds=400,
        num_tuning=100,
    ),
    PHOTOGRAPH,
    replace(
        PHOTOGRAPH,
        name="photograph, more seeds",
        budgets={"long": 3600},
        among=["constant", "exponential to 0.5"],  # ten seconds a run: the ratio that the task above chose
        first_seed=2000,
        num_seeds=100,
        against=["constant", "cosine"],
    ),
    replace(
        PHOTOGRAPH,
        name="photograph, centres",
        model="the same, and only the centres' rate falls",
        function="centres",
        budgets={"long": 3600},
        among=["constant", "exponential to 0.01"],  # the end ratio is gsplat's, so there is none to choose
        against=["constant", "cosine"],
    ),
    POLE,
    replace(
        POLE,
        name="pole, short rounds",
        model="the same, 8 steps a round",
        budgets={"short": 1560},
        initial_lrs=[0.001, 0.003, 0.006],
        options={"length": 8},
        first_seed=1000,
        num_seeds=90,
    ),
    SPEECH,
    replace(
        SPEECH,
        name="speech, plain SGD",
        model="convolutional network, SGD, batches of 8",
        budgets={"short": 10},
        initial_lrs=[0.1, 0.2],
        options={"optimizer_class": "SGD", "batch_size": 8},
        first_seed=0,
        num_seeds=30,
        num_tuning=5,
    ),
    Task(
        name="translation",
        area="language",
        model="GRU with attention, Adam",
        notebook="language",
        function="translation",
        score="exact match",
        margin=0.01,
        budgets={"long": 540},
        initial_lrs=[0.006, 0.012],
        unit="steps",
        among=["constant", "exponential to 0.5", "cosine"],  # the dearest task: the ratio that a smaller run chose
        against=["cosine"],  # thirty seeds cannot tell it from a constant rate, and more would take an hour
    ),
    Task(
        name="writing",
        area="language",
        model="Transformer, Adam",
        notebook="language",
        function="writing",
        score="bits per letter, lower is better",
        margin=0.01,
        budgets={"short": 150, "long": 450},
        initial_lrs=[0.004, 0.008],
        unit="steps",
        higher_is_better=False,
    ),
    Task(
        name="sentiment",
        area="language",
        model="GRU, Adam",
        notebook="language",
        function="sentiment",
        score="accuracy",
        margin=0.005,
        budgets={"long": 600},
        initial_lrs=[0.01, 0.03],
        unit="steps",
        first_seed=1000,
        num_seeds=90,
    ),
]


def training_code(notebook: str) -> str:
    """The source of the cells of a notebook that are tagged "training"."""
    cells = json.loads((HERE / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "training" in cell["metadata"].get("tags", [])]
    return "\n\n".join("".join(cell["source"]) for cell in tagged)


def fingerprint(task: Task) -> str:
    """Changes when the training code does, or what it is called with; comments and layout don't count."""
    code = re.sub(r"#.*", "", training_code(task.notebook))
    called = [task.function, task.budgets, task.together, task.options]
    text = re.sub(r"[\s,]", "", code) + json.dumps(called, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@functools.cache
def _namespace(notebook: str) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": notebook}
    with contextlib.chdir(HERE):
        exec(compile(training_code(notebook), f"{notebook}.ipynb", "exec"), namespace)
    return namespace


def run(task: Task, arm: str, initial_lr: float, budget: str, seed: Any) -> list[Any]:
    """One training (or several side by side): validation and test score."""
    num_epochs = task.budgets[budget]
    gamma = ARMS[arm] if arm == "cosine" else gamma_for(1.0, ARMS[arm], num_epochs)
    return _namespace(task.notebook)[task.function](initial_lr, gamma, num_epochs, seed, **task.options)


def done_so_far() -> dict[str, list[Any]]:
    if not RUNS.exists():
        return {}
    return dict(json.loads(line) for line in RUNS.read_text().splitlines())


def run_all(task: Task, jobs: list[tuple], label: str, workers: Executor) -> dict[tuple, list[Any]]:
    """The scores of every job, from the file or from a new run, which is added to it as soon as it ends."""
    found, mark = done_so_far(), fingerprint(task)
    keys = {job: json.dumps([task.name, mark, *job]) for job in jobs}
    waiting = {workers.submit(run, task, *_plain(job)): job for job in jobs if keys[job] not in found}
    RUNS.parent.mkdir(exist_ok=True)
    for done in tqdm(
        as_completed(waiting), desc=f"{task.name}: {label}", unit="run", total=len(waiting), disable=not waiting
    ):
        key = keys[waiting[done]]
        found[key] = done.result()
        with RUNS.open("a") as file:
            file.write(json.dumps([key, found[key]]) + "\n")
    return {job: found[keys[job]] for job in jobs}


def _plain(job: tuple) -> tuple:
    *rest, seed = job
    return *rest, list(seed) if isinstance(seed, tuple) else seed


def scores_of(task: Task, place: tuple[str, str], lr: float, seeds: list[int], label: str, workers: Executor) -> list:
    """Validation and test score of every seed, for one arm and budget at one initial rate."""
    arm, budget = place
    wanted = [tuple(seeds)] if task.together else seeds
    found = run_all(task, [(arm, lr, budget, seed) for seed in wanted], label, workers)
    pairs = [found[arm, lr, budget, seed] for seed in wanted]
    return pairs[0] if task.together else pairs


def beyond(lrs: list[float], best: float) -> float | None:
    """The rate to try next, one step of the grid beyond its edge; None if the best rate is inside."""
    first, second, last, before = lrs[0], lrs[1], lrs[-1], lrs[-2]
    further = first * first / second if best == first else last * last / before if best == last else None
    return None if further is None else float(f"{further:.2g}")


def choose(task: Task, place: tuple[str, str], workers: Executor) -> tuple[list[float], list[float], float]:
    """The rates that were tried, their mean scores on validation data, and the rate with the best of them."""
    best_of = max if task.higher_is_better else min
    means: dict[float, float] = {}
    lrs = list(task.initial_lrs)
    while True:
        for lr in lrs:
            if lr not in means:
                label = f"{place[0]}, {place[1]}, tuning {lr:g}"
                means[lr] = fmean(pair[0] for pair in scores_of(task, place, lr, task.tuning_seeds, label, workers))
        equal = [lr for lr in lrs if means[lr] == best_of(means.values())]
        best = equal[len(equal) // 2]  # of several that are equally good the middle one: a score may have a ceiling
        further = beyond(lrs, best)
        if further is None or len(lrs) == len(task.initial_lrs) + MOST_GROWTH:
            return lrs, [round(means[lr], 5) for lr in lrs], best
        lrs = sorted([*lrs, further])


def compare(task: Task, workers: Executor) -> dict[str, Any]:
    """Choose each arm's initial rate on validation data, then report it on test data."""
    ahead = [(arm, lr, budget) for arm in task.among for budget in task.budgets for lr in task.initial_lrs]
    tuning = [tuple(task.tuning_seeds)] if task.together else task.tuning_seeds
    run_all(task, [(*job, seed) for job in ahead for seed in tuning], "tuning", workers)  # together, to use every core
    arms: dict[str, dict] = {arm: {} for arm in task.among}
    for arm in task.among:
        for budget in task.budgets:
            lrs, validation, best = choose(task, (arm, budget), workers)
            pairs = scores_of(task, (arm, budget), best, task.seeds, f"{arm}, {budget}, testing", workers)
            test = [round(pair[1], 5) for pair in pairs]
            arms[arm][budget] = {"initial_lrs": lrs, "validation": validation, "initial_lr": best, "test": test}
    said = asdict(task)
    for settled in ("initial_lrs", "among", "first_seed", "num_seeds", "num_tuning"):  # listed arm by arm, and below
        del said[settled]
    seeds = {"tuning_seeds": task.tuning_seeds, "seeds": task.seeds}
    return said | {"fingerprint": fingerprint(task)} | seeds | {"arms": arms}


def main(names: list[str]) -> None:
    from stored import write_readme

    unknown = set(names) - {task.name for task in TASKS}
    if unknown:
        raise SystemExit(f"no such task: {', '.join(sorted(unknown))}; there are {', '.join(t.name for t in TASKS)}")
    workers = ProcessPoolExecutor(2)
    try:
        for task in TASKS:
            if not names or task.name in names:
                store(task, compare(task, workers))
                write_readme()
    except KeyboardInterrupt:
        raise SystemExit("stopped; what was run is kept, and the same command goes on from here") from None
    finally:
        workers.shutdown(cancel_futures=True)  # what has not begun


def store(task: Task, found: dict[str, Any]) -> None:
    """Put what was found into results.json, in the order of TASKS."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[task.name] = found
    results = {known.name: results[known.name] for known in TASKS if known.name in results}
    RESULTS.write_text(re.sub(r"\[\s+([^][{}]*?)\s+\]", _one_line, json.dumps(results, indent=1)) + "\n")


def _one_line(found: re.Match) -> str:
    return "[" + re.sub(r"\s*\n\s*", " ", found[1]) + "]"


if __name__ == "__main__":
    main(sys.argv[1:])
