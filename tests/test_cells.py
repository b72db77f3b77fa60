"""In a real kernel: a filmstrip is finished wherever it is made, a cell that is run again releases what it made."""

import json
import os
import subprocess
import sys
from queue import Empty

import pytest
from jupyter_client.manager import start_new_kernel

SETUP = """
import asyncio, gc, threading, weakref
import ipywidgets
from matplotlib.figure import Figure
from lrlearn import ScheduleExplorer, WorkedExample, filmstrip, rendering

rendering.DPI = 20
made = []

def make(draw=lambda value: Figure(figsize=(1, 1)), **options):
    made.append(filmstrip(draw, [1, 2, 3], "number {}".format, **options))
    return made[-1]

def is_whole():
    return [strip._film.strip["whole"] for strip in made]

def count():
    gc.collect()
    return len(ipywidgets.widgets.widget._instances)
"""
WHERE = {
    "cell": "make()",
    "Output": "out = ipywidgets.Output()\nwith out:\n    display(make())\nout",
    "callback": "box = ipywidgets.VBox()\nbutton = ipywidgets.Button()\n"
    "button.on_click(lambda _: setattr(box, 'children', [make()]))\nbox",
    "interact": "ipywidgets.interact(lambda n: display(make()), n=(1, 3));",
    "task": "async def later():\n    await asyncio.sleep(0.2)\n    make()\ntask = asyncio.ensure_future(later())",
    "thread": "thread = threading.Thread(target=make)\nthread.start()",
}


