"""What every command shares: one line in the end, whatever goes wrong, wherever it runs."""

import json
import re
import shlex
import signal
import subprocess
import sys

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lrlearn import commands


def ends(error):
    """What a command says that fails with an error, and its exit code."""

    @commands.command("lrlearn something")
    def main(_arguments):
        raise error

    with pytest.raises(SystemExit) as ended:
        main([])
    return ended.value.code


@given(st.sampled_from([ValueError, KeyError, RuntimeError, OSError, commands.CommandError]), st.text(max_size=5000))
def test_whatever_goes_wrong_is_one_line(kind, text):
    said = ends(kind(text))
    assert said.startswith("lrlearn something: ") and len(said.splitlines()) == 1 and len(said) < 1000
    assert said.isprintable(), "nothing that steers a terminal"


def test_an_error_that_nobody_expected_tells_its_place():
    assert re.search(r"KeyError: 'x' \(in test_commands\.py, line \d+\)$", ends(KeyError("x")))
    assert "(in " not in ends(commands.CommandError("no such lesson"))


def python(code, **options):
    options = {"capture_output": True, "text": True} | options
    return subprocess.run([sys.executable, "-c", code], **options)


COMMAND = """
import os, sys
from lrlearn import commands

@commands.command("lrlearn something")
def main(arguments):
    {body}

main()
"""


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "ascii", "cp1252:strict"])
def test_a_console_that_lacks_a_character_stops_nothing(monkeypatch, encoding):
    monkeypatch.setenv("PYTHONIOENCODING", encoding)
    body = r"print('\u0443\u0440\u043e\u043a \udcff'); raise commands.CommandError('\u0443\u0440\u043e\u043a')"
    done = python(COMMAND.format(body=body), text=False)
    assert done.returncode == 1 and done.stdout and b"Traceback" not in done.stderr
    assert done.stderr.count(b"\n") == 1


def test_a_reader_that_leaves_is_no_traceback():
    body = "print('line ' * 100_000); print('more')"
    command = f"{shlex.quote(sys.executable)} -c {shlex.quote(COMMAND.format(body=body))} | head -c 4"
    done = subprocess.run(command, shell=True, capture_output=True, text=True)
    assert done.stdout == "line" and done.stderr == ""


def test_ctrl_c_is_one_line():
    body = f"os.kill(os.getpid(), {int(signal.SIGINT)})"
    done = python(COMMAND.format(body=body))
    assert done.returncode == 130 and done.stderr.strip() == "lrlearn something: stopped"


def test_warnings_of_libraries_are_not_shown_unless_they_are_asked_for(monkeypatch):
    body = "import warnings; warnings.warn('of a library')"
    monkeypatch.delenv("PYTHONWARNINGS", raising=False)
    assert python(COMMAND.format(body=body)).stderr == ""
    monkeypatch.setenv("PYTHONWARNINGS", "default")
    assert "of a library" in python(COMMAND.format(body=body)).stderr


# Missing extras


@pytest.mark.parametrize(("extra", "brings"), [("export", "nbconvert"), ("classroom", "voila")])
def test_a_missing_extra_is_told_with_a_command_that_pip_understands(extra, brings):
    with pytest.raises(commands.CommandError) as told, commands.extra(extra):
        import no_such_package  # noqa: F401
    said, _, install = str(told.value).partition(": ")
    python, *pip, _ = shlex.split(install)
    assert "no_such_package" in said and python == sys.executable and pip[:3] == ["-m", "pip", "install"]
    packages = pip[3:] + shlex.split(install)[-1:]
    assert any(re.match(f"{brings}[<>]", package) for package in packages)
    assert not any(package.startswith(("torch", "lrlearn")) for package in packages), "only what the extra brings"


def test_a_module_of_lrlearn_that_is_missing_is_no_missing_extra():
    with pytest.raises(ModuleNotFoundError), commands.extra("export"):
        import lrlearn.no_such_room  # noqa: F401


def test_without_pip_or_an_installed_lrlearn_the_command_still_names_what_works(monkeypatch):
    def nothing(_name):
        raise commands.importlib.metadata.PackageNotFoundError

    monkeypatch.setattr(commands.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(commands.importlib.metadata, "requires", nothing)
    monkeypatch.setattr(sys, "executable", "/a folder/python")
    assert commands.missing("export") == 'uv pip install --python "/a folder/python" "lrlearn[export]"'


# Notebooks

VALID = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# One")])
VERSION_3 = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0, "worksheets": []}
BROKEN = {
    "no JSON": b"print(1)",
    "empty": b"",
    "an object": b"{}",
    "a list": b"[]",
    "a number": b"1",
    "deep": b"[" * 100_000,
    "Latin-1": '{"é": 1}'.encode("latin-1"),
    "a picture": b"\x89PNG\r\n\x1a\n\0\0",
    "newer": json.dumps(VALID | {"nbformat": 99}).encode(),
    "no cells": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}',
    "cells of a kind that is none": json.dumps(VALID | {"cells": [{"cell_type": "x"}]}).encode(),
    "cells that are none": json.dumps(VALID | {"cells": 5}).encode(),
    "a source that is none": json.dumps(VALID | {"cells": [VALID.cells[0] | {"source": 3}]}).encode(),
    "metadata that is none": json.dumps(VALID | {"metadata": []}).encode(),
    "version 3 without cells": json.dumps(VERSION_3 | {"worksheets": 5}).encode(),
}


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_a_broken_notebook_is_named_in_one_line(tmp_path, text):
    (path := tmp_path / "broken.ipynb").write_bytes(text)
    with pytest.raises(commands.CommandError, match=r"broken\.ipynb is no notebook: \w") as told:
        commands.read_notebook(path)
    assert len(commands.told(told.value).splitlines()) == 1


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=5),
        lambda deeper: (
            st.lists(deeper)
            | st.dictionaries(
                st.sampled_from(["nbformat", "nbformat_minor", "cells", "metadata", "worksheets", "x"]), deeper
            )
        ),
    )
)
def test_no_json_at_all_makes_anything_but_a_notebook_or_one_line(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("json") / "any.ipynb"
    path.write_text(json.dumps(content))
    try:
        nbformat.validate(commands.read_notebook(path))
    except commands.CommandError as told:
        assert "any.ipynb is no notebook: " in str(told)


def test_missing_notebooks_and_folders_are_named(tmp_path):
    with pytest.raises(commands.CommandError, match="is a folder"):
        commands.read_notebook(tmp_path)
    with pytest.raises(commands.CommandError, match=r"nothing\.ipynb: No such file"):
        commands.read_notebook(tmp_path / "nothing.ipynb")


@pytest.mark.parametrize("text", [json.dumps(VALID), "\ufeff" + json.dumps(VALID), json.dumps(VERSION_3)])
def test_a_notebook_is_read_also_with_a_mark_in_front_and_of_an_older_version(tmp_path, text):
    (path := tmp_path / "good.ipynb").write_text(text, encoding="utf-8")
    assert commands.read_notebook(path).nbformat == 4


def test_the_lessons_are_found_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert (commands.lessons() / "classroom-demo.ipynb").exists()
