"""What is built is whole, and the course opens from it in a place that has never seen the repository."""

import email
import importlib
import os
import re
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from pathlib import Path

import lab
import pytest

import lrlearn
from lrlearn import cli

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tracked(*places):
    """Files of the repository; in an unpacked source distribution, where git knows nothing, all there are."""
    try:
        return set(run("git", "ls-files", *places, cwd=ROOT).splitlines())
    except (AssertionError, FileNotFoundError):
        found = (path for place in places or (".",) for path in (ROOT / place).rglob("*"))
        return {path.relative_to(ROOT).as_posix() for path in found if path.is_file()}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The source distribution and, made from it alone, the wheel."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", folder, cwd=ROOT)
    (sdist,) = folder.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    run(
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        folder,
        cwd=sdist.with_suffix("").with_suffix(""),
    )
    (wheel,) = folder.glob("*.whl")
    return sdist, wheel


@pytest.fixture(scope="module")
def inside(built):
    """The names of the files in the wheel."""
    with zipfile.ZipFile(built[1]) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def metadata(built):
    with zipfile.ZipFile(built[1]) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


@pytest.fixture(scope="module")
def stranger(built, tmp_path_factory):
    """Runs a command of the wheel as it is installed, in a folder and an environment without the repository."""
    site = tmp_path_factory.mktemp("site")
    run(sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", site, built[1])
    settings = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), os.environ.get("PYTHONPATH", "")])}
    folder = tmp_path_factory.mktemp("somewhere")

    def start(*command, process=subprocess.Popen, **options):
        command = [sys.executable, site / "bin" / command[0], *command[1:]]
        return process(list(map(str, command)), **{"env": settings, "cwd": folder} | options)

    start.folder, start.site, start.settings = folder, site, settings
    return start


# What is in the packages


def test_the_source_distribution_has_every_file_of_the_repository(built):
    with tarfile.open(built[0]) as archive:
        files = {name.partition("/")[2] for name in archive.getnames()}
    assert tracked() - files == set()
    assert not [name for name in files if "__pycache__" in name or "checkpoints" in name or name.startswith(".venv")]


def test_the_wheel_has_the_module_and_the_lessons(inside):
    lessons = {f"lrlearn/{name}" for name in tracked("lessons")}
    files = {name for name in inside if ".dist-info/" not in name}
    assert tracked("lrlearn") | lessons == files
    assert "lrlearn/py.typed" in files and "lrlearn/lessons/00-start-here.ipynb" in files


