"""The applications: their stored comparison fits their code, and their kernels have no network."""

import itertools
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import Image
from scipy.stats import ttest_rel

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "lessons" / "applications"
sys.path.insert(0, str(FOLDER))

import compare  # noqa: E402
import stored  # noqa: E402

from lrlearn.verdicts import verdict  # noqa: E402

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
    assert list(found["arms"]) == task.among and set(task.among) <= set(compare.ARMS)
    assert not set(found["tuning_seeds"]) & set(found["seeds"])
    assert (found["tuning_seeds"], found["seeds"]) == (task.tuning_seeds, task.seeds)
    assert len(found["seeds"]) >= 30 and len(found["tuning_seeds"]) >= 5
    assert found["against"] == task.against
    assert found["margin"] == task.margin, "a margin is stated before the scores are known, and stays"
    best = max if task.higher_is_better else min
    for arm in found["arms"].values():
        assert set(arm) == set(task.budgets)
        for place in arm.values():
            assert len(place["test"]) == len(found["seeds"])
            assert not stored.at_an_edge(place), "a better rate may lie beyond the grid"
            # its own best initial rate, by validation alone
            means = dict(zip(place["initial_lrs"], place["validation"], strict=True))
            assert means[place["initial_lr"]] == best(means.values())


@pytest.mark.parametrize("area", AREAS)
def test_each_area_has_a_short_and_a_long_budget_and_a_place_where_decay_may_pay(area):
    tasks = [task for task in compare.TASKS if task.notebook == area]
    assert len(tasks) >= 2
    both = [task for task in tasks if len(task.budgets) == 2]
    assert both and all(task.budgets["long"] == 3 * task.budgets["short"] for task in both)


README = (FOLDER / "README.md").read_text(encoding="utf-8")


def test_the_readme_holds_the_table_of_the_stored_results():
    assert f"<!-- table -->\n{stored.table()}\n<!-- end of table -->" in README


def test_the_readmes_picture_is_drawn_from_the_stored_results():
    words = stored.forest().description
    assert f"<!-- picture -->\n![{words}](images/{stored.FOREST.name})\n<!-- end of picture -->" in README
    assert Image.open(stored.FOREST).text["Description"] == words


def left_by(ours, theirs, margin, sign):
    """What scipy's paired t-test leaves of the four words, before any correction for the number of rows."""
    low, high = sorted(sign * edge for edge in ttest_rel(ours, theirs).confidence_interval(0.95))
    holds = {"the same": -margin < low and high < margin, "better": low > 0, "worse": high < 0, "cannot tell": True}
    return {word for word, held in holds.items() if held}


def test_every_verdict_follows_from_the_scores_in_results_json():
    """Holm's correction only takes verdicts away; and what is left is sure enough for the number of rows."""
    tasks = json.loads((FOLDER / "results.json").read_text(encoding="utf-8"))
    words = stored.judge()
    chances = []
    for (name, budget, rival), found in words.items():
        task = tasks[name]
        chosen = stored.best_exponential(task, budget)
        ours, theirs = (task["arms"][arm][budget]["test"] for arm in (chosen, rival))
        sign = 1 if task["higher_is_better"] else -1
        assert found.word in left_by(ours, theirs, task["margin"], sign)
        chances.append((ttest_rel(ours, theirs).pvalue, found.word))
    # the surest differences, and only they: of the k surest, each is below 5 % over the number of those not yet decided
    surest = sorted(p for p, _ in chances)
    clear = len(list(itertools.takewhile(lambda at: surest[at] * (len(surest) - at) < 0.05, range(len(surest)))))
    told = [p for p, word in chances if word in ("better", "worse")]
    assert set(told) <= set(surest[:clear])
    assert all(word != "cannot tell" for p, word in chances if p in surest[:clear])


def test_every_row_can_tell():
    """One that cannot gets more seeds, another design, or no place in the table."""
    assert [row for row, found in stored.judge().items() if found.word == "cannot tell"] == []


