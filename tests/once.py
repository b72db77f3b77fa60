"""A lesson is run once in a run of the whole suite: what JupyterLab saved of it is what nbval compares.

nbval talks to a kernel. For a lesson that the browser's tests have run, saved and found in order, `Replay`
answers in the kernel's place, with the outputs that JupyterLab saved. Any other notebook gets a kernel as ever,
so nbval alone, or a suite without a browser, compares just as much.
"""

from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import nbformat
import pytest


class Replay:
    """What nbval needs of a kernel, answered from a notebook that was run before."""

    def __init__(self, saved: Path, *_args: Any, **_kwargs: Any) -> None:
        cells = nbformat.read(saved, as_version=4).cells
        self._cells = (cell for cell in cells if cell.cell_type == "code")
        self._messages: Iterator[dict] = iter(())

    def execute_cell_input(self, source: str, allow_stdin: bool | None = None) -> str:
        """Be ready to tell the outputs of this cell, the next of its kind; its id stands for the request's."""
        cell = next((cell for cell in self._cells if cell.source == source), None)
        if cell is None or not cell.execution_count:
            raise AssertionError(f"JupyterLab did not run this cell: {source!r}")
        # the style comes after the cell, when nbval listens no more
        outputs = [one for one in cell.outputs if "style" not in one.get("metadata", {}).get("lrlearn", {})]
        told = [(output.output_type, output) for output in outputs]
        told.append(("status", {"execution_state": "idle"}))
        parent = {"msg_id": cell.id}
        self._messages = iter([{"msg_type": kind, "parent_header": parent, "content": what} for kind, what in told])
        return cell.id

    def get_message(self, _stream: str, timeout: float | None = None) -> dict:
        return next(self._messages)

    def await_reply(self, _request: str, timeout: float | None = None) -> None:
        """It was there before anybody asked."""

    await_idle = await_reply

    def is_alive(self) -> bool:
        return True

    def stop(self) -> None:
        """There is no process to stop."""


class Once:
    """The plugin. ``runs``: path of a lesson -> where it was saved after its run in the browser."""

    def __init__(self) -> None:
        self.runs: dict[Path, Path] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        saved = self.runs.get(item.path)
        kernel = mock.patch("nbval.plugin.RunningKernel", partial(Replay, saved)) if saved else nullcontext()
        with kernel:
            return (yield)