def test_the_version_is_told_in_one_place(metadata):
    assert lrlearn.__version__ == metadata["Version"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", lrlearn.__version__)


def test_what_a_package_index_shows_leads_somewhere(metadata):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = metadata.get_payload(decode=True).decode()
    addresses = re.findall(r"\]\(([^)\s]+)\)", shown)
    assert len(addresses) == len(re.findall(r"\]\(([^)\s]+)\)", readme)) > 10
    assert all(address.startswith(("https://", "#")) for address in addresses)
    owner = re.search(r"github\.com/([\w.-]+/lrlearn)", shown)[1]
    at = f"v{metadata['Version']}"
    pictures = re.findall(r"!\[[^\]]{10,}\]\((\S+)\)", shown)
    own = [address.removeprefix(f"https://raw.githubusercontent.com/{owner}/{at}/") for address in pictures]
    assert any((ROOT / path).is_file() for path in own)
    files = re.findall(rf"https://github\.com/{owner}/blob/{at}/([^)\s#]+)", shown)
    assert files and all((ROOT / path).exists() for path in files)


def test_the_metadata_tell_what_it_is(metadata):
    from trove_classifiers import classifiers  # comes with hatchling

    given = metadata.get_all("Classifier")
    assert len(given) > 5 and set(given) <= classifiers
    assert "PyTorch" in metadata["Keywords"]


# The command


def lessons_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_lessons_are_copied_and_work_is_never_written_over(tmp_path):
    folder = tmp_path / "deep" / "in my folder"
    copied, kept = cli.copy_lessons(folder)
    assert {f"lessons/{name}" for name in lessons_in(folder)} >= tracked("lessons") and kept == 0
    (folder / cli.FIRST).write_text("my work")
    (folder / "02-formula.ipynb").unlink()
    (folder / "03-worked-example.ipynb").rename(folder / "mine.ipynb")
    assert cli.copy_lessons(folder) == (2, copied - 2)
    assert (folder / cli.FIRST).read_text() == "my work" and (folder / "mine.ipynb").exists()


def test_a_file_that_could_not_be_written_is_not_taken_for_the_learner_s_own(tmp_path, monkeypatch):
    read = Path.read_bytes

    def fails(path):
        if path.name == "02-formula.ipynb":
            raise OSError(28, "No space left on device")
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", fails)
    with pytest.raises(OSError, match="No space"):
        cli.copy_lessons(tmp_path)
    monkeypatch.undo()
    cli.copy_lessons(tmp_path)
    assert (tmp_path / "02-formula.ipynb").read_bytes() == (ROOT / "lessons/02-formula.ipynb").read_bytes()


@pytest.mark.parametrize("arguments", [["nothing"], ["open", "a file"], ["open", "a file/under it"]])
def test_what_cannot_be_done_is_one_line(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    Path("a file").write_text("")
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    assert len(str(ended.value.code).splitlines()) == 1 and str(ended.value.code).startswith("lrlearn: ")
    assert not any(path.is_dir() for path in tmp_path.iterdir())


def test_help_names_every_command_and_version_the_version(capsys):
    cli.main(["--help"])
    told = capsys.readouterr().out
    assert all(f"lrlearn {name} " in told for name in (*cli.COMMANDS, "open"))
    cli.main(["--version"])
    assert capsys.readouterr().out == f"lrlearn {lrlearn.__version__}\n"
    assert run(sys.executable, "-m", "lrlearn", "--version") == f"lrlearn {lrlearn.__version__}\n"


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_is_one_of_a_module_too(name, monkeypatch):
    module, asked = importlib.import_module(f"lrlearn.{name}"), []
    monkeypatch.setattr(module, "main", asked.append)
    cli.main([name, "some", "--option"])
    assert asked == [["some", "--option"]]


def test_who_has_not_installed_what_the_applications_need_is_told_how(tmp_path, monkeypatch, capsys):
    labapp = importlib.import_module("jupyterlab.labapp")
    started = []
    monkeypatch.setattr(labapp.LabApp, "launch_instance", started.append)
    monkeypatch.chdir(tmp_path)
    cli.main(["open", "."])
    assert "pip install" not in capsys.readouterr().err
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "sklearn" else object())
    cli.main(["--no-browser"])
    assert "-m pip install" in (told := capsys.readouterr().err) and "scikit-learn" in told
    assert started == [[cli.FIRST], [cli.FIRST, "--no-browser"]]


def test_the_course_opens_from_the_wheel_alone(stranger):
    port = lab.free_port()
    options = ["--no-browser", f"--port={port}", "--IdentityProvider.token=", "--allow-root"]
    process = stranger("lrlearn", *options)
    try:
        api = f"http://127.0.0.1:{port}/api/contents/{cli.FIRST}"
        assert b"ScheduleExplorer" in answer(api, process)
    finally:
        process.terminate()
        process.wait(20)
    assert lessons_in(stranger.folder / "lrlearn-lessons") >= {n.removeprefix("lessons/") for n in tracked("lessons")}


def test_the_demo_is_shown_from_the_wheel_alone(stranger, tmp_path):
    port = lab.free_port()
    process = stranger("lrlearn", "classroom", "--no-browser", f"--port={port}", cwd=tmp_path)
    try:
        assert answer(f"http://127.0.0.1:{port}/voila/static/voila.js", process)
    finally:
        process.terminate()
        process.wait(20)


def test_a_lesson_of_the_wheel_runs_with_the_wheel_s_module(stranger):
    code = "import lrlearn, lrlearn.commands as c; print(lrlearn.__file__, c.lessons(), sep='\\n')"
    places = run(sys.executable, "-c", code, env=stranger.settings, cwd=stranger.folder).splitlines()
    assert all(place.startswith(str(stranger.site)) for place in places)


def answer(address, process):
    """What a server says, once it does."""
    for _ in range(3000):  # a busy machine may take its time
        try:
            return urllib.request.urlopen(address).read()
        except OSError:
            assert process.poll() is None, "the server has ended"
            time.sleep(0.2)
    raise AssertionError(f"no answer from {address}")


def test_the_explorer_of_contributing_works():
    text = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add an explorer")[2]
    names = {}
    exec(re.search(r"```python\n(.*?)```", text, re.DOTALL)[1], names)
    explorer = names["explorer"]
    explorer.slider.value = 1.0
    assert explorer.description == "gamma 1.00: 0.1 after 20 epochs" and explorer.png.startswith(b"\x89PNG")


# The types


def test_types_are_clean():
    run(sys.executable, "-m", "mypy", cwd=ROOT)


def test_that_a_wrong_type_would_be_noticed(tmp_path):
    (tmp_path / "wrong.py").write_text("from lrlearn import half_life\n\nhalf_life('0.9')\n")
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "wrong.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env=os.environ | {"MYPYPATH": str(ROOT)},
    )
    assert "arg-type" in done.stdout


# An address for everybody's own copy


PLACEHOLDER = "OWN" + "ER"  # in two parts, for the command replaces it here too


def test_one_command_puts_an_account_in_the_place_of_the_placeholder(tmp_path):
    text = (ROOT / ".github/CONTRIBUTING.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^(git grep .*)$", text, flags=re.MULTILINE)
    owner = re.search(r'^Repository = "https://github.com/([\w.-]+)/', PYPROJECT, flags=re.MULTILINE)[1]
    before = {}
    for name in sorted(tracked()):
        # where the command has been used already, the placeholder is put back first
        content = (ROOT / name).read_bytes()
        for slash in (b"/", b"%2F"):
            content = content.replace(owner.encode() + slash + b"lrlearn", PLACEHOLDER.encode() + slash + b"lrlearn")
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
        before[name] = content
    run("git", "init", "--quiet", cwd=tmp_path)
    run("git", "add", ".", cwd=tmp_path)
    run("bash", "-euo", "pipefail", "-c", command.replace("/ada/", "/some-body/"), cwd=tmp_path)
    changed = {name for name, content in before.items() if (tmp_path / name).read_bytes() != content}
    assert {"README.md", "pyproject.toml", "CITATION.cff", "lessons/TEACHING.md"} <= changed
    left = subprocess.run(["git", "grep", "-w", PLACEHOLDER], cwd=tmp_path, capture_output=True, text=True)
    assert left.stdout == ""
    assert "https://github.com/some-body/lrlearn" in (tmp_path / "pyproject.toml").read_text(encoding="utf-8")
