"""ruff over everything, notebooks too; and what several files must agree on."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=" ".join)
def test_ruff_has_nothing_to_say(command):
    done = subprocess.run([sys.executable, "-m", "ruff", *command, "."], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ruff_does_look_at_notebooks():
    files = subprocess.check_output([sys.executable, "-m", "ruff", "check", "--show-files", "."], cwd=ROOT, text=True)
    assert "00-start-here.ipynb" in files


def test_owner_and_repository_are_the_same_everywhere():
    repository = PROJECT["urls"]["Repository"]
    owner_and_name = repository.removeprefix("https://github.com/")
    assert re.findall(r"https://github\.com/[\w.-]+/[\w.-]+", README) == [repository] * 2
    assert re.findall(r"mybinder\.org/v2/gh/([\w.-]+/[\w.-]+)/", README) == [owner_and_name]
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"repository-code: {repository}\n" in citation
    assert re.search(rf"/{PROJECT['name']}$", repository)


def test_the_version_is_the_same_everywhere():
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {PROJECT['version']}\n" in citation
    assert f"/v{PROJECT['version']}?" in README  # Binder builds a tag: every commit would be a new image


def test_each_command_of_the_readme_is_enough_alone():
    commands = re.findall(r"^git clone .*$", README, flags=re.MULTILINE)
    setup = f"git clone {PROJECT['urls']['Repository']} && cd lrlearn && python3 -m venv .venv && "
    assert len(commands) == 2
    assert all(command.startswith(setup) for command in commands)
    assert commands[0].endswith(".venv/bin/jupyter lab lessons/00-start-here.ipynb")
    assert commands[1].endswith(".venv/bin/pytest -n 2")


def test_ci_runs_the_readmes_test_command():
    script = ROOT / ".ci/run"
    assert script.stat().st_mode & 0o111
    # the very lines by which the script takes the command and the address out of the files
    taken = re.findall(r"^(\w+)=\$\((sed -n .*)\)$", script.read_text(encoding="utf-8"), flags=re.MULTILINE)
    values = {name: subprocess.check_output(line, shell=True, cwd=ROOT, text=True).strip() for name, line in taken}
    assert values["repository"] == PROJECT["urls"]["Repository"]
    assert values["command"] == re.findall(r"^git clone .*$", README, flags=re.MULTILINE)[1]
    assert 'bash -euo pipefail -c "$command"' in script.read_text(encoding="utf-8")


def test_every_file_that_the_readme_names_exists():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    named = re.findall(r"(?:python3?|lab) ((?:tests|lessons)/[\w./-]+)", README)
    assert links and named
    for name in [*links, *named]:
        assert (ROOT / name).exists(), name


def test_pictures_of_the_readme_have_a_text():
    assert all(len(text) > 10 for text in re.findall(r"!\[([^\]]*)\]", README))


def test_binder_pins_every_package_and_the_small_build_of_torch():
    lines = (ROOT / "binder/requirements.txt").read_text(encoding="utf-8").splitlines()
    pins = dict(line.split("==") for line in lines if line and not line.startswith(("#", "--")))
    assert pins["torch"].endswith("+cpu")
    needed = {re.split(r"[<>=]", wanted)[0] for wanted in PROJECT["dependencies"]}
    assert needed <= set(pins)
    assert "--extra-index-url https://download.pytorch.org/whl/cpu" in lines
    major = tuple(int(part) for part in pins["torch"].split("+")[0].split(".")[:2])
    assert (2, 6) <= major < (2, 14)
    assert (ROOT / "binder/runtime.txt").read_text(encoding="utf-8").startswith("python-3.")
    build = ROOT / "binder/postBuild"
    assert build.read_text(encoding="utf-8").startswith("#!/bin/bash\nset -e\n")
    assert build.stat().st_mode & 0o111
