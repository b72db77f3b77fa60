"""The fair comparison of the applications: one command for all of them.

    python lessons/applications/compare.py                 everything that has not been run yet
    python lessons/applications/compare.py objects speech  only these tasks

It runs the cells of the notebooks that carry the tag "training", so what is measured is what the
lesson shows. Runs are kept in build/applications.jsonl and are not repeated: stop it and go on whenever
you like. The results go to results.json, and the table of them to README.md.

Each arm (constant rate, ExponentialLR down to 0.5, 0.1 and 0.01 of the first rate, cosine down to 0) gets
its own initial rate from one grid: the one with the best mean score on validation data. The seeds
of that choice (100, 101) are not those of the report (0 to 4), which is on test data.
"""

import contextlib
import functools
import hashlib
import json
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
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
SEEDS = [0, 1, 2, 3, 4]


@dataclass(frozen=True)
class Task:
    """One training to compare: ``function`` of ``notebook`` is called as
    ``function(initial_lr, gamma, num_epochs, seed, **options) -> (validation score, test score)``;
    with ``together`` it gets a list of seeds, trains them side by side and returns a list of such pairs.
    """

    name: str
    area: str
    model: str
    notebook: str
    function: str
    score: str
    budgets: dict[str, int]
    initial_lrs: list[float]
    unit: str = "epochs"
    higher_is_better: bool = True
    together: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    tuning_seeds: list[int] = field(default_factory=lambda: [100, 101])


TASKS = [
    Task(
        name="objects",
        area="image classification",
        model="convolutional network, Adam",
        notebook="image-classification",
        function="recognise",
        score="accuracy",
        budgets={"short": 10, "long": 30},
        initial_lrs=[0.001, 0.003, 0.01, 0.03],
    ),
    Task(
        name="objects, plain SGD",
        area="image classification",
        model="convolutional network, SGD, batches of 8",
        notebook="image-classification",
        function="recognise",
        score="accuracy",
        budgets={"short": 10},
        initial_lrs=[0.05, 0.1, 0.2, 0.4],
        options={"optimizer_class": "SGD", "batch_size": 8},
    ),
    Task(
        name="valley",
        area="optimization",
        model="Rosenbrock's function, gradient descent",
        notebook="optimization",
        function="valley",
        score="log10 of the loss, lower is better",
        budgets={"short": 1000, "long": 3000},
        initial_lrs=[0.001, 0.002, 0.003, 0.004, 0.006],
        unit="steps",
        higher_is_better=False,
        together=True,
        tuning_seeds=[100, 101, 102, 103, 104],
    ),
    Task(
        name="noisy bowl",
        area="optimization",
        model="noisy quadratic, SGD",
        notebook="optimization",
        function="bowl",
        score="log10 of the loss, lower is better",
        budgets={"short": 200, "long": 600},
        initial_lrs=[0.03, 0.1, 0.3, 1.0],
        unit="steps",
        higher_is_better=False,
        together=True,
        tuning_seeds=[100, 101, 102, 103, 104],
    ),
    Task(
        name="photograph",
        area="optimization",
        model="100 Gaussians, Adam",
        notebook="optimization",
        function="photograph",
        score="dB",
        budgets={"short": 1200, "long": 3600},
        initial_lrs=[0.003, 0.01, 0.03, 0.1],
        unit="steps",
    ),
    Task(
        name="pole",
        area="reinforcement learning",
        model="actor-critic (A2C with GAE), Adam",
        notebook="reinforcement-learning",
        function="balance",
        score="points of 500",
        budgets={"short": 390, "long": 1170},
        initial_lrs=[0.001, 0.003, 0.006, 0.01],
        unit="rounds",
        together=True,
        tuning_seeds=[100, 101, 102, 103, 104],
    ),
    Task(
        name="pole, short rounds",
        area="reinforcement learning",
        model="the same, 8 steps a round",
        notebook="reinforcement-learning",
        function="balance",
        score="points of 500",
        budgets={"short": 1560},
        initial_lrs=[0.001, 0.003, 0.006],
        unit="rounds",
        together=True,
        options={"length": 8},
        tuning_seeds=[100, 101, 102, 103, 104],
    ),
    Task(
        name="speech",
        area="speech recognition",
        model="convolutional network, Adam",
        notebook="speech-recognition",
        function="understand",
        score="accuracy in noise",
        budgets={"short": 10, "long": 30},
        initial_lrs=[0.003, 0.01, 0.03],
        tuning_seeds=[100],
    ),
    Task(
        name="speech, plain SGD",
        area="speech recognition",
        model="convolutional network, SGD, batches of 8",
        notebook="speech-recognition",
        function="understand",
        score="accuracy in noise",
        budgets={"short": 10},
        initial_lrs=[0.1, 0.2],
        options={"optimizer_class": "SGD", "batch_size": 8},
        tuning_seeds=[100],
    ),
    Task(
        name="translation",
        area="language",
        model="GRU with attention, Adam",
        notebook="language",
        function="translation",
        score="exact match",
        budgets={"short": 180, "long": 540},
        initial_lrs=[0.006, 0.012],
        unit="steps",
        tuning_seeds=[100],
    ),
    Task(
        name="writing",
        area="language",
        model="Transformer, Adam",
        notebook="language",
        function="writing",
        score="bits per letter, lower is better",
        budgets={"short": 150, "long": 450},
        initial_lrs=[0.004, 0.008],
        unit="steps",
        tuning_seeds=[100],
        higher_is_better=False,
    ),
    Task(
        name="sentiment",
        area="language",
        model="GRU, Adam",
        notebook="language",
        function="sentiment",
        score="accuracy",
        budgets={"short": 200, "long": 600},
        initial_lrs=[0.01, 0.03],
        unit="steps",
        tuning_seeds=[100],
    ),
    Task(
        name="sentiment, plain SGD",
        area="language",
        model="GRU, SGD",
        notebook="language",
        function="sentiment",
        score="accuracy",
        budgets={"short": 600},
        initial_lrs=[0.3, 1.0],
        unit="steps",
        tuning_seeds=[100],
        options={"optimizer_class": "SGD"},
    ),
]


