"""ruff over everything, notebooks too; and what several files must agree on."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import nbformat
import pytest
import refresh_lessons
from packaging.requirements import Requirement
from PIL import Image

import lrlearn

ROOT = Path(__file__).resolve().parent.parent
CONFIG = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = CONFIG["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
PAGES = ["README.md", ".github/CONTRIBUTING.md", ".github/CHANGELOG.md", "tests/benchmarks/README.md"]
SMALL_BUILD = CONFIG["tool"]["uv"]["index"][0]["url"]
TORCH = next(wanted for wanted in map(Requirement, PROJECT["dependencies"]) if wanted.name == "torch").specifier


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    done = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_does_look_at_notebooks():
    files = subprocess.check_output([sys.executable, "-m", "ruff", "check", "--show-files", "."], cwd=ROOT, text=True)
    assert "00-start-here.ipynb" in files


def test_a_commit_is_checked_with_the_ruff_of_the_tests():
    (ruff,) = (wanted for wanted in PROJECT["optional-dependencies"]["test"] if wanted.startswith("ruff"))
    hooks = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert set(re.findall(r'"(ruff==[\d.]+)"', hooks)) == {ruff}


def test_what_a_commit_checks_takes_widget_state_out_of_a_notebook_and_touches_no_other(tmp_path):
    stored = (ROOT / "lessons/00-start-here.ipynb").read_bytes()
    kept, saved = tmp_path / "kept.ipynb", tmp_path / "saved.ipynb"
    kept.write_bytes(stored)
    notebook = json.loads(stored)
    notebook["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
    saved.write_text(json.dumps(notebook))
    refresh_lessons.main(["--clean", str(kept), str(saved)])
    assert kept.read_bytes() == stored
    assert saved.read_bytes() == stored


def test_owner_and_repository_are_the_same_everywhere():
    repository = PROJECT["urls"]["Repository"]
    name = repository.removeprefix("https://github.com/")
    assert re.search(rf"/{PROJECT['name']}$", repository)
    addresses = re.findall(r"https://github\.com/[\w.-]+/[\w.-]+", README)
    assert len(addresses) >= 3 and set(addresses) == {repository}
    assert re.findall(r"mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)/", README) == [name]
    assert f"repository-code: {repository}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    for hook in CONFIG["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        assert f"/{name}/" in hook["replacement"]


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {lrlearn.__version__}\n" in citation
    assert f"/v{lrlearn.__version__}?" in README  # Binder builds a tag: every commit would be a new image
    assert f"\n## {lrlearn.__version__}" in (ROOT / ".github/CHANGELOG.md").read_text(encoding="utf-8")


def test_each_command_of_the_readme_is_enough_alone():
    commands = re.findall(r"^git clone .*$", README, flags=re.MULTILINE)
    setup = f"git clone {PROJECT['urls']['Repository']} && cd lrlearn && python3 -m venv .venv && "
    setup += f".venv/bin/pip install --extra-index-url {SMALL_BUILD} -e "
    assert len(commands) == 2
    assert all(command.startswith(setup) for command in commands)
    assert commands[0].endswith(".venv/bin/jupyter lab lessons/00-start-here.ipynb")
    assert commands[1].endswith(".venv/bin/pytest -n 2")
    assert f" @ git+{PROJECT['urls']['Repository']}' lrlearn\n" in README


def test_ci_runs_the_readmes_test_command():
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    # the very lines by which the script takes the command and the address out of the files
    taken = re.findall(r"^(\w+)=\$\((sed -n .*)\)$", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
    values = {name: subprocess.check_output(line, shell=True, cwd=ROOT, text=True).strip() for name, line in taken}
    assert values["repository"] == PROJECT["urls"]["Repository"]
    assert values["command"] == re.findall(r"^git clone .*$", README, flags=re.MULTILINE)[1]
    assert 'bash -euo pipefail -c "$command"' in script.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_names_exists(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    for name in re.findall(r"\]\((?!https?:|#)([^)#]+)\)", text):
        assert ((ROOT / page).parent / name).exists(), name
    named = re.findall(r"(?:python3?|lab|pytest) ((?:tests|lessons)/[\w./-]+)", text)
    # in backticks: what begins like a folder of the repository, or is a file at its top
    quoted = re.findall(r"`((?:lrlearn|lessons|tests|binder|\.github|\.ci)/[\w./-]*|\w+\.(?:md|toml|cff))`", text)
    for name in [*named, *quoted]:
        assert (ROOT / name).exists(), name


def test_the_table_of_what_to_touch_names_files():
    rows = re.findall(r"^\| ((?:add|change|report) .*)$", CONTRIBUTING, flags=re.MULTILINE)
    assert len(rows) > 10 and all(re.search(r"`[\w.]*/?[\w./-]+`", row) for row in rows)
    assert {"exercise", "explorer", "lesson"} <= {word for row in rows for word in row.split("|")[0].split()}


def test_the_readme_is_short_and_in_order():
    assert len(README.splitlines()) < 120
    wanted = ["The lessons", "Who it is for", "Start", "In a classroom", "Licence"]
    headings = re.findall(r"^## (.*)$", README, flags=re.MULTILINE)
    assert [heading for heading in headings if heading in wanted] == wanted
    assert README.index(".webp)") < README.index("## ")


def test_the_pictures_of_the_readme_have_a_text_and_one_moves():
    pictures = re.findall(r"!\[([^\]]*)\]\((?!https:)([^)]+)\)", README)
    assert all(len(text) > 100 for text, _ in pictures)
    assert max(Image.open(ROOT / name).n_frames for _, name in pictures) > 20
    assert all((ROOT / name).stat().st_size <= 1.5e6 for _, name in pictures)


def test_the_readme_lists_every_lesson_with_the_minutes_that_the_lesson_tells():
    rows = re.findall(r"^\| \[[^\]]+\]\((lessons/[\w-]+\.ipynb)\) \| (\d+) \|", README, flags=re.MULTILINE)
    lessons = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "lessons").glob("0*.ipynb"))
    assert [path for path, _ in rows] == [*lessons, "lessons/review.ipynb"]
    for path, minutes in rows:
        opening = nbformat.read(ROOT / path, as_version=4).cells[0].source
        assert re.search(r"(?:Minutes|Time):?\*\*:?\D{0,10}(\d+)", opening)[1] == minutes, path


def pinned(name):
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith(("#", "--")))


def test_torch_has_a_lower_bound_and_none_that_ages():
    assert {bound.operator for bound in TORCH} == {">="}


def test_binder_pins_every_package_and_the_small_build_of_torch():
    pins = pinned("binder/requirements.txt")
    assert pins["torch"].endswith("+cpu") and TORCH.contains(pins["torch"])
    assert pins["torch"] == pinned(".ci/constraints.txt")["torch"] + "+cpu"
    assert {Requirement(wanted).name for wanted in PROJECT["dependencies"]} <= set(pins)
    assert f"--extra-index-url {SMALL_BUILD}\n" in (ROOT / "binder/requirements.txt").read_text(encoding="utf-8")
    assert (ROOT / "binder/runtime.txt").read_text(encoding="utf-8").startswith("python-3.")
    build = ROOT / "binder/postBuild"
    assert build.read_text(encoding="utf-8").startswith("#!/bin/bash\nset -e\n")
    assert build.stat().st_mode & 0o111
