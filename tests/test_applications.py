"""The applications: their stored comparison fits their code, and their kernels have no network."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "lessons" / "applications"
sys.path.insert(0, str(FOLDER))

import compare  # noqa: E402
import stored  # noqa: E402

AREAS = ["image-classification", "language", "speech-recognition", "reinforcement-learning", "optimization"]


@pytest.mark.parametrize("task", compare.TASKS, ids=lambda task: task.name)
def test_the_stored_results_were_made_with_this_code(task):
    assert task.name in stored.results(), f'not run yet: compare.py "{task.name}"'
    found = stored.results()[task.name]
    assert found["fingerprint"] == compare.fingerprint(task), "the training has changed: run compare.py"


@pytest.mark.parametrize("task", compare.TASKS, ids=lambda task: task.name)
def test_a_comparison_is_fair(task):
    assert task.name in stored.results(), f'not run yet: compare.py "{task.name}"'
    found = stored.results()[task.name]
    assert set(found["arms"]) == set(compare.ARMS)
    assert not set(task.tuning_seeds) & set(compare.SEEDS)
    best = max if task.higher_is_better else min
    for arm in found["arms"].values():
        assert set(arm) == set(task.budgets)
        for place in arm.values():
            assert len(place["test"]) >= 5
            assert len(place["validation"]) == len(task.initial_lrs)
            # its own best initial rate, by validation alone
            assert place["initial_lr"] == task.initial_lrs[place["validation"].index(best(place["validation"]))]


@pytest.mark.parametrize("area", AREAS)
def test_each_area_has_a_short_and_a_long_budget_and_a_place_where_decay_may_pay(area):
    tasks = [task for task in compare.TASKS if task.notebook == area]
    assert len(tasks) >= 2
    both = [task for task in tasks if len(task.budgets) == 2]
    assert both and all(task.budgets["long"] == 3 * task.budgets["short"] for task in both)


def test_the_readme_holds_the_table_of_the_stored_results():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"<!-- table -->\n{stored.table()}\n<!-- end of table -->" in text


def test_changed_training_code_is_noticed(monkeypatch):
    task = compare.TASKS[0]
    before, code = compare.fingerprint(task), compare.training_code(task.notebook)
    monkeypatch.setattr(compare, "training_code", lambda _: code + "  # a comment\n\n")
    assert compare.fingerprint(task) == before
    monkeypatch.setattr(compare, "training_code", lambda _: code.replace("zero_grad", "zero_grads"))
    assert compare.fingerprint(task) != before


def test_a_score_outside_the_spread_turns_red():
    found = stored.results()["objects"]["arms"]["exponential to 0.1"]["long"]
    setting = {"arm": "exponential to 0.1", "initial_lr": found["initial_lr"]}
    stored.check("objects", found["test"][0], **setting)
    with pytest.raises(AssertionError, match=r"compare\.py"):
        stored.check("objects", 0.5, **setting)
    with pytest.raises(AssertionError, match="stored for initial_lr"):
        stored.check("objects", found["test"][0], arm="exponential to 0.1", initial_lr=123)


@pytest.mark.parametrize("name", list(stored.results()))
def test_explorers_say_what_the_results_hold(name):
    task = stored.results()[name]
    for budget in task["budgets"]:
        strip = stored.explorer(name, budget)
        for ratio, arm in stored.RATIOS.items():
            strip.slider.value = ratio
            assert f"at initial_lr {task['arms'][arm][budget]['initial_lr']:g}" in strip.description
        strip.close()


# what a cell may leave out of nbval's comparison: a progress bar goes to the error stream, which the stored
# lesson lacks; a recording, translations and generated text depend on the processor, and other cells
# assert what they are worth
NOT_COMPARED = ("progress(", "Audio(", "HTML(", "print(write(")


@pytest.mark.parametrize("area", AREAS)
def test_every_output_that_is_not_compared_has_a_reason(area):
    cells = json.loads((FOLDER / f"{area}.ipynb").read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        source, tags = "".join(cell["source"]), cell["metadata"].get("tags", [])
        if "nbval-ignore-output" in tags:
            assert any(reason in source for reason in NOT_COMPARED), source
        assert set(tags) <= {"training", "nbval-ignore-output"}


def test_the_clips_are_small():
    assert (FOLDER / "spoken-digits.npz").stat().st_size <= 2_000_000


TRY = """
import json, socket, urllib.request
def attempt(what):
    try:
        what()
        return "reached"
    except OSError as error:
        return str(error)
server = socket.create_server(("127.0.0.1", 0))
print(json.dumps([
    attempt(lambda: socket.create_connection(("192.0.2.1", 80), timeout=1)),
    attempt(lambda: urllib.request.urlopen("http://example.org", timeout=1)),
    attempt(lambda: socket.create_connection(server.getsockname())),
]))
"""


def test_the_lessons_kernels_have_no_network():
    """A kernel inherits this process's environment, and conftest.py has put a guard on its path."""
    run = subprocess.run([sys.executable, "-c", TRY], capture_output=True, text=True, check=True)
    address, name, local = json.loads(run.stdout)
    assert "network is off" in address and "network is off" in name
    assert local == "reached"