def training_code(notebook: str) -> str:
    """The source of the cells of a notebook that are tagged "training"."""
    cells = json.loads((HERE / f"{notebook}.ipynb").read_text(encoding="utf-8"))["cells"]
    tagged = [cell for cell in cells if "training" in cell["metadata"].get("tags", [])]
    return "\n\n".join("".join(cell["source"]) for cell in tagged)


def fingerprint(task: Task) -> str:
    """Changes when the training code or the task's settings do; comments and layout don't count."""
    code = re.sub(r"#.*", "", training_code(task.notebook))
    said = {key: value for key, value in asdict(task).items() if key not in ("name", "area", "model")}
    text = re.sub(r"[\s,]", "", code) + json.dumps(said, sort_keys=True)
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


def run_all(task: Task, jobs: list[tuple], label: str, workers: ProcessPoolExecutor) -> dict[tuple, list[Any]]:
    """The scores of every job, from the file or from a new run that is added to it."""
    found, mark = done_so_far(), fingerprint(task)
    keys = {job: json.dumps([task.name, mark, *job]) for job in jobs}
    waiting = {job: workers.submit(run, task, *_plain(job)) for job in jobs if keys[job] not in found}
    RUNS.parent.mkdir(exist_ok=True)
    for job in tqdm(waiting, desc=f"{task.name}: {label}", unit="run"):
        found[keys[job]] = waiting[job].result()
        with RUNS.open("a") as file:
            file.write(json.dumps([keys[job], found[keys[job]]]) + "\n")
    return {job: found[keys[job]] for job in jobs}


def _plain(job: tuple) -> tuple:
    *rest, seed = job
    return *rest, list(seed) if isinstance(seed, tuple) else seed


def compare(task: Task, workers: ProcessPoolExecutor) -> dict[str, Any]:
    """Choose each arm's initial rate on validation data, then report it on test data."""
    tuning, seeds = ([tuple(part)] if task.together else part for part in (task.tuning_seeds, SEEDS))
    places = [(arm, budget) for arm in ARMS for budget in task.budgets]
    jobs = [(arm, lr, budget, seed) for arm, budget in places for lr in task.initial_lrs for seed in tuning]
    tuned = run_all(task, jobs, "choosing initial rates", workers)

    def scores(results: dict, arm: str, lr: float, budget: str, part: int, chosen: list) -> list[float]:
        pairs = [results[arm, lr, budget, seed] for seed in chosen]
        return [round(pair[part], 5) for pair in (pairs[0] if task.together else pairs)]

    sign = 1 if task.higher_is_better else -1
    means = {
        place: [fmean(scores(tuned, place[0], lr, place[1], 0, tuning)) for lr in task.initial_lrs] for place in places
    }
    best = {
        place: max(range(len(values)), key=lambda at, values=values: sign * values[at])
        for place, values in means.items()
    }
    jobs = [(arm, task.initial_lrs[best[arm, budget]], budget, seed) for arm, budget in places for seed in seeds]
    final = run_all(task, jobs, "testing", workers)
    arms = {arm: {} for arm in ARMS}
    for arm, budget in places:
        lr = task.initial_lrs[best[arm, budget]]
        validation = [round(value, 5) for value in means[arm, budget]]
        arms[arm][budget] = {
            "initial_lr": lr,
            "validation": validation,
            "test": scores(final, arm, lr, budget, 1, seeds),
        }
    return asdict(task) | {"fingerprint": fingerprint(task), "seeds": SEEDS, "arms": arms}


def main(names: list[str]) -> None:
    from stored import write_table

    unknown = set(names) - {task.name for task in TASKS}
    if unknown:
        raise SystemExit(f"no such task: {', '.join(sorted(unknown))}; there are {', '.join(t.name for t in TASKS)}")
    with ProcessPoolExecutor(2) as workers:
        for task in TASKS:
            if not names or task.name in names:
                found = compare(task, workers)
                results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
                results[task.name] = found
                order = [known.name for known in TASKS]
                results = {name: results[name] for name in order if name in results}
                RESULTS.write_text(re.sub(r"\[\s+([^][{}]*?)\s+\]", _one_line, json.dumps(results, indent=1)) + "\n")
                write_table()


def _one_line(found: re.Match) -> str:
    return "[" + re.sub(r"\s*\n\s*", " ", found[1]) + "]"


if __name__ == "__main__":
    main(sys.argv[1:])
