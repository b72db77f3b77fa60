"""What is made in a cell, or by a callback, is finished when that has run, and released when the cell is run again."""

import asyncio
import threading
import weakref
from collections.abc import Callable, Iterator
from typing import Any, Protocol

from IPython import InteractiveShell, get_ipython


class Finished(Protocol):
    """What can be made in a cell: it has something left to do, and can be closed."""

    def finish(self) -> None: ...
    def close(self, spare: Callable[[Any], bool]) -> None: ...


_waiting: list[Finished] = []  # what the code that runs now has made
_afterwards: list[Callable[[], None]] = []  # what it wants done when it has run
_shown: "weakref.WeakKeyDictionary[Finished, dict[str, str]]" = weakref.WeakKeyDictionary()  # cell -> its run
_last_run: dict[str, str] = {}  # of each cell


def made(thing: Finished, shell: InteractiveShell | None) -> None:
    """Finish a thing when the cell that makes it has run; elsewhere soon, or at once where nothing can wait.

    Without a shell nobody is looking: nothing is done then.
    """
    if not shell:
        return
    _waiting.append(thing)
    shown(thing)
    if _cell_has_run not in shell.events.callbacks["post_run_cell"]:
        shell.events.register("post_run_cell", _cell_has_run)
    soon(thing.finish)  # a callback, a task or a thread: no cell may end


def shown(thing: Finished) -> None:
    """Note that the cell that runs now makes or shows a thing."""
    cell, run = _cell_and_run()
    if cell and run:
        _shown.setdefault(thing, {})[cell] = run


def afterwards(do: Callable[[], None]) -> None:
    """Call ``do()`` when the cell that runs now has run, below what it shows."""
    _afterwards.append(do)


def soon(do: Callable[[], Any], seconds: float = 0) -> bool:
    """Call ``do()`` once the kernel is idle and some seconds have passed, in a thread at once; else say False."""
    try:
        asyncio.get_running_loop().call_later(seconds, do)
    except RuntimeError:
        if not get_ipython() or threading.current_thread() is threading.main_thread():
            return False
        do()
    return True


def _cell_and_run() -> tuple[str | None, str | None]:
    """Which cell of the notebook runs, and which of its runs this is; None where the front end does not say."""
    parent: dict[str, Any] = getattr(get_ipython(), "get_parent", dict)() or {}
    header, cell = parent.get("header", {}), parent.get("metadata", {}).get("cellId")
    return (cell, header["msg_id"]) if cell and header.get("msg_type") == "execute_request" else (None, None)


def _cell_has_run(result: Any) -> None:
    """Draw what is left to draw, and release what earlier runs of the same cell have made."""
    shell = get_ipython()
    waiting, _waiting[:] = list(_waiting), []
    for thing in waiting:
        try:
            thing.finish()
        except Exception as error:  # IPython would only print it: the cell must fail
            shell.showtraceback((type(error), error, error.__traceback__), tb_offset=1)
            if result is not None:
                result.error_in_exec = error
    wanted, _afterwards[:] = list(_afterwards), []
    for do in wanted:
        do()
    cell, run = _cell_and_run()
    if cell and run:
        _last_run[cell] = run
        for thing in [thing for thing, runs in _shown.items() if _is_past(runs) and not _is_named(thing)]:
            _shown.pop(thing)
            _forget(thing)
            thing.close(spare=_is_named)


def _is_past(runs: dict[str, str]) -> bool:
    """Whether each cell that has made or shown it has been run again since."""
    return all(_last_run.get(cell, run) != run for cell, run in runs.items())


def _is_named(thing: Any) -> bool:
    return any(value is thing for value in _named())


def _named() -> Iterator[Any]:
    """What the learner's variables hold, also in lists and boxes; not IPython's own history of results."""
    for name, value in get_ipython().user_ns.items():
        if name.startswith("_") or name in ("In", "Out"):
            continue
        yield value
        if isinstance(value, list | tuple | set):
            yield from value
        elif isinstance(value, dict):
            yield from value.values()
        elif hasattr(type(value), "children"):
            yield from value.children


def _forget(thing: Any) -> None:
    """Drop a result from Out, _, __ and ___."""
    shell = get_ipython()
    for name in [name for name, value in shell.user_ns.items() if value is thing]:
        if shell.user_ns.get(name) is thing:
            shell.del_var(name)  # all names of the same thing, and its place in Out