def test_the_words_on_the_page_are_those_verdicts():
    printed = subprocess.run(
        [sys.executable, FOLDER / "stored.py"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert len(printed) == len(stored.judge())
    for line, (row, found) in zip(printed, stored.judge().items(), strict=True):
        assert row.task in line and row.rival in line and found.word in line
        assert stored.in_words(row, found) in README


def test_changed_training_code_is_noticed(monkeypatch):
    task = compare.TASKS[0]
    before, code = compare.fingerprint(task), compare.training_code(task.notebook)
    monkeypatch.setattr(compare, "training_code", lambda _: code + "  # a comment\n\n")
    assert compare.fingerprint(task) == before
    monkeypatch.setattr(compare, "training_code", lambda _: code.replace("zero_grad", "zero_grads"))
    assert compare.fingerprint(task) != before


def test_a_score_outside_the_spread_does_not_fit():
    found = stored.results()["objects"]["arms"]["exponential to 0.1"]["long"]
    setting = {"ratio": 0.1, "initial_lr": found["initial_lr"]}
    assert stored.fits("objects", found["test"][0], **setting)
    assert not stored.fits("objects", 0.5, **setting)
    assert not stored.fits("objects", found["test"][0], ratio=0.1, initial_lr=123), "another setting"


def test_what_was_expected_is_said_in_words_and_raises_nothing(capsys):
    stored.expect("accuracy", 0.98, at_least=0.97)
    stored.expect("epochs", 30, at_least=30, at_most=30)
    stored.expect("accuracy", 0.5, at_least=0.97)
    expected, both, surprise = capsys.readouterr().out.splitlines()
    assert expected == "accuracy: at least 0.97, as expected"
    assert both == "epochs: at least 30 and at most 30, as expected"
    assert surprise.startswith("accuracy: 0.5, where at least 0.97 was expected")


@pytest.mark.parametrize("name", list(stored.results()))
def test_explorers_say_what_the_results_hold(name):
    task = stored.results()[name]
    for budget in task["budgets"]:
        strip = stored.explorer(name, budget)
        for ratio, arm in ((ratio, arm) for ratio, arm in stored.RATIOS.items() if arm in task["arms"]):
            strip.slider.value = ratio
            assert f"at initial_lr {task['arms'][arm][budget]['initial_lr']:g}" in strip.description
        strip.close()


STAND_IN = """
import json, math, random
from pathlib import Path

def score(initial_lr, gamma, num_epochs, seed):
    with Path("calls.txt").open("a") as file:
        file.write(f"{initial_lr} {gamma} {seed}\\n")
    if seed == 7 and Path("stop").exists():
        raise KeyboardInterrupt
    ideal = 3.0 if gamma == 1.0 else 0.1
    luck = random.Random(seed).gauss(0, 0.01)  # the seed's own, the same for every arm
    value = -abs(math.log(initial_lr / ideal)) + luck
    return value, value
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """A comparison of a formula that takes no time: its best rate is known."""
    cell = {"cell_type": "code", "metadata": {"tags": ["training"]}, "source": STAND_IN}
    (tmp_path / "tiny.ipynb").write_text(json.dumps({"cells": [cell]}))
    for name, path in {"HERE": tmp_path, "RUNS": tmp_path / "runs.jsonl", "RESULTS": tmp_path / "results.json"}.items():
        monkeypatch.setattr(compare, name, path)
    monkeypatch.chdir(tmp_path)
    compare._namespace.cache_clear()
    yield tmp_path
    compare._namespace.cache_clear()


def tiny():
    return compare.Task(*("tiny", "none", "formula", "tiny", "score", "points"), 0.1, {"short": 10}, [0.05, 0.1, 0.2])


def calls(folder: Path) -> list[str]:
    return (folder / "calls.txt").read_text().splitlines()


def test_a_grid_grows_until_its_best_is_inside(stand_in):
    with ThreadPoolExecutor(1) as worker:
        found = compare.compare(tiny(), worker)["arms"]
    assert found["cosine"]["short"]["initial_lrs"] == [0.05, 0.1, 0.2]
    assert found["cosine"]["short"]["initial_lr"] == 0.1
    constant = found["constant"]["short"]
    assert constant["initial_lrs"] == [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4]
    assert constant["initial_lr"] == 3.2 and not stored.at_an_edge(constant)


def test_all_arms_meet_the_same_thirty_seeds_and_others_choose(stand_in):
    with ThreadPoolExecutor(1) as worker:
        found = compare.compare(tiny(), worker)
    assert len(found["seeds"]) >= 30 and len(found["tuning_seeds"]) >= 5
    assert not set(found["seeds"]) & set(found["tuning_seeds"])
    assert {len(arm["short"]["test"]) for arm in found["arms"].values()} == {len(found["seeds"])}
    # the luck is the seed's, so the difference of two arms has no spread at all
    ours, theirs = (found["arms"][arm]["short"]["test"] for arm in ("exponential to 0.1", "cosine"))
    assert verdict(ours, theirs, 0.1).word == "the same"


def test_a_comparison_that_was_stopped_goes_on_where_it_was(stand_in):
    (stand_in / "stop").touch()
    with ThreadPoolExecutor(1) as worker, pytest.raises(KeyboardInterrupt):
        compare.compare(tiny(), worker)
    finished = [call for call in calls(stand_in) if not call.endswith(" 7")]
    assert len(finished) > 50
    (stand_in / "stop").unlink()
    (stand_in / "calls.txt").unlink()
    with ThreadPoolExecutor(1) as worker:
        compare.compare(tiny(), worker)
        first = calls(stand_in)
        kept = [call for call in finished if call not in first]
        assert len(kept) > len(finished) - 40, "what was kept before the stop is not run again"
        compare.compare(tiny(), worker)
    assert calls(stand_in) == first, "and what is complete is not run at all"


def test_a_score_with_a_ceiling_does_not_let_the_grid_grow_for_ever(stand_in, monkeypatch):
    monkeypatch.setattr(compare, "scores_of", lambda *_: [(500.0, 500.0)] * 5)
    lrs, _, best = compare.choose(tiny(), ("constant", "short"), None)
    assert (lrs, best) == ([0.05, 0.1, 0.2], 0.1)
    monkeypatch.setattr(compare, "scores_of", lambda _task, _place, lr, *_: [(lr, lr)] * 5)
    lrs, _, best = compare.choose(tiny(), ("constant", "short"), None)
    assert len(lrs) == 3 + compare.MOST_GROWTH and best == lrs[-1]


VERDICTS = re.compile(r"\*\*(better|worse|the same|cannot tell)\*\*", re.IGNORECASE)


@pytest.mark.parametrize("area", AREAS)
def test_what_a_notebook_says_of_a_comparison_follows_from_its_intervals(area):
    """Under each comparison's numbers, the words in bold are the verdicts of its rows, all of them and no others."""
    shown, explained = set(), 0
    for cell in json.loads((FOLDER / f"{area}.ipynb").read_text(encoding="utf-8"))["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code":
            shown |= set(re.findall(r'stored\.says\("([^"]+)"\)', source))
            shown |= {"centres alone"} if "found = verdict(alone, together" in source else set()
        elif shown and "<summary>Explain" in source:
            words = {found.word for row, found in stored.judge().items() if row.task in shown}
            if "centres alone" in shown:
                words.add(centres_alone().word)
            assert {word.lower() for word in VERDICTS.findall(source)} == words, source
            shown, explained = set(), explained + 1
    assert explained and not shown


def centres_alone():
    """Decay to 0.01 of the centres' rate alone, against decay of all the rates."""
    alone, together = (
        stored.results()[name]["arms"]["exponential to 0.01"]["long"]["test"]
        for name in ("photograph, centres", "photograph")
    )
    return verdict(alone, together, stored.results()["photograph"]["margin"])


def test_the_prose_tells_what_decay_gained_with_adam():
    cells = {cell["id"]: cell for cell in json.loads((FOLDER / "image-classification.ipynb").read_text())["cells"]}
    shown = "".join(cells["2b978eb4"]["outputs"][0]["text"])
    sgd, adam, later_sgd, later_adam = re.findall(r"x([\d.]+)", shown)
    prose = "".join(cells["2b978eb2"]["source"])
    assert f"{sgd} times lower with SGD and {adam} times with Adam" in prose
    assert f"after 300 steps {later_sgd} times and {later_adam} times" in prose
    lows, highs = (
        [float(end) for end in ends] for ends in zip(*re.findall(r"\(([\d.]+) to ([\d.]+)\)", shown), strict=True)
    )
    assert highs[1] < lows[0] and highs[2] < lows[3], "which of the two gains more depends on the budget"
    assert f"{later_adam} and {later_sgd} times lower" in "".join(list(cells.values())[-1]["source"])


def test_no_voice_is_in_two_groups():
    clips = compare._namespace("speech-recognition")
    voices = {name: set(clips["voices"][clips[name]].tolist()) for name in ("training", "validation", "test")}
    assert not voices["training"] & voices["test"] and not voices["validation"] & (voices["training"] | voices["test"])
    assert clips["labels"][clips["test"][21]] == 7  # the clip that the notebook shows as a seven


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
        assert set(tags) <= {"training", "nbval-ignore-output", "hide-input"}


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