class Kernel:
    """A kernel as a notebook has it: its cells have an id."""

    def __init__(self) -> None:
        self.manager, self.client = start_new_kernel(kernel_name="python3")

    def run(self, code: str, cell: str = "") -> tuple[dict, list[dict]]:
        """The reply to a cell and its outputs."""
        content = {"code": code, "silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False}
        message = self.client.session.msg("execute_request", content, metadata={"cellId": cell} if cell else {})
        self.client.shell_channel.send(message)
        outputs = []
        while True:
            heard = self.client.get_iopub_msg(timeout=120)
            if heard["parent_header"].get("msg_id") != message["header"]["msg_id"]:
                continue
            if heard["content"].get("execution_state") == "idle":
                break
            outputs.append(heard)
        while True:
            reply = self.client.get_shell_msg(timeout=120)
            if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
                return reply["content"], outputs

    def value(self, expression: str) -> object:
        reply, outputs = self.run(f"import json; print(json.dumps({expression}))")
        assert reply["status"] == "ok", reply
        return json.loads("".join(out["content"]["text"] for out in outputs if out["msg_type"] == "stream"))

    def click(self, model: str) -> None:
        """What a front end sends when a button is clicked: no cell runs."""
        data = {"method": "custom", "content": {"event": "click"}}
        message = self.client.session.msg("comm_msg", {"comm_id": model, "data": data})
        self.client.shell_channel.send(message)

    def wait_until(self, expression: str) -> None:
        """No cell runs meanwhile but those that ask, and these make nothing."""
        for _ in range(200):
            if self.value(expression):
                return
            self.run("await asyncio.sleep(0.1)")
        raise AssertionError(self.value(expression.split(" and ")[0]))


@pytest.fixture(scope="module")
def kernel():
    kernel = Kernel()
    assert kernel.run(SETUP)[0]["status"] == "ok"
    yield kernel
    kernel.client.stop_channels()
    kernel.manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("where", WHERE)
def test_a_filmstrip_is_finished_wherever_it_is_made(kernel, where):
    """No cell may end that makes a filmstrip: the picture would stay alone until another cell is run."""
    kernel.run("made.clear()")
    reply, _ = kernel.run(WHERE[where])
    assert reply["status"] == "ok", reply
    if where == "callback":
        kernel.click(kernel.value("button.model_id"))
        strips = []
        for _ in range(100):  # what the kernel sends of its own accord: nothing is run that could have it end a cell
            try:
                heard = kernel.client.get_iopub_msg(timeout=1)
            except Empty:
                continue
            state = heard["content"].get("data", {}).get("state", {}) if heard["msg_type"].startswith("comm_") else {}
            strips += [state["strip"]["whole"]] if state.get("strip") else []
            if strips[-1:] == [True]:
                break
        assert strips == [False, True]
    kernel.wait_until("is_whole() and all(is_whole())")


def test_a_cell_that_is_run_again_releases_what_it_made(kernel):
    counts = []
    for _ in range(6):
        reply, _ = kernel.run("held = weakref.ref(explorer := WorkedExample(num_epochs=3))\nexplorer", cell="again")
        assert reply["status"] == "ok"
        kernel.run("WorkedExample(num_epochs=3)", cell="nameless")
        counts.append(kernel.value("count()"))
    assert len(set(counts[1:])) == 1, counts
    kernel.run("del explorer")
    kernel.run("WorkedExample(num_epochs=3)", cell="again")
    assert kernel.value("held() is None or not held()._film.strip")
    assert kernel.value("sum(type(out).__name__ == 'WorkedExample' for out in Out.values())") <= 2


@pytest.mark.parametrize(
    ("keeps", "code"),
    [
        ("a name", "keep = globals().get('keep') or WorkedExample(num_epochs=3)\nkeep"),
        ("a list", "kept = globals().get('kept', [])\nkept.append(WorkedExample(num_epochs=3))\nkept[-1]"),
        ("a box", "box = globals().get('box2') or ipywidgets.VBox()\nbox2 = box\n"
         "box.children += (WorkedExample(num_epochs=3),)\nbox"),
    ],
)  # fmt: skip
def test_what_a_variable_holds_stays(kernel, keeps, code):
    for _ in range(3):
        assert kernel.run(code, cell=keeps)[0]["status"] == "ok"
    held = {"a name": "[keep]", "a list": "kept", "a box": "box2.children"}[keeps]
    assert kernel.value(f"all(bool(each._film.strip) for each in {held})")


def test_what_another_cell_shows_stays_until_that_is_run_again(kernel):
    kernel.run("shared = WorkedExample(num_epochs=3)", cell="makes")
    kernel.run("old = weakref.ref(shared)\nshared", cell="shows")
    kernel.run("shared = WorkedExample(num_epochs=3)", cell="makes")
    assert kernel.value("bool(old()._film.strip)")
    kernel.run("shared", cell="shows")
    assert kernel.value("old() is None or not old()._film.strip")


def test_a_control_that_the_next_run_uses_stays_open(kernel):
    kernel.run("mark = ipywidgets.IntSlider(1, 1, 5)")
    for _ in range(3):
        kernel.run(
            "made.clear(); make(lambda value, mark: Figure(figsize=(1, 1)), controls={'mark': mark})", cell="mark"
        )
    kernel.run("made[0].controls['mark'].value = 4")
    kernel.wait_until("made[0]._film.strip['controls'] == [4]")
    assert kernel.value("mark.comm is not None")


RAISES = "make(lambda value: Figure(figsize=(1, 1 / (value - 2) ** 2)))"


def test_a_picture_that_cannot_be_drawn_fails_its_cell_and_the_others_stay(kernel):
    kernel.run("made.clear()")
    reply, outputs = kernel.run(RAISES)
    assert reply["status"] == "error" and reply["ename"] == "ZeroDivisionError"
    assert "There is no picture for value=2." in "".join(reply["traceback"])
    assert [out["msg_type"] for out in outputs].count("error") == 1
    assert kernel.value("[picture is not None for picture in made[0]._film.strip['pictures']]") == [True, False, True]
    assert "ZeroDivisionError" in kernel.value("made[0]._film.strip['problems'][1]")


def test_no_home_to_write_to_and_no_note_about_it(tmp_path):
    """matplotlib's notes about folders and fonts would stand in a lesson's first picture."""
    place = tmp_path / "file"
    place.write_text("")
    changed = {"HOME": str(place / "home"), "XDG_CONFIG_HOME": str(place / "a"), "XDG_CACHE_HOME": str(place / "b")}
    there = {name: value for name, value in os.environ.items() if name != "MPLCONFIGDIR"}
    code = "from lrlearn import plots, WorkedExample\n"
    code += "plots.spread({'a': [[1.0, 2.0]]})._repr_mimebundle_()\nWorkedExample().png"
    ours, bare = (
        subprocess.run([sys.executable, "-c", each], env=there | changed, capture_output=True, text=True)
        for each in (code, "import matplotlib")
    )
    assert ours.returncode == 0 and ours.stderr == ""
    assert "temporary cache directory" in bare.stderr, "that the test above can fail"
